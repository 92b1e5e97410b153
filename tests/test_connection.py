"""What a connection is doing, and how it ends."""

from __future__ import annotations

import asyncio
import logging

import pytest

from aioserve import ClientDisconnectedError, Response
from aioserve.connection import Phase
from tests.doubles import PEER, FakeTransport
from tests.wire import GET, Slow, connected, errors, handler, hello, on_both_loops, post, serving, turns

HALF = GET[:-2]


def phase(protocol):
    return protocol._connection.phase


# What it is doing


@on_both_loops
async def test_it_waits_and_answers_in_turns():
    protocol, transport = connected(Slow)
    assert phase(protocol) is Phase.WAITING
    assert (protocol.writer, protocol._connection.message) == (None, None)

    protocol.data_received(GET[:10])
    assert phase(protocol) is Phase.WAITING

    protocol.data_received(GET[10:])
    assert phase(protocol) is Phase.ANSWERING
    assert protocol._connection.message.path == "/"
    assert not protocol.writer.is_started

    protocol.go_on.release()
    await turns()
    assert phase(protocol) is Phase.WAITING
    assert protocol.writer is None
    assert transport.take_sent().endswith(b"\r\n\r\nslow")
    assert not transport.is_closing()

    protocol.connection_lost(None)
    assert phase(protocol) is Phase.LOST
    assert protocol.transport is None


@pytest.mark.parametrize(
    ("peername", "peer"),
    [
        (PEER, PEER),
        (("2001:db8::1", 40000, 0, 0), ("2001:db8::1", 40000)),
        ("/run/client.sock", "/run/client.sock"),
        ("", ""),
        (None, None),
        (b"\0abstract", None),
    ],
)
@on_both_loops
async def test_it_knows_its_peer(peername, peer):
    seen = []

    @handler
    def sees(_self, message, _payload):
        seen.append((message.peer, message.scheme))

    protocol = sees()
    protocol.connection_made(FakeTransport(peername=peername, sslcontext=object()))
    protocol.data_received(GET)
    assert seen == [(peer, "https")]
    assert protocol._connection.peer == peer
    protocol.connection_lost(None)


@on_both_loops
async def test_answers_to_requests_in_one_segment_leave_in_one_write():
    protocol, transport = connected(hello)
    protocol.data_received(GET * 10)
    assert len(transport.writes) == 1
    assert transport.sent.count(b"HTTP/1.1 200 OK") == 10
    protocol.connection_lost(None)


@on_both_loops
async def test_requests_behind_a_slow_handler_are_bounded():
    """They wait unparsed, and nothing more is read, however many are answered meanwhile."""
    protocol, transport = connected(Slow)
    protocol.data_received(GET * 10_000)
    for _ in range(3):
        assert not transport.is_reading()
        protocol.go_on.release()
        await turns()
    protocol.connection_lost(None)
    protocol.go_on.release()
    await turns()


# Asked to close


@on_both_loops
async def test_closing_an_idle_connection_closes_at_once():
    protocol, transport = connected(hello)
    protocol.data_received(GET)
    transport.take_sent()
    for _ in range(2):
        protocol.closing()
        assert transport.is_closing()
        assert transport.sent == b""
    assert phase(protocol) is Phase.LEAVING
    protocol.connection_lost(None)


