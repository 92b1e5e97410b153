"""What a row says, and the pieces that rows are made of."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One rule.

    Attributes:
        sent: what the client sends, and then nothing more.
        statuses: those of all answers, interim ones included, in order.
        stays: whether the connection serves another request after them.
        bodies: what the handler got as bodies, where that matters.
        later: what the client sends once it has seen the beginning of an answer.
        half_closes: the client then says that it sends no more, and reads on.
        is_choice: the RFCs let a server answer otherwise; the row's name or a comment says why ours does not.
    """

    sent: bytes
    statuses: list[int]
    stays: bool = True
    bodies: list[bytes] | None = None
    later: bytes = b""
    half_closes: bool = False
    is_choice: bool = False


H = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + H + b"\r\n"
POST = b"POST / HTTP/1.1\r\n" + H
TE = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def refused(sent: bytes, status: int = 400) -> Row:
    """Answered by a refusal that ends the connection, whatever stands behind it."""
    return Row(sent, [status], stays=False)


def line(request_line: bytes) -> bytes:
    """A request of one line and a Host."""
    return request_line + b"\r\n" + H + b"\r\n"


def field(raw: bytes) -> bytes:
    """A GET with a Host and one more line."""
    return b"GET / HTTP/1.1\r\n" + H + raw + b"\r\n\r\n"


def length(value: bytes, body: bytes = b"") -> bytes:
    """A POST with a Content-Length."""
    return POST + b"Content-Length: " + value + b"\r\n\r\n" + body


def coding(value: bytes) -> bytes:
    """A POST with a Transfer-Encoding and an empty chunked body."""
    return POST + b"Transfer-Encoding: " + value + b"\r\n\r\n0\r\n\r\n"


def choice(row: Row) -> Row:
    """Where the RFCs let a server answer otherwise."""
    return row._replace(is_choice=True)
