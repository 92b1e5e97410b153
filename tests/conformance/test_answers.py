"""What every answer must be, whatever its handler does: one row for each rule."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import NamedTuple

import pytest

from aioserve import HttpProcessingError, Response
from tests.conformance.rows import GET
from tests.wire import handler, on_both_loops, serving

HEAD = GET.replace(b"GET", b"HEAD")
OLD = b"GET / HTTP/1.0\r\n\r\n"
OLD_KEPT = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
DATE = rb"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n"
ERROR_500 = b"500 Internal Server Error\n"


class Answer(NamedTuple):
    """One rule.

    Attributes:
        act: what the handler does, given itself.
        head: a pattern in the head of the answer.
        body: what follows the head, chunks and all; a prefix of it where the answer is cut short.
        lacks: a pattern that must not be in the head.
        request: what is answered.
        stays: whether another request is answered on the connection.
    """

    act: object
    head: bytes
    body: bytes
    lacks: bytes = rb"\Z\A"
    request: bytes = GET
    stays: bool = True


def whole(status=200, body=b"body", fields=(), **more):
    """Write an answer in one call."""
    return lambda self: self.writer.write_response(status, body, fields, **more)


def steps(*writes, status=200, fields=(), length=None, **more):
    """Write an answer step by step."""

    async def act(self):
        response = Response(self.writer, status, **more)
        response.add_headers(*fields)
        if length is not None:
            response.add_header("Content-Length", str(length))
        response.send_headers()
        for data in writes:
            await response.write(data)
        await response.write_eof()

    return act


async def fails(_self):
    raise ValueError("secret")


async def fails_late(self):
    response = Response(self.writer, 200)
    response.send_headers()
    response.write(b"half")
    await asyncio.sleep(0)
    raise ValueError("secret")


async def fails_in_time(_self):
    raise HttpProcessingError(404, "Not here.")


ANSWERS = {
    "9110 6.6.1: a date on success": Answer(whole(), DATE, b"body"),
    "9110 6.6.1: a date on a redirection": Answer(whole(302, fields=[("Location", "/a")]), DATE, b"body"),
    "9110 6.6.1: a date on an error": Answer(fails_in_time, DATE, b"404 Not Found\n\nNot here.\n"),
    "9112 4: the reason may be empty, its space may not": Answer(
        whole(reason=""), rb"\AHTTP/1\.1 200 \r\n", b"body"
    ),
    "9110 8.6: a length for what is known": Answer(
        whole(), rb"Content-Length: 4\r\n", b"body", rb"Transfer-"
    ),
    "9112 7.1: chunks for what is not": Answer(
        steps(b"bo", b"dy"),
        rb"Transfer-Encoding: chunked\r\n",
        b"2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
        rb"Content-L",
    ),
    "9112 6.1: never both": Answer(
        steps(b"body", fields=[("Transfer-Encoding", "chunked")], length=4),
        rb"Transfer-Encoding: chunked\r\n",
        b"4\r\nbody\r\n0\r\n\r\n",
        rb"Content-Length",
    ),
    "9112 6.1: no chunks for HTTP/1.0": Answer(
        steps(b"body"), rb"Connection: close", b"body", rb"Transfer-", request=OLD_KEPT, stays=False
    ),
    "9112 9.3: HTTP/1.0 is told that it is kept": Answer(
        whole(), rb"Connection: keep-alive\r\n", b"body", request=OLD_KEPT
    ),
    "9112 9.3: and closed otherwise": Answer(
        whole(), rb"Connection: close\r\n", b"body", request=OLD, stays=False
    ),
    "9110 9.3.2: HEAD has the length of GET and no content": Answer(
        whole(), rb"Content-Length: 4\r\n", b"", request=HEAD
    ),
    "9110 9.3.2: HEAD in steps": Answer(
        steps(b"bo", b"dy", length=4), rb"Content-Length: 4\r\n", b"", request=HEAD
    ),
    "9110 9.3.2: the page of an error is none for HEAD": Answer(
        fails, rb"\AHTTP/1\.1 500 ", b"", request=HEAD
    ),
    "9110 15.3.5: 204 has no content and no length": Answer(
        whole(204), rb" 204 ", b"", rb"Content-L|Transfer-"
    ),
    "9110 15.3.5: 204 in steps": Answer(
        steps(b"body", status=204, length=4), rb" 204 ", b"", rb"Content-L|Transfer-"
    ),
    "9110 15.3.6: 205 has a length of zero": Answer(whole(205, b""), rb"Content-Length: 0\r\n", b""),
    "9110 15.3.6: 205 in steps": Answer(
        steps(b"body", status=205, length=4), rb"Content-Length: 0\r\n", b"", rb"Transfer-"
    ),
    "9110 15.4.5: 304 has no content": Answer(whole(304), rb" 304 ", b"", rb"Transfer-"),
    "9110 5.5: CR LF in a value": Answer(
        whole(fields=[("X", "a\r\nY: b")]), rb"\AHTTP/1\.1 500 ", ERROR_500, rb"\nY: b"
    ),
    "9110 5.5: LF in a value": Answer(whole(fields=[("X", "a\nb")]), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9110 5.5: NUL in a value": Answer(whole(fields=[("X", "a\0")]), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9110 5.1: a name with a blank": Answer(whole(fields=[("X Y", "a")]), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9110 5.1: a name with a colon": Answer(whole(fields=[("X:", "a")]), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9110 5.1: an empty name": Answer(whole(fields=[("", "a")]), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9112 4: CR LF in the reason": Answer(
        whole(reason="OK\r\nX: a"), rb"\AHTTP/1\.1 500 ", ERROR_500, rb"X: a"
    ),
    "9110 15: a status that is none": Answer(whole(99), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9110 15.2: an interim answer is none": Answer(whole(103), rb"\AHTTP/1\.1 500 ", ERROR_500),
    "9110 7.8: a switch that nobody asked for": Answer(
        whole(101, b"", [("Upgrade", "x")]), rb"\AHTTP/1\.1 500 ", ERROR_500
    ),
    "9112 8: fewer bytes than announced end the connection": Answer(
        steps(b"bo", length=4), rb"Content-Length: 4", b"bo", stays=False
    ),
    "9112 8: more bytes than announced are not sent": Answer(
        steps(b"bodybody", length=4), rb"Content-Length: 4", b"body", stays=False
    ),
    "9112 6.3: two lengths of the handler's are one that is right": Answer(
        whole(fields=[("Content-Length", "3"), ("Content-Length", "9")]), rb"Content-Length: 4\r\n", b"body"
    ),
    "9110 15.6.1: an error is a page that says nothing of its cause": Answer(
        fails, rb"\AHTTP/1\.1 500 [^\n]+\n(.+\n)*Content-Type: text/plain", ERROR_500, rb"secret"
    ),
    "9112 8: an error behind the head cuts the answer off": Answer(
        fails_late, rb"\AHTTP/1\.1 200 ", b"4\r\nhalf\r\n", stays=False
    ),
    "9112 9.6: close is said where it is meant": Answer(
        whole(fields=[("Connection", "close")]), rb"Connection: close\r\n", b"body", stays=False
    ),
    "9110 5.6.2: framing is not the handler's": Answer(
        whole(fields=[("Transfer-Encoding", "gzip")]), rb"Content-Length: 4\r\n", b"body", rb"Transfer-"
    ),
}


@pytest.mark.parametrize("row", ANSWERS.values(), ids=ANSWERS)
@on_both_loops
async def test_an_answer_keeps_the_rules(row):
    @handler
    def acts(self, message, _payload):
        if message.path == "/next":
            return self.writer.write_response(200, b"the next")
        return row.act(self)

    async with serving(acts, access_log=None) as server:
        client = await server.connect()
        client.send(row.request)
        head = await client.until(b"\r\n\r\n")
        if row.stays:
            client.send(b"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        rest = b""
        with contextlib.suppress(ConnectionResetError):  # the way to tell that an answer is cut short
            rest = await client.rest()

    assert re.search(row.head, head)
    assert not re.search(row.lacks, head)
    assert rest.startswith(row.body)
    behind = rest[len(row.body) :]
    assert behind.startswith(b"HTTP/1.1 200 ") is row.stays
    assert behind.endswith(b"the next") is row.stays
    if not row.stays:
        assert behind == b""
