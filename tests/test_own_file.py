from __future__ import annotations

import errno
import fcntl
import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from aioserve.own_file import OwnFile, hold, is_held


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Work in a folder: the path of a socket cannot be long."""
    monkeypatch.chdir(tmp_path)
    return Path("file")


def make_text(path):
    path.write_text("ours")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))


@pytest.mark.parametrize("make", [make_text, make_socket])
def test_file_is_ours_until_it_is_removed(path, make):
    make(path)
    own = OwnFile.at(path)

    assert own.is_ours
    own.remove()
    assert not path.exists()
    assert not own.is_ours
    own.remove()


@pytest.mark.parametrize("make", [make_text, make_socket])
def test_file_with_the_inode_of_ours_is_another_if_it_was_made_later(path, make):
    """Where a file has gone, the next one often has its number."""
    make(path)
    own = OwnFile.at(path)
    os.utime(path, ns=(own.identity[2] + 1, own.identity[2] + 1))

    assert not own.is_ours
    own.remove()
    assert path.exists()


def test_file_with_another_inode_is_another(path):
    path.write_text("ours")
    own = OwnFile.at(path)
    other = path.with_name("other")
    other.write_text("another's")
    os.utime(other, ns=(own.identity[2], own.identity[2]))
    other.replace(path)

    assert not own.is_ours


def test_link_to_our_file_is_not_our_file(path):
    path.write_text("ours")
    own = OwnFile.at(path)
    path.rename("moved")
    path.symlink_to("moved")
    own.remove()

    assert path.is_symlink()


def test_file_must_be_there(path):
    with pytest.raises(FileNotFoundError):
        OwnFile.at(path)


def test_file_that_cannot_be_removed_stays(path, monkeypatch):
    def unlink(_path):
        raise PermissionError

    path.write_text("ours")
    own = OwnFile.at(path)
    monkeypatch.setattr(Path, "unlink", unlink)
    own.remove()

    assert own.is_ours


# Whether who made it is still there


@contextmanager
def held(path):
    with path.open("a") as file:
        descriptor = hold(file.fileno())
    yield descriptor
    os.close(descriptor)


def test_file_is_held_until_its_descriptor_is_closed(path):
    with held(path):
        assert is_held(path)
        assert is_held(path)

    assert not is_held(path)


def test_file_is_not_held_any_more_by_a_process_that_was_killed(path):
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        os.close(reading)
        with path.open("w") as file:
            hold(file.fileno())
        os.write(writing, b"x")
        signal.pause()
    os.close(writing)
    assert os.read(reading, 1) == b"x"

    assert is_held(path)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not is_held(path)
    os.close(reading)


def test_who_asks_holds_nothing(path):
    path.touch()
    assert not is_held(path)
    with held(path) as descriptor:
        assert is_held(path)
        assert not os.get_inheritable(descriptor)


@pytest.mark.parametrize("make", [lambda _path: None, os.mkdir, os.mkfifo, make_socket])
def test_what_is_no_file_is_held_by_nobody(path, make):
    make(path)

    assert not is_held(path)


def test_file_that_may_not_be_read_is_held_by_nobody(path, monkeypatch):
    def refuse(_path, _flags):
        raise PermissionError

    with held(path):
        monkeypatch.setattr(os, "open", refuse)  # root may read everything
        assert not is_held(path)


def test_file_is_held_by_nobody_where_there_are_no_locks(path, monkeypatch):
    def flock(_descriptor, _how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with held(path):
        assert not is_held(path)
