from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.live.sparkline import ASCII, draw_bar, draw_columns


def test_heights_are_eighths_of_a_line():
    assert draw_columns([0, 1, 2, 3, 4, 5, 6, 7, 8], 9, 1, top=8) == [" ▁▂▃▄▅▆▇█"]


def test_columns_go_over_several_lines():
    assert draw_columns([4, 8, 12, 16], 4, 2, top=16) == ["  ▄█", "▄███"]


def test_last_numbers_stand_at_the_right_edge():
    assert draw_columns([8], 3, 1, top=8) == ["  █"]
    assert draw_columns([8, 1, 2], 2, 1, top=8) == ["▁▂"]
    assert draw_columns([8, 1, 2], 0, 1, top=8) == [""]


def test_what_is_more_than_nothing_is_seen():
    assert draw_columns([0.001, 0, 1000], 3, 1, top=1000) == ["▁ █"]
    assert draw_columns([0, 0], 2, 1, top=0) == ["  "]


def test_a_terminal_without_blocks_has_columns():
    assert draw_columns([0, 4, 8], 3, 1, top=8, blocks=ASCII) == [" =@"]


@given(st.lists(st.floats(0, 1e9), max_size=50), st.integers(0, 40), st.integers(0, 6), st.floats(0, 1e9))
def test_it_has_exactly_its_size(values, width, height, top):
    lines = draw_columns(values, width, height, top=top)

    assert [len(line) for line in lines] == [width] * height


@pytest.mark.parametrize(
    ("share", "bar"),
    [(0, "    "), (1, "████"), (0.5, "██  "), (0.53125, "██▏ "), (0.0001, "▏   "), (2, "████")],
)
def test_a_bar_is_a_share_of_its_width(share, bar):
    assert draw_bar(share, 4) == bar


def test_a_bar_of_ascii_has_whole_cells():
    assert draw_bar(0.6, 5, full="#", blocks=" ") == "###  "
    assert draw_bar(0.6, 0) == ""
