from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path

import pytest

from aioserve.errors import ConfigurationError
from aioserve.own_file import is_held
from aioserve.workers.marker_files import MarkerFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_nothing_is_written_where_none_is_wanted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = MarkerFile("--a-file", None)
    file.write("text\n")
    file.remove()

    assert [*tmp_path.iterdir()] == []


def test_file_has_its_text_and_is_removed_in_the_end(path):
    file = MarkerFile("--a-file", str(path))
    file.write("4711 ü\n")

    assert path.read_text("utf-8") == "4711 ü\n"
    assert [*path.parent.iterdir()] == [path]
    file.remove()
    assert [*path.parent.iterdir()] == []
    file.remove()


def test_file_takes_the_place_of_another_whole(path):
    """Whoever has opened the other one reads that to its end."""
    path.write_text("old")
    with path.open() as reader:
        MarkerFile("--a-file", str(path)).write("new")

        assert (reader.read(), path.read_text()) == ("old", "new")


def test_file_appears_whole(path, monkeypatch):
    """Until it has all its text it has another name, which is hidden."""

    def replace(self, target):
        seen.append((sorted(each.name for each in path.parent.iterdir()), self.read_text(), target))
        return really(self, target)

    really, seen = Path.replace, []
    monkeypatch.setattr(Path, "replace", replace)

    MarkerFile("--a-file", str(path)).write("text")

    assert seen == [([f".file.{os.getpid()}"], "text", path)]


def test_what_stands_where_the_text_is_written_first_is_not_written_to(path):
    """In a folder in which all may write, such as /tmp, somebody else may have put a link there."""
    victim = path.with_name("victim")
    victim.write_text("precious")
    path.with_name(f".file.{os.getpid()}").symlink_to(victim)
    MarkerFile("--a-file", str(path)).write("text")

    assert (path.read_text(), victim.read_text()) == ("text", "precious")
    assert sorted(path.parent.iterdir()) == [path, victim]


def test_nothing_is_left_behind_where_it_cannot_be_put_in_its_place(path, monkeypatch):
    def replace(_self, target):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), str(target))

    path.write_text("old")
    monkeypatch.setattr(Path, "replace", replace)
    file = MarkerFile("--a-file", str(path))

    with pytest.raises(ConfigurationError, match="cannot be written: Operation not permitted"):
        file.write("text")
    assert [*path.parent.iterdir()] == [path]
    file.remove()
    assert path.read_text() == "old"


def test_file_that_is_written_again_is_still_ours(path):
    file = MarkerFile("--a-file", str(path))
    file.write("one")
    file.write("other")

    assert path.read_text() == "other"
    file.remove()
    assert not path.exists()


def test_file_that_another_has_put_in_its_place_stays(path):
    one, other = MarkerFile("--a-file", str(path)), MarkerFile("--a-file", str(path))
    one.write("one")
    other.write("other")
    one.remove()

    assert path.read_text() == "other"
    other.remove()
    assert not path.exists()


def test_file_of_another_stays_though_it_has_the_inode_of_ours(path):
    """The number is free again as soon as the other server has cleared our file away."""
    file = MarkerFile("--a-file", str(path))
    file.write("ours")
    path.write_text("of another")  # keeps the number
    os.utime(path, ns=(0, 0))
    file.remove()

    assert path.read_text() == "of another"


def test_file_that_is_gone_already_is_nobodys_concern(path):
    file = MarkerFile("--a-file", str(path))
    file.write("text")
    path.unlink()

    file.remove()


def test_file_that_was_there_before_stays_where_none_was_written(path):
    path.write_text("old")
    MarkerFile("--a-file", str(path)).remove()

    assert path.read_text() == "old"


def test_pipe_is_written_to_and_stays(path):
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        file = MarkerFile("--a-file", str(path))
        file.write("8080\n")
        file.remove()

        assert os.read(reader, 100) == b"8080\n"
    finally:
        os.close(reader)
    assert path.is_fifo()
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize("pipe", ["nobody reads it", "it is full"])
def test_pipe_that_nobody_reads_is_not_waited_for(path, caplog, pipe):
    """Whoever reads it may never come, and the parent would be deaf to its signals."""
    os.mkfifo(path)
    ends = []
    if pipe == "it is full":
        ends += [os.open(path, os.O_RDONLY | os.O_NONBLOCK), os.open(path, os.O_WRONLY | os.O_NONBLOCK)]
        for size in (1 << 12, 1):
            with contextlib.suppress(BlockingIOError):
                while os.write(ends[1], bytes(size)):
                    pass
    MarkerFile("--a-file", str(path)).write("text")
    for each in ends:
        os.close(each)

    assert caplog.messages == [f"--a-file: nobody reads the pipe {str(path)!r}; it is not written to"]
    assert path.is_fifo()


def test_socket_is_not_written_to_and_complained_of(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("socket")

        with pytest.raises(ConfigurationError, match="'socket' cannot be written: No such device"):
            MarkerFile("--a-file", "socket").write("text")


@pytest.mark.parametrize("is_link", [False, True])
def test_file_of_a_server_that_was_killed_is_cleared_away(path, is_link):
    if is_link:
        path.with_name("target").write_text("old")
        path.symlink_to("target")
    else:
        path.write_text("old")
    MarkerFile("--a-file", str(path)).clear()

    assert [each.name for each in path.parent.iterdir()] == is_link * ["target"]


def test_file_of_a_server_that_runs_is_not_cleared_away(path):
    """The one that begins may never come to serve."""
    one, other = MarkerFile("--a-file", str(path)), MarkerFile("--a-file", str(path))
    one.write("old")
    one.write("one")
    other.clear()
    assert path.read_text() == "one"

    one.let_go()
    other.clear()
    assert not path.exists()
    one.remove()


def test_file_that_a_forked_process_has_let_go_is_still_held_by_its_parent(path):
    file = MarkerFile("--a-file", str(path))
    file.write("text")
    if not (pid := os.fork()):
        file.let_go()
        os._exit(0)
    os.waitpid(pid, 0)

    assert is_held(path)
    file.remove()
    assert not path.exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda _path: None])
def test_what_is_no_file_is_not_cleared_away(path, make):
    make(path)
    before = [*path.parent.iterdir()]
    MarkerFile("--a-file", str(path)).clear()
    MarkerFile("--a-file", None).clear()

    assert [*path.parent.iterdir()] == before


def test_file_that_cannot_be_cleared_away_is_complained_of_when_it_is_written(path, monkeypatch):
    def unlink(_path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    path.write_text("old")
    monkeypatch.setattr(Path, "unlink", unlink)
    MarkerFile("--a-file", str(path)).clear()

    assert path.read_text() == "old"


def test_device_is_written_to_and_stays():
    file = MarkerFile("--a-file", os.devnull)
    file.write("text")
    file.remove()

    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    ("name", "reason"), [("none/file", "No such file or directory"), ("folder", "Is a directory")]
)
def test_file_that_cannot_be_written_is_complained_of(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    file = MarkerFile("--a-file", str(tmp_path / name))

    with pytest.raises(ConfigurationError) as raised:
        file.write("text")
    assert str(raised.value) == f"--a-file: {str(tmp_path / name)!r} cannot be written: {reason}"
    file.remove()


def test_file_is_wanted_where_it_has_a_name(tmp_path):
    assert MarkerFile("--pid-file", str(tmp_path / "pid")).is_wanted
    assert not MarkerFile("--pid-file", None).is_wanted
