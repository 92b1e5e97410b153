"""What is wrong with a line of a head: the judge of those that did not match (RFC 9112 §2.2, §3, §5).

A line may still be growing. Each function looks at its bytes in the order they came, raises for the first
that cannot be right, and decides the rest only when the line is complete: so the answer does not depend on
how the bytes were cut, and garbage is refused at its first byte instead of when a deadline ends.
"""

from __future__ import annotations

from aioserve.errors import BadStatusLine, HttpProcessingError, InvalidHeader, LineTooLong
from aioserve.http1.grammar import FIELD_LINE, FIELD_LINE_BYTES, REQUEST_LINE, REQUEST_LINE_BYTES, TOKEN
from aioserve.http1.rules import judge_method, judge_target

_TLS_HANDSHAKE = b"\x16"  # the first byte of a ClientHello (RFC 8446 §5.1)


def judge_request_line(
    line: bytes, *, is_complete: bool, limit: int, scheme: str, methods: dict[bytes, str]
) -> None:
    """Raise for a request line that is wrong, whether complete or not.

    Raises:
        BadStatusLine: a byte or a part of it is none of a request line (400).
        LineTooLong: it is over ``limit`` (414, RFC 9112 §3).
        HttpProcessingError: its version (505), its method (501) or its target is not served.
    """
    content = _content(line)
    if content[:limit].translate(None, REQUEST_LINE_BYTES):
        if line.startswith(_TLS_HANDSHAKE):
            raise BadStatusLine("TLS was spoken to a port that serves plain HTTP.")
        raise BadStatusLine("The request line holds a byte that it must not.")
    if len(content) > limit:
        if TOKEN.fullmatch(content[:limit]):  # RFC 9112 §3: a method longer than any that is known
            raise HttpProcessingError(501, "The method is not known here.")
        raise LineTooLong("The request line", limit, 414)
    if not is_complete:
        return
    match = REQUEST_LINE.fullmatch(line)
    if match is None:
        raise BadStatusLine("The request line is not a method, a target and a version.")
    method, target, major, _minor = match.groups()
    if major != b"1":
        raise HttpProcessingError(505, "The versions served are HTTP/1.1 and HTTP/1.0.")
    judge_target(judge_method(method, target, methods), target.decode("ascii"), scheme)


def judge_field_line(line: bytes, *, is_complete: bool, limit: int, before: int, section_limit: int) -> None:
    """Raise for a header field that is wrong, whether complete or not.

    Args:
        line: the bytes of it that are there.
        is_complete: it has come to its end.
        limit: the most bytes of a line, without its CRLF.
        before: bytes of the header section before it.
        section_limit: the most bytes of all lines together, each with its CRLF.

    Raises:
        InvalidHeader: it is no field, or holds a byte that no field may (400).
        LineTooLong: it is over a limit (431, RFC 6585 §5).
    """
    content = _content(line)
    room = max(section_limit - before - 2, 0)
    most = min(limit, room)
    if content[:most].translate(None, FIELD_LINE_BYTES):
        raise InvalidHeader("A header field holds a control byte.")
    if len(content) > most:
        what, passed = ("A header field", limit) if limit <= room else ("The header section", section_limit)
        raise LineTooLong(what, passed)
    if is_complete and not FIELD_LINE.fullmatch(line):
        if line.startswith((b" ", b"\t")):  # RFC 9112 §5.2: a server may refuse these, and should
            raise InvalidHeader("A header field is folded over two lines.")
        raise InvalidHeader("A header field is not a name, a colon and a value.")


def _content(line: bytes) -> bytes:
    """Return the line without its CRLF, or without the CR that may become one."""
    return line[:-2] if line.endswith(b"\r\n") else line.removesuffix(b"\r")
