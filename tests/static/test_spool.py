"""A body waits for its client, in memory or in a file without a name."""

from __future__ import annotations

import os
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.messages import FileSlice
from aioserve.static import spool as module
from aioserve.static.spool import Spool
from tests.static.files import bytes_of

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


@pytest.fixture(autouse=True)
def _little_is_held(monkeypatch):
    monkeypatch.setattr(module, "_HELD", 10)


def spool_of(*pieces):
    spool = Spool()
    for piece in pieces:
        spool.add(piece)
    return spool


@given(st.lists(st.binary(max_size=20)))
def test_bytes_come_out_as_they_went_in(pieces):
    whole = b"".join(pieces)

    spool = spool_of(*pieces)
    assert spool.size == len(whole)
    assert spool.read() == whole
    assert bytes_of(spool_of(*pieces).body()) == whole


def test_what_is_small_stays_in_memory():
    assert spool_of(b"12345", b"67890").body() == b"1234567890"


def test_what_is_not_waits_in_a_file_that_has_no_name():
    body = spool_of(b"12345", b"67890", b"1").body()

    assert isinstance(body, FileSlice)
    assert (body.offset, body.length) == (0, 11)
    assert os.fstat(body.file.fileno()).st_nlink == 0
    body.file.close()


@pytest.mark.parametrize("pieces", [[], [b"12345678901"]])
def test_body_that_is_not_wanted_leaves_nothing(pieces):
    spool_of(*pieces).close()


def test_memory_has_to_do_where_no_file_can_be_made(monkeypatch):
    def fail():
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", fail)

    assert spool_of(b"1234567890", b"1", b"2").body() == b"123456789012"


def test_file_that_cannot_be_written_is_an_error(monkeypatch):
    """Half of a body is none."""
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115, PTH123 - closed below
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_more: full)
    spool = Spool()

    with pytest.raises(OSError, match="No space left"):
        spool.add(b"12345678901")
    spool.close()
    assert full.closed


def test_file_that_cannot_be_made_is_not_tried_for_each_piece(monkeypatch):
    tries = []

    def fail(**_more):
        tries.append(1)
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", fail)

    assert spool_of(*[b"12345"] * 10).read() == b"12345" * 10
    assert tries == [1]


def test_current_folder_is_no_folder_for_temporary_files(tmp_path, monkeypatch):
    """`tempfile` takes it where there is no other; it may be the one that is served."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path)])
    monkeypatch.setattr(tempfile, "tempdir", None)
    changed = tmp_path.stat().st_mtime_ns if tempfile.gettempdir() == str(tmp_path) else None

    assert spool_of(b"12345678901").body() == b"12345678901"
    assert tmp_path.stat().st_mtime_ns == changed


def test_file_is_made_where_the_current_folder_has_gone(tmp_path, monkeypatch):
    """As it does where a release was exchanged for the next one."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    body = spool_of(b"12345678901").body()
    assert bytes_of(body) == b"12345678901"
    assert isinstance(body, FileSlice)


def test_last_bytes_that_cannot_be_written_are_an_error_unless_nobody_wants_them(monkeypatch):
    full = open("/dev/full", "w+b")  # noqa: SIM115, PTH123 - closed below
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_more: full)
    spool = spool_of(b"12345678901")

    with pytest.raises(OSError, match="No space left"):
        spool.body()
    spool.close()
    assert full.closed


def test_several_may_share_the_file():
    body = spool_of(b"12345678901").body()
    body.file.share()

    assert [bytes_of(body) for _ in range(2)] == [b"12345678901"] * 2
