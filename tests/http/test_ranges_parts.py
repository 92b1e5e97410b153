"""Several ranges in one answer: RFC 9110 §15.3.7.2, and the multipart of RFC 2046 §5.1."""

from __future__ import annotations

from email import message_from_bytes
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.ranges import ByteRange, parse_range, render_part_heads

BOUNDARY = "0123456789abcdef01234567"
PAIR = (ByteRange(0, 1), ByteRange(4, 9))


def render(content, ranges, media_type="text/plain; charset=utf-8"):
    heads, end = render_part_heads(ranges, len(content), media_type, BOUNDARY)
    slices = [content[part.first : part.last + 1] for part in ranges]
    return b"".join([*chain.from_iterable(zip(heads, slices, strict=True)), end])


def test_body_is_what_the_clauses_say():
    assert render(b"0123456789", PAIR) == (
        b"--0123456789abcdef01234567\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Range: bytes 0-1/10\r\n"
        b"\r\n"
        b"01\r\n"
        b"--0123456789abcdef01234567\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Range: bytes 4-9/10\r\n"
        b"\r\n"
        b"456789\r\n"
        b"--0123456789abcdef01234567--\r\n"
    )


@pytest.mark.parametrize("ranges", [PAIR, PAIR[::-1], PAIR[:1]])
def test_each_part_has_a_head_and_the_last_one_an_end(ranges):
    heads, end = render_part_heads(ranges, 10, "text/css", BOUNDARY)

    assert len(heads) == len(ranges)
    assert heads[0].startswith(b"--")  # RFC 2046 §5.1.1: nothing before the first needs to be there
    assert all(head.startswith(b"\r\n--") for head in (*heads[1:], end))
    assert all(head.endswith(b"\r\n\r\n") for head in heads)
    assert end.endswith(b"--\r\n")


# Content that looks like what stands around it, but for the boundary, which nobody could know.
CONTENTS = st.lists(
    st.sampled_from(
        [b"\r\n", b"\r", b"\n", b"--", b"--0123456789abcdef\r\n", b"Content-Type: a/b\r\n", b"\xff"]
    )
    | st.binary(max_size=4),
    min_size=1,
    max_size=30,
).map(b"".join)
PAIRS = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 20)), min_size=1, max_size=8)


@given(CONTENTS, PAIRS, st.sampled_from(["text/html; charset=utf-8", "application/octet-stream"]))
def test_another_reader_of_multipart_finds_the_very_slices(content, pairs, media_type):
    ranges = parse_range("bytes=0-0," + ",".join(f"{at}-{at + more}" for at, more in pairs), len(content))
    if ranges is None:
        assert content == b""
        return

    head = f"Content-Type: multipart/byteranges; boundary={BOUNDARY}\r\n\r\n".encode()
    message = message_from_bytes(head + render(content, ranges, media_type))

    parts = message.get_payload()
    assert message.defects == []
    assert not message.preamble
    assert not message.epilogue
    assert [part["Content-Type"] for part in parts] == [media_type] * len(ranges)
    assert [part["Content-Range"] for part in parts] == [
        one.format_content_range(len(content)) for one in ranges
    ]
    assert [part.get_payload(decode=True) for part in parts] == [
        content[one.first : one.last + 1] for one in ranges
    ]
