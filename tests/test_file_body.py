"""A file leaves in blocks, exactly as many bytes as were promised, and is closed in every case."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve import file_body
from aioserve.file_body import read_blocks
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
    blocks = list(read_blocks(FileSlice(file, offset, length)))

    assert [len(block) for block in blocks] == sizes
    assert b"".join(blocks) == content[offset : offset + length]
    assert file.closed


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
            got += read_blocks(FileSlice(file, offset, length))

    assert b"".join(got) == content[offset : offset + length]
    assert max(map(len, got), default=0) <= block
    assert file.closed


def test_where_the_file_stands_does_not_matter_and_is_not_moved(opened):
    file = opened(b"0123456789")
    file.seek(8)
    blocks = read_blocks(FileSlice(file, 2, 3))

    assert next(blocks) == b"234"
    assert file.tell() == 8
    blocks.close()


def test_a_file_that_became_shorter_is_an_error(opened, tmp_path):
    file = opened(bytes(BLOCK + 10))
    blocks = read_blocks(FileSlice(file, 0, BLOCK + 10))
    next(blocks)
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OSError, match=r"^the file ends 10 bytes too early$"):
        next(blocks)
    assert file.closed


def test_a_file_that_became_longer_gives_what_was_promised(opened, tmp_path):
    file = opened(b"12345")
    blocks = read_blocks(FileSlice(file, 0, 5))
    (tmp_path / "file").write_bytes(b"1234567890")

    assert list(blocks) == [b"12345"]


@pytest.mark.parametrize("taken", [0, 1])
def test_whoever_stops_before_the_end_closes_the_file(opened, taken):
    file = opened(bytes(2 * BLOCK))
    blocks = read_blocks(FileSlice(file, 0, 2 * BLOCK))
    for _ in range(taken):
        next(blocks)
    assert not file.closed

    blocks.close()
    assert file.closed
