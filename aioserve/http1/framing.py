"""Answers as bytes: how a head looks and how a body is delimited (RFC 9112 §4 to §7).

This file alone decides the framing of an answer. What a handler asks for is an input; a Content-Length that
it gave is kept only where it can be true, and Transfer-Encoding is never taken from anybody.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from aioserve.http.statuses import has_no_content

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
_VALUE = re.compile(r"[\t -~]*+")

# The server's own: what a handler says of them is taken as a wish and never copied to the wire.
FRAMING_FIELDS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"})


class Framing(Enum):
    """How the end of a body is told (RFC 9112 §6.3)."""

    NONE = "the head is all"
    LENGTH = "Content-Length"
    CHUNKED = "Transfer-Encoding: chunked"
    CLOSE = "the end of the connection"


def choose_framing(*, method: str, status: int, minor: int, length: int | None, is_chunked: bool) -> Framing:
    """Decide how the body of an answer is delimited.

    Args:
        method: of the request; an answer to HEAD has no body (RFC 9110 §9.3.2).
        status: of the answer; 1xx, 204 and 304 have no body (RFC 9112 §6.3), 205 an empty one (RFC 9110
            §15.3.6).
        minor: the minor version of the *request*; HTTP/1.0 does not know chunks (RFC 9112 §6.1).
        length: the length of the body in bytes, where it is known.
        is_chunked: the handler asked for chunks.
    """
    if method == "HEAD" or has_no_content(status) or (method == "CONNECT" and 200 <= status < 300):
        return Framing.NONE
    if status == 205:  # its head says that the length is zero
        return Framing.NONE
    if minor and (is_chunked or length is None):
        return Framing.CHUNKED
    return Framing.CLOSE if length is None else Framing.LENGTH


def must_be_valid_field(name: str, value: str) -> None:
    """Refuse what would break a head apart or that clients read differently (RFC 9110 §5.1 and §5.5).

    Raises:
        TypeError: name or value is not a str.
        ValueError: the name is no token, or the value holds a byte that it must not.
    """
    if not (isinstance(name, str) and isinstance(value, str)):  # type: ignore[redundant-expr]
        raise TypeError(f"a header field is made of two str, not {name!r} and {value!r}")
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a header field")
    if not (value.isascii() and value.isprintable()) and not _VALUE.fullmatch(value):
        raise ValueError(
            f"the value of {name} holds a character that no header field may: {value!r}"
            " (RFC 8187 says how to write text that is not ASCII)"
        )


def must_be_valid_reason(reason: str) -> None:
    """Refuse a reason phrase that is more than one (RFC 9112 §4).

    Raises:
        TypeError: it is not a str.
        ValueError: it holds a character that it must not.
    """
    if not isinstance(reason, str):
        raise TypeError(f"a reason phrase is a str, not {reason!r}")
    if not _VALUE.fullmatch(reason):
        raise ValueError(f"a reason phrase holds a character that it must not: {reason!r}")


@lru_cache(maxsize=1_024)
def render_status_line(major: int, minor: int, status: int, reason: str) -> bytes:
    """Write the first line of an answer (RFC 9112 §4); the reason must have been found valid.

    Raises:
        ValueError: a number is no int. ``200.0`` equals ``200`` and would be kept in its place.
    """
    return f"HTTP/{major:d}.{minor:d} {status:d} {reason}\r\n".encode("ascii")


@lru_cache(maxsize=1_024)
def render_field(name: str, value: str) -> tuple[bytes, str]:
    """Write the line of a header field, and return it with the field's name in lower case.

    Most fields of most answers are the same from one to the next, so the lines are kept.

    Raises:
        TypeError, ValueError: as `must_be_valid_field`.
    """
    must_be_valid_field(name, value)
    return f"{name}: {value}\r\n".encode("ascii"), name.lower()


def render_chunk(data: bytes) -> bytes:
    """Write one chunk (RFC 9112 §7.1); an empty one would end the body, so there must be data."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
