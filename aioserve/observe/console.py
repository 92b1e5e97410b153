"""What a person sees on a terminal.

This file alone imports rich, and decides layout and colours: a line for each request with its columns under
one another, log messages, the lines of start and stop, and the traceback of a handler's exception. Text from
outside is escaped and never read as markup. A request's line is only painted with rich's styles: laying each
out by rich takes twelve times as long (150 us), and the server answers many requests in that time.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style
from rich.traceback import Traceback

from aioserve import __version__
from aioserve.error_pages import format_traceback, is_internal
from aioserve.escaping import escape_controls, escape_line
from aioserve.observe.formats import format_clock, format_duration, format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aioserve.observe.access import AccessRecord
    from aioserve.observe.streams import Output

SLOW = 1.0
"""From how many seconds on a request is marked as slow."""

# The sixteen colours of the terminal's own palette: they suit a light ground as well as a dark one.
_DIM = Style(dim=True)
_BOLD = Style(bold=True)
_ADDRESS = Style(color="cyan", bold=True)
_SLOW = Style(color="yellow", bold=True)
_STATUSES = {
    1: Style(color="blue"),
    2: Style(color="green"),
    3: Style(color="cyan"),
    4: Style(color="yellow"),
    5: Style(color="red", bold=True),
}
_LEVELS = {
    logging.DEBUG: _DIM,
    logging.INFO: Style(color="green"),
    logging.WARNING: Style(color="yellow"),
    logging.ERROR: Style(color="red"),
    logging.CRITICAL: Style(color="red", reverse=True),
}

_METHOD = 7  # OPTIONS
_OTHERS = len("06:00:00 200 OPTIONS  999.9kB 999.9ms slow") + 1  # all but the path, and the last column free
_INDENT = "  "
_COMFORTABLE = 100  # columns; further apart the eye loses the line


class Screen:
    """A stream that a person looks at: makes the text for it, and leaves the writing to others."""

    __slots__ = ("_colors", "_console", "_ellipsis", "_is_terminal")

    def __init__(self, output: Output) -> None:
        self._is_terminal = output.is_terminal
        self._colors = ColorSystem.STANDARD if output.is_coloured else None
        self._console = Console(
            file=output.stream,
            force_terminal=True,
            force_jupyter=False,
            color_system="standard" if output.is_coloured else None,
            width=None if output.is_terminal else _COMFORTABLE,
            legacy_windows=False,
        )
        self._ellipsis = "..." if self._console.options.ascii_only else "…"

    def format_request(self, record: AccessRecord) -> str:
        """Write the line of a request: time, status, method, path, size and duration in columns."""
        message = record.message
        method = escape_line(message.method) if message else "-"
        path = escape_line(message.path if message else record.refused) or "-"
        if self._is_terminal:
            room = max(self._console.width - _OTHERS, _METHOD)
            path = self._crop(path, room).ljust(min(room, _COMFORTABLE - _OTHERS))
        else:  # colours are forced into a pipe or a file: nothing is lost to a width that it does not have
            path = path.ljust(_COMFORTABLE - _OTHERS)
        duration = f"{format_duration(record.duration):>7}"
        return " ".join(
            (
                self._paint(format_clock(record.started), _DIM),
                self._paint(str(record.status), _STATUSES.get(record.status // 100, _BOLD)),
                f"{self._crop(method, _METHOD):{_METHOD}}",
                path,
                self._paint(f"{format_size(record.body_length):>7}", _DIM),
                self._paint(f"{duration} slow", _SLOW) if record.duration >= SLOW else duration,
            )
        )

    def format_start(self, addresses: Sequence[str], served: Sequence[str]) -> str:
        """Write the lines that say who serves what and where, each address on a line of its own."""
        first = f"{self._paint('aioserve', _BOLD)} {__version__}"
        if served:
            first += " serves " + ", ".join(escape_controls(what) for what in served)
        words = ["listening on", *[" " * len("listening on")] * (len(addresses) - 1)]
        lines = [
            f"{word} {self._paint(escape_controls(address), _ADDRESS)}"
            for word, address in zip(words, addresses, strict=True)
        ]
        return "\n".join([first, *lines, self._paint("Ctrl+C stops", _DIM), ""])

    def format_stop(self, how: str) -> str:
        """Write the last line; it takes the place of the ``^C`` that the terminal shows."""
        return ("\r" if self._is_terminal else "") + self._paint(how, _DIM) + "\n"

    def format_message(self, record: logging.LogRecord) -> str:
        """Write a log message: time, level and text."""
        level = _LEVELS.get(record.levelno, _BOLD)
        return (
            f"{self._paint(format_clock(record.created), _DIM)} {self._paint(record.levelname, level)}"
            f" {escape_controls(record.getMessage())}"
        )

    def format_exception(self, exc: BaseException) -> str:
        """Draw a traceback with the source around each frame, aioserve's and asyncio's own left out."""
        try:
            trace = Traceback.extract(type(exc), exc, exc.__traceback__)
            for stack in trace.stacks:
                theirs = [frame for frame in stack.frames if not is_internal(frame.filename)]
                stack.frames = theirs or stack.frames
            room = self._console.options.update(width=max(self._console.width - len(_INDENT), 1))
            return "".join(
                self._paint(escape_controls(segment.text), segment.style or Style.null())
                for segment in self._console.render(Traceback(trace, max_frames=20), room)
            ).rstrip("\n")
        except Exception:  # noqa: BLE001 - rich is less careful than format_traceback with odd exceptions
            return _format_plain(exc)

    def _paint(self, text: str, style: Style) -> str:
        return style.render(text, color_system=self._colors)

    def _crop(self, text: str, room: int) -> str:
        """Shorten in the middle: both where a path begins and the name it ends in say what it is."""
        if len(text) <= room:
            return text
        tail = (room - len(self._ellipsis)) // 2
        return text[: room - len(self._ellipsis) - tail] + self._ellipsis + text[-tail:]


class ScreenFormatter(logging.Formatter):
    """Log messages for a screen.

    Args:
        screen: lays them out.
        debug: exceptions are drawn with their source; else they are written as Python does.
    """

    def __init__(self, screen: Screen, *, debug: bool) -> None:
        super().__init__()
        self._screen = screen
        self._format_exception = screen.format_exception if debug else _format_plain

    def format(self, record: logging.LogRecord) -> str:
        """Write a record, with its exception and its stack where it has them."""
        parts = [self._screen.format_message(record)]
        if record.exc_info and record.exc_info[1] is not None:
            parts.append(self._format_exception(record.exc_info[1]))
        if record.stack_info:
            parts.append(escape_controls(record.stack_info))
        return "\n".join(parts).replace("\n", "\n" + _INDENT)  # as in the plain lines


def _format_plain(exc: BaseException) -> str:
    return escape_controls(format_traceback(exc)).rstrip("\n")
