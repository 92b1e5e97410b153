"""Each row in every segmentation: on the parser, on a connection without a network, and over a socket."""

from __future__ import annotations

import asyncio
import re

import pytest

import aioserve
from aioserve.errors import HttpProcessingError
from aioserve.http1.parser import ParserLimits, RequestParser
from tests.conformance.rows import GET, ROWS
from tests.wire import connected, on_both_loops, serving, turns

CUTS = 300  # of a longer stream not every cut is tried, but every one near its beginning
LAST = GET.replace(b"Host", b"Connection: close\r\nHost")
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


def bytewise(data):
    return [data[at : at + 1] for at in range(len(data))]


def cuts_of(data):
    """Yield the two pieces of each cut."""
    for cut in range(1, min(len(data), CUTS)):
        yield data[:cut], data[cut:]


# On the parser


def read(pieces):
    """Read requests; return the statuses that a handler saying 200 would give, and the bodies."""
    parser = RequestParser(ParserLimits())
    statuses, bodies, body = [], [], None
    try:
        for piece in pieces:
            parser.receive_data(piece)
            while True:
                if body is None:
                    message = parser.next_request()
                    if message is None:
                        break
                    body = b""
                body += parser.read_body()
                if not parser.body_is_complete:
                    break
                statuses.append(200)
                bodies.append(body)
                body = None
                if message.should_close:
                    return statuses, bodies
    except HttpProcessingError as error:
        statuses.append(error.code)
    return statuses, bodies


def check_read(row, pieces):
    statuses, bodies = read(pieces)
    assert statuses == [status for status in row.statuses if status >= 200]
    if row.bodies is not None:
        assert bodies == row.bodies


@every_row
def test_parsed_in_one_piece(row):
    check_read(row, [row.sent + row.later])


@every_row
def test_parsed_byte_by_byte(row):
    check_read(row, bytewise(row.sent + row.later))


@every_row
def test_parsed_when_cut_in_two_anywhere(row):
    for pieces in cuts_of(row.sent + row.later):
        check_read(row, pieces)


# On a connection


class Echo(aioserve.ServerHttpProtocol):
    """Reads the body and says 200."""

    async def handle_request(self, message, payload):
        self.bodies = [*getattr(self, "bodies", ()), await payload.read()]
        self.writer.write_response(200, message.method)


def check_answered(row, said, bodies):
    """Compare what came back, to the row and to the request behind it, with what must come."""
    heads = re.findall(rb"HTTP/1\.[01] \d{3} [^\n]*\n(?:[^\r]+\r\n)*\r\n", said)
    statuses = [int(head[9:12]) for head in heads]
    if 100 not in row.statuses:  # an interim answer may come where the body has not
        statuses = [status for status in statuses if status != 100]
    assert statuses == row.statuses + [200] * row.stays
    assert not heads or b"Connection: close\r\n" in heads[-1] or row.half_closes
    if row.bodies is not None:
        assert bodies == row.bodies + [b""] * row.stays


async def answer(row, pieces):
    """Serve a connection that gets these pieces one after the other, on a fake transport."""
    protocol, transport = connected(Echo, access_log=None)
    for piece in [*pieces, row.later, LAST if row.stays else b""]:
        if piece and not transport.is_closing():
            protocol.data_received(piece)
            await turns(2)
    if row.half_closes and not transport.is_closing() and not protocol.eof_received():
        transport.close()
    await turns(50)  # so many requests are answered in each
    protocol.connection_lost(None)
    await turns(2)
    check_answered(row, transport.sent, getattr(protocol, "bodies", []))


@every_row
def test_answered_in_every_segmentation(row):
    async def every_segmentation():
        for pieces in ([row.sent], bytewise(row.sent), *cuts_of(row.sent)):
            await answer(row, pieces)

    asyncio.run(every_segmentation())


# Over a socket


@pytest.mark.parametrize("cut", [lambda data: [data], bytewise], ids=["one piece", "byte by byte"])
@every_row
@on_both_loops
async def test_over_a_socket(row, cut):
    async with serving(Echo, access_log=None) as server:
        client = await server.connect()
        seen = b""
        for piece in cut(row.sent):
            client.send(piece)
            await turns(1)
        if row.later:
            seen = await client.until(b"\r\n\r\n")
            client.send(row.later)
        if row.stays:
            client.send(LAST)
        if row.half_closes:
            client.half_close()
        check_answered(row, seen + await client.rest(), getattr(server.handlers[0], "bodies", []))
