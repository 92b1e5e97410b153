"""A file leaves in blocks, exactly as many bytes as were promised, and is closed in every case."""

from __future__ import annotations

import os
from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve import file_body
from aioserve.file_body import Fetch, close_files, length_of, pieces_of, read_blocks
from aioserve.http.messages import FileSlice

BLOCK = 262_144


@pytest.fixture
def opened(tmp_path):
    """Open a file of this content, as whoever answers with it does."""
    path = tmp_path / "file"

    def opened(content):
        path.write_bytes(content)
        return path.open("rb", buffering=0)

    return opened


@pytest.fixture
def no_memory(monkeypatch):
    """Let the system have nothing in memory until it was read."""
    fetched = []

    def preadv(_descriptor, _buffers, offset, _flags):
        if not fetched or fetched[-1] <= offset:
            raise BlockingIOError

    monkeypatch.setattr(file_body, "_NO_WAIT", 0)
    monkeypatch.setattr(os, "preadv", preadv)
    return fetched


def blocks_of(*pieces):
    """Return all that is to be written of a body."""
    return [piece for piece in read_blocks(pieces) if isinstance(piece, bytes)]


# What a body is made of


def test_a_slice_is_a_body_of_one_piece(opened):
    with opened(b"123") as file:
        one = FileSlice(file, 1, 2)

        assert pieces_of(one) == (one,)
        assert pieces_of((b"a", one)) == (b"a", one)


def test_the_length_of_a_body_is_that_of_its_pieces(opened):
    with opened(b"123") as file:
        assert length_of(()) == 0
        assert length_of((b"four", FileSlice(file, 1, 2), b"!")) == 7


def test_all_files_of_a_body_are_closed(opened):
    files = [opened(b"1"), opened(b"2")]

    close_files((FileSlice(files[0], 0, 1), b"between", FileSlice(files[1], 0, 1)))

    assert all(file.closed for file in files)


# In blocks


@pytest.mark.parametrize(
    ("offset", "length", "sizes"),
    [
        (0, 0, []),
        (7, 0, []),
        (0, 1, [1]),
        (0, BLOCK, [BLOCK]),
        (3, BLOCK, [BLOCK]),
        (0, BLOCK + 1, [BLOCK, 1]),
        (5, 2 * BLOCK + 7, [BLOCK, BLOCK, 7]),
    ],
)
def test_the_blocks_are_the_bytes_of_the_slice(opened, offset, length, sizes):
    content = bytes(range(256)) * (3 * BLOCK // 256)
    file = opened(content)
    blocks = blocks_of(FileSlice(file, offset, length))

    assert [len(block) for block in blocks] == sizes
    assert b"".join(blocks) == content[offset : offset + length]
    assert file.closed


def test_the_pieces_of_a_body_come_in_their_order(opened):
    files = [opened(b"0123456789") for _ in range(2)]

    assert blocks_of(b"a", FileSlice(files[0], 2, 3), b"b", FileSlice(files[1], 0, 1)) == [
        b"a",
        b"234",
        b"b",
        b"0",
    ]
    assert all(file.closed for file in files)


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 200), st.integers(1, 50))
def test_any_slice_of_any_file_is_read_or_found_too_short(tmp_path_factory, content, offset, length, block):
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)
    file = path.open("rb")
    got = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(file_body, "_BLOCK", block)
        is_there = not length or offset + length <= len(content)
        with nullcontext() if is_there else pytest.raises(OSError, match="too early"):
            got += read_blocks((FileSlice(file, offset, length),))

    assert b"".join(got) == content[offset : offset + length]
    assert max(map(len, got), default=0) <= block
    assert file.closed


def test_where_the_file_stands_does_not_matter_and_is_not_moved(opened):
    file = opened(b"0123456789")
    file.seek(8)
    blocks = read_blocks((FileSlice(file, 2, 3),))

    assert next(blocks) == b"234"
    assert file.tell() == 8
    blocks.close()


def test_a_file_that_became_shorter_is_an_error(opened, tmp_path):
    file = opened(bytes(BLOCK + 10))
    blocks = read_blocks((FileSlice(file, 0, BLOCK + 10),))
    next(blocks)
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match=r"^the file ends too early$"):
        next(blocks)
    assert file.closed


def test_a_file_that_became_longer_gives_what_was_promised(opened, tmp_path):
    file = opened(b"12345")
    blocks = read_blocks((FileSlice(file, 0, 5),))
    (tmp_path / "file").write_bytes(b"1234567890")

    assert list(blocks) == [b"12345"]


def test_a_file_that_was_changed_gives_nothing_of_the_other_version(opened):
    versions = iter([True, False])
    file = opened(bytes(3 * BLOCK))
    blocks = read_blocks((FileSlice(file, 0, 3 * BLOCK, lambda: next(versions)),))

    assert next(blocks) == bytes(BLOCK)
    with pytest.raises(OSError, match="the file was changed while it was sent"):
        next(blocks)
    assert file.closed


@pytest.mark.parametrize("taken", [0, 1])
def test_whoever_stops_before_the_end_closes_the_file(opened, taken):
    file = opened(bytes(2 * BLOCK))
    blocks = read_blocks((FileSlice(file, 0, 2 * BLOCK),))
    for _ in range(taken):
        next(blocks)
    assert not file.closed

    blocks.close()
    assert file.closed


# What the system has not in memory


def test_a_block_that_is_not_in_memory_is_fetched_before_it_is_read(opened, no_memory):
    content = bytes(range(256)) * 1024
    file = opened(content * 2)
    sending = read_blocks((FileSlice(file, 0, 2 * BLOCK),))

    fetch = next(sending)
    assert isinstance(fetch, Fetch)
    assert (fetch.offset, fetch.length) == (0, BLOCK)
    assert os.fstat(fetch.descriptor).st_ino == os.fstat(file.fileno()).st_ino
    fetch()
    no_memory.append(2 * BLOCK)
    assert [*sending] == [content, content]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fetch.descriptor)


def test_fetching_what_cannot_be_read_says_nothing(tmp_path):
    """Whoever reads it then gets the error."""
    descriptor = os.open(tmp_path, os.O_RDONLY)

    Fetch(descriptor, 0, 10)()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_system_that_cannot_tell_is_believed_to_have_everything(opened, monkeypatch):
    monkeypatch.setattr(file_body, "_NO_WAIT", None)

    assert [*read_blocks((FileSlice(opened(b"12345"), 1, 3),))] == [b"234"]


def test_so_is_a_file_system_that_cannot_tell(opened, monkeypatch):
    def preadv(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(file_body, "_NO_WAIT", 0)
    monkeypatch.setattr(os, "preadv", preadv)

    assert [*read_blocks((FileSlice(opened(b"12345"), 1, 3),))] == [b"234"]


def test_nothing_is_waited_for_where_everything_is_in_memory(opened):
    """A file that was just written is."""
    assert [*read_blocks((FileSlice(opened(b"12345"), 1, 3),))] == [b"234"]
