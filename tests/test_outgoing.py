"""Bytes leave in their order, in few writes, when there is room, and never after the connection is lost."""

from __future__ import annotations

import asyncio
import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve.errors import ClientDisconnectedError
from aioserve.outgoing import Outgoing
from tests.doubles import FORMS, FakeLoop, FakeTransport
from tests.wire import on_both_loops

SIZE = 16_777_216  # more than the system's buffers take
FULL = 65_536  # bytes held that are sent without waiting for the end of the callback


class Sending:
    """A connection's sending half on a fake transport and a fake loop."""

    def __init__(self):
        self.loop = FakeLoop()
        self.transport = FakeTransport()
        self.outgoing = Outgoing(self.transport, self.loop)
        self.ends = []

    @property
    def writes(self):
        return self.transport.writes

    def send_from(self, source):
        self.outgoing.send_from(source, self.outgoing.send, self.ends.append)


@pytest.fixture
def sending():
    return Sending()


@pytest.fixture
def outgoing(sending):
    return sending.outgoing


# How many writes


def test_bytes_leave_at_once(sending, outgoing):
    outgoing.send(b"one")
    outgoing.send(b"two")

    assert sending.writes == [b"one", b"two"]
    assert sending.loop.pending == 0


def test_a_head_waits_for_the_first_bytes_of_its_body(sending, outgoing):
    outgoing.hold(b"head ")
    assert sending.writes == []
    outgoing.send(b"body")
    outgoing.send(b"more")
    assert sending.writes == [b"head body", b"more"]

    sending.loop.turn()
    assert sending.writes == [b"head body", b"more"]


def test_a_head_waits_at_most_for_a_turn_of_the_loop(sending, outgoing):
    outgoing.hold(b"head")
    outgoing.hold(b" and another")
    assert sending.loop.pending == 1
    sending.loop.turn()

    assert sending.writes == [b"head and another"]


def test_each_head_that_waits_gets_its_turn(sending, outgoing):
    for _ in range(3):
        outgoing.hold(b"head")
        sending.loop.turn()

    assert sending.writes == [b"head"] * 3


def test_while_corked_everything_is_one_write_at_the_end(sending, outgoing):
    outgoing.cork()
    for number in range(3):
        outgoing.hold(b"head %d " % number)
        outgoing.send(b"body %d " % number)
    assert sending.writes == []
    assert sending.loop.pending == 0
    outgoing.uncork()

    assert sending.writes == [b"head 0 body 0 head 1 body 1 head 2 body 2 "]


def test_uncorking_nothing_writes_nothing(sending, outgoing):
    outgoing.cork()
    outgoing.uncork()
    outgoing.uncork()
    outgoing.flush()

    assert sending.writes == []


def test_corked_bytes_leave_earlier_when_there_are_many(sending, outgoing):
    outgoing.cork()
    outgoing.send(bytes(FULL - 1))
    assert sending.writes == []
    outgoing.send(b"x")
    assert [len(write) for write in sending.writes] == [FULL]
    outgoing.send(b"still corked")
    assert len(sending.writes) == 1
    outgoing.uncork()

    assert sending.writes[1:] == [b"still corked"]


def test_what_is_held_can_be_flushed_while_corked(sending, outgoing):
    outgoing.cork()
    outgoing.send(b"100 Continue")
    outgoing.flush()
    outgoing.send(b"later")

    assert sending.writes == [b"100 Continue"]


