"""A body is the same bytes in every way of reading it, however it arrived and whatever went wrong."""

from __future__ import annotations

import asyncio
import gc
import gzip
import os
import tracemalloc

import pytest

from aioserve.content_coding import decoder_for
from aioserve.errors import (
    ClientDisconnectedError,
    ContentEncodingError,
    HttpProcessingError,
    PayloadTooLarge,
)
from aioserve.payload import EMPTY_PAYLOAD, HIGH_WATER, Payload
from tests.bodies import WAYS, arrived, each_way, in_each_form, read, start
from tests.wire import on_both_loops

LINE_LIMIT = 65_536
SLICE = 65_536

# What each method reads


@in_each_form
@pytest.mark.parametrize(
    ("name", "arguments", "expected", "left"),
    [
        ("read", (), b"one\ntwo\n\nthree", b""),
        ("read", (-1,), b"one\ntwo\n\nthree", b""),
        ("read", (0,), b"", b"one\ntwo\n\nthree"),
        ("read", (5,), b"one\nt", b"wo\n\nthree"),
        ("read", (99,), b"one\ntwo\n\nthree", b""),
        ("readany", (), b"one\ntwo\n\nthree", b""),
        ("readexactly", (0,), b"", b"one\ntwo\n\nthree"),
        ("readexactly", (5,), b"one\nt", b"wo\n\nthree"),
        ("readexactly", (14,), b"one\ntwo\n\nthree", b""),
        ("readline", (), b"one\n", b"two\n\nthree"),
        ("wait_eof", (), None, b"one\ntwo\n\nthree"),
        ("text", (), "one\ntwo\n\nthree", b""),
    ],
)
@on_both_loops
async def test_what_is_there_is_read_without_waiting(taken, name, arguments, expected, left):
    payload = arrived(b"one\ntw", b"o\n", b"\nthree")
    turned = []
    asyncio.get_running_loop().call_soon(turned.append, "turned")

    assert await taken(getattr(payload, name)(*arguments)) == expected
    assert payload.read_nowait() == left
    assert turned == []
    assert payload.at_eof()


@in_each_form
@on_both_loops
async def test_after_the_end_there_is_nothing(taken):
    for payload in (arrived(), EMPTY_PAYLOAD):
        assert payload.at_eof()
        assert payload.is_eof()
        assert payload.total_bytes == 0
        for name in ("read", "readany", "readline"):
            assert await taken(getattr(payload, name)()) == b""
        assert payload.read_nowait() == b""
        assert await taken(payload.wait_eof()) is None
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await taken(payload.readexactly(2))
        assert (caught.value.partial, caught.value.expected) == (b"", 2)


@in_each_form
@pytest.mark.parametrize(
    ("way", "expected"),
    [
        (("read",), b"one\ntwo"),
        (("read", 2), b"o"),
        (("readany",), b"o"),
        (("readexactly", 2), b"on"),
        (("readline",), b"one\n"),
        (("wait_eof",), None),
    ],
)
@on_both_loops
async def test_a_reader_waits_for_as_much_as_it_needs(taken, way, expected):
    payload = Payload()
    name, *arguments = way
    reading = asyncio.create_task(taken(getattr(payload, name)(*arguments)))
    await asyncio.sleep(0)
    for piece in (b"o", b"", b"n", b"e\n", b"two"):
        payload.feed_data(piece)
        await asyncio.sleep(0)
    payload.feed_eof()

    assert await reading == expected


@each_way
@on_both_loops
async def test_what_is_ignored_reads_nothing_and_warns_of_nothing(way, recwarn):
    payload = arrived(b"abc")
    name, *arguments = way
    getattr(payload, name)(*arguments)
    gc.collect()

    assert not recwarn
    assert await payload.read() == b"abc"


@on_both_loops
async def test_iteration_gives_lines_pieces_or_what_comes():
    assert [line async for line in arrived(b"a\nb", b"c\n\nd")] == [b"a\n", b"bc\n", b"\n", b"d"]
    assert [part async for part in arrived(b"abc", b"de").iter_chunked(2)] == [b"ab", b"cd", b"e"]
    payload, parts = Payload(), []
    payload.feed_data(b"abc")
    async for part in payload.iter_any():
        parts.append(part)
        payload.feed_eof() if len(parts) == 2 else payload.feed_data(b"de")
    assert parts == [b"abc", b"de"]
    with pytest.raises(ValueError, match="at least one byte"):
        await anext(arrived(b"abc").iter_chunked(0))


@on_both_loops
async def test_a_number_of_bytes_is_not_negative():
    payload = arrived(b"abc")
    with pytest.raises(ValueError, match="not negative: -1"):
        await payload.readexactly(-1)

    assert await payload.readexactly(3) == b"abc"


