"""What a person sees: columns, colours, and nothing that a peer could have put there."""

from __future__ import annotations

import io
import logging
import re
import sys
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve import __version__
from aioserve.observe.console import Screen, ScreenFormatter

STYLE = re.compile(r"\x1b\[[0-9;]*m")
pytestmark = pytest.mark.usefixtures("utc", "columns")


class FakeStream(io.StringIO):
    encoding = "utf-8"


class LatinStream(io.StringIO):
    encoding = "iso-8859-1"


@dataclass
class FakeOutput:
    """A terminal with colours, where nothing else is said."""

    stream: io.StringIO = field(default_factory=FakeStream)
    is_terminal: bool = True
    is_coloured: bool = True


@pytest.fixture
def columns(monkeypatch):
    """Set the width of the screens made from now on; 80 where nothing is said."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    return lambda number: monkeypatch.setenv("COLUMNS", str(number))


@pytest.fixture
def screen():
    return Screen(FakeOutput())


@pytest.fixture
def plain():
    """A terminal without colours."""
    return Screen(FakeOutput(is_coloured=False))


def logged(exc=None, message="message", level=logging.INFO, **extra):
    exc_info = None if exc is None else (type(exc), exc, exc.__traceback__)
    entry = logging.LogRecord("aioserve", level, "file.py", 1, message, (), exc_info)
    entry.__dict__.update(created=1795500000.5, **extra)
    return entry


def raised(exc):
    try:
        raise exc
    except type(exc) as caught:
        return caught


# Requests


def test_the_columns_of_a_request_stand_under_one_another(plain, message, record):
    lines = [
        plain.format_request(record(message())),
        plain.format_request(record(message("OPTIONS", "/longer"), status=404, length=1234, duration=0.123)),
        plain.format_request(record(None, status=400, length=0, duration=0.00004)),
    ]

    assert lines == [
        "06:00:00 200 GET     /                                         18B   0.8ms",
        "06:00:00 404 OPTIONS /longer                                 1.2kB 123.0ms",
        "06:00:00 400 -       -                                          0B  0.04ms",
    ]


def test_a_slow_request_is_marked_and_the_line_still_fits(plain, message, record):
    line = plain.format_request(record(message(path="/" + "a" * 100), length=999_900, duration=10.0))

    assert line.endswith("999.9kB   10.0s slow")
    assert len(line) == 79


@pytest.mark.parametrize(
    ("width", "path", "expected"),
    [
        (80, "/assets/" + "a" * 40 + "/name.js", "/assets/aaaaaaaaaa…aaaaaaaaaa/name.js"),
        (60, "/assets/a-long-name.js", "/assets/…-name.js"),
        (10, "/assets/a-long-name.js", "/as….js"),
        (200, "/" + "a" * 99, "/" + "a" * 99),
    ],
)
def test_a_long_path_is_cropped_in_its_middle_to_the_width(columns, message, record, width, path, expected):
    columns(width)
    screen = Screen(FakeOutput(is_coloured=False))

    assert screen.format_request(record(message(path=path))).split()[3] == expected


def test_a_wide_terminal_keeps_the_columns_together(columns, message, record):
    columns(300)

    assert len(Screen(FakeOutput(is_coloured=False)).format_request(record(message()))) == 94


def test_a_long_method_is_cropped(plain, message, record):
    assert " PRO…TCH /" in plain.format_request(record(message("PROPPATCH")))


def test_colours_forced_into_a_pipe_lose_nothing_to_a_width(columns, message, record):
    columns(20)
    screen = Screen(FakeOutput(is_terminal=False))
    path = "/" + "a" * 500

    assert path in screen.format_request(record(message(path=path)))


@pytest.mark.parametrize(
    ("status", "code"), [(101, "34"), (200, "32"), (304, "36"), (404, "33"), (503, "1;31"), (999, "1")]
)
def test_the_status_has_the_colour_of_its_class(screen, message, record, status, code):
    assert f" \x1b[{code}m{status}\x1b[0m " in screen.format_request(record(message(), status=status))


def test_time_is_dim_and_slowness_bright(screen, message, record):
    line = screen.format_request(record(message(), duration=2.0))

    assert line.startswith("\x1b[2m06:00:00\x1b[0m ")
    assert line.endswith("\x1b[1;33m   2.0s slow\x1b[0m")


def test_without_colours_there_is_no_escape_sequence(plain, message, record):
    assert "\x1b" not in plain.format_request(record(message(), duration=2.0))


def test_without_unicode_there_is_none(message, record):
    screen = Screen(FakeOutput(stream=LatinStream()))

    assert screen.format_request(record(message(path="/" + "a" * 200))).isascii()


def test_a_dumb_terminal_gets_plain_columns(monkeypatch, message, record):
    monkeypatch.setenv("TERM", "dumb")
    line = Screen(FakeOutput(is_coloured=False)).format_request(record(message()))

    assert len(line) == 74
    assert "\x1b" not in line


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_from_the_peer_is_a_command_or_markup(message, record, text):
    line = Screen(FakeOutput()).format_request(record(message(method=text, path=text)))

    assert STYLE.sub("", line).replace("…", "").isascii()
    assert STYLE.sub("", line).isprintable()


def test_markup_is_shown_as_it_is(screen, message, record):
    assert "/[bold]a[/bold]:smile:" in screen.format_request(record(message(path="/[bold]a[/bold]:smile:")))


# Start and stop


def test_the_start_says_who_serves_what_and_where(plain):
    text = plain.format_start(
        ["http://127.0.0.1:8080", "http://[::1]:8080", "unix:/run/a.sock"], ["app:A", "./site"]
    )

    assert text.splitlines() == [
        f"aioserve {__version__} serves app:A, ./site",
        "listening on http://127.0.0.1:8080",
        "             http://[::1]:8080",
        "             unix:/run/a.sock",
        "Ctrl+C stops",
    ]
    assert text.endswith("\n")


def test_the_start_of_a_server_of_nothing_nameable(plain):
    assert plain.format_start(["http://127.0.0.1:80"], []).splitlines()[0] == f"aioserve {__version__}"


def test_names_and_addresses_are_escaped(screen):
    text = screen.format_start(["unix:/\x1b[2J"], ["\x1b[2J[bold]"])

    assert "\x1b[2J" not in text
    assert "[bold]" in text


def test_the_last_line_takes_the_place_of_the_interrupt_character(screen):
    assert screen.format_stop("stopped") == "\r\x1b[2mstopped\x1b[0m\n"


def test_a_pipe_has_no_interrupt_character():
    assert Screen(FakeOutput(is_terminal=False)).format_stop("stopped") == "\x1b[2mstopped\x1b[0m\n"


# Messages and exceptions


def test_a_message_has_time_level_and_text(plain):
    assert ScreenFormatter(plain, debug=True).format(logged()) == "06:00:00 INFO message"


@pytest.mark.parametrize(
    ("level", "code"),
    [("DEBUG", "2"), ("INFO", "32"), ("WARNING", "33"), ("ERROR", "31"), ("CRITICAL", "7;31")],
)
def test_the_level_is_coloured(screen, level, code):
    entry = logged(level=getattr(logging, level))

    assert f"\x1b[{code}m{level}\x1b[0m message" in ScreenFormatter(screen, debug=True).format(entry)


def test_a_level_of_somebody_s_own_is_bold(screen):
    assert "\x1b[1mLevel 25\x1b[0m" in ScreenFormatter(screen, debug=True).format(logged(level=25))


def test_a_message_is_neither_markup_nor_a_command(screen):
    text = ScreenFormatter(screen, debug=True).format(logged(message="[red]a[/red]\x1b[2J"))

    assert text.endswith("[red]a[/red]\\x1b[2J")


def test_debug_draws_the_traceback_with_its_source(plain):
    text = ScreenFormatter(plain, debug=True).format(logged(raised(ValueError("[red]wrong[/red]"))))
    lines = text.splitlines()

    assert lines[0] == "06:00:00 INFO message"
    assert "Traceback (most recent call last)" in lines[1]
    assert "❱" in text
    assert "raise exc" in text
    assert lines[-1] == "  ValueError: [red]wrong[/red]"


def test_without_debug_the_traceback_is_plain(plain):
    text = ScreenFormatter(plain, debug=False).format(logged(raised(ValueError("wrong\x1b[2J"))))

    assert text.splitlines()[:2] == ["06:00:00 INFO message", "  Traceback (most recent call last):"]
    assert text.endswith("\n  ValueError: wrong\\x1b[2J")


def test_frames_of_asyncio_and_aioserve_are_left_out(plain):
    def fail(level):
        raise LookupError(level)

    entry = logged(level=logging.INFO)
    entry.getMessage = lambda: fail(1)
    try:
        ScreenFormatter(plain, debug=True).format(entry)
    except LookupError as exc:
        text = plain.format_exception(exc)

    assert "test_console.py" in text
    assert "observe/console.py" not in text


def test_frames_of_aioserve_are_shown_where_there_are_no_others(plain):
    try:
        plain.format_start(None, [])
    except TypeError as exc:
        exc.__traceback__ = exc.__traceback__.tb_next
        text = plain.format_exception(exc)

    assert "console.py" in text


def test_nothing_in_an_exception_is_a_command(screen):
    class OddError(Exception):
        pass

    exc = OddError("\x1b[2J")
    exc.add_note("\x1b]0;title\x07")
    group = ExceptionGroup("\x9b2J", [exc, SyntaxError("\x1b[2J", ("<peer>", 1, 1, "\x1b[2J"))])
    text = ScreenFormatter(screen, debug=True).format(logged(raised(group)))

    assert re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]", text) is None
    assert "\x1b" not in STYLE.sub("", text)


def test_an_exception_that_rich_cannot_draw_is_written_plainly(plain):
    class UnhashableError(Exception):
        __hash__ = None

    text = plain.format_exception(raised(ExceptionGroup("several", [UnhashableError("one")])))

    assert "UnhashableError: one" in text


def test_an_exception_whose_text_fails_is_drawn(plain):
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    assert "MuteError: " in plain.format_exception(raised(MuteError()))


def test_a_box_is_drawn_in_ascii_where_there_is_no_unicode():
    text = Screen(FakeOutput(stream=LatinStream(), is_coloured=False)).format_exception(
        raised(ValueError("a"))
    )

    assert "+-" in text
    assert re.search(r"[\u2500-\u257f]", text) is None


def test_a_stack_follows_its_message(plain):
    text = ScreenFormatter(plain, debug=True).format(logged(stack_info="Stack:\n  here\x1b"))

    assert text.splitlines() == ["06:00:00 INFO message", "  Stack:", "    here\\x1b"]


def test_no_exception_is_none(plain):
    entry = logged()
    entry.exc_info = sys.exc_info()

    assert ScreenFormatter(plain, debug=True).format(entry) == "06:00:00 INFO message"
