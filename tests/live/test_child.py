from __future__ import annotations

import os
import signal
import socket
import sys

import pytest

from aioserve.live.child import _keys, main
from aioserve.live.stream import Stream
from aioserve.live.terminal import Terminal
from tests.live.story import FIRST


@pytest.fixture
def server():
    """The other side of the pair that the view is given."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(10)
    with ours:
        yield ours, theirs.detach()


@pytest.fixture
def start(terminal_pair, monkeypatch):
    """Run the view with these words, and return its exit code."""

    def start(*words):
        with os.fdopen(os.dup(terminal_pair.program), "w", encoding="utf-8") as file:
            monkeypatch.setattr(sys, "argv", ["x", *words])
            monkeypatch.setattr(sys, "stdout", file)
            monkeypatch.setattr(sys, "stdin", file)
            with pytest.raises(SystemExit) as ended:
                main()
        return ended.value.code

    return start


def test_it_shows_what_comes_and_says_when_the_terminal_is_free(server, start, terminal_pair):
    ours, number = server
    ours.send(FIRST.to_line())
    ours.shutdown(socket.SHUT_WR)
    before = signal.getsignal(signal.SIGINT)

    assert start(str(number), "colour") == 0
    shown = terminal_pair.shown()
    assert "aioserve" in shown
    assert "\x1b[36m" in shown
    assert shown.endswith("\x1b[?1049l")
    assert ours.recv(100) == b"done"
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_that_the_parent_has_wait_comes_here(server, start):
    """It stops who draws over a shell in the foreground."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    ours, number = server
    ours.shutdown(socket.SHUT_WR)

    assert start(str(number)) == 0
    assert signal.SIGTTOU not in signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_q_is_a_wish_of_which_the_server_is_told(server, start, terminal_pair, monkeypatch):
    ours, number = server
    said = []

    def say(_stream, data):
        said.append(data)
        ours.shutdown(socket.SHUT_WR)

    monkeypatch.setattr(Stream, "say", say)
    terminal_pair.type(b"q\n")

    assert start(str(number)) == 0
    assert said == [b"q", b"done"]


def test_a_signal_ends_it_and_a_server_that_is_gone_need_not_know(server, start, monkeypatch):
    ours, number = server
    opened = Terminal.open

    def open_and_be_told(terminal):
        opened(terminal)
        signal.raise_signal(signal.SIGTERM)

    def say(_stream, _data):
        raise BrokenPipeError

    monkeypatch.setattr(Terminal, "open", open_and_be_told)
    monkeypatch.setattr(Stream, "say", say)

    assert start(str(number)) == 1
    assert ours.recv(100) == b""


def test_keys_are_named():
    assert _keys("serving") == "q or Ctrl+C stops the server"
    assert _keys("stopping") == "q or Ctrl+C again stops at once"
