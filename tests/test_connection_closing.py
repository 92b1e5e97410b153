"""A connection that is to be closed: who is told, and what may still be asked."""

from __future__ import annotations

import asyncio
import logging

import pytest

from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer
from aioserve.loop_parts import LoopParts
from aioserve.phase import Phase
from aioserve.server import ServerHttpProtocol
from tests.doubles import FakeTransport
from tests.wire import GET, Slow, connected, hello, on_both_loops, timed, turns

CLOSE = b"\r\nConnection: close\r\n"


@on_both_loops
async def test_idle_connection_is_closed_at_once():
    protocol, transport = connected(hello)
    protocol.closing(15)

    assert transport.is_closing()


@on_both_loops
async def test_with_patience_an_idle_client_may_ask_once_more():
    protocol, transport = connected(hello)
    protocol.data_received(GET)
    protocol._connection.close(15, patiently=True)
    assert not transport.is_closing()
    before = len(transport.sent)

    protocol.data_received(GET)

    assert CLOSE in transport.sent[before:]
    assert CLOSE not in transport.sent[:before]
    assert transport.is_closing() or protocol._connection.phase is Phase.LEAVING


@on_both_loops
async def test_patience_has_an_end():
    protocol, transport, clock = timed(hello, keep_alive=75)
    protocol.data_received(GET)
    protocol._connection.close(15, patiently=True)
    clock.to(14)
    assert not transport.is_closing()

    clock.to(17)
    assert transport.is_closing()


@on_both_loops
async def test_patience_gives_an_answer_all_the_time_that_it_needs():
    """Nobody waits for the end of the worker whose connection it is."""
    protocol, transport, clock = timed(Slow, keep_alive=75)
    protocol.data_received(GET)
    protocol._connection.close(15, patiently=True)
    clock.to(3600)
    assert not transport.is_closing()

    protocol.go_on.release()
    await turns()
    assert CLOSE in transport.sent
    protocol.connection_lost(None)


@on_both_loops
async def test_patience_with_a_client_that_has_its_answer_has_an_end():
    """It need not close its side of TLS, for instance."""
    protocol, transport, clock = timed(hello, keep_alive=75, write_timeout=0, lingering_time=0)
    transport.close = lambda: None
    protocol.data_received(b"GET / HTTP/1.0\r\n\r\n")
    assert protocol._connection.phase is Phase.LEAVING
    protocol._connection.close(15, patiently=True)
    clock.to(14)
    assert not transport.is_closing()

    clock.to(17)
    assert transport.is_closing()


LAST = GET[:-2] + b"Connection: close\r\n\r\n"
HALF = GET[:-2]


@pytest.mark.parametrize("data", [LAST, GET + HALF], ids=["the last answer", "half a head behind an answer"])
@on_both_loops
async def test_a_client_that_turns_out_to_have_its_answer_has_a_moment(data):
    """Its system says so some milliseconds later, and a stop must not take all of its time for that."""
    protocol, transport, clock = timed(hello, keep_alive=75)
    protocol.data_received(data)
    transport.unsent = 10
    protocol.closing(30)
    clock.to(5)
    transport.unsent = 0
    clock.to(5.5)
    assert not transport.is_closing()

    clock.to(7)
    assert transport.is_aborted


@on_both_loops
async def test_one_that_still_takes_its_answer_has_the_time_of_all(caplog):
    caplog.set_level(logging.INFO)
    protocol, transport, clock = timed(hello, keep_alive=75)
    protocol.data_received(LAST)
    transport.unsent = 10
    protocol.closing(30)
    clock.to(29)
    assert not transport.is_closing()

    clock.to(31)
    assert transport.is_aborted
    assert "192.0.2.1 was still served when the time to stop was over" in caplog.text


@on_both_loops
async def test_an_answer_that_is_made_meanwhile_is_not_taken_before_it_was_sent():
    protocol, transport, clock = timed(Slow, keep_alive=75)
    protocol.data_received(GET)
    protocol.go_on.release()
    await turns()
    transport.unsent = 10  # of the first answer
    protocol.data_received(HALF)
    protocol.closing(30)
    protocol.data_received(b"\r\n")
    transport.unsent = 0
    clock.to(5)
    clock.to(20)
    assert not transport.is_closing()

    protocol.go_on.release()
    await turns()
    clock.to(21)
    clock.to(23)
    assert transport.is_closing()


@on_both_loops
async def test_patience_with_a_client_that_is_slow_to_have_its_answer_has_an_end():
    protocol, transport, clock = timed(hello, write_timeout=0, lingering_time=0)
    transport.close = lambda: None  # as TLS, which waits for the client to close its side
    protocol.data_received(LAST)
    transport.unsent = 10
    protocol._connection.close(15, patiently=True)
    clock.to(100)
    transport.unsent = 0
    clock.to(101)
    clock.to(115)
    assert not transport.is_closing()

    clock.to(117)
    assert transport.is_closing()


@on_both_loops
async def test_patience_gives_who_sent_too_much_its_time_to_read_the_answer():
    """It reads when all is sent; were it reset before, it would lose the answer."""
    protocol, transport, clock = timed(Slow, lingering_time=10)
    protocol.data_received(
        LAST.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 1000000\r\n\r\n")
    )
    protocol._connection.close(15, patiently=True)
    protocol.writer.write_response(413, "")
    protocol._connection._exchange.cancel()
    await turns()
    assert protocol._connection.phase is Phase.LEAVING
    clock.to(9)
    assert not transport.is_aborted

    clock.to(11)
    assert transport.is_aborted


@on_both_loops
async def test_answer_that_is_ready_is_not_given_by_one_who_is_to_close():
    """It does not say that it is the last one."""
    protocol = ServerHttpProtocol()
    asked = []

    def respond(_message):
        asked.append(None)
        return Answer(200, (), b"ready", lambda: True)

    protocol.use_defaults(HandlerOptions(responders=(respond,), ready_limit=100_000))
    protocol.connection_made(transport := FakeTransport())
    for _ in range(3):
        protocol.data_received(GET)
    assert len(asked) == 1
    protocol._connection.close(15, patiently=True)

    protocol.data_received(GET)

    assert len(asked) == 2
    assert transport.sent.count(CLOSE) == 1
    protocol.connection_lost(None)


@on_both_loops
async def test_who_waits_for_it_is_told():
    protocol, _transport = connected(Slow)
    protocol.data_received(GET)
    waiting = asyncio.ensure_future(protocol.wait_closing())
    await turns()
    assert not waiting.done()

    protocol.closing(15)
    await turns()

    assert waiting.done()
    await protocol.wait_closing()
    protocol.go_on.release()
    protocol.connection_lost(None)
    await turns()


@on_both_loops
async def test_who_waits_for_it_is_told_when_the_client_has_gone():
    protocol, _transport = connected(hello)
    waiting = asyncio.ensure_future(protocol.wait_closing())
    await turns()

    protocol.connection_lost(None)
    await turns()

    assert waiting.done()
    await protocol.wait_closing()


@on_both_loops
async def test_requests_are_counted_and_those_that_were_cut_off():
    protocol, _transport, clock = timed(Slow, keep_alive=75)
    parts = LoopParts.of(asyncio.get_running_loop())
    requests, cut = parts.requests, parts.cut
    protocol.data_received(GET)
    assert parts.requests == requests + 1
    protocol.closing(1)
    clock.to(5)

    assert parts.cut == cut + 1
    protocol.go_on.release()
    protocol.connection_lost(None)
    await turns()
