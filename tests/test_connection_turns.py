"""One client's pipelined requests neither fill the memory nor keep others waiting."""

from __future__ import annotations

import asyncio

from tests.doubles import FakeTransport
from tests.wire import GET, handler, hello, on_both_loops, serving, turns


def connect(factory):
    protocol = factory(access_log=None)
    transport = FakeTransport()
    protocol.connection_made(transport)
    return protocol, transport


@on_both_loops
async def test_others_have_their_turn_between_many_requests():
    protocol, transport = connect(hello)
    protocol.data_received(GET * 100)
    first = transport.sent.count(b"200 OK")
    assert 0 < first < 100
    assert not transport.is_reading()

    await turns(10)

    assert transport.sent.count(b"200 OK") == 100
    assert transport.is_reading()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_turn_that_was_just_long_enough_is_followed_by_none():
    protocol, transport = connect(hello)
    protocol.data_received(GET * 32)
    assert transport.sent.count(b"200 OK") == 32
    assert transport.is_reading()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_client_that_reads_nothing_gets_no_more_answers():
    protocol, transport = connect(hello)
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.data_received(GET * 10)
    await turns()
    assert transport.sent.count(b"200 OK") == 1
    assert not transport.is_reading()

    protocol.resume_writing()
    await turns()

    assert transport.sent.count(b"200 OK") == 11
    assert transport.is_reading()
    protocol.connection_lost(None)


@on_both_loops
async def test_what_waits_is_answered_though_the_client_sends_no_more():
    protocol, transport = connect(hello)
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.data_received(GET * 2)
    assert protocol.eof_received()
    protocol.resume_writing()
    await turns()

    assert transport.sent.count(b"200 OK") == 3
    assert transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_lost_connection_has_no_turn():
    protocol, transport = connect(hello)
    protocol.data_received(GET * 100)
    first = transport.sent.count(b"200 OK")
    protocol.connection_lost(None)
    await turns(10)

    assert transport.sent.count(b"200 OK") == first


@on_both_loops
async def test_data_that_still_comes_is_kept_for_later():
    protocol, transport = connect(hello)
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.data_received(GET)
    protocol.data_received(GET)  # was under way when reading was paused
    protocol.resume_writing()
    await turns()

    assert transport.sent.count(b"200 OK") == 3
    protocol.connection_lost(None)


@on_both_loops
async def test_a_flood_of_requests_does_not_keep_another_client_waiting():
    answered = 0

    @handler
    async def counts(self, _message, _payload):
        nonlocal answered
        answered += 1
        self.writer.write_response(200)

    async with serving(counts, access_log=None) as server:
        greedy, modest = await server.connect(), await server.connect()
        greedy.send(GET * 5_000)
        await asyncio.sleep(0)
        modest.send(GET)
        await modest.reply()
        assert answered < 5_000
        assert (await greedy.reply()).status == 200


@on_both_loops
async def test_nothing_is_answered_inside_the_transports_callback():
    """asyncio would end a connection twice that is closed in there."""
    protocol, transport = connect(hello)
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.data_received(GET.replace(b"Host", b"Connection: close\r\nHost"))

    protocol.resume_writing()
    assert not transport.is_eof_written
    await turns()

    assert transport.is_eof_written
    protocol.connection_lost(None)


@on_both_loops
async def test_the_last_of_many_large_answers_may_end_the_connection():
    large = bytes(1 << 20)

    @handler
    async def sends(self, _message, _payload):
        self.writer.write_response(200, large)

    async with serving(sends, access_log=None) as server:
        client = await server.connect()
        client.send(GET * 3 + GET.replace(b"Host", b"Connection: close\r\nHost"))
        replies = [await client.reply() for _ in range(4)]
        assert [reply.closes for reply in replies] == [False, False, False, True]
        assert await client.rest() == b""
