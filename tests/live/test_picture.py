from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from aioserve.live.lines import make_line
from aioserve.live.panels import show_head
from aioserve.live.picture import Band, draw_picture, fill, share_lines
from tests.live.story import BUSY, FIRST, MESSAGES, after, scene_of

SCENE = scene_of(FIRST, BUSY)


def draw(scene, width, height):
    """Return the lines of a picture, as a terminal gets them."""
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    lines = console.render_lines(draw_picture(scene, width, height))
    return ["".join(segment.text for segment in line) for line in lines]


@pytest.mark.parametrize(
    "size", [(80, 24), (40, 10), (200, 60), (119, 20), (120, 24), (60, 19), (60, 20), (20, 3)]
)
def test_picture_has_exactly_the_size_of_the_terminal(size):
    lines = draw(SCENE, *size)

    assert (len(lines[0]), len(lines)) == size
    assert {len(line) for line in lines} == {size[0]}


@given(st.integers(1, 220), st.integers(1, 70))
@settings(deadline=None, max_examples=30)
def test_no_size_breaks_it(width, height):
    assert len(draw(SCENE, width, height)) == height


def titles(lines):
    return [line.split("─")[0].strip() for line in lines if "──" in line]


def test_usual_terminal_shows_everything():
    lines = draw(SCENE, 80, 24)

    assert titles(lines) == ["Requests 1,000 /s", "Answers", "Busiest paths", "Last errors", "Messages"]
    assert "Workers 2" in lines[7]
    assert lines[-1].startswith("q or Ctrl+C stops the server")


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_without_messages_others_have_their_place(size):
    lines = draw(scene_of(FIRST, BUSY, messages=()), *size)

    assert not any("Messages" in line for line in lines)
    assert (len(lines[0]), len(lines)) == size


def test_wide_terminal_has_parts_beside_one_another():
    lines = draw(SCENE, 200, 60)

    assert titles(lines) == ["Requests 1,000 /s", "Answers", "Busiest paths", "Last errors"]
    assert any("Busiest paths" in line and "Slowest paths" in line for line in lines)
    assert any("Last errors" in line and "Messages" in line for line in lines)
    assert lines[2].strip() == ""  # there is room for a blank line between parts


def test_small_terminal_has_a_line_for_each_thing():
    lines = [line.rstrip() for line in draw(SCENE, 40, 12)]

    assert lines[2].startswith("1,000 /s")
    assert lines[4] == "2xx 95.5%  3xx 3.0%  4xx 1.2%  5xx 0.3%"
    assert lines[6] == "2 workers  99.5MB  lag 130.0ms"
    assert " 500 GET /api/orders" in lines[7]
    assert lines[-1].startswith("q or Ctrl+C")


def test_small_terminal_of_a_server_that_just_begins():
    lines = [
        line.rstrip()
        for line in draw(scene_of(replace(FIRST, workers=FIRST.workers[:1]), messages=()), 50, 10)
    ]

    assert lines[4] == "no answers in the last 10s"
    assert lines[6] == "1 worker  48.3MB  lag 1.2ms"


def test_more_messages_get_more_lines():
    few, many = (draw(scene_of(FIRST, BUSY, messages=MESSAGES * count), 80, 40) for count in (1, 6))

    assert len([line for line in many if "listening on" in line]) > 1
    assert titles(few) == titles(many)


def test_lines_are_shared_by_weight_within_bounds():
    bands = [Band((show_head,), 2, 4, 1), Band((show_head,), 2, 100, 2)]

    assert share_lines(bands, 4) == [2, 2]
    assert share_lines(bands, 9) == [3, 6]
    assert share_lines(bands, 20) == [4, 16]
    assert share_lines(bands[:1], 20) == [4]


def test_last_line_stays_the_last():
    a, b = make_line(1, "a"), make_line(1, "b")

    assert [line.plain for line in fill([a, b], 1, 4)] == ["a", " ", " ", "b"]
    assert [line.plain for line in fill([a, b], 1, 1)] == ["a"]


def test_statuses_that_do_not_exist_do_not_break_it():
    errors = (replace(BUSY.errors[0], status=999),)

    assert " 999 GET" in draw(scene_of(FIRST, after(0, BUSY, errors=errors)), 40, 12)[7]
