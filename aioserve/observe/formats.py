"""The lines of an access log that are plain text.

This file decides what a line says. Every request gets exactly one line of printable ASCII, whatever its peer
sent. The time is that of the request's start, in local time: each second is converted on its own, so that a
change of the offset (daylight saving) is right to the second, and kept, as many requests share it.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from aioserve.escaping import escape_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aioserve.http.messages import Peer, RequestMessage
    from aioserve.observe.access import AccessRecord, Format

# strftime would write them in the language of the locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def format_common(record: AccessRecord) -> str:
    """Write the Common Log Format: ``host - - [time] "request line" status bytes``.

    An empty body is written as ``0``: every reader of the format takes a number, not every one a hyphen.
    """
    return (
        f"{format_peer(record.peer)} - - {format_time(int(record.started))}"
        f' "{format_request_line(record)}" {record.status} {record.body_length}'
    )


def format_combined(record: AccessRecord) -> str:
    """Write the Combined Log Format: the common one, ``"referer"`` and ``"user agent"``."""
    message = record.message
    if message is None:
        return format_common(record) + ' "-" "-"'
    referer = escape_line(message.field("referer") or "-")
    return f'{format_common(record)} "{referer}" "{escape_line(message.field("user-agent") or "-")}"'


def format_dev(record: AccessRecord) -> str:
    """Write what a developer wants to know: ``06:00:00 200 GET /path 1.2kB 0.8ms``."""
    message = record.message
    request = escape_line(f"{message.method} {message.path}" if message else record.refused) or "-"
    return (
        f"{format_clock(record.started)} {record.status} {request}"
        f" {format_size(record.body_length)} {format_duration(record.duration)}"
    )


FORMATS: Mapping[str, Format] = {"common": format_common, "combined": format_combined, "dev": format_dev}
"""The formats by the names that the option takes."""


@lru_cache(maxsize=1024)  # connections are kept alive
def format_peer(peer: Peer) -> str:
    """Write the host of a client, or the name of a unix socket, as one word; ``-`` where it has none."""
    match peer:
        case (str(host), *_) | (str() as host) if host:
            return escape_line(host).replace(" ", "\\x20")  # whoever binds a unix socket chooses its name
        case _:
            return "-"


def format_clock(moment: float) -> str:
    """Write local time of day, ``06:00:00``, of seconds since the epoch."""
    return _times(int(moment))[0]


def format_size(length: int) -> str:
    """Write a number of bytes: ``18B``, ``1.2kB``, ``3.4GB``."""
    if length < 1000:
        return f"{length}B"
    value = length / 1000
    for unit in "kMG":
        if value < 999.95:  # what rounds to 1000.0 belongs to the next unit
            return f"{value:.1f}{unit}B"
        value /= 1000
    return f"{value:.1f}TB"


def format_duration(seconds: float) -> str:
    """Write a time span: ``0.04ms``, ``0.8ms``, ``1.2s``."""
    milliseconds = seconds * 1000
    if milliseconds < 0.095:
        return f"{milliseconds:.2f}ms"
    if milliseconds < 999.95:
        return f"{milliseconds:.1f}ms"
    return f"{seconds:.1f}s"


def format_request_line(record: AccessRecord) -> str:
    """Write the request line, or the first line of what is no request; ``-`` where there is none."""
    message = record.message
    return _first_line(message) if message else escape_line(record.refused) or "-"


def describe_request(message: RequestMessage) -> str:
    """Write what finds a request again: its line, whose it is, and its id, as far as that is known."""
    peer, request_id = format_peer(message.peer), message.request_id
    who = "" if peer == "-" else f" from {peer}"
    return f"{_first_line(message)}{who}{f', id {escape_line(request_id)}' if request_id else ''}"


def _first_line(message: RequestMessage) -> str:
    return escape_line("{} {} HTTP/{}.{}".format(message.method, message.path, *message.version))


def format_time(second: int) -> str:
    """Write seconds since the epoch as ``[24/Nov/2026:06:00:00 +0000]``, in local time."""
    return _times(second)[1]


@lru_cache(maxsize=64)  # requests are logged as they end; many seconds may be in flight
def _times(second: int) -> tuple[str, str]:
    """Write a second as ``06:00:00`` and as ``[24/Nov/2026:06:00:00 +0000]``."""
    local = time.localtime(second)
    clock = f"{local.tm_hour:02}:{local.tm_min:02}:{local.tm_sec:02}"
    sign = "-" if local.tm_gmtoff < 0 else "+"
    hours, minutes = divmod(abs(local.tm_gmtoff) // 60, 60)
    day = f"{local.tm_mday:02}/{_MONTHS[local.tm_mon - 1]}/{local.tm_year}"
    return clock, f"[{day}:{clock} {sign}{hours:02}{minutes:02}]"