@on_both_loops
async def test_closing_a_busy_connection_lets_it_answer_and_says_so():
    """RFC 9112 §9.6: the last answer carries close."""
    protocol, transport = connected(Slow)
    protocol.data_received(GET)
    for _ in range(2):
        protocol.closing()
        assert not transport.is_closing()
    protocol.go_on.release()
    await turns()
    assert b"\r\nConnection: close\r\n" in transport.sent
    assert transport.sent.endswith(b"slow")
    assert transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_closing_tells_close_also_where_a_body_is_read_only_then():
    protocol, transport = connected(Slow)
    protocol.data_received(post(b"body", "Expect: 100-continue")[:-4])
    protocol.closing()
    protocol.go_on.release()
    await turns()
    assert transport.take_sent() == b"HTTP/1.1 100 Continue\r\n\r\n"
    protocol.data_received(b"body")
    await turns()
    assert protocol.bodies == [b"body"]
    assert b"\r\nConnection: close\r\n" in transport.sent
    assert transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_closing_behind_a_head_that_was_sent_closes_after_the_answer():
    @handler
    async def begins(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        await go_on.wait()

    go_on = asyncio.Event()
    protocol, transport = connected(begins)
    protocol.data_received(GET + GET)
    protocol.closing()
    go_on.set()
    await turns()
    assert transport.sent.endswith(b"\r\n\r\n0\r\n\r\n")
    assert b"Connection: close" not in transport.sent
    assert transport.is_eof_written, "for another request was there, which nobody read"
    protocol.connection_lost(None)


@on_both_loops
async def test_closing_in_the_middle_of_a_head_waits_for_the_request():
    protocol, transport = connected(hello)
    protocol.data_received(HALF)
    protocol.closing()
    assert not transport.is_closing()
    protocol.data_received(b"\r\n" + GET)
    assert transport.sent.count(b"HTTP/1.1 200 OK") == 1
    assert b"\r\nConnection: close\r\n" in transport.sent
    assert transport.is_eof_written
    protocol.connection_lost(None)


@on_both_loops
async def test_closing_does_not_wait_for_a_body_that_nobody_reads():
    protocol, transport = connected(hello)
    protocol.data_received(post(b"body")[:-1])
    assert phase(protocol) is Phase.DISCARDING
    protocol.closing()
    assert phase(protocol) is Phase.LEAVING
    assert transport.is_eof_written
    protocol.connection_lost(None)


@on_both_loops
async def test_shutdown_waits_for_the_answer():
    async with serving(Slow) as server:
        client = await server.connect()
        client.send(GET)
        protocol = await server.handler()
        await protocol.entered.get()
        shutdowns = [asyncio.create_task(protocol.shutdown()) for _ in range(2)]
        await turns()
        assert not any(each.done() for each in shutdowns)
        protocol.go_on.release()
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"slow", True)
        await asyncio.wait(shutdowns)
        assert protocol.transport is None
        await protocol.shutdown()


# The end


@on_both_loops
async def test_a_lost_connection_lets_its_handler_finish(caplog):
    protocol, transport = connected(Slow)
    protocol.data_received(GET)
    protocol.connection_lost(None)
    assert not protocol.is_connected()
    assert protocol.writer is not None
    protocol.go_on.release()
    await turns()
    assert protocol.writer is None
    assert transport.sent == b""
    assert errors(caplog) == []


@on_both_loops
async def test_a_lost_connection_cancels_its_handler_where_that_is_wanted(caplog):
    caplog.set_level(logging.DEBUG, "aioserve.server")
    ends = []

    @handler
    async def waits(self, _message, _payload):
        try:
            await asyncio.Event().wait()
        finally:
            ends.append(self.is_connected())

    protocol, transport = connected(waits, cancel_on_disconnect=True, debug=True)
    protocol.data_received(GET)
    protocol.connection_lost(None)
    await turns()
    assert ends == [False]
    assert transport.sent == b""
    assert errors(caplog) == []
    assert "Ignored premature client disconnection." in caplog.messages

    protocol, transport = connected(waits, cancel_on_disconnect=True)
    protocol.connection_lost(None)  # nothing to cancel


@pytest.mark.parametrize("leave", ["reset", "close"])
@on_both_loops
async def test_a_client_that_goes_cancels_the_handler_where_that_is_wanted(leave):
    entered, cancelled = asyncio.Event(), asyncio.Event()

    @handler
    async def waits(_self, _message, _payload):
        entered.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serving(waits, cancel_on_disconnect=True) as server:
        client = await server.connect()
        client.send(GET)
        await entered.wait()
        getattr(client, leave)()
        await cancelled.wait()


@pytest.mark.parametrize("leave", ["reset", "close", "half_close"])
@on_both_loops
async def test_a_handler_can_wait_for_its_client_to_go(leave):
    entered, gone = asyncio.Event(), asyncio.Event()

    @handler
    async def waits(self, _message, _payload):
        entered.set()
        await asyncio.gather(self.wait_disconnected(), self.wait_disconnected())
        await self.wait_disconnected()
        gone.set()
        self.writer.write_response(200, "hello")

    async with serving(waits) as server:
        client = await server.connect()
        client.send(GET)
        await entered.wait()
        getattr(client, leave)()
        await gone.wait()
        if leave == "half_close":  # it looks like the others, but gets its answer
            assert (await client.reply()).body == b"hello"


@on_both_loops
async def test_who_waits_for_the_client_to_go_may_be_cancelled():
    protocol, _transport = connected(hello)
    waiters = [asyncio.create_task(protocol.wait_disconnected()) for _ in range(2)]
    await turns()
    waiters[0].cancel()
    await turns()
    protocol.connection_lost(None)
    await waiters[1]
    assert waiters[0].cancelled()


