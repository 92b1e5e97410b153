"""Where the time of a request went, with a clock that the test turns."""

from __future__ import annotations

import asyncio

import pytest

from aioserve import Response, timing
from aioserve.handler_options import HandlerOptions
from tests.pages import Site, said
from tests.wire import GET, handler, on_both_loops, serving


class Clock:
    """Stands in for ``time.perf_counter`` in all modules that tell time spans."""

    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing, "perf_counter", clock)
    monkeypatch.setattr("time.perf_counter", clock)
    return clock


@on_both_loops
async def test_handler_and_sending_are_told_apart(clock):
    @handler
    async def slow(self, _message, _payload):
        clock.seconds += 2
        response = Response(self.writer, 200)
        response.send_headers()
        await asyncio.sleep(0)
        clock.seconds += 3
        response.write(b"late")

    records = []
    async with serving(slow, HandlerOptions(is_timed=True, access_log=records.append)) as server:
        await server.ask()

    assert [(record.times, record.duration) for record in records] == [((0.0, 2.0, 3.0), 5.0)]


@on_both_loops
async def test_a_request_waits_for_those_before_it(clock):
    @handler
    def slow(self, _message, _payload):
        clock.seconds += 2
        self.writer.write_response(200, "")

    records = []
    async with serving(slow, HandlerOptions(is_timed=True, access_log=records.append)) as server:
        client = await server.connect()
        client.send(GET * 3)
        for _ in range(3):
            await client.reply()

    assert [record.times.queue for record in records] == [0.0, 2.0, 4.0]


@on_both_loops
async def test_where_nothing_was_answered_all_of_it_was_the_handlers(clock):
    @handler
    async def gives_up(self, _message, _payload):
        clock.seconds += 2
        self.transport.abort()
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    records = []
    async with serving(gives_up, HandlerOptions(is_timed=True, access_log=records.append)) as server:
        client = await server.connect()
        client.send(GET)
        await client.rest()

    assert records[0].times == (0.0, 2.0, 0.0)


@on_both_loops
async def test_a_ready_answer_was_made_before():
    records = []
    with Site(is_timed=True, access_log=records.append) as site:
        for port in (1, 2):
            said(*site.connect(peername=("127.0.0.1", port)), GET)

    assert [record.times is None for record in records] == [False, True]


@on_both_loops
async def test_nothing_is_measured_that_nobody_asks_for():
    records = []
    with Site(access_log=records.append) as site:
        said(*site.connect(), GET)

    assert [record.times for record in records] == [None]
