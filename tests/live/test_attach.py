from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress

import pytest

from aioserve.errors import AttachError
from aioserve.live import attach as module
from aioserve.live.attach import attach, print_lines, show
from aioserve.live.stream import Stream, message_line
from aioserve.observe.streams import Output
from tests.live.story import BUSY, FIRST, after

ENDED = "the server has ended"


class Server:
    """Something that gives each client the same, and can stop."""

    def __init__(self, path, data, *, goes_on=False):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        self._data = data
        self._goes_on = goes_on
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        client, _ = self._socket.accept()
        if not self._goes_on:
            self._socket.close()
        with client, suppress(BrokenPipeError):
            client.sendall(self._data)

    def close(self):
        self._thread.join()
        self._socket.close()


@pytest.fixture
def serve(tmp_path):
    servers = []

    def serve(data, **more):
        servers.append(Server(tmp_path / "ctl", data, **more))
        return str(tmp_path / "ctl")

    yield serve
    for each in servers:
        each.close()


def test_scripts_get_a_line_for_each_second(serve, capsys):
    path = serve(
        FIRST.to_line() + message_line("not for scripts") + BUSY.to_line() + after(1, BUSY).to_line()
    )

    assert attach(path) == ENDED
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["requests/s=1000.0", "requests/s=0.0"]


def test_a_server_that_goes_on_has_left_us(serve):
    path = serve(FIRST.to_line(), goes_on=True)

    with pytest.raises(AttachError, match="has left this view"):
        attach(path)


@pytest.mark.parametrize("name", ["none", "x" * 200])
def test_nobody_there_is_said(tmp_path, name):
    with pytest.raises(AttachError, match=r"No such file or directory; is a server|too long"):
        attach(str(tmp_path / name))


class Told:
    """A stream that says this, and raises what is no answer."""

    def __init__(self, *said):
        self.said = list(said)

    def read(self):
        said = self.said.pop(0)
        if isinstance(said, BaseException):
            raise said
        return said


def test_who_interrupts_has_enough():
    assert not print_lines(Told([FIRST], KeyboardInterrupt()), Output(sys.stdout))


def test_who_reads_no_more_has_enough():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as file:
        assert not print_lines(Told([FIRST], [BUSY]), Output(file))


def test_nothing_is_said_of_an_end_that_somebody_wanted(serve, monkeypatch):
    monkeypatch.setattr(module, "print_lines", lambda _stream, _output: False)

    assert attach(serve(b"")) == ""


def test_a_person_gets_a_picture(serve, terminal_pair, monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    with os.fdopen(os.dup(terminal_pair.program), "w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stdin", file)

        assert attach(serve(FIRST.to_line())) == ENDED
    shown = terminal_pair.shown()
    assert "q ends the view; the server goes on" in shown
    assert shown.endswith("\x1b[?1049l")
    assert signal.getsignal(signal.SIGINT) is before


def test_q_ends_the_view_also_where_the_standard_input_is_closed(terminal_pair, monkeypatch):
    server, client = socket.socketpair()
    server.send(FIRST.to_line())
    terminal_pair.type(b"q\n")
    monkeypatch.setattr(sys, "stdin", None)
    with os.fdopen(os.dup(terminal_pair.program), "w") as file:
        assert not show(Stream(client), Output(file))
    server.close()
    client.close()
