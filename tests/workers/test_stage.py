"""The terminal while a view has it; the view here is a little program with a will of its own."""

from __future__ import annotations

import os
import pty
import selectors
import socket
import sys
import termios
from contextlib import closing, contextmanager

import pytest

from aioserve.live.modes import LEAVE
from aioserve.workers import stage as module
from aioserve.workers.stage import Stage, has_terminal

VIEW = """
import socket, sys
stream = socket.socket(fileno=int(sys.argv[2]))
print("view", *sys.argv[3:], flush=True)
while line := stream.recv(65536):
    print("got", line, flush=True)
    if line == b"quit": stream.send(b"q")
    if line == b"leave": stream.send(b"done"); sys.exit(0)
    if line == b"crash": sys.exit(1)
    if line == b"hang": sys.stdin.close(); [stream.recv(1) for _ in iter(int, 1)]
stream.send(b"?")
stream.send(b"done")
"""


class Terminal:
    """A terminal that is the standard streams of this process, until it is closed."""

    def __init__(self):
        self.person, self.program = pty.openpty()
        mode = termios.tcgetattr(self.program)
        mode[1] &= ~termios.OPOST  # line ends as they are written
        termios.tcsetattr(self.program, termios.TCSANOW, mode)
        self._saved = [os.dup(number) for number in range(3)]
        for number in range(3):
            os.dup2(self.program, number)
        self.shown = ""

    def wait_for(self, text):
        while text not in self.shown:
            self.shown += os.read(self.person, 65536).decode()

    def close(self):
        for number, saved in enumerate(self._saved):
            os.dup2(saved, number)
            os.close(saved)
        os.close(self.person)
        os.close(self.program)


class Scene:
    """A stage with a loop around it."""

    def __init__(self, *, is_coloured=False):
        self.stage = Stage(is_coloured=is_coloured)
        self.selector = selectors.DefaultSelector()
        self.quits = 0
        self.is_open = True
        self.stage.attend(self.selector, self.quit)

    def quit(self):
        self.quits += 1

    def turn(self):
        for key, _ in self.selector.select(10):
            key.data()

    def close(self):
        if self.is_open:
            self.is_open = False
            self.stage.close()
            self.selector.close()


@contextmanager
def staged(**more):
    """Have a terminal with a stage on it, inside a test: pytest itself exchanges the streams around it."""
    with closing(Terminal()) as terminal, closing(Scene(**more)) as scene:
        yield scene, terminal


@pytest.fixture(autouse=True)
def _view(monkeypatch):
    monkeypatch.setattr(module, "_COMMAND", VIEW)


def test_what_is_written_before_the_view_is_seen_at_once():
    with staged() as (scene, terminal):
        assert scene.stage.has_output
        os.write(2, b"before\n")
        scene.turn()

        terminal.wait_for("before\n")


def test_what_is_written_meanwhile_goes_to_the_view_and_to_the_terminal_later():
    with staged(is_coloured=True) as (scene, terminal):
        scene.stage.begin()
        assert scene.stage.is_on
        terminal.wait_for("view colour\n")
        os.write(1, b"\x1b[31mred\x1b[0m\n\nhalf")
        scene.turn()
        terminal.wait_for("got b'\"red\"\\n'\n")
        scene.stage.tell(b"{}\n")
        terminal.wait_for("got b'{}\\n'\n")

        assert "half" not in terminal.shown
        terminal.shown = ""
        scene.close()
        terminal.wait_for("half\n")
        assert terminal.shown == "\x1b[31mred\x1b[0m\n\nhalf\n"
        os.write(2, b"after\n")
        terminal.wait_for("after\n")


def test_only_the_last_lines_are_kept():
    with staged() as (scene, terminal):
        scene.stage.begin()
        os.write(2, b"".join(b"line %d\n" % number for number in range(510)))
        scene.turn()
        scene.close()

        terminal.wait_for("line 509\n")
        assert "(10 lines before these are left out)\nline 10\n" in terminal.shown


def test_a_line_without_end_is_broken(monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 10)
    with staged() as (scene, terminal):
        scene.stage.begin()
        os.write(2, b"x" * 25)
        scene.turn()
        scene.turn()

        terminal.wait_for(f"got b'\"{'x' * 20}\"\\n'\n")


def test_the_view_can_want_the_end():
    with staged() as (scene, _):
        scene.stage.begin()
        scene.stage.tell(b"quit")
        scene.turn()

        assert scene.quits == 1


