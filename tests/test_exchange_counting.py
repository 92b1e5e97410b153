"""Which requests an exchange counts, and when."""

from __future__ import annotations

import asyncio

import pytest

from aioserve import HttpProcessingError, Response
from aioserve.handler_options import HandlerOptions
from aioserve.observe.counters import Counters
from aioserve.observe.snapshot import METHODS, WorkerSnapshot
from tests.wire import GET, Slow, handler, hello, on_both_loops, post, serving, timed, turns


class Counting(Counters):
    """Counters that can be read at a glance."""

    @property
    def seen(self):
        return self.snapshot(WorkerSnapshot(1, ""))

    @property
    def classes(self):
        """How many there were of each method and class."""
        return {
            f"{method} {place + 1}xx": count
            for method, counts in zip(METHODS, self.seen.requests, strict=True)
            for place, count in enumerate(counts)
            if count
        }


@pytest.fixture
def counters():
    return Counting()


def connect(factory, counters, **options):
    """Make a connection that is counted, with a clock."""
    protocol, transport, clock = timed(factory, **options)
    protocol.connection_lost(None)
    protocol = factory()
    protocol.use_defaults(HandlerOptions(access_log=None, counters=counters, **options))
    transport.take_sent()
    protocol.connection_made(transport)
    return protocol, transport, clock


@handler
def failing(_self, message, _payload):
    raise HttpProcessingError(int(message.path[1:]))


@on_both_loops
async def test_requests_are_counted_with_what_they_were_answered(counters):
    async with serving(hello, HandlerOptions(access_log=None, counters=counters)) as server:
        await server.ask(GET)
        await server.ask(post(b"body"))

    assert counters.classes == {"GET 2xx": 1, "POST 2xx": 1}
    assert 0 < counters.seen.duration_sum < 30


@on_both_loops
async def test_it_is_counted_beside_the_access_log(counters):
    records = []
    async with serving(hello, HandlerOptions(access_log=records.append, counters=counters)) as server:
        await server.ask(GET)

    assert counters.seen.size_sum == records[0].output_length


@on_both_loops
async def test_what_is_no_request_is_refused_by_its_status(counters):
    protocol, transport, _ = connect(hello, counters)
    protocol.data_received(b"GET\r\n\r\n")

    assert b" 400 " in transport.sent
    assert (counters.classes, counters.seen.refused) == ({}, {"400": 1})
    protocol.connection_lost(None)


@on_both_loops
async def test_errors_are_counted(counters):
    protocol, _, _ = connect(failing, counters)
    for status in (404, 503):
        protocol.data_received(GET.replace(b"/ ", b"/%d " % status))

    assert counters.classes == {"GET 4xx": 1, "GET 5xx": 1}
    protocol.connection_lost(None)


@on_both_loops
async def test_client_that_does_not_wait_is_counted_in_the_end(counters):
    protocol, _, _ = connect(Slow, counters, cancel_on_disconnect=True)
    protocol.data_received(GET)
    await turns()
    assert (counters.classes, len(counters.going)) == ({}, 1)

    protocol.connection_lost(None)
    await turns()
    assert counters.classes == {"GET 4xx": 1}
    assert counters.going == {}


@pytest.mark.parametrize("is_chunked", [False, True])
@on_both_loops
async def test_answer_is_counted_when_the_client_may_have_it_though_the_handler_goes_on(counters, is_chunked):
    go_on, is_there = asyncio.Event(), asyncio.Event()

    @handler
    async def busy(self, _message, _payload):
        await asyncio.sleep(0)
        response = Response(self.writer, 200)
        if not is_chunked:
            response.add_header("Content-Length", "4")
        response.send_headers()
        response.write(b"body")
        if is_chunked:
            response.write_eof()
        is_there.set()
        await go_on.wait()

    protocol, _, _ = connect(busy, counters)
    protocol.data_received(GET)
    assert counters.classes == {}
    await is_there.wait()
    assert counters.classes == {"GET 2xx": 1}

    protocol.connection_lost(None)
    assert counters.classes == {"GET 2xx": 1}
    go_on.set()
    await turns()
    assert counters.classes == {"GET 2xx": 1}
    assert counters.going == {}


@on_both_loops
async def test_answer_of_which_more_comes_is_not_counted_yet(counters):
    go_on, is_there = asyncio.Event(), asyncio.Event()

    @handler
    async def slow(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(b"body")
        is_there.set()
        await go_on.wait()

    protocol, _, _ = connect(slow, counters)
    protocol.data_received(GET)
    await is_there.wait()
    assert counters.classes == {}

    go_on.set()
    await turns()
    assert counters.classes == {"GET 2xx": 1}
    protocol.connection_lost(None)
