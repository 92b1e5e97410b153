from __future__ import annotations

import selectors
import socket
import stat
from contextlib import closing

import pytest

from aioserve.errors import BindError
from aioserve.live.control import Control


class Scene:
    """A control socket with a loop around it."""

    def __init__(self, path):
        self.path = path
        self.control = Control(str(path))
        self.selector = selectors.DefaultSelector()
        self.control.attend(self.selector, lambda: b"first\n")
        self.clients = []

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(10)
        client.connect(str(self.path))
        self.clients.append(client)
        self.turn()
        return client

    def turn(self):
        for key, _ in self.selector.select(10):
            key.data()

    def close(self):
        for each in self.clients:
            each.close()
        self.control.close()
        self.selector.close()


@pytest.fixture
def scene(tmp_path):
    with closing(Scene(tmp_path / "ctl")) as scene:
        yield scene


def test_only_the_own_user_may_connect_and_the_file_goes_in_the_end(scene):
    assert stat.S_IMODE(scene.path.stat().st_mode) == 0o600
    scene.control.close()
    assert not scene.path.exists()


def test_a_worker_leaves_the_file(scene):
    scene.control.close(is_copy=True)
    assert scene.path.exists()


def test_a_live_socket_is_not_taken_and_a_stale_one_is(scene):
    with pytest.raises(BindError, match=r"^--control: cannot listen on unix:.*/ctl: it is in use"):
        Control(str(scene.path))
    scene.control.close(is_copy=True)
    Control(str(scene.path)).close()


def test_who_connects_gets_a_line_at_once_and_then_each(scene):
    assert not scene.control.has_clients
    client = scene.connect()

    assert scene.control.has_clients
    assert client.recv(100) == b"first\n"
    scene.control.tell(b"second\n")
    assert client.recv(100) == b"second\n"


def test_who_goes_is_forgotten(scene):
    scene.connect().close()
    scene.turn()

    assert not scene.control.has_clients


def test_who_speaks_is_left(scene):
    """What is sent would have to be read, and there is nothing to say."""
    client = scene.connect()
    client.send(b"hello")
    scene.turn()

    assert not scene.control.has_clients
    assert client.recv(100) == b"first\n"


def test_who_does_not_read_is_left_and_others_are_not(scene):
    slow, quick = scene.connect(), scene.connect()
    line = b"x" * 50_000 + b"\n"
    for _ in range(20):
        scene.control.tell(line)
        read = 0
        while read < len(line):
            read += len(quick.recv(1 << 20))

    assert list(scene.control._clients)
    assert len(scene.control._clients) == 1
    assert slow.recv(6) == b"first\n"


def test_who_is_gone_already_is_no_harm(scene):
    scene.connect().close()
    scene.control.tell(b"x\n")
    scene.control.tell(b"x\n")

    assert not scene.control.has_clients
    (client,) = scene.clients
    scene.control._leave(client)  # once more, as its end and a line that fails come in the same turn


def test_too_many_are_sent_away(scene):
    for _ in range(16):
        scene.connect()
    client = scene.connect()

    assert client.recv(100) == b""
    assert len(scene.control._clients) == 16


def test_a_client_that_went_before_it_was_accepted_is_no_harm(scene):
    scene.control._accept(scene.selector, lambda: b"")

    assert not scene.control.has_clients