def test_a_view_that_dies_leaves_the_server_alone_and_the_terminal_whole(caplog):
    with staged() as (scene, terminal):
        scene.stage.begin()
        os.write(2, b"kept\n")
        scene.turn()
        terminal.wait_for("kept")
        mode = termios.tcgetattr(0)
        mode[3] &= ~termios.ECHO
        termios.tcsetattr(0, termios.TCSANOW, mode)
        terminal.shown = ""
        scene.stage.tell(b"crash")
        scene.turn()

        terminal.wait_for(LEAVE.decode() + "kept\n")
        assert not scene.stage.is_on
        assert termios.tcgetattr(0)[3] & termios.ECHO
        assert caplog.messages == ["the view has ended; the server goes on"]
        scene.stage.tell(b"nobody is there")
        os.write(2, b"seen\n")
        scene.turn()
        terminal.wait_for("seen\n")


def test_a_view_that_ends_by_itself_has_left_the_terminal_as_it_was():
    with staged() as (scene, terminal):
        scene.stage.begin()
        scene.stage.tell(b"leave")
        scene.turn()
        os.write(2, b"seen\n")
        scene.turn()
        terminal.wait_for("seen\n")

        assert not scene.stage.is_on
        assert "\x1b" not in terminal.shown


def test_a_view_that_does_not_end_is_killed(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    with staged() as (scene, terminal):
        scene.stage.begin()
        scene.stage.tell(b"hang")
        terminal.wait_for("hang")
        view = scene.stage._view
        scene.close()

        assert view.returncode == -9
        terminal.wait_for(LEAVE.decode())


def test_a_view_that_says_its_last_word_and_stays_is_killed(monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    monkeypatch.setattr(module, "_COMMAND", "import signal; print('view', flush=True); signal.pause()")
    with staged() as (scene, terminal):
        scene.stage.begin()
        terminal.wait_for("view")
        monkeypatch.setattr(module, "_wait_for_end", lambda _pair: True)
        view = scene.stage._view
        scene.close()

        assert view.returncode == -9


def test_a_view_that_cannot_be_started_leaves_things_as_they_are(monkeypatch):
    def refuse(*_, **__):
        raise OSError("no processes")

    monkeypatch.setattr(module, "Popen", refuse)
    with staged() as (scene, _):
        with pytest.raises(OSError, match="no processes"):
            scene.stage.begin()
        assert not scene.stage.is_on


@pytest.mark.parametrize("has_view", [False, True])
def test_a_worker_lets_go_and_writes_into_the_pipe(has_view):
    with staged() as (scene, terminal):
        if has_view:
            scene.stage.begin()
            terminal.wait_for("view")
            pair, view = scene.stage._pair, scene.stage._view
            scene.stage._pair = socket.socket(fileno=os.dup(pair.fileno()))
        reading = os.dup(scene.stage._reading)
        terminal_of = {number: os.dup(saved) for number, saved in scene.stage._saved.items()}
        scene.stage.close(is_copy=True)
        os.write(2, b"of a worker\n")

        assert os.read(reading, 100).endswith(b"of a worker\n")
        for number, saved in terminal_of.items():
            os.dup2(saved, number)
            os.close(saved)
        os.close(reading)
        if has_view:
            assert view.returncode == 0
            view.returncode = None
            pair.close()
            view.wait()
        scene.selector.close()
        scene.is_open = False


def test_only_a_standard_output_that_is_the_terminal_is_taken():
    with closing(Terminal()):
        reading, writing = os.pipe()
        os.dup2(writing, 1)
        stage = Stage(is_coloured=False)

        assert not stage.has_output
        stage.close()
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("term", "group", "has"),
    [("xterm", os.getpgrp(), True), ("xterm", 1, False), ("dumb", os.getpgrp(), False)],
)
def test_a_terminal_is_one_that_is_ours_to_draw_on(monkeypatch, term, group, has):
    with closing(Terminal()):
        monkeypatch.setenv("TERM", term)
        monkeypatch.setattr(os, "tcgetpgrp", lambda _number: group)
        with os.fdopen(os.dup(2), "w") as file:
            monkeypatch.setattr(sys, "stderr", file)

            assert has_terminal() is has


def test_the_terminal_of_another_session_is_not_ours(monkeypatch):
    with closing(Terminal()):
        monkeypatch.setenv("TERM", "xterm")
        with os.fdopen(os.dup(2), "w") as file:
            monkeypatch.setattr(sys, "stderr", file)

            assert not has_terminal()
