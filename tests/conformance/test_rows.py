"""Each row, on the parser alone in every segmentation, and on a live connection."""

from __future__ import annotations

import re

import pytest

import aioserve
from aioserve.errors import HttpProcessingError
from aioserve.http1.parser import ParserLimits, RequestParser
from tests.conformance.rows import GET, ROWS
from tests.wire import on_both_loops, serving

CUTS = 300  # of a longer stream not every cut is tried, but every one near its beginning
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


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


def check(row, outcome):
    statuses, bodies = outcome
    assert statuses == row.statuses
    if row.bodies is not None:
        assert bodies == row.bodies


@every_row
def test_in_one_piece(row):
    check(row, read([row.sent]))


@every_row
def test_byte_by_byte(row):
    check(row, read([row.sent[at : at + 1] for at in range(len(row.sent))]))


@every_row
def test_cut_in_two_anywhere(row):
    for cut in range(min(len(row.sent), CUTS)):
        check(row, read([row.sent[:cut], row.sent[cut:]]))


class Echo(aioserve.ServerHttpProtocol):
    """Reads the body and says 200."""

    async def handle_request(self, message, payload):
        self.bodies = [*getattr(self, "bodies", ()), await payload.read()]
        self.writer.write_response(200, message.method)


@every_row
@on_both_loops
async def test_on_a_live_connection(row):
    async with serving(Echo, access_log=None) as server:
        client = await server.connect()
        client.send(row.sent + (GET.replace(b"Host", b"Connection: close\r\nHost") if row.stays else b""))
        said = await client.rest()
        bodies = getattr(server.handlers[0], "bodies", [])

    statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", said)]
    assert statuses == row.statuses + [200] * row.stays
    assert re.findall(rb"Connection: close\r\n", said)
    if row.bodies is not None:
        assert bodies == row.bodies + [b""] * row.stays
