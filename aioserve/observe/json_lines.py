r"""Lines of the access log that are JSON objects, for programs that read them.

This file decides their keys. Each line is ASCII; what a client sent is text in it, in which a byte that is no
UTF-8 is written as ``\xNN``.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aioserve.http.trace_context import read_traceparent

if TYPE_CHECKING:
    from aioserve.http.messages import Peer, RequestMessage
    from aioserve.observe.access import AccessRecord

_encode = json.JSONEncoder(separators=(",", ":")).encode


def format_json(record: AccessRecord) -> str:
    """Write one object.

    ``time`` is when the request began, ``seconds`` what it took; ``body_bytes`` are those of the answer's
    body, ``sent_bytes`` all of it. What a request does not have is null. Of one that could not be parsed
    there is its first line, as ``refused``. Where requests have ids there is ``request_id``, and ``trace_id``
    and ``parent_id`` of those that belong to a trace.
    """
    message = record.message
    fields = {
        "time": datetime.fromtimestamp(record.started, UTC).isoformat(timespec="milliseconds"),
        "peer": _host_of(record.peer),
        "method": None if message is None else readable(message.method),
        "target": None if message is None else readable(message.path),
        "protocol": None if message is None else "HTTP/{}.{}".format(*message.version),
        "status": record.status,
        "body_bytes": record.body_length,
        "sent_bytes": record.output_length,
        "seconds": round(record.duration, 6),
        "referer": None if message is None else readable(message.field("referer")),
        "user_agent": None if message is None else readable(message.field("user-agent")),
        "pid": os.getpid(),
    }
    if message is None:
        fields["refused"] = readable(record.refused)
    elif message.request_id:
        fields |= ids_of(message)
    return _encode(fields)


def describe_message(message: RequestMessage) -> dict[str, str | None]:
    """Return what finds a request again, for messages about it."""
    return {
        "method": readable(message.method),
        "target": readable(message.path),
        "protocol": "HTTP/{}.{}".format(*message.version),
        "peer": _host_of(message.peer),
        **(ids_of(message) if message.request_id else {}),
    }


def ids_of(message: RequestMessage) -> dict[str, str]:
    """Return the id of a request that has one, and those of its trace."""
    trace = read_traceparent(message.field("traceparent"))
    return {"request_id": readable(message.request_id) or ""} | ({} if trace is None else trace._asdict())


def readable(text: str | None) -> str | None:
    """Return a text that any reader of JSON takes: none of them has to take half a surrogate pair."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _host_of(peer: Peer) -> str | None:
    match peer:
        case (str(host), *_):
            return host
        case str(name):
            return readable(name) or None
        case _:
            return None
