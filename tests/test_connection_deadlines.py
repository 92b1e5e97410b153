"""What a connection does about a client that takes too long, by a clock that the test moves."""

from __future__ import annotations

import asyncio
import logging

import pytest

from aioserve import HttpProcessingError, Response
from aioserve.connection import Phase
from tests.wire import GET, Slow, errors, handler, hello, on_both_loops, post, serving, timed, turns

HALF = GET[:-2]
CUT = b"Connection: close\r\n"


def is_silent(transport):
    """Whether the connection was closed without a word."""
    return transport.is_closing() and transport.sent == b""


# Before a request


@pytest.mark.parametrize("data", [b"", b"\r\n"], ids=["nothing", "an empty line"])
@on_both_loops
async def test_a_client_that_asks_for_nothing_is_left_in_silence(data):
    """RFC 9110 §15.5.9: 408 answers a request that was not complete, and there is none."""
    protocol, transport, clock = timed(Slow, keep_alive=30)
    if data:
        protocol.data_received(data)
    clock.to(29)
    assert not transport.is_closing()
    clock.to(31)
    assert is_silent(transport)
    protocol.connection_lost(None)


@on_both_loops
async def test_a_head_that_does_not_end_is_answered_with_408():
    protocol, transport, clock = timed(Slow)
    for position in range(len(HALF)):  # bytes that trickle in do not move the deadline
        protocol.data_received(HALF[position : position + 1])
        clock.to(position)
    clock.to(29)
    assert not transport.is_closing()
    clock.to(31)
    assert transport.sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert CUT in transport.sent
    assert transport.is_eof_written
    assert protocol.entered.empty()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_kept_connection_is_left_in_silence():
    protocol, transport, clock = timed(hello, keep_alive=100)
    protocol.data_received(GET)
    transport.take_sent()
    clock.to(99)
    assert not transport.is_closing()
    clock.to(101)
    assert is_silent(transport)
    protocol.connection_lost(None)


@pytest.mark.parametrize("together", [False, True])
@on_both_loops
async def test_the_head_of_a_later_request_has_its_own_time(together):
    protocol, transport, clock = timed(hello, keep_alive=100)
    for data in [GET + HALF] if together else [GET, HALF]:
        protocol.data_received(data)
    transport.take_sent()
    clock.to(29)
    protocol.data_received(b"X-More")
    assert not transport.is_closing()
    clock.to(31)
    assert transport.sent.startswith(b"HTTP/1.1 408 ")
    protocol.connection_lost(None)


@on_both_loops
async def test_times_of_zero_are_no_times():
    protocol, transport, clock = timed(Slow, timeout=0, body_timeout=0, write_timeout=0)
    protocol.data_received(HALF)
    clock.to(1e9)
    protocol.data_received(b"Content-Length: 1\r\n\r\n")
    clock.to(2e9)
    transport.unsent = 1
    clock.to(3e9)
    clock.to(4e9)
    assert not transport.is_closing()
    protocol.data_received(b"x")
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    protocol.connection_lost(None)


# In a body


@on_both_loops
async def test_a_body_that_pauses_too_long_is_answered_with_408():
    protocol, transport, clock = timed(Slow)
    head, body = post(bytes(20_000)).split(bytes(20_000))[0], bytes(10_000)
    protocol.data_received(head + b"b")
    clock.to(29)
    protocol.data_received(body)
    protocol.go_on.release()
    await turns()
    clock.to(58)
    await turns()
    assert transport.sent == b""
    clock.to(60)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 408 ")
    assert CUT in transport.sent
    assert protocol.bodies == []
    protocol.connection_lost(None)


@on_both_loops
async def test_an_answer_in_spite_of_a_body_that_did_not_come_says_close():
    @handler
    async def answers(self, _message, payload):
        with pytest.raises(HttpProcessingError, match="408"):
            await payload.read()
        self.writer.write_response(200, "hello")

    protocol, transport, clock = timed(answers)
    protocol.data_received(post(b"body")[:-1])
    clock.to(31)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 200 OK\r\n")
    assert CUT in transport.sent
    protocol.connection_lost(None)


