from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from aioserve.errors import BindError
from aioserve.listen import unix
from aioserve.listen.addresses import UnixAddress
from aioserve.listen.unix import SocketFile, listen


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder: the path of a socket cannot be long."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start(path="web.sock", **more):
    sock, file = listen(UnixAddress(path, **more), backlog=5)
    return closing(sock), file


def refusal(path, **more):
    with pytest.raises(BindError) as refused:
        listen(UnixAddress(path, **more), backlog=5)
    assert refused.value.__cause__ is None
    return str(refused.value).removeprefix(f"cannot listen on unix:{path}: ")


def connect(path="web.sock"):
    with ExitStack() as opened:
        client = opened.enter_context(socket.socket(socket.AF_UNIX))
        client.connect(path)
        opened.pop_all()
    return client


def mode_of(path="web.sock"):
    return stat.S_IMODE(Path(path).stat().st_mode)


def leave_stale(path="web.sock"):
    """Leave the socket of a server that has ended without removing it."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()


# What is bound


def test_socket_listens_without_blocking():
    with start()[0] as sock, connect() as client:
        assert not sock.getblocking()
        accepted, _ = sock.accept()
        with accepted:
            accepted.sendall(b"x")
            assert client.recv(1) == b"x"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666, 0o777])
def test_mode_is_the_one_that_was_asked_for_whatever_the_umask(umask, mode):
    before = os.umask(umask)
    try:
        with start(mode=mode)[0]:
            assert mode_of() == mode
    finally:
        os.umask(before)


def test_everybody_may_connect_where_no_mode_is_given():
    with start()[0]:
        assert mode_of() == 0o666


def test_mode_is_there_before_anybody_can_connect(monkeypatch):
    def allow(file, mode):
        with pytest.raises(ConnectionRefusedError):
            connect()
        real(file, mode)

    real = SocketFile.allow
    monkeypatch.setattr(SocketFile, "allow", allow)

    with start(mode=0o600)[0], connect():
        assert mode_of() == 0o600


def test_stale_socket_is_replaced():
    leave_stale()

    with start()[0], connect():
        pass


def test_stale_socket_that_another_has_removed_is_no_hindrance(monkeypatch):
    """Between the first try and the look at what is there."""

    def lstat(path):
        Path(path).unlink()
        raise FileNotFoundError

    leave_stale()
    monkeypatch.setattr(os, "lstat", lstat)

    unix._remove_stale("web.sock")


# What is refused


def test_live_socket_is_refused_and_its_holder_named():
    with start()[0]:
        name = Path("/proc/self/comm").read_text().strip()

        assert refusal("web.sock") == f"it is in use by {name} (pid {os.getpid()})"
        assert refusal("./web.sock") == "it is in use"  # Linux knows it by the other name

        with connect():
            pass


def test_socket_whose_queue_is_full_is_live():
    sock, _ = listen(UnixAddress("web.sock"), backlog=0)
    with sock, connect():
        assert refusal("web.sock").startswith("it is in use")


def test_socket_of_datagrams_is_live():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind("web.sock")

        assert refusal("web.sock") == "it is in use"
    assert Path("web.sock").exists()


def test_socket_that_cannot_be_asked_is_left_alone(monkeypatch):
    class Forbidden(socket.socket):
        def connect(self, _path):
            raise PermissionError(errno.EACCES, "Permission denied")

    leave_stale()
    monkeypatch.setattr(socket, "socket", Forbidden)

    assert refusal("web.sock") == "Permission denied"
    assert Path("web.sock").exists()


def test_file_that_is_no_socket_is_not_touched():
    Path("file").write_text("precious")
    Path("folder").mkdir()
    leave_stale()
    Path("link").symlink_to("web.sock")

    for name in ("file", "folder", "link"):
        assert refusal(name) == "a file is there that is not a socket"
    assert Path("file").read_text() == "precious"
    assert Path("link").is_symlink()
    assert Path("web.sock").is_socket()


def test_folder_must_be_there():
    assert refusal("none/web.sock") == "No such file or directory"


def test_path_must_not_be_long():
    assert refusal("ä" * 60) == "a path of 120 bytes is too long for a socket; Linux takes 107"


def test_nothing_stays_after_a_refusal(monkeypatch):
    def chmod(_path, _mode):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", chmod)

    assert refusal("web.sock").endswith("Operation not permitted")
    assert list(Path().iterdir()) == []


# The file


def test_mode_can_be_changed(folder):
    opened, file = start()
    with opened:
        file.allow(0o600)
        assert mode_of() == 0o600
        Path("web.sock").unlink()
        with pytest.raises(BindError, match=rf"^cannot listen on unix:{folder}/web.sock: No such file"):
            file.allow(0o660)


def test_file_is_removed_in_the_end_from_wherever(monkeypatch):
    opened, file = start()
    monkeypatch.chdir("/")

    with opened:
        assert file.is_ours
        file.remove()
        assert not file.is_ours
        file.remove()

    assert not file.path.exists()


def test_file_of_another_server_is_not_removed():
    """Its inode may have the number of ours, which is free again."""
    opened, file = start()
    with opened:
        pass
    with start()[0]:
        assert not file.is_ours
        file.remove()

        with connect():
            pass