def test_one_piece_is_not_copied(sending, outgoing):
    piece = bytes(1000)
    written = []
    sending.transport.write = written.append
    outgoing.send(piece)
    outgoing.cork()
    outgoing.send(piece)
    outgoing.uncork()

    assert [each is piece for each in written] == [True, True]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["hold", "send"]), st.sampled_from([0, 1, 5, FULL // 2, FULL]))
        | st.sampled_from(["cork", "uncork", "flush", "turn"])
    )
)
def test_pieces_leave_in_their_order_whatever_happens(steps):
    sending = Sending()
    expected = []
    for number, step in enumerate(steps):
        match step:
            case (how, size):
                piece = bytes([number % 256]) * size
                getattr(sending.outgoing, how)(piece)
                expected.append(piece)
            case "turn":
                sending.loop.turn()
            case _:
                getattr(sending.outgoing, step)()
    sending.outgoing.uncork()
    sending.loop.turn()

    assert sending.transport.sent == b"".join(expected)
    assert sending.outgoing.sent == len(sending.transport.sent)
    assert sending.loop.pending == 0


# What is known


def test_it_tells_what_the_system_has_taken(sending, outgoing):
    outgoing.hold(b"not yet the transport's")
    assert (outgoing.sent, outgoing.unsent) == (0, 0)
    sending.transport.unsent = 20
    outgoing.flush()
    assert (outgoing.sent, outgoing.unsent) == (3, 20)
    outgoing.send(b"12345")
    sending.transport.unsent = 0

    assert (outgoing.sent, outgoing.unsent) == (28, 0)


# Back-pressure


def test_it_may_be_ignored(outgoing, recwarn):
    outgoing.pause()
    assert outgoing  # `if not response.write(chunk): break` is how old handlers look at it
    del outgoing
    gc.collect()

    assert not recwarn


@pytest.mark.parametrize("taken", FORMS)
@on_both_loops
async def test_with_room_nobody_waits(taken):
    outgoing = Outgoing(FakeTransport(), asyncio.get_running_loop())
    turned = []
    asyncio.get_running_loop().call_soon(turned.append, "turned")
    await taken(outgoing)
    outgoing.pause()
    outgoing.resume()
    await taken(outgoing)

    assert turned == []


@pytest.mark.parametrize("taken", FORMS)
@on_both_loops
async def test_without_room_everybody_waits_for_it(taken):
    outgoing = Outgoing(FakeTransport(), asyncio.get_running_loop())
    outgoing.pause()
    waiting = [asyncio.create_task(taken(outgoing)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    outgoing.resume()

    assert await asyncio.gather(*waiting) == [None] * 3


@on_both_loops
async def test_who_finds_no_room_again_waits_on():
    outgoing = Outgoing(FakeTransport(), asyncio.get_running_loop())
    outgoing.pause()
    waiting = asyncio.create_task(FORMS[0](outgoing))
    await asyncio.sleep(0)
    outgoing.resume()
    outgoing.pause()
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    outgoing.resume()
    await waiting


@on_both_loops
async def test_one_that_is_cancelled_leaves_the_others_waiting():
    outgoing = Outgoing(FakeTransport(), asyncio.get_running_loop())
    outgoing.pause()
    first, second = (asyncio.create_task(FORMS[0](outgoing)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    assert not second.done()
    outgoing.resume()
    await second

    assert first.cancelled()


# The end of the connection


@pytest.mark.parametrize("taken", FORMS)
@on_both_loops
async def test_whoever_waits_learns_that_the_client_has_gone(taken):
    outgoing = Outgoing(FakeTransport(), asyncio.get_running_loop())
    outgoing.pause()
    waiting = asyncio.create_task(taken(outgoing))
    await asyncio.sleep(0)
    outgoing.lose()

    with pytest.raises(ClientDisconnectedError):
        await waiting
    with pytest.raises(ConnectionResetError, match="the client has gone"):
        await taken(outgoing)


def test_nothing_is_sent_after_the_connection_is_lost(sending, outgoing):
    outgoing.hold(b"held")
    outgoing.lose()
    outgoing.send(b"sent")
    outgoing.hold(b"held")
    outgoing.send(b"sent")
    outgoing.cork()
    outgoing.send(bytes(FULL))
    outgoing.uncork()
    sending.loop.advance()

    assert outgoing.is_lost
    assert sending.writes == []
    assert outgoing.sent == 0


# A body that is not in memory


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