@on_both_loops
async def test_a_client_that_waits_for_100_continue_is_not_late():
    protocol, transport, clock = timed(Slow)
    protocol.data_received(post(b"body", "Expect: 100-continue")[:-4])
    clock.to(1000)
    clock.to(2000)
    protocol.go_on.release()
    await turns()
    assert transport.take_sent() == b"HTTP/1.1 100 Continue\r\n\r\n"
    clock.to(2001)  # now it is its turn
    clock.to(2030)
    await turns()
    assert transport.sent == b""
    clock.to(2032)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 408 ")
    protocol.connection_lost(None)


@on_both_loops
async def test_a_client_whose_body_waits_for_its_reader_is_not_late():
    sizes = []

    @handler
    async def reads(_self, _message, payload):
        await go_on.wait()
        while data := await payload.readany():
            sizes.append(len(data))

    go_on = asyncio.Event()
    protocol, transport, clock = timed(reads)
    protocol.data_received(post(b"x" * 1_000_000)[:500_000])
    assert not transport.is_reading()
    clock.to(1000)
    clock.to(2000)
    go_on.set()
    await turns()
    assert transport.is_reading()
    assert transport.sent == b""
    clock.to(2001)  # the reader has made room: it is the client's turn again
    clock.to(2030)
    await turns()
    assert transport.sent == b""
    clock.to(2032)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 408 ")
    protocol.connection_lost(None)


# While an answer is made or sent


@on_both_loops
async def test_a_handler_may_take_all_the_time_in_the_world():
    protocol, transport, clock = timed(Slow)
    protocol.data_received(GET + HALF)
    for seconds in (100, 1000, 10_000):
        clock.to(seconds)
    assert not transport.is_closing()
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    protocol.connection_lost(None)


@on_both_loops
async def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(caplog):
    caplog.set_level(logging.INFO)
    ends = []

    @handler
    async def sends(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(b"x" * 100_000)
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    protocol, transport, clock = timed(sends)
    protocol.data_received(GET)
    for second, unsent in ((0, 90_000), (59, 70_000), (118, 50_000), (177, 49_999)):
        transport.unsent = unsent
        clock.to(second)
        assert not transport.is_aborted
    clock.to(238)
    assert transport.is_aborted
    await turns()
    assert ends == ["cancelled"]
    assert "192.0.2.1 took too little of its answer for too long" in caplog.text
    assert errors(caplog) == []
    protocol.connection_lost(None)


# After the last answer


@on_both_loops
async def test_what_comes_behind_the_last_answer_is_thrown_away_for_a_while():
    """RFC 9112 §9.6: closing with bytes unread would cost the client its answer."""
    protocol, transport, clock = timed(hello)
    protocol.data_received(b"GET / HTTP/1.1\r\n\r\n")
    assert transport.is_eof_written
    protocol.data_received(GET)
    assert transport.sent.count(b"HTTP/1.1") == 1
    clock.to(9)
    assert not transport.is_closing()
    clock.to(11)
    assert transport.is_aborted
    protocol.connection_lost(None)


@on_both_loops
async def test_not_too_much_of_it():
    protocol, transport, _clock = timed(hello)
    protocol.data_received(b"GET / HTTP/1.1\r\n\r\n")
    for _ in range(64):
        assert not transport.is_aborted
        protocol.data_received(bytes(1 << 20 | 1))
    assert transport.is_aborted
    protocol.connection_lost(None)


@on_both_loops
async def test_without_lingering_it_is_closed_at_once():
    protocol, transport, _clock = timed(hello, lingering_time=0)
    protocol.data_received(b"GET / HTTP/1.1\r\n\r\n" + GET)
    assert transport.is_closing()
    assert not transport.is_eof_written
    assert not transport.is_aborted
    protocol.connection_lost(None)


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", GET[:-2] + CUT + b"\r\n"],
    ids=["refused", "asked for"],
)
@on_both_loops
async def test_a_client_that_still_takes_the_last_answer_is_not_cut_off(data):
    protocol, transport, clock = timed(hello)
    protocol.data_received(data)
    assert transport.is_eof_written
    assert not transport.is_closing()
    for second in range(600):
        transport.unsent = 1_000_000 - second // 50 * 14_400
        clock.to(second)
    for second in range(600, 609):  # it took enough at 550
        clock.to(second)
        assert not transport.is_aborted
    for second in range(609, 613):
        clock.to(second)
    assert transport.is_aborted
    protocol.connection_lost(None)


