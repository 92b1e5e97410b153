r"""Messages that are JSON objects, one in each line, for programs that read them.

This file decides their keys, and that every message becomes one line of ASCII, whatever is in it: what JSON
has no word for is told as ``repr`` does, and bytes of a client that are no UTF-8 are written as ``\xNN``.
"""

from __future__ import annotations

import json
import logging
import math
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aioserve.error_pages import format_traceback
from aioserve.http.messages import RequestMessage
from aioserve.observe.json_lines import describe_message, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

_encode = json.JSONEncoder(separators=(",", ":")).encode

# What `logging` itself sets; everything else was given as `extra`. `taskName` is of 3.12.
_USUAL = logging.makeLogRecord({}).__dict__.keys() | {"message", "asctime", "taskName"}
_OURS = {"time", "level", "logger", "pid", "request", "exception", "stack"}

_DEEPEST = 8  # levels of what was given as `extra`; it may hold itself


class JsonFormatter(logging.Formatter):
    """Writes ``{"time": ..., "level": ..., "logger": ..., "message": ..., "pid": ...}``.

    ``request`` is there where the message is about one: ``method``, ``target``, ``protocol``, ``peer`` and
    its ids; ``exception`` has ``type``, ``message`` and ``traceback``. Fields that were given as ``extra``
    follow by their names; one that has a name of those above is called ``extra.`` and that.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a record on one line."""
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": readable(record.getMessage()),
            "pid": os.getpid(),
        }
        request = getattr(record, "request", None)
        if isinstance(request, RequestMessage):
            fields["request"] = describe_message(request)
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception"] = _describe_exception(record.exc_info[1])
        if record.stack_info:
            fields["stack"] = readable(record.stack_info)
        fields |= _more_of(record)
        return _encode(fields)


def _describe_exception(exc: BaseException) -> dict[str, str | None]:
    return {
        "type": readable(type(exc).__qualname__),
        "message": readable(_shown(exc, str)),
        "traceback": readable(format_traceback(exc).rstrip("\n")),
    }


def _more_of(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    for name, value in record.__dict__.items():
        if name == "request" and (value is None or isinstance(value, RequestMessage)):
            continue
        if name not in _USUAL:
            yield readable(f"extra.{name}" if name in _OURS else str(name)) or "", _plain(value)


def _plain(value: object, depth: int = 0) -> Any:
    """Make something of a value that JSON has a word for, never failing."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    match value:
        case str():
            return readable(str.__str__(value))
        case dict() if depth < _DEEPEST:
            return {readable(_shown(key, str)) or "": _plain(each, depth + 1) for key, each in value.items()}
        case list() | tuple() if depth < _DEEPEST:
            return [_plain(each, depth + 1) for each in value]
        case _:
            return readable(_shown(value, repr))


def _shown(value: object, show: type[str] | Any) -> str:
    try:
        return str.__str__(show(value))
    except Exception as error:  # noqa: BLE001 - anybody's object
        return f"<{type(value).__name__}: {type(error).__name__}>"
