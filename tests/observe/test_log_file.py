"""The file of the access log: opened, appended to, and opened anew."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from aioserve.observe.log_file import LogFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "access.log"


def unused():
    pytest.fail("there is no other file")


def test_lines_are_appended_to_what_is_there(path):
    path.write_bytes(b"old\n")
    with closing(LogFile(str(path))) as file:
        file.write("new\n")
        file.push()

        assert path.read_bytes() == b"old\nnew\n"
        assert (file.lost, file.sent, file.has_waiting) == (0, 4, False)


def test_a_new_file_is_not_for_everybody(path):
    before = os.umask(0)
    LogFile(str(path)).close()
    os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("name", "reason"), [("none/access.log", "No such file or directory"), (".", "Is a directory")]
)
def test_what_cannot_be_opened_costs_its_lines(tmp_path, name, reason):
    file = LogFile(f"{tmp_path}/{name}")
    with pytest.raises(OSError, match=reason):
        file.write("one\ntwo\n")
    file.push()
    file.close()

    assert (file.lost, file.sent, file.has_waiting) == (2, 0, False)


def test_it_is_opened_when_it_can_be(path):
    folder = path.parent / "logs"
    with closing(LogFile(str(folder / "access.log"))) as file:
        with pytest.raises(OSError, match="No such file"):
            file.write("lost\n")
        folder.mkdir()
        file.write("kept\n")

        assert (folder / "access.log").read_text() == "kept\n"
        assert file.lost == 1


def test_a_named_pipe_without_a_reader_is_not_waited_for(path):
    os.mkfifo(path)
    with closing(LogFile(str(path))) as file, pytest.raises(OSError, match="No such device or address"):
        file.write("lost\n")


def test_a_named_pipe_can_be_slow(path):
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    file = LogFile(str(path))
    file.write("x" * 99 + "\n")
    for _ in range(1000):
        file.write("x" * 99 + "\n")

    assert file.has_waiting

    os.close(reader)
    file.close()

    assert file.lost > 0


def test_a_file_that_was_moved_is_made_anew(path):
    with closing(LogFile(str(path))) as file:
        path.rename(path.with_suffix(".1"))
        file.write("before\n")
        file.reopen(lambda: file.write("at last\n"))
        file.write("after\n")

    assert path.with_suffix(".1").read_text() == "before\nat last\n"
    assert path.read_text() == "after\n"


def test_where_it_cannot_be_opened_anew_the_old_one_is_written_on(path, caplog):
    folder = path.parent / "logs"
    folder.mkdir()
    with closing(LogFile(str(folder / "access.log"))) as file:
        moved = folder.rename(path.parent / "moved")
        file.reopen(unused)
        file.write("after\n")

    assert (moved / "access.log").read_text() == "after\n"
    assert "cannot be opened anew: No such file or directory; the old one is written on" in caplog.text


def test_without_descriptors_there_is_none(path, monkeypatch):
    def none_left(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("aioserve.observe.sinks.os.dup", none_left)
    with closing(LogFile(str(path))) as file, pytest.raises(OSError, match="Too many open files"):
        file.write("lost\n")


def test_what_was_lost_before_still_counts(path):
    path.symlink_to("/dev/full")
    with closing(LogFile(str(path))) as file:
        with pytest.raises(OSError, match="No space left"):
            file.write("lost\n")
        path.unlink()
        file.reopen(lambda: None)
        file.write("kept\n")

        assert file.lost == 1
    assert path.read_text() == "kept\n"


def test_no_descriptor_is_left(path):
    before = len([*Path("/dev/fd").iterdir()])
    file = LogFile(str(path))
    for _ in range(3):
        file.write("a line\n")
        file.reopen(lambda: None)
    file.close()

    assert len([*Path("/dev/fd").iterdir()]) == before
