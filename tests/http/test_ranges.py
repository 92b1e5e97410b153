"""Byte ranges: RFC 9110 §14."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.ranges import MAX_RANGES, ByteRange, Unsatisfiable, parse_range

FAR = "9" * 30


@pytest.mark.parametrize(
    ("reason", "value", "size", "expected"),
    [
        ("§14.1.2: the first byte", "bytes=0-0", 10, [(0, 0)]),
        ("both ends included", "bytes=2-4", 10, [(2, 4)]),
        ("the last byte", "bytes=9-9", 10, [(9, 9)]),
        ("to the end", "bytes=5-", 10, [(5, 9)]),
        ("all of it", "bytes=0-", 10, [(0, 9)]),
        ("the end is cut to the size", "bytes=8-99", 10, [(8, 9)]),
        ("a suffix", "bytes=-3", 10, [(7, 9)]),
        ("a suffix of everything", "bytes=-10", 10, [(0, 9)]),
        ("a suffix longer than the file", "bytes=-11", 10, [(0, 9)]),
        ("leading zeros are no octal", "bytes=0010-0011", 20, [(10, 11)]),
        ("§14.1.1: thirty digits at the end", f"bytes=0-{FAR}", 10, [(0, 9)]),
        ("thirty digits of suffix", f"bytes=-{FAR}", 10, [(0, 9)]),
        ("§14.1: units are case-insensitive", "Bytes=0-0", 10, [(0, 0)]),
        ("one byte in all", "bytes=0-5", 1, [(0, 0)]),
        ("several, in their order", "bytes=5-6,0-1, -1", 10, [(5, 6), (0, 1), (9, 9)]),
        ("§5.6.1.2: empty elements", "bytes=,, 0-1 \t,,", 10, [(0, 1)]),
        ("those that can be satisfied", "bytes=99-, 2-3, -0", 10, [(2, 3)]),
        ("touching ranges that cover everything", "bytes=0-4,5-9", 10, [(0, 4), (5, 9)]),
    ],
)
def test_satisfiable_range_is_read(reason, value, size, expected):
    assert parse_range(value, size) == tuple(ByteRange(*pair) for pair in expected), reason


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ("begins behind the end", "bytes=10-"),
        ("far behind the end", f"bytes={FAR}-"),
        ("far behind the end, both", f"bytes={FAR}-{FAR}"),
        ("no bytes from the end", "bytes=-0"),
        ("none of several", "bytes=10-11, -0, 12-"),
    ],
)
def test_range_outside_is_unsatisfiable(reason, value):
    assert parse_range(value, 10) == Unsatisfiable(10), reason


@pytest.mark.parametrize(
    ("reason", "value"),
    [
        ("no field", None),
        ("nothing", ""),
        ("no unit", "0-1"),
        ("§14.2: another unit", "lines=0-1"),
        ("no set", "bytes"),
        ("an empty set", "bytes="),
        ("a set of empty elements", "bytes=, ,"),
        ("no numbers", "bytes=-"),
        ("no dash", "bytes=5"),
        ("backwards", "bytes=5-2"),
        ("one of several backwards", "bytes=0-1, 5-2"),
        ("letters", "bytes=a-b"),
        ("hexadecimal", "bytes=0x0-0x1"),
        ("a sign", "bytes=+0-1"),
        ("two dashes", "bytes=--1"),
        ("an underscore", "bytes=0_0-1_0"),
        ("a point", "bytes=0-1.0"),
        ("digits that are not ASCII", "bytes=\u0660-\u0661"),
        ("blanks inside", "bytes=0 - 1"),
        ("a blank before the equals sign", "bytes =0-1"),
        ("another kind of blank", "bytes=\x0b0-1"),
        ("a line feed", "bytes=0-1\n"),
        ("a semicolon", "bytes=0-1;2-3"),
        ("two fields joined", "bytes=0-1, bytes=2-3"),
        ("more digits than int would take", f"bytes=0-{'9' * 5000}"),
        ("more ranges than the limit", "bytes=" + "0-0," * (MAX_RANGES + 1)),
        ("everything many times", "bytes=" + ",".join(["0-"] * 1000)),
        ("everything twice", "bytes=0-,0-"),
        ("overlapping to more than there is", "bytes=0-8,1-9"),
    ],
)
def test_any_other_range_is_ignored(reason, value):
    assert parse_range(value, 10) is None, reason


@pytest.mark.parametrize("value", ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-0", "bytes=5-2"])
def test_empty_file_has_no_ranges(value):
    assert parse_range(value, 0) is None


def test_as_many_ranges_as_the_limit_are_read():
    ranges = parse_range("bytes=" + ",".join(f"{n}-{n}" for n in range(MAX_RANGES)), 1000)

    assert ranges == tuple(ByteRange(n, n) for n in range(MAX_RANGES))


def test_content_range_is_written():
    assert ByteRange(2, 4).length == 3
    assert ByteRange(2, 4).format_content_range(10) == "bytes 2-4/10"
    assert Unsatisfiable(10).format_content_range() == "bytes */10"


@given(
    st.text("bytes=0123456789-, \t") | st.text().map("bytes={}".format) | st.text(), st.integers(0, 10**20)
)
def test_any_text_is_read_and_no_byte_is_made_up(value, size):
    match parse_range(value, size):
        case Unsatisfiable() | None:
            pass
        case ranges:
            assert 1 <= len(ranges) <= MAX_RANGES
            assert all(0 <= part.first <= part.last < size for part in ranges)
            assert sum(part.length for part in ranges) <= size


@given(st.integers(0, 99), st.integers(0, 99), st.integers(1, 100))
def test_range_means_what_a_slice_means(first, last, size):
    content = bytes(range(size))
    wanted = content[first : last + 1]

    match parse_range(f"bytes={first}-{last}", size):
        case None:
            assert last < first
        case Unsatisfiable():
            assert not wanted
        case (part,):
            assert content[part.first : part.last + 1] == wanted
