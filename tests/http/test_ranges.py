"""Byte ranges: RFC 9110 §14."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http import ranges
from aioserve.http.ranges import MAX_RANGES, ByteRange, Unsatisfiable, parse_range
from tests.steps import Steps

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
    ],
)
def test_satisfiable_range_is_read(reason, value, size, expected):
    assert parse_range(value, size) == tuple(ByteRange(*pair) for pair in expected), reason


@pytest.mark.parametrize(
    ("reason", "value", "expected"),
    [
        ("touching", "bytes=0-4,5-9", [(0, 9)]),
        ("touching, backwards", "bytes=5-9,0-4", [(0, 9)]),
        ("a byte apart", "bytes=0-3,5-9", [(0, 3), (5, 9)]),
        ("a byte apart, backwards", "bytes=5-9,0-3", [(5, 9), (0, 3)]),
        ("overlapping by one", "bytes=0-4,4-6", [(0, 6)]),
        ("more than there is in all", "bytes=0-8,1-9", [(0, 9)]),
        ("one within another", "bytes=2-8,4-5", [(2, 8)]),
        ("one around another", "bytes=4-5,2-8", [(2, 8)]),
        ("the same twice", "bytes=3-4,3-4", [(3, 4)]),
        ("everything many times", "bytes=" + ",".join(["0-"] * MAX_RANGES), [(0, 9)]),
        ("a chain", "bytes=6-7,0-1,4-5,2-3", [(0, 7)]),
        ("one bridges two", "bytes=0-2,6-8,2-6", [(0, 8)]),
        ("a suffix and an end", "bytes=7-,-2", [(7, 9)]),
        ("cut to the size first", "bytes=9-20,-1", [(9, 9)]),
        ("the order of the bytes, once some became one", "bytes=8-9,0-1,2-3", [(0, 3), (8, 9)]),
    ],
)
def test_ranges_that_overlap_or_touch_become_one(reason, value, expected):  # §15.3.7.2
    assert parse_range(value, 10) == tuple(ByteRange(*pair) for pair in expected), reason


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
        ("everything many more times", "bytes=" + ",".join(["0-"] * 1000)),
    ],
)
def test_any_other_range_is_ignored(reason, value):
    assert parse_range(value, 10) is None, reason


@pytest.mark.parametrize("value", ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-0", "bytes=5-2"])
def test_empty_file_has_no_ranges(value):
    assert parse_range(value, 0) is None


def test_as_many_ranges_as_the_limit_are_read():
    read = parse_range("bytes=" + ",".join(f"{2 * n}-{2 * n}" for n in range(MAX_RANGES)), 1000)

    assert read == tuple(ByteRange(2 * n, 2 * n) for n in range(MAX_RANGES))


def test_content_range_is_written():
    assert ByteRange(2, 4).length == 3
    assert ByteRange(2, 4).format_content_range(10) == "bytes 2-4/10"
    assert Unsatisfiable(10).format_content_range() == "bytes */10"


# Whatever is asked for


@given(
    st.text("bytes=0123456789-, \t") | st.text().map("bytes={}".format) | st.text(), st.integers(0, 10**20)
)
def test_any_text_is_read_and_no_byte_is_made_up(value, size):
    match parse_range(value, size):
        case Unsatisfiable() | None:
            pass
        case read:
            assert 1 <= len(read) <= MAX_RANGES
            assert all(0 <= part.first <= part.last < size for part in read)
            assert sum(part.length for part in read) <= size


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


PAIRS = st.lists(
    st.tuples(st.integers(0, 120), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair))),
    min_size=1,
    max_size=MAX_RANGES,
)


def positions_of(parts):
    return {position for part in parts for position in range(part.first, part.last + 1)}


def are_apart(parts):
    """Whether there is at least a byte between any two."""
    ordered = sorted(parts, key=lambda part: part.first)
    return all(one.last + 1 < other.first for one, other in pairwise(ordered))


@given(PAIRS, st.integers(1, 100))
def test_ranges_are_the_union_of_what_was_asked_and_each_byte_comes_once(pairs, size):
    asked = [ByteRange(first, min(last, size - 1)) for first, last in pairs if first < size]

    match parse_range("bytes=" + ",".join(f"{first}-{last}" for first, last in pairs), size):
        case Unsatisfiable():
            assert asked == []
        case read:
            assert positions_of(read) == positions_of(asked)
            assert are_apart(read)
            if are_apart(asked):
                assert list(read) == asked
            else:
                assert list(read) == sorted(read, key=lambda part: part.first)


@pytest.mark.parametrize("end", ["", "-", "-x", "x"])
def test_digits_without_end_are_given_up_soon(end):
    few, many = (Steps(ranges._RANGE_SPEC, "1" * count + end) for count in (100, 10_000))

    assert few.count == many.count
    assert few.end is many.end is None


def test_ranges_over_the_limit_are_not_read(monkeypatch):
    read = []
    monkeypatch.setattr(ranges, "_parse_range_spec", lambda spec, _: read.append(spec))

    assert parse_range("bytes=" + "0-0," * 100_000, 10) is None
    assert read == []
