"""An exchange whose handler has had its time ends with a 503, or cuts the answer that has begun."""

from __future__ import annotations

import asyncio

import pytest

from aioserve import Response
from tests.wire import GET, errors, handler, on_both_loops, timed, turns


def waiting(*, begins=False, refusals=0, answers=False):
    """Make a handler that waits for ever, and refuses to be cancelled so many times."""
    left = [refusals]

    @handler
    async def waits(self, _message, _payload):
        if begins:
            response = Response(self.writer, 200)
            response.send_headers()
            response.write(b"half")
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if answers:
                    self.writer.write_response(200, "just in time")
                    return
                if not left[0]:
                    raise
                left[0] -= 1

    return waits


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({}, b"503 Service Unavailable\n\nThe answer took too long.\n"),
        ({"answers": True}, b"just in time"),
        ({"begins": True}, b"4\r\nhalf\r\n"),
    ],
    ids=["nothing was said", "answered when cancelled", "an answer had begun"],
)
@on_both_loops
async def test_a_handler_that_has_had_its_time(options, end, caplog):
    protocol, transport, clock = timed(waiting(**options), handler_timeout=10, access_log=None)
    protocol.data_received(GET)
    await turns()
    clock.to(9)
    await turns()
    before = transport.sent
    assert before.endswith(b"half\r\n") is ("begins" in options)
    assert bool(before) is ("begins" in options)
    clock.to(11)
    await turns()

    assert transport.sent.endswith(end)
    assert errors(caplog) == []
    protocol.connection_lost(None)


@on_both_loops
async def test_one_that_does_not_give_up_is_given_up(caplog):
    protocol, transport, clock = timed(waiting(refusals=1), handler_timeout=10, access_log=None)
    protocol.data_received(GET)
    await turns()
    clock.to(11)
    await turns()
    clock.to(22)
    assert transport.is_aborted
    assert "<RequestMessage GET / HTTP/1.1> did not end when it was cancelled" in errors(caplog)
    protocol.connection_lost(None)
    await turns()


@on_both_loops
async def test_options_for_the_server_need_no_handler():
    protocol, transport, _clock = timed(waiting(), access_log=None)
    protocol.data_received(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    assert transport.sent.startswith(b"HTTP/1.1 200 ")
    protocol.connection_lost(None)


@on_both_loops
async def test_there_is_nothing_to_expire_before_a_handler_waits():
    seen = []

    @handler
    async def looks(self, _message, _payload):
        seen.append(self._connection._exchange.expire())
        self.writer.write_response(200)

    protocol, _transport, _clock = timed(looks, access_log=None)
    protocol.data_received(GET)
    assert seen == [False]
    protocol.connection_lost(None)


@on_both_loops
async def test_a_client_that_has_gone_meanwhile_is_told_nothing(caplog):
    protocol, transport, clock = timed(waiting(), handler_timeout=10, access_log=None)
    protocol.data_received(GET)
    await turns()
    clock.to(11)
    protocol.connection_lost(None)
    await turns()
    assert transport.sent == b""
    assert errors(caplog) == []
