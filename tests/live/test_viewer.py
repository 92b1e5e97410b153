from __future__ import annotations

import os
import signal
import socket
from contextlib import closing

import pytest

from aioserve.live.stream import Stream, message_line
from aioserve.live.terminal import Terminal
from aioserve.live.viewer import End, Viewer, Wakeups
from tests.live.story import BUSY, FIRST


class Scene:
    """A view with a server and a person."""

    def __init__(self, pair):
        self.pair = pair
        self.server, theirs = socket.socketpair()
        self.stream = Stream(theirs)
        self.wakeups = Wakeups((signal.SIGWINCH, signal.SIGUSR1), (signal.SIGUSR2,))
        self.quits = []
        self.ends = True
        self.now = 100.0
        self.frames = []
        self.keyboard = pair.program

    def quit(self):
        self.quits.append("q")
        if not self.ends:
            self.server.close()
        return self.ends

    def run(self, *script):
        """Let things happen, one before each picture or pause; then the server ends."""
        terminal = Terminal(self.keyboard, self.pair.program, encoding="utf-8", is_coloured=False)
        todo = list(script)
        viewer = Viewer(
            self.stream, terminal, self.wakeups, keys="keys: {}".format, on_quit=self.quit, clock=self.clock
        )
        pause = viewer._pause

        def next_thing():
            self.frames.append(self.pair.shown())
            if not viewer._must_draw or not todo:
                todo.pop(0)() if todo else self.server.close()
            return pause()

        viewer._pause = next_thing
        return viewer.run()

    def clock(self):
        self.now += 1.0
        return self.now

    def say(self, *lines):
        return lambda: self.server.send(b"".join(lines))

    def close(self):
        self.wakeups.close()
        self.stream.close()
        self.server.close()


class Gone:
    """A terminal that is there no more."""

    encoding = "utf-8"
    keyboard = -1
    size = (80, 24)

    def show(self, *_):
        raise OSError


@pytest.fixture
def scene(terminal_pair):
    with closing(Scene(terminal_pair)) as scene:
        yield scene


def test_snapshots_are_drawn_until_the_server_ends(scene):
    end = scene.run(scene.say(FIRST.to_line()), scene.say(BUSY.to_line()))

    assert end is End.OVER
    drawn = [frame for frame in scene.frames if frame]
    assert "Requests 0 /s" in drawn[0]
    assert "keys: serving" in drawn[0]
    assert "Requests 1,000 /s" in drawn[1]


def test_messages_are_shown_with_the_first_snapshot(scene):
    scene.run(scene.say(message_line("hello there")), scene.say(FIRST.to_line()))

    drawn = [frame for frame in scene.frames if frame]
    assert len(drawn) == 1
    assert "hello there" in drawn[0]


def test_pictures_do_not_follow_one_another_too_fast(scene):
    """What comes meanwhile is in the next one."""
    viewer = Viewer(scene.stream, Gone(), scene.wakeups, keys=str, on_quit=scene.quit, clock=lambda: 100.0)
    assert viewer._pause() is None
    viewer._must_draw, viewer._drawn = True, 99.95

    assert viewer._pause() == pytest.approx(0.05)
    viewer._history.add(FIRST)
    viewer._draw()
    assert viewer._must_draw


@pytest.mark.parametrize("key", [b"q", b"Q", b"xq"])
def test_q_ends_it(scene, key):
    assert scene.run(scene.say(FIRST.to_line()), lambda: scene.pair.type(key + b"\n")) is End.QUIT
    assert scene.quits == ["q"]


def test_q_can_be_a_wish(scene):
    scene.ends = False

    assert scene.run(lambda: scene.pair.type(b"q\n")) is End.OVER
    assert scene.quits == ["q"]


def test_other_keys_do_nothing(scene):
    assert scene.run(lambda: scene.pair.type(b"x\n")) is End.OVER
    assert scene.quits == []


def test_another_size_is_drawn_at_once(scene):
    scene.run(
        scene.say(FIRST.to_line()),
        lambda: (scene.pair.resize(40, 10), signal.raise_signal(signal.SIGWINCH)),
    )

    assert "\x1b[10;1Hkeys: serving" in [frame for frame in scene.frames if frame][-1]


def test_a_size_before_there_is_anything_to_draw_is_no_harm(scene):
    assert scene.run(lambda: signal.raise_signal(signal.SIGWINCH)) is End.OVER
    assert not any(scene.frames)


def test_a_signal_ends_it_and_others_are_left_alone(scene):
    assert (
        scene.run(lambda: (signal.raise_signal(signal.SIGUSR2), signal.raise_signal(signal.SIGUSR1)))
        is End.QUIT
    )


def test_no_signal_is_no_harm(scene):
    assert scene.wakeups.taken() == b""


def test_keyboard_that_ends_is_read_no_more(scene):
    reading, writing = os.pipe()
    scene.keyboard = reading

    assert scene.run(lambda: os.close(writing), scene.say(FIRST.to_line())) is End.OVER
    os.close(reading)


def test_a_file_is_no_keyboard(scene, tmp_path):
    with (tmp_path / "file").open("w+") as file:
        scene.keyboard = file.fileno()

        assert scene.run(scene.say(FIRST.to_line())) is End.OVER


def test_a_terminal_that_goes_ends_it(scene):
    viewer = Viewer(scene.stream, Gone(), scene.wakeups, keys=str, on_quit=scene.quit)
    scene.server.send(FIRST.to_line())

    assert viewer.run() is End.QUIT
