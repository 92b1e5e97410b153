from __future__ import annotations

import os
import select
import termios

import pytest
from rich.color import ColorSystem
from rich.console import Group

from aioserve.live.lines import ACCENT, make_line
from aioserve.live.terminal import Terminal, render


def picture(*lines, width=10):
    return Group(*(make_line(width, line) for line in lines))


@pytest.fixture
def terminal(terminal_pair):
    return Terminal(terminal_pair.program, terminal_pair.program, encoding="utf-8", is_coloured=True)


def test_it_is_taken_and_given_back(terminal, terminal_pair):
    before = termios.tcgetattr(terminal_pair.program)
    terminal.open()

    assert termios.tcgetattr(terminal_pair.program) != before
    assert terminal_pair.shown().startswith("\x1b[?1049h\x1b[?25l")
    terminal.close()
    assert termios.tcgetattr(terminal_pair.program) == before
    assert terminal_pair.shown().endswith("\x1b[?25h\x1b[?1049l")


def test_only_what_has_changed_is_drawn(terminal, terminal_pair):
    terminal.show(picture("one", "two"), (10, 2))
    assert terminal_pair.shown() == "\x1b[?2026h\x1b[2J\x1b[1;1Hone       \x1b[2;1Htwo       \x1b[?2026l"
    terminal.show(picture("one", "three"), (10, 2))
    assert terminal_pair.shown() == "\x1b[?2026h\x1b[2;1Hthree     \x1b[?2026l"
    terminal.show(picture("one", "three"), (10, 2))
    assert terminal_pair.shown() == ""


def test_another_size_is_drawn_anew(terminal, terminal_pair):
    terminal.show(picture("one", "two"), (10, 2))
    terminal_pair.shown()
    terminal.show(picture("one", width=8), (8, 1))

    assert terminal_pair.shown() == "\x1b[?2026h\x1b[2J\x1b[1;1Hone     \x1b[?2026l"


def test_size_is_that_of_the_terminal(terminal, terminal_pair):
    terminal_pair.resize(123, 45)
    assert terminal.size == (123, 45)
    terminal_pair.resize(0, 0)
    assert terminal.size == (80, 24)


def test_what_is_no_terminal_has_the_usual_size_and_its_characters():
    reading, writing = os.pipe()
    terminal = Terminal(reading, writing, encoding="ascii", is_coloured=False)
    terminal.show(picture("ü"), (10, 1))

    assert terminal.size == (80, 24)
    assert b"?         " in os.read(reading, 100)
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        terminal.show(picture("x"), (10, 1))
    terminal.close()
    os.close(writing)


def test_a_terminal_that_another_process_has_set_not_to_wait_is_waited_for(monkeypatch):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    terminal = Terminal(reading, writing, encoding="utf-8", is_coloured=False)
    read = []
    monkeypatch.setattr(select, "select", lambda *_: read.append(os.read(reading, 1 << 20)))
    terminal.show(picture("x" * 200_000, width=200_000), (200_000, 1))
    os.close(writing)
    read.append(os.read(reading, 1 << 20))
    os.close(reading)

    assert b"".join(read).count(b"x") == 200_000


def test_colours_are_drawn_where_they_are_wanted():
    lines = Group(make_line(4, ("a", ACCENT)))

    assert render(lines, (4, 1), ColorSystem.STANDARD) == ["\x1b[36ma\x1b[0m   "]
    assert render(lines, (4, 1), None) == ["a   "]