@on_both_loops
async def test_too_few_bytes_are_in_the_exception():
    payload = arrived(b"ab", b"c")
    with pytest.raises(asyncio.IncompleteReadError) as caught:
        await payload.readexactly(4)

    assert (caught.value.partial, caught.value.expected) == (b"abc", 4)
    assert payload.at_eof()


@on_both_loops
async def test_read_nowait_takes_what_is_there():
    payload = arrived(b"abc", b"def", is_whole=False)
    assert payload.read_nowait(0) == b""
    assert payload.read_nowait(4) == b"abcd"
    assert payload.read_nowait() == b"ef"
    assert payload.read_nowait() == payload.read_nowait(3) == b""
    assert not payload.at_eof()


# Long lines


@in_each_form
@pytest.mark.parametrize("sizes", [[LINE_LIMIT], [LINE_LIMIT - 1, 1], [30_000] * 3, [1, 100_000]])
@on_both_loops
async def test_a_longer_line_is_refused_and_stays_readable(taken, sizes):
    payload = arrived(b"first\n", *map(bytes, sizes), b"\nnext")
    assert await taken(payload.readline()) == b"first\n"
    for _ in range(2):
        with pytest.raises(ValueError, match="Line is too long"):
            await taken(payload.readline())

    assert await taken(payload.readexactly(sum(sizes))) == bytes(sum(sizes))
    assert await taken(payload.readline()) == b"\n"
    assert await taken(payload.readline()) == b"next"


# One reader at a time


@pytest.mark.parametrize("second", [*WAYS, ("read_nowait",)], ids=lambda way: "-".join(map(str, way)))
@each_way
@on_both_loops
async def test_a_second_reader_is_refused_and_takes_nothing(way, second):
    payload = Payload()
    first = start(payload, *way)
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="already being read by somebody else"):
        await read(payload, *second)
    payload.feed_data(b"abc\n")  # the first has not fetched it yet
    with pytest.raises(RuntimeError, match="already being read by somebody else"):
        await read(payload, *second)
    payload.feed_eof()

    assert (await first or b"") + payload.read_nowait() == b"abc\n"


# What goes wrong


@in_each_form
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", (3,), b"abc"),
        ("readany", (), b"abcd\ne"),
        ("readexactly", (6,), b"abcd\ne"),
        ("readline", (), b"abcd\n"),
    ],
)
@on_both_loops
async def test_what_came_before_an_exception_can_be_read(taken, name, arguments, expected):
    payload = arrived(b"abc", b"d\ne", is_whole=False)
    error = ClientDisconnectedError("gone")
    payload.set_exception(error)
    payload.set_exception(ValueError("another; the first one stays"))

    assert payload.exception() is error
    assert await taken(getattr(payload, name)(*arguments)) == expected
    if rest := b"abcd\ne"[len(expected) :]:
        assert payload.read_nowait() == rest
    for way in [*WAYS, ("read_nowait",)]:
        with pytest.raises(ClientDisconnectedError):
            await read(payload, *way)
    assert not payload.at_eof()


@each_way
@on_both_loops
async def test_an_exception_wakes_who_waits(way):
    payload = Payload()
    reading = start(payload, *way)
    await asyncio.sleep(0)
    payload.set_exception(ClientDisconnectedError("gone"))

    with pytest.raises(ClientDisconnectedError, match="gone"):
        await reading


@on_both_loops
async def test_a_body_that_is_whole_has_no_exception():
    payload = arrived(b"abc")
    payload.set_exception(ClientDisconnectedError("gone"))

    assert await payload.read() == b"abc"
    assert payload.exception() is None


# The end of the request


@on_both_loops
async def test_who_kept_the_payload_reads_nothing_after_the_request():
    for payload in (arrived(b"abc"), arrived(b"abc", is_whole=False), arrived()):
        payload.close()
        payload.close()
        assert not payload.at_eof()
        for way in [*WAYS, ("read_nowait",)]:
            with pytest.raises(RuntimeError, match="the request is over"):
                await read(payload, *way)


@on_both_loops
async def test_the_payload_that_all_requests_without_a_body_share_cannot_be_closed():
    EMPTY_PAYLOAD.close()
    EMPTY_PAYLOAD.set_exception(ValueError("from one of them"))

    assert EMPTY_PAYLOAD.at_eof()
    assert await EMPTY_PAYLOAD.read() == b""


# What the connection is told


@on_both_loops
async def test_a_reader_of_everything_makes_room_as_it_goes():
    pieces = [bytes([number]) * 50_000 for number in range(20)]
    left = list(pieces)

    def feed():
        while left and not payload.is_full:
            payload.feed_data(left.pop(0))
        if not left:
            payload.feed_eof()

    payload = Payload(on_room=feed)
    feed()
    assert len(left) == 17
    assert await payload.read() == b"".join(pieces)


