"""A body that is not in memory leaves piece by piece, when there is room, and its source is closed."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from aioserve.errors import ClientDisconnectedError
from aioserve.file_body import Wait
from aioserve.outgoing import Outgoing
from tests.sending import Sending
from tests.wire import on_both_loops

FULL = 65_536  # bytes held that are sent without waiting for the end of the callback
SIZE = 16_777_216  # more than the system's buffers take


@pytest.fixture
def sending():
    return Sending()


@pytest.fixture
def outgoing(sending):
    return sending.outgoing


def pieces(*contents, log=None):
    """Yield these, and log how that ends."""
    try:
        for content in contents:
            if isinstance(content, Exception):
                raise content
            yield content
    finally:
        if log is not None:
            log.append("closed")


def test_a_source_is_sent_piece_by_piece_a_turn_each(sending):
    log = []
    sending.send_from(pieces(b"one", b"", b"two", log=log))
    assert sending.writes == []
    for expected in ([b"one"], [b"one"], [b"one", b"two"]):
        sending.loop.turn()
        assert sending.writes == expected
        assert (log, sending.ends) == ([], [])
    sending.loop.turn()

    assert (log, sending.ends) == (["closed"], [None])
    assert sending.loop.pending == 0


def test_an_empty_source_ends_in_the_loops_next_turn(sending):
    sending.send_from(pieces())
    assert sending.ends == []
    sending.loop.turn()

    assert sending.ends == [None]


def test_the_first_piece_leaves_behind_the_head(sending, outgoing):
    outgoing.cork()
    outgoing.hold(b"head ")
    sending.send_from(pieces(b"body"))
    outgoing.uncork()
    sending.loop.advance()

    assert sending.transport.sent == b"head body"


def test_no_piece_is_read_while_there_is_no_room(sending, outgoing):
    read = []

    def source():
        for number in range(4):
            read.append(number)
            yield b"%d" % number

    outgoing.pause()
    sending.send_from(source())
    sending.loop.advance()
    assert read == []
    outgoing.resume()
    sending.loop.turn()
    assert read == [0]
    sending.loop.turn()
    assert read == [0, 1]
    outgoing.pause()
    sending.loop.advance()
    assert read == [0, 1]
    outgoing.resume()
    sending.loop.advance()

    assert sending.transport.sent == b"0123"
    assert sending.ends == [None]


def test_a_piece_that_does_not_fit_is_the_last_until_there_is_room(sending, outgoing):
    def write(piece):
        outgoing.send(piece)
        outgoing.pause()

    outgoing.send_from(pieces(b"one", b"two"), write, sending.ends.append)
    sending.loop.advance()
    assert sending.writes == [b"one"]
    assert sending.loop.pending == 0
    outgoing.resume()
    sending.loop.advance()
    assert sending.writes == [b"one", b"two"]
    outgoing.resume()
    sending.loop.advance()

    assert sending.ends == [None]


@pytest.mark.parametrize("at", [0, 1])
def test_an_error_of_the_source_ends_the_sending(sending, at):
    error = OSError("the disk has gone")
    log = []
    sending.send_from(pieces(*[b"piece"] * at, error, b"never", log=log))
    sending.loop.advance()

    assert sending.writes == [b"piece"] * at
    assert (log, sending.ends) == (["closed"], [error])


def test_an_error_of_the_writer_closes_the_source(sending, outgoing):
    log = []
    error = RuntimeError("too long")

    def write(_piece):
        raise error

    outgoing.send_from(pieces(b"one", b"two", log=log), write, sending.ends.append)
    sending.loop.advance()

    assert (log, sending.ends) == (["closed"], [error])


@pytest.mark.parametrize("turns", [0, 1, 2])
@pytest.mark.parametrize("is_paused", [False, True])
def test_the_loss_of_the_connection_closes_the_source(sending, outgoing, turns, is_paused):
    log = []
    source = pieces(b"one", b"two", b"three", log=log)
    next(source)  # into its `try`
    sending.send_from(source)
    for _ in range(turns):
        sending.loop.turn()
    if is_paused:
        outgoing.pause()
    outgoing.lose()
    assert log == ["closed"]
    sending.loop.advance()

    assert [type(end) for end in sending.ends] == [ClientDisconnectedError]
    assert sending.writes == [b"two", b"three"][:turns]


def test_a_source_for_a_connection_that_is_lost_is_closed_unread(sending, outgoing):
    read = []

    def source():
        read.append("read")
        yield b"piece"

    outgoing.lose()
    sending.send_from(source())
    sending.loop.advance()

    assert [type(end) for end in sending.ends] == [ClientDisconnectedError]
    assert (read, sending.writes) == ([], [])


def test_one_source_follows_another(sending):
    def next_one(error):
        sending.ends.append(error)
        if len(sending.ends) < 3:
            sending.outgoing.send_from(pieces(b"%d" % len(sending.ends)), sending.outgoing.send, next_one)

    sending.outgoing.send_from(pieces(b"0"), sending.outgoing.send, next_one)
    sending.loop.advance()

    assert sending.writes == [b"0", b"1", b"2"]
    assert sending.ends == [None] * 3


@on_both_loops
async def test_a_large_source_passes_a_real_transport_in_bounded_memory():
    """The reader stops for a while; then no more is read from the source than the buffers take."""
    size, count = 100_000, 200
    read = 0

    def source():
        nonlocal read
        for number in range(count):
            read += 1
            yield bytes([number]) * size

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            self.outgoing = Outgoing(transport, asyncio.get_running_loop())
            self.most = 0
            self.outgoing.send_from(source(), self.send, lambda _error: transport.close())

        def send(self, piece):
            self.outgoing.send(piece)
            self.most = max(self.most, self.outgoing.unsent)

        def pause_writing(self):
            self.outgoing.pause()
            paused.set()

        def resume_writing(self):
            self.outgoing.resume()

    paused = asyncio.Event()
    protocol = Protocol()
    server = await asyncio.get_running_loop().create_server(lambda: protocol, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=size)
    await paused.wait()
    assert read < count
    received = await reader.read()
    writer.close()
    server.close()
    await server.wait_closed()

    assert received == b"".join(bytes([number]) * size for number in range(count))
    assert protocol.most <= FULL + 2 * size


@on_both_loops
async def test_connection_that_is_closed_behind_a_source_is_lost_once():
    """When the transport has room again because all is sent, and the source then has no more."""

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport):
            transport.set_write_buffer_limits(0)  # room is when everything is sent
            self.outgoing = Outgoing(transport, asyncio.get_running_loop())
            self.outgoing.send_from(pieces(bytes(SIZE)), self.outgoing.send, lambda _error: transport.close())

        def pause_writing(self):
            self.outgoing.pause()

        def resume_writing(self):
            self.outgoing.resume()

        def connection_lost(self, exc):
            lost.append(exc)

    lost, complaints = [], []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    received = await reader.read()
    writer.close()
    server.close()
    await server.wait_closed()

    assert len(received) == SIZE
    assert complaints == []
    assert lost == [None]


def test_source_that_waits_for_delivery_is_asked_again_ever_more_rarely(sending):
    asked = []

    def source():
        for _ in range(40):
            asked.append(sending.loop.time())
            yield Wait.DELIVERY
        yield b"end"

    start = sending.loop.time()
    sending.send_from(source())
    sending.loop.advance(10)

    delays = [later - earlier for earlier, later in pairwise([start, *asked])]
    assert delays[:4] == pytest.approx([0, 0.001, 0.002, 0.004])
    assert delays[9:] == pytest.approx([0.25] * len(delays[9:]))
    assert (sending.writes, sending.ends) == ([b"end"], [None])
    assert sending.loop.pending == 0


def test_connection_lost_while_delivery_is_waited_for_ends_it_at_once(sending):
    log = []
    sending.send_from(pieces(Wait.DELIVERY, log=log))
    sending.loop.turn()
    sending.outgoing.lose()

    assert log == ["closed"]
    assert [type(end) for end in sending.ends] == [ClientDisconnectedError]
    assert sending.loop.pending == 0


def test_source_that_waits_for_delivery_is_asked_once_at_a_time_also_if_there_is_room_meanwhile(sending):
    asked = []

    def source():
        for _ in range(3):
            asked.append(sending.loop.time())
            yield Wait.DELIVERY

    sending.send_from(source())
    sending.loop.turn()
    sending.outgoing.resume()
    sending.loop.turn()
    assert sending.loop.pending == 1
    sending.loop.advance(10)

    assert asked == pytest.approx([0, 0, 0.002])
    assert sending.ends == [None]


def test_next_wait_for_delivery_begins_with_a_short_one(sending):
    asked = []

    def source():
        for wait in [Wait.DELIVERY] * 4 + [Wait.TURN] + [Wait.DELIVERY] * 2:
            asked.append(sending.loop.time())
            yield wait

    sending.send_from(source())
    sending.loop.advance(10)

    delays = [later - earlier for earlier, later in pairwise(asked)]
    assert delays == pytest.approx([0.001, 0.002, 0.004, 0.008, 0, 0.001])