@on_both_loops
async def test_writing_to_a_client_that_has_gone_tells_who_awaits_it(caplog):
    outcome = []

    @handler
    async def writes(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        await response.write(b"hello")
        entered.set()
        await self.wait_disconnected()
        response.write(b"ignored")
        with pytest.raises(ClientDisconnectedError):
            await response.write(b"hello")
        outcome.append("told")
        await response.write_eof()

    entered = asyncio.Event()
    async with serving(writes) as server:
        client = await server.connect()
        client.send(GET)
        await entered.wait()
        client.reset()
        protocol = await server.handler()
        await protocol.wait_disconnected()
        await turns()
    assert outcome == ["told"]
    assert errors(caplog) == []


@on_both_loops
async def test_an_answer_that_only_the_close_would_end_is_cut_when_it_breaks():
    """RFC 9112 §8: else its client would take what came for all."""

    @handler
    def fails(self, _message, _payload):
        Response(self.writer, 200).send_headers()
        raise ValueError("late")

    protocol, transport = connected(fails)
    protocol.data_received(b"GET / HTTP/1.0\r\n\r\n")
    assert transport.is_aborted
    protocol.connection_lost(None)


@on_both_loops
async def test_a_lost_connection_is_no_garbage_for_its_body():
    protocol, _transport = connected(Slow)
    protocol.data_received(post(b"body")[:-1])
    payload = protocol._connection._incoming.payload
    protocol.connection_lost(None)
    assert isinstance(payload.exception(), ClientDisconnectedError)
    protocol.go_on.release()
    await turns()
    assert protocol.bodies == []
    assert protocol._connection._incoming.payload is not payload


# Half-closed by the client


@on_both_loops
async def test_a_client_that_closes_its_half_gets_all_its_answers():
    """RFC 9112 §9.6."""
    async with serving(Slow) as server:
        client = await server.connect()
        client.send(post(b"body") + GET)
        client.half_close()
        protocol = await server.handler()
        await protocol.wait_disconnected()
        for closes in (False, True):
            await protocol.entered.get()
            protocol.go_on.release()
            reply = await client.reply()
            assert (reply.body, reply.closes) == (b"slow", closes)
        assert await client.rest() == b""


@pytest.mark.parametrize("data", [b"", HALF, GET, GET + HALF])
@on_both_loops
async def test_a_client_that_closes_its_half_while_nothing_is_answered_is_left(data):
    async with serving(hello) as server:
        client = await server.connect()
        client.send(data)
        client.half_close()
        assert (await client.rest()).count(b"HTTP/1.1 200 OK") == data.count(GET)


@pytest.mark.parametrize("sent", [b"body", b"bod"])
@on_both_loops
async def test_a_client_may_close_its_half_in_the_last_body_that_waits_for_its_turn(sent):
    protocol, transport = connected(Slow)
    protocol.data_received(GET + post(b"body")[:-4] + sent)
    assert protocol.eof_received()
    for _ in range(2):
        protocol.go_on.release()
        await turns()
    assert protocol.bodies == ([b"", b"body"] if sent == b"body" else [b""])
    assert transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_client_that_closes_its_half_in_the_middle_of_the_next_head_gets_its_answer():
    protocol, transport = connected(Slow)
    protocol.data_received(GET + HALF)
    assert protocol.eof_received()
    protocol.go_on.release()
    await turns()
    assert transport.sent.endswith(b"slow")
    assert transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_tls_cannot_be_half_closed():
    protocol = Slow()
    protocol.connection_made(FakeTransport(sslcontext=object()))
    protocol.data_received(GET)
    assert protocol.eof_received() is False
    protocol.connection_lost(None)
    protocol.go_on.release()
    await turns()


@on_both_loops
async def test_a_lingering_tls_connection_is_not_half_closed():
    protocol, transport = hello(), FakeTransport(sslcontext=object())
    protocol.connection_made(transport)
    protocol.data_received(b"GET / HTTP/1.1\r\n\r\n")
    assert transport.sent.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert not transport.is_eof_written
    protocol.connection_lost(None)


@on_both_loops
async def test_it_is_idle_when_a_client_has_its_answer_and_says_nothing():
    protocol, transport = connected(hello)
    connection = protocol._connection
    assert connection.idle_until is None  # who has just come has a request to make
    assert not connection.is_between_requests
    protocol.data_received(GET)
    assert connection.idle_until > connection._parts.ticker.now
    transport.unsent = 1
    assert connection.idle_until is None
    assert connection.is_between_requests
    transport.unsent = 0
    protocol.data_received(GET[:5])
    assert connection.idle_until is None
    assert not connection.is_between_requests
    protocol.connection_lost(None)