@on_both_loops
async def test_somebody_who_waits_is_told_of_once():
    told = []
    payload = arrived(b"there", is_whole=False, on_first_read=lambda: told.append("told"))
    assert await payload.readany() == b"there"
    assert told == []
    reading = start(payload, "read")
    await asyncio.sleep(0)
    assert told == ["told"]
    payload.feed_data(b"more")
    await asyncio.sleep(0)
    payload.feed_eof()
    await reading

    assert told == ["told"]


@on_both_loops
async def test_what_the_first_reader_brings_about_may_be_the_end():
    payload = Payload(on_first_read=lambda: payload.feed_eof())  # noqa: PLW0108 - it has no name before

    assert await payload.read() == b""


# Content codings


@pytest.mark.parametrize("pieces", [1, 7])
@on_both_loops
async def test_the_limit_is_on_what_was_decoded(pieces):
    limit = 100_000
    for size in (limit, limit + 1):
        wire = gzip.compress(bytes(size))
        payload = Payload(decoder=decoder_for("gzip"), limit=limit)
        for at in range(pieces):
            payload.feed_data(wire[at * len(wire) // pieces : (at + 1) * len(wire) // pieces])
        payload.feed_eof()
        assert len(await payload.readany()) <= limit + SLICE
        if size == limit:
            assert payload.at_eof()
        else:
            for way in WAYS:
                with pytest.raises(PayloadTooLarge, match="limit of 100000 bytes"):
                    await start(payload, *way)


@pytest.mark.parametrize(
    ("reason", "damage"),
    [
        ("truncated", lambda wire: wire[:-1]),
        ("corrupt", lambda wire: wire[:-8] + b"12345678"),
        ("not coded at all", lambda _wire: b"plain text"),
        ("more behind it", lambda wire: wire + b"more"),
    ],
)
@on_both_loops
async def test_a_body_that_does_not_decode_is_an_error(reason, damage):
    payload = arrived(damage(gzip.compress(b"text" * 99)), decoder=decoder_for("gzip"))
    with pytest.raises(ContentEncodingError):
        await payload.read()

    assert isinstance(payload.exception(), ContentEncodingError), reason
    assert not payload.is_eof()


@on_both_loops
async def test_a_bomb_waits_in_its_coded_form():
    size = 64 * 1024 * 1024
    bomb = gzip.compress(os.urandom(size // 64) + bytes(size - size // 64))
    tracemalloc.start()
    try:
        payload = Payload(decoder=decoder_for("gzip"))
        payload.feed_data(bomb)
        payload.feed_eof()
        got = 0
        while part := await payload.readany():
            assert len(part) <= HIGH_WATER + 2 * SLICE
            got += len(part)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert got == payload.total_bytes == size
    assert peak < 3 * 1024 * 1024  # of which its coded form is the third part


@on_both_loops
async def test_a_bomb_is_refused_when_it_becomes_too_large_for_its_size():
    payload = Payload(decoder=decoder_for("gzip"))
    payload.feed_data(gzip.compress(bytes(10_000_000)))
    payload.feed_eof()
    with pytest.raises(HttpProcessingError, match="too large for the size of its coded form") as caught:
        await payload.read()
    assert caught.value.code == 413
    assert payload.total_bytes < 3_000_000


@on_both_loops
async def test_tiny_pieces_are_joined_as_they_come():
    """An object for each two bytes would take 35 times their memory."""
    tracemalloc.start()
    try:
        payload = Payload()
        for _ in range(60_000):
            payload.feed_data(b"ab")
        waiting = tracemalloc.get_traced_memory()[1]
        payload.feed_eof()
        assert await payload.read() == b"ab" * 60_000
    finally:
        tracemalloc.stop()
    assert waiting < 4 * 120_000


@on_both_loops
async def test_tiny_pieces_are_joined_as_they_are_read():
    tracemalloc.start()
    try:
        payload = Payload()
        reading = asyncio.ensure_future(payload.read())
        for _ in range(60_000):
            payload.feed_data(b"ab")
            await asyncio.sleep(0)
        taken = tracemalloc.get_traced_memory()[1]
        payload.feed_eof()
        assert await reading == b"ab" * 60_000
    finally:
        tracemalloc.stop()
    assert taken < 4 * 120_000


@on_both_loops
async def test_no_bytes_at_all_are_an_empty_body_in_any_coding():
    payload = arrived(decoder=decoder_for("gzip"))

    assert await payload.read() == b""
    assert payload.at_eof()
