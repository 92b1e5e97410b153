"""Bytes leave in their order, in few writes, when there is room, and never after the connection is lost."""

from __future__ import annotations

import asyncio
import gc
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve import send_buffer
from aioserve.errors import ClientDisconnectedError
from aioserve.outgoing import Outgoing
from tests.doubles import FORMS, FakeLoop, FakeTransport
from tests.sending import Sending
from tests.wire import on_both_loops

SIZE = 16_777_216  # more than the system's buffers take
FULL = 65_536  # bytes held that are sent without waiting for the end of the callback


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
    assert sending.outgoing.taken == len(sending.transport.sent)
    assert sending.loop.pending == 0


# What is known


def test_it_tells_what_the_client_has_taken(sending, outgoing):
    outgoing.hold(b"not yet the transport's")
    assert (outgoing.taken, outgoing.unsent) == (0, 0)
    sending.transport.unsent = 20
    outgoing.flush()
    assert (outgoing.taken, outgoing.unsent) == (3, 20)
    outgoing.send(b"12345")
    sending.transport.unsent = 0

    assert (outgoing.taken, outgoing.unsent) == (28, 0)


def test_what_the_client_of_a_unix_socket_has_not_read_is_not_taken():
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        outgoing = Outgoing(FakeTransport(socket=ours), FakeLoop())
        for _ in range(4):
            outgoing.send(bytes(10_000))
            ours.sendall(bytes(10_000))
        before = outgoing.taken

        theirs.recv(10_000, socket.MSG_WAITALL)

        assert before + 10_000 <= outgoing.taken < 40_000
        assert not outgoing.is_taken
        theirs.recv(30_000, socket.MSG_WAITALL)
        assert outgoing.taken == 40_000
        assert outgoing.is_taken


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
    assert outgoing.taken == 0


def test_it_tells_whether_the_client_has_taken_everything(sending, outgoing, monkeypatch):
    held = [3]
    monkeypatch.setattr(send_buffer, "unacknowledged", lambda _sock: held[0])
    assert outgoing.is_taken  # nothing was sent
    outgoing.hold(b"hello")
    assert not outgoing.is_taken
    outgoing.flush()
    assert not outgoing.is_taken
    sending.transport.unsent = 1
    held[0] = 0
    assert not outgoing.is_taken
    sending.transport.unsent = 0
    assert outgoing.is_taken
    held[0] = 3  # is not asked again
    assert outgoing.is_taken


def test_where_the_system_counts_what_the_client_has_taken_that_counts(outgoing, monkeypatch):
    monkeypatch.setattr(send_buffer, "acknowledged", lambda _transport: 7)
    assert outgoing.taken == 7
