"""A file is closed by the last of those who share it, and is the same version until somebody writes to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from aioserve.static.shared_file import SharedFile


@pytest.fixture
def file(tmp_path):
    (tmp_path / "file.txt").write_bytes(b"content")
    with (tmp_path / "file.txt").open("rb", buffering=0) as file:
        yield file


@pytest.fixture
def shared(file):
    return SharedFile(file, os.fstat(file.fileno()))


def test_who_makes_it_shares_it(file, shared):
    assert os.pread(shared.fileno(), 7, 0) == b"content"

    shared.close()

    assert file.closed


@pytest.mark.parametrize("users", [2, 3, 100])
def test_last_one_closes_it(file, shared, users):
    all_of_them = [shared, *(shared.share() for _ in range(users - 1))]
    assert {one.fileno() for one in all_of_them} == {file.fileno()}

    for one in all_of_them:
        assert not file.closed
        one.close()

    assert file.closed


def test_it_may_be_shared_and_closed_in_any_order(file, shared):
    for _ in range(3):
        shared.share()
        shared.close()
    shared.share().share()
    shared.close()
    shared.close()
    assert os.pread(shared.fileno(), 7, 0) == b"content"

    shared.close()

    assert file.closed


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"longer content"),
        lambda path: path.write_bytes(b""),
        lambda path: os.truncate(path, 3),
        lambda path: (path.write_bytes(b"CONTENT"), os.utime(path, (0, 0))),
        lambda path: os.utime(path, (0, 0)),
    ],
)
def test_it_is_another_version_when_it_was_written(file, shared, change):
    assert shared.is_unchanged()

    change(Path(file.name))

    assert not shared.is_unchanged()


@pytest.mark.parametrize(
    "change",
    [
        Path.read_bytes,
        Path.unlink,
        lambda path: path.rename(path.with_name("other")),
        lambda path: path.with_name("other").hardlink_to(path),
        lambda path: path.chmod(0),
        lambda path: (path.with_name("other").write_bytes(b"other"), path.with_name("other").rename(path)),
    ],
)
def test_it_is_the_same_version_whatever_became_of_its_name(file, shared, change):
    change(Path(file.name))

    assert shared.is_unchanged()
    assert os.pread(shared.fileno(), 7, 0) == b"content"


def test_error_of_closing_is_that_of_the_last_one(file):
    class FailingFile:
        def close(self):
            raise OSError("Input/output error")

    shared = SharedFile(FailingFile(), os.fstat(file.fileno()))
    shared.share()

    shared.close()
    with pytest.raises(OSError, match="Input/output error"):
        shared.close()
