from __future__ import annotations

import socket
from contextlib import closing

import pytest

from aioserve.live.stream import Stream, message_line
from tests.live.story import BUSY, FIRST


@pytest.fixture
def pair():
    """The end that a server writes to, and the stream at the other."""
    ours, theirs = socket.socketpair()
    with closing(ours), closing(Stream(theirs)) as stream:
        yield ours, stream


def test_snapshots_and_messages_come_through(pair):
    server, stream = pair
    server.send(FIRST.to_line() + message_line("listening on ü\x1b") + BUSY.to_line())

    assert list(stream.read()) == [FIRST, "listening on ü\x1b", BUSY]
    assert stream.fileno() == stream._sock.fileno()


def test_a_line_comes_when_it_is_whole(pair):
    server, stream = pair
    line = FIRST.to_line()
    server.send(line[:10])

    assert list(stream.read()) == []
    server.send(line[10:])
    assert list(stream.read()) == [FIRST]


def test_what_is_something_else_is_left_out(pair):
    server, stream = pair
    server.send(b"{}\n7\n{oh\nno\n\n" + message_line("yes"))

    assert list(stream.read()) == ["yes"]


def test_a_line_without_end_is_not_kept(pair, monkeypatch):
    monkeypatch.setattr("aioserve.live.stream._LONGEST", 10)
    server, stream = pair
    server.send(b'"' + b"x" * 20)

    assert list(stream.read()) == []
    server.send(b'"\n' + message_line("yes"))
    assert list(stream.read()) == ["yes"]


def test_the_end_is_told(pair):
    server, stream = pair
    server.close()

    assert stream.read() is None


def test_a_reset_is_an_end():
    class Reset:
        def recv(self, _size):
            raise ConnectionResetError

    assert Stream(Reset()).read() is None


def test_something_can_be_said(pair):
    server, stream = pair
    stream.say(b"q")

    assert server.recv(10) == b"q"
