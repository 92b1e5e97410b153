"""Lines of the access log that the user lays out, with the directives of Apache's httpd.

This file decides what each directive writes, and that a text is compiled once. Whatever a client sent is
escaped as in the other formats, so that no layout can be broken by a request. What is no directive stays as
it is written.
"""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from aioserve.escaping import escape_line
from aioserve.observe.formats import format_peer, format_request_line, format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aioserve.observe.access import AccessRecord, Format

_DIRECTIVE = re.compile(r"%(?:\{([^}]*)\}([a-zA-Z])|(%|[<>]?s|Tf|[a-zA-Z]))", re.ASCII)

ABSENT = "-"


def compile_format(text: str) -> Format:
    """Make a format of a text such as ``%a %t "%r" %>s %O "%{User-Agent}i" %D``.

    ==============  ==============================================================================
    ``%%``          a percent sign
    ``%a`` ``%h``   the client's address
    ``%l`` ``%u``   ``-``, as nobody is asked for a name
    ``%t``          when the request began, ``[24/Nov/2026:06:00:00 +0000]``; ``%{FORMAT}t`` is in
                    the form of strftime(3), or ``sec``, ``msec``, ``usec`` since the epoch
    ``%r``          the request line; ``%m`` the method, ``%U`` the path, ``%q`` ``?`` and the
                    query, if any, ``%H`` the protocol
    ``%s`` ``%>s``  the status
    ``%b`` ``%B``   bytes of the body; ``%O`` all bytes of the answer
    ``%T``          whole seconds that it took; ``%Tf`` with six decimals, ``%{ms}T`` in
                    milliseconds, ``%D`` and ``%{us}T`` in microseconds
    ``%{Name}i``    a field of the request; ``%{Name}o`` of the answer
    ``%{NAME}e``    an environment variable
    ``%L``          the id of the request, with ``--request-id``
    ``%P``          the worker's process number, ``<1234>``
    ==============  ==============================================================================

    Raises:
        ValueError: the text would not make one line.
    """
    if not text.replace("\t", "").isprintable():
        raise ValueError(f"{text!r} would not make one line")
    template, writers, end = [], [], 0
    for found in _DIRECTIVE.finditer(text):
        writer = _writer_of(found)
        if writer is None:
            continue
        template.append(text[end : found.start()].replace("%", "%%"))
        writers.append(writer)
        end = found.end()
    layout = "%s".join([*template, text[end:].replace("%", "%%")])

    def write(record: AccessRecord) -> str:
        return layout % tuple([write(record) for write in writers])

    return write


def _writer_of(found: re.Match[str]) -> Callable[[AccessRecord], object] | None:
    argument, directive, plain = found.groups()
    if plain:
        return _PLAIN.get(plain.lstrip("<>"))
    make = _WITH_ARGUMENT.get(directive)
    return make(argument) if make else None


def _write_method(record: AccessRecord) -> str:
    return escape_line(record.message.method) if record.message else ABSENT


def _write_path(record: AccessRecord) -> str:
    return escape_line(record.message.raw_path) if record.message else ABSENT


def _write_query(record: AccessRecord) -> str:
    _, mark, query = record.message.path.partition("?") if record.message else ("", "", "")
    return escape_line(mark + query)


def _write_protocol(record: AccessRecord) -> str:
    return "HTTP/{}.{}".format(*record.message.version) if record.message else ABSENT


def _write_field(name: str) -> Callable[[AccessRecord], str]:
    def write(record: AccessRecord) -> str:
        value = record.message.field(name) if record.message else None
        return escape_line(value or ABSENT)

    return write if name.isascii() else _write_absent


def _write_answer_field(name: str) -> Callable[[AccessRecord], str]:
    """Look for a field in the head that was sent; of several with that name the first counts."""
    wanted = re.compile(rb"\r\n" + re.escape(name.encode()) + rb":[ \t]*([^\r]*)", re.IGNORECASE)

    def write(record: AccessRecord) -> str:
        found = wanted.search(record.head)
        value = found[1].strip() if found else b""
        return escape_line(value.decode("utf-8", "surrogateescape")) or ABSENT

    return write


def _write_variable(name: str) -> Callable[[AccessRecord], str]:
    value = escape_line(os.environ.get(name) or ABSENT)
    return lambda _: value


def _write_absent(_: AccessRecord) -> str:
    return ABSENT


def _write_duration(unit: str) -> Callable[[AccessRecord], int] | None:
    factor = {"s": 1, "ms": 1_000, "us": 1_000_000}.get(unit)
    return None if factor is None else lambda record: int(record.duration * factor)


def _write_time(layout: str) -> Callable[[AccessRecord], object]:
    factor = {"sec": 1, "msec": 1_000, "usec": 1_000_000}.get(layout)
    if factor is not None:
        return lambda record: int(record.started * factor)
    return lambda record: escape_line(time.strftime(layout, time.localtime(record.started)))


_PLAIN: Mapping[str, Callable[[AccessRecord], object]] = {
    "%": lambda _: "%",
    "a": lambda record: format_peer(record.peer),
    "h": lambda record: format_peer(record.peer),
    "l": _write_absent,
    "u": _write_absent,
    "t": lambda record: format_time(int(record.started)),
    "r": format_request_line,
    "m": _write_method,
    "U": _write_path,
    "q": _write_query,
    "H": _write_protocol,
    "s": lambda record: record.status,
    "b": lambda record: record.body_length,
    "B": lambda record: record.body_length,
    "O": lambda record: record.output_length,
    "T": lambda record: int(record.duration),
    "Tf": lambda record: f"{record.duration:.6f}",
    "L": lambda record: escape_line((record.message.request_id if record.message else "") or ABSENT),
    "D": lambda record: int(record.duration * 1_000_000),
    "P": lambda _: f"<{os.getpid()}>",
}
_WITH_ARGUMENT: Mapping[str, Callable[[str], Callable[[AccessRecord], object] | None]] = {
    "i": _write_field,
    "o": _write_answer_field,
    "e": _write_variable,
    "t": _write_time,
    "T": _write_duration,
}
