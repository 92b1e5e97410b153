"""A reader that waits is woken, may be cancelled, and learns of the end: with nothing lost or left behind."""

from __future__ import annotations

import asyncio

import pytest

from aioserve.errors import ClientDisconnectedError
from aioserve.payload import Payload
from tests.bodies import arrived, each_way, start
from tests.wire import on_both_loops


@each_way
@on_both_loops
async def test_a_reader_that_is_cancelled_loses_nothing(way):
    payload = Payload()
    payload.feed_data(b"a")
    payload.feed_data(b"b")
    assert await payload.read(1) == b"a"
    left = b"b"
    if way in (("read", 3), ("readany",)):  # they would not wait
        await payload.read(1)
        left = b""
    reading = start(payload, *way)
    await asyncio.sleep(0)
    reading.cancel()
    payload.feed_data(b"c")
    payload.feed_data(b"d\n")
    await asyncio.wait([reading])
    assert reading.cancelled()
    payload.feed_eof()

    assert await payload.readline() == left + b"cd\n"
    assert payload.at_eof()


@on_both_loops
async def test_a_reader_may_be_given_a_time():
    payload = Payload()
    payload.feed_data(b"abc")
    for way in (payload.read(), payload.readexactly(9), payload.readline(), payload.wait_eof()):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(way, 0.001)

    assert await asyncio.wait_for(payload.readany(), 1) == b"abc"


@on_both_loops
async def test_bytes_that_come_together_with_an_exception_go_first():
    payload = Payload()
    reading = start(payload, "readany")
    await asyncio.sleep(0)
    payload.feed_data(b"last")
    payload.set_exception(ClientDisconnectedError("gone"))

    assert await reading == b"last"
    with pytest.raises(ClientDisconnectedError):
        await payload.readany()


@each_way
@on_both_loops
async def test_who_still_waits_learns_that_the_request_is_over_and_puts_nothing_back(way):
    payload = Payload()
    reading = start(payload, *way)
    await asyncio.sleep(0)
    if way in (("read",), ("readexactly", 3), ("readline",)):
        payload.feed_data(b"a")
        await asyncio.sleep(0)
    payload.close()
    with pytest.raises(RuntimeError, match="the request is over"):
        await reading
    with pytest.raises(RuntimeError, match="the request is over"):
        await payload.readany()


@pytest.mark.parametrize("way", [("read",), ("readexactly", 9), ("readline",), ("wait_eof",), ("text",)])
@on_both_loops
async def test_who_needs_more_gets_the_exception_and_takes_nothing(way):
    payload = arrived(b"ab", b"c", is_whole=False)
    payload.set_exception(ClientDisconnectedError("gone"))
    with pytest.raises(ClientDisconnectedError):
        await start(payload, *way)

    assert await payload.readany() == b"abc"
