from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.live.lines import (
    BOLD,
    PLAIN_ASCII,
    UNICODE,
    crop,
    format_number,
    format_span,
    glyphs_for,
    make_heading,
    make_line,
    side_by_side,
)


@pytest.mark.parametrize(
    ("encoding", "glyphs"),
    [("utf-8", UNICODE), ("ascii", PLAIN_ASCII), ("iso-8859-1", PLAIN_ASCII), ("no such", PLAIN_ASCII)],
)
def test_characters_are_those_that_the_terminal_has(encoding, glyphs):
    assert glyphs_for(encoding) is glyphs


def test_text_is_shortened_in_the_middle():
    assert crop("/a/long/path/name.html", 12, UNICODE) == "/a/lon….html"
    assert crop("/a/long/path/name.html", 12, PLAIN_ASCII) == "/a/lo...html"
    assert crop("/short", 12, UNICODE) == "/short"
    assert crop("/long/path", 1, UNICODE) == "…"


def test_text_cannot_steer_the_terminal():
    assert crop("\x1b[2J\tall\nlines", 80, UNICODE) == "\\x1b[2J all lines"


@given(st.text(max_size=30), st.integers(1, 40))
def test_text_is_never_longer_than_its_room(text, room):
    assert len(crop(text, room, UNICODE)) <= room


def test_a_line_is_filled_and_what_stands_right_stands_at_the_edge():
    assert make_line(10, "left").plain == "left      "
    assert make_line(10, "left", right=(("end", BOLD),)).plain == "left   end"
    assert make_line(10, "left is long", right=("end",)).plain == "left i end"


def test_what_stands_right_is_left_out_where_there_is_no_room():
    assert make_line(5, "left", right=("right",)).plain == "left "
    assert make_line(0, "left").plain == ""


def test_wide_characters_take_two_cells():
    assert make_line(5, "漢字漢").cell_len == 5


def test_a_heading_is_followed_by_a_rule():
    assert make_heading(12, "Title", UNICODE).plain == "Title ──────"
    assert make_heading(12, "Title", PLAIN_ASCII, ("end",)).plain == "Title -- end"
    assert make_heading(9, "Title", UNICODE, ("end",)).plain == "Title    "


def test_blocks_stand_beside_one_another():
    short, long = [make_line(3, "a")], [make_line(4, "b"), make_line(4, "c")]

    assert [row.plain for row in side_by_side([(3, short), (4, long)], gap=2)] == ["a    b   ", "     c   "]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.04, "0.0"),
        (9.94, "9.9"),
        (9.96, "10"),
        (1234.4, "1,234"),
        (999_999.4, "999,999"),
        (1.234e6, "1.23M"),
    ],
)
def test_numbers_are_for_the_eye(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0s"),
        (45.9, "45s"),
        (724, "12m 04s"),
        (3600 * 3 + 60 * 12, "3h 12m"),
        (86_400 * 5 + 3_600 * 3, "5d 03h"),
    ],
)
def test_spans_have_two_units(seconds, text):
    assert format_span(seconds) == text
