"""Any reads of any pieces give back the bytes of a body, and few of them wait in memory."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from itertools import cycle, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve.content_coding import decoder_for
from aioserve.payload import HIGH_WATER, Payload
from tests.bodies import arrived
from tests.wire import on_both_loops

LINE_LIMIT = 65_536
SLICE = 65_536  # bytes decoded at once

FEW = st.sampled_from([b"", b"\n", b"a", b"bc\n", b"\n\nd"]) | st.binary(max_size=20)
MANY = st.builds(bytes.__mul__, st.binary(min_size=1, max_size=9), st.integers(1, 20_000))
BODIES = st.lists(FEW | MANY, max_size=8).map(b"".join)
WAYS = st.sampled_from(
    [("read",), ("readany",), ("readline",), ("read_nowait",), ("read", 0), ("readexactly", 0)]
) | st.tuples(st.sampled_from(["read", "readexactly", "read_nowait"]), st.integers(1, 100_000))


async def arrive(payload, pieces, most):
    """Let a body come piece by piece, as long as there is room."""
    for piece in pieces:
        while payload.is_full:  # noqa: ASYNC110 - a turn of the loop for each step of the reader
            await asyncio.sleep(0)
        payload.feed_data(piece)
        assert payload._buffered <= most
        await asyncio.sleep(0)
    payload.feed_eof()


async def read(payload, name, *arguments):
    """Read in one way; return what was read."""
    result = getattr(payload, name)(*arguments)
    try:
        part = result if isinstance(result, bytes) else await result
    except asyncio.IncompleteReadError as error:
        assert payload.at_eof()
        return error.partial
    except ValueError:
        return b""  # the line was too long
    if name == "readline":
        assert part.find(b"\n") in (-1, len(part) - 1)
        assert part.endswith(b"\n") or payload.at_eof()
    if name == "readexactly":
        assert len(part) == arguments[0]
    return part


@pytest.mark.parametrize(
    ("coding", "encode"),
    [(None, bytes), ("gzip", gzip.compress), ("deflate", zlib.compress)],
    ids=["identity", "gzip", "deflate"],
)
@settings(deadline=None)
@given(body=BODIES, cuts=st.lists(st.floats(0, 1), max_size=8), ways=st.lists(WAYS, max_size=6))
def test_any_reads_of_any_pieces_give_back_the_bytes(coding, encode, body, cuts, ways):
    wire = encode(body)
    at = [0, *sorted(int(cut * len(wire)) for cut in cuts), len(wire)]
    pieces = [wire[start:end] for start, end in pairwise(at)]
    most = HIGH_WATER + (2 * SLICE if coding else max(map(len, pieces)))

    async def main():
        payload = Payload(decoder=coding and decoder_for(coding))
        arriving = asyncio.create_task(arrive(payload, pieces, most))
        got = []
        for way in cycle([*ways, ("readany",)]):
            got.append(await read(payload, *way))
            if payload.at_eof():
                break
            await asyncio.sleep(0)
        await arriving

        assert b"".join(got) == body
        assert payload.total_bytes == len(body)
        assert payload.exception() is None

    asyncio.run(main())


@on_both_loops
async def test_it_is_full_at_a_mark_and_has_room_at_a_lower_one():
    rooms = []
    payload = Payload(on_room=lambda: rooms.append(payload._buffered))
    payload.feed_data(bytes(HIGH_WATER - 1))
    assert not payload.is_full
    payload.feed_data(b"x")
    assert payload.is_full
    await payload.readexactly(HIGH_WATER // 2)
    assert not payload.is_full
    assert rooms == []
    await payload.readexactly(HIGH_WATER // 4)
    assert rooms == [HIGH_WATER // 4]
    await payload.readany()

    assert rooms == [HIGH_WATER // 4, 0]


@on_both_loops
async def test_nobody_needs_room_after_the_end():
    rooms = []
    payload = Payload(on_room=lambda: rooms.append("room"))
    payload.feed_data(bytes(HIGH_WATER))
    payload.feed_eof()

    assert await payload.read() == bytes(HIGH_WATER)
    assert rooms == []


# Long lines


@pytest.mark.parametrize("sizes", [[LINE_LIMIT - 1], [LINE_LIMIT // 2, LINE_LIMIT // 2 - 1], [1] * 99])
@on_both_loops
async def test_a_line_may_have_64_kib(sizes):
    payload = arrived(*map(bytes, sizes), b"\nnext")

    assert await payload.readline() == bytes(sum(sizes)) + b"\n"
    assert await payload.readline() == b"next"


@on_both_loops
async def test_a_line_is_known_to_be_too_long_before_its_end():
    payload = arrived(bytes(LINE_LIMIT), b"x", is_whole=False)
    with pytest.raises(ValueError, match="too long"):
        await payload.readline()
    assert not payload.is_full
