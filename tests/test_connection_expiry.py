"""What becomes of a handler that takes too long, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from aioserve import Response
from aioserve.handler_options import DEFAULT_OPTIONS, HandlerOptions
from aioserve.http.messages import Answer, FileSlice
from tests.wire import (
    FAKE_EARLY,
    GET,
    Slow,
    errors,
    handler,
    hello,
    on_both_loops,
    post,
    serving,
    timed,
    turns,
)

TIME = 100  # seconds that a handler has; what has passed is noticed half a second late
TOOK_LONGER = "<RequestMessage GET / HTTP/1.1> took longer than 100 s and is cancelled"
STUCK = "<RequestMessage GET / HTTP/1.1> did not end when it was cancelled"


async def forever():
    await asyncio.Event().wait()


def is_expired(sent):
    """Whether the bytes are one answer that says that it took too long."""
    return sent.startswith(b"HTTP/1.1 503 Service Unavailable\r\n") and sent.count(b"HTTP/1.1") == 1


# Whether there is a limit


def test_by_default_there_is_none():
    assert DEFAULT_OPTIONS.handler_timeout == 0


def test_the_clock_ticks_often_enough_for_it():
    assert HandlerOptions(handler_timeout=0.5).shortest_timeout == 0.5


@on_both_loops
async def test_without_a_limit_nothing_is_cancelled():
    protocol, transport, clock = timed(Slow)
    protocol.data_received(GET)
    clock.to(1e6)
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    protocol.connection_lost(None)


# A handler that ends


@on_both_loops
async def test_a_handler_that_takes_longer_is_answered_by_503_and_the_connection_lives(caplog):
    protocol, transport, clock = timed(Slow, handler_timeout=TIME, keep_alive=1e9)
    for begin in (0, 1000):
        clock.to(begin)
        protocol.data_received(GET)
        clock.to(begin + TIME - 1)
        await turns()
        assert transport.sent == b""
        clock.to(begin + TIME + 1)
        await turns()
        sent = transport.take_sent()
        assert is_expired(sent)
        assert b"Connection: close" not in sent
        assert b"The answer took too long." in sent
        clock.to(begin + TIME + 2)
    assert not transport.is_closing()
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert caplog.text.count(TOOK_LONGER) == 2
    protocol.data_received(GET)
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    protocol.connection_lost(None)


@on_both_loops
async def test_a_handler_that_is_quick_enough_answers():
    protocol, transport, clock = timed(Slow, handler_timeout=TIME, keep_alive=1e9)
    protocol.data_received(GET)
    clock.to(TIME - 1)
    protocol.go_on.release()
    await turns()
    assert transport.take_sent().endswith(b"slow")
    clock.to(10 * TIME)  # its time is not that of the wait for the next request
    assert not transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_each_of_several_requests_has_its_own_time():
    protocol, transport, clock = timed(Slow, handler_timeout=TIME)
    protocol.data_received(GET + GET)
    clock.to(TIME + 1)
    await turns()
    assert is_expired(transport.take_sent())
    clock.to(2 * TIME)
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    protocol.connection_lost(None)


@on_both_loops
async def test_a_connection_that_was_to_end_ends():
    protocol, transport, clock = timed(Slow, handler_timeout=TIME)
    protocol.data_received(GET[:-2] + b"Connection: close\r\n\r\n")
    clock.to(TIME + 1)
    await turns()
    assert is_expired(transport.sent)
    assert b"Connection: close\r\n" in transport.sent
    assert transport.is_eof_written
    protocol.connection_lost(None)


@on_both_loops
async def test_a_body_that_nobody_read_is_thrown_away():
    protocol, transport, clock = timed(Slow, handler_timeout=TIME, body_timeout=0)
    protocol.data_received(post(b"body")[:-1])
    clock.to(TIME + 1)
    await turns()
    assert is_expired(transport.take_sent())
    protocol.data_received(b"y" + GET)
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    protocol.connection_lost(None)


@on_both_loops
async def test_a_handler_cleans_up_first():
    @handler
    async def cleans_up(_self, _message, _payload):
        try:
            await forever()
        finally:
            await cleaned.wait()

    cleaned = asyncio.Event()
    protocol, transport, clock = timed(cleans_up, handler_timeout=TIME)
    protocol.data_received(GET)
    clock.to(TIME + 1)
    await turns()
    clock.to(2 * TIME)
    await turns()
    assert transport.sent == b""
    cleaned.set()
    await turns()
    assert is_expired(transport.sent)
    assert not transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_handler_may_answer_when_it_is_cancelled(caplog):
    @handler
    async def answers(self, _message, _payload):
        with suppress(asyncio.CancelledError):
            await forever()
        self.writer.write_response(202, "later")

    protocol, transport, clock = timed(answers, handler_timeout=TIME)
    protocol.data_received(GET)
    clock.to(TIME + 1)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 202 Accepted\r\n")
    assert transport.sent.endswith(b"later")
    clock.to(3 * TIME)
    assert not transport.is_aborted
    assert errors(caplog) == []
    protocol.connection_lost(None)


@on_both_loops
async def test_what_a_handler_raises_instead_is_its_own_error(caplog):
    @handler
    async def raises(_self, _message, _payload):
        try:
            await forever()
        finally:
            raise KeyError("mine")

    protocol, transport, clock = timed(raises, handler_timeout=TIME)
    protocol.data_received(GET)
    clock.to(TIME + 1)
    await turns()
    assert transport.sent.startswith(b"HTTP/1.1 500 ")
    assert errors(caplog) == [FAKE_EARLY]
    protocol.connection_lost(None)


# One that has begun its answer


@pytest.mark.parametrize(
    ("version", "is_cut"), [(b"1.1", False), (b"1.0", True)], ids=["chunked", "to its end"]
)
@on_both_loops
async def test_an_answer_that_has_begun_stays_without_its_end(caplog, version, is_cut):
    """RFC 9112 §8: a client sees by the missing last chunk, or by the reset, that it has not got all."""

    @handler
    async def begins(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        await response.write(b"some")
        await forever()

    protocol, transport, clock = timed(begins, handler_timeout=TIME)
    protocol.data_received(GET.replace(b"1.1", version))
    clock.to(TIME + 1)
    await turns()
    assert transport.sent.count(b"HTTP/1.1") == 1
    assert b"some" in transport.sent
    assert not transport.sent.endswith(b"0\r\n\r\n")
    assert (transport.is_aborted, transport.is_eof_written) == (is_cut, not is_cut)
    assert errors(caplog) == []
    protocol.data_received(GET)
    assert transport.sent.count(b"HTTP/1.1") == 1
    protocol.connection_lost(None)


@on_both_loops
async def test_a_handler_that_goes_on_after_its_answer_costs_its_connection(caplog):
    @handler
    async def goes_on(self, _message, _payload):
        self.writer.write_response(200, "all of it")
        await forever()

    protocol, transport, clock = timed(goes_on, handler_timeout=TIME)
    protocol.data_received(GET)
    clock.to(TIME + 1)
    await turns()
    assert transport.sent.endswith(b"all of it")
    assert transport.is_eof_written
    assert not transport.is_aborted
    assert errors(caplog) == []
    protocol.connection_lost(None)


# One that does not end


@on_both_loops
async def test_a_handler_that_ignores_it_costs_its_connection_after_the_same_time(caplog):
    @handler
    async def ignores(_self, _message, _payload):
        while not is_over.is_set():
            with suppress(asyncio.CancelledError):
                cancelled.append(None)
                await is_over.wait()

    is_over, cancelled = asyncio.Event(), []
    protocol, transport, clock = timed(ignores, handler_timeout=TIME)
    protocol.data_received(GET)
    clock.to(TIME + 1)
    await turns()
    clock.to(2 * TIME)
    assert not transport.is_aborted
    assert errors(caplog) == []
    clock.to(2 * TIME + 2)
    assert transport.is_aborted
    assert errors(caplog) == [STUCK]
    await turns()
    assert len(cancelled) == 3  # it began, and was cancelled twice
    clock.to(10 * TIME)
    assert errors(caplog) == [STUCK]
    protocol.connection_lost(None)
    is_over.set()
    await turns()
    assert transport.sent == b""


# What is no handler


@on_both_loops
async def test_a_file_may_take_longer(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)

    def respond(_message):
        return Answer(200, (), FileSlice(path.open("rb"), 0, 1_000_000))

    def make(**options):
        protocol = hello(**options)
        protocol.use_defaults(HandlerOptions(responders=(respond,)))
        return protocol

    protocol, transport, clock = timed(make, handler_timeout=TIME)
    protocol.pause_writing()
    protocol.data_received(GET)
    protocol.pause_writing()
    for second in (TIME + 1, 2 * TIME + 2, 10 * TIME):
        clock.to(second)
        await turns()
    assert not transport.is_closing()
    assert len(transport.sent) < 1_000_000
    protocol.resume_writing()
    await turns(100)
    assert transport.sent.count(b"x") == 1_000_000
    assert not transport.is_closing()
    protocol.connection_lost(None)


# The same by real clocks, which may only be too slow


@on_both_loops
async def test_a_client_is_answered_by_503_and_may_ask_again():
    async with serving(Slow, handler_timeout=0.02) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET)
            reply = await client.reply()
            assert (reply.status, reply.closes) == (503, False)


@on_both_loops
async def test_a_handler_that_stays_loses_its_client():
    @handler
    async def stays(_self, _message, _payload):
        while not is_over.is_set():
            with suppress(asyncio.CancelledError):
                await is_over.wait()

    is_over = asyncio.Event()
    async with serving(stays, handler_timeout=0.02) as server:
        client = await server.connect()
        client.send(GET)
        assert await client.rest() == b""
        is_over.set()
        await turns()


@on_both_loops
async def test_a_handler_whose_client_has_gone_has_its_time_too():
    @handler
    async def waits(_self, _message, _payload):
        began.set()
        try:
            await forever()
        finally:
            ended.set()

    began, ended = asyncio.Event(), asyncio.Event()
    async with serving(waits, handler_timeout=0.02) as server:
        client = await server.connect()
        client.send(GET)
        await began.wait()
        client.reset()
        await ended.wait()
        await turns()


@on_both_loops
async def test_the_sending_of_a_file_is_no_handler(tmp_path):
    (tmp_path / "file").write_bytes(bytes(10_000_000))

    def send(_message):
        return Answer(200, (), FileSlice((tmp_path / "file").open("rb"), 0, 10_000_000))

    def make(**options):
        protocol = hello(**options)
        protocol.use_defaults(HandlerOptions(responders=(send,), handler_timeout=10, access_log=None))
        return protocol

    protocol, transport, clock = timed(make)
    protocol.data_received(GET)
    protocol.pause_writing()
    await turns()
    clock.to(11)
    clock.to(22)
    await turns()
    assert not transport.is_aborted
    protocol.connection_lost(None)
    await turns()