@on_both_loops
async def test_a_close_that_does_not_come_to_its_end_is_cut_off():
    protocol, transport, clock = timed(hello)
    protocol.closing(1000)
    clock.to(0.5)
    assert not transport.is_aborted
    clock.to(3)  # nobody has to wait longer for a client that has all it asked for
    assert transport.is_aborted
    protocol.connection_lost(None)


@on_both_loops
async def test_an_unread_body_that_does_not_come_ends_the_connection():
    protocol, transport, clock = timed(hello)
    protocol.data_received(post(b"body")[:-1])
    assert protocol._connection.phase is Phase.DISCARDING
    clock.to(9)
    assert not transport.is_eof_written
    clock.to(11)
    assert transport.is_eof_written
    assert not transport.is_aborted
    protocol.connection_lost(None)


@on_both_loops
async def test_without_lingering_nobody_waits_for_an_unread_body():
    protocol, transport, _clock = timed(hello, lingering_time=0)
    protocol.data_received(post(b"body"))
    assert not transport.is_closing()
    protocol.data_received(post(b"body")[:-1])
    assert transport.is_closing()
    assert not transport.is_aborted
    protocol.connection_lost(None)


# While the server stops


@pytest.mark.parametrize(
    ("data", "before", "after"), [(GET, 4, 6.5), (HALF, 0.5, 3)], ids=["a slow handler", "half a head"]
)
@on_both_loops
async def test_closing_has_an_end(data, before, after, caplog):
    caplog.set_level(logging.INFO)
    protocol, transport, clock = timed(Slow)
    protocol.data_received(data)
    protocol.closing(5)
    protocol.closing(500)  # cannot make it later
    clock.to(before)
    assert not transport.is_closing()
    clock.to(after)
    assert transport.is_aborted
    await turns()
    assert protocol.writer is None
    was_served = "192.0.2.1 was still served when the time to stop was over" in caplog.text
    assert was_served is (data == GET)
    assert errors(caplog) == []
    protocol.connection_lost(None)


# The same by real clocks, which may only be too slow


@on_both_loops
async def test_an_idle_connection_ends():
    async with serving(hello, keep_alive=0.02) as server:
        client = await server.connect()
        client.send(GET)
        assert not (await client.reply()).closes
        assert await client.rest() == b""


@pytest.mark.parametrize("data", [b"", HALF])
@on_both_loops
async def test_a_head_has_its_time(data):
    async with serving(hello, timeout=0.02) as server:
        client = await server.connect()
        client.send(data)
        sent = await client.rest()
        assert sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n") if data else sent == b""


@on_both_loops
async def test_a_body_has_its_time():
    async with serving(Slow, body_timeout=0.02) as server:
        client = await server.connect()
        client.send(post(b"x" * 600_000)[:-1])
        (await server.handler()).go_on.release()
        reply = await client.reply()
        assert (reply.status, reply.closes) == (408, True)
        assert await client.rest() == b""


@on_both_loops
async def test_a_client_that_does_not_read_is_cut_off():
    ended = asyncio.Event()

    @handler
    async def sends(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        try:
            while True:
                await response.write(b"x" * 100_000)
        finally:
            ended.set()

    async with serving(sends, write_timeout=0.05) as server:
        client = await server.connect()
        client.send(GET)
        await ended.wait()
        await server.handlers[0].shutdown()


@on_both_loops
async def test_lingering_has_an_end():
    async with serving(hello, lingering_time=0.02) as server:
        client = await server.connect()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert (await client.reply()).status == 400
        await server.handlers[0].shutdown()


@on_both_loops
async def test_closing_ends_by_the_clock():
    async with serving(Slow, timeout=1) as server:
        client = await server.connect()
        client.send(GET)
        await (await server.handler()).entered.get()
        await server.handlers[0].shutdown(0.01)
        assert await client.rest() == b""
