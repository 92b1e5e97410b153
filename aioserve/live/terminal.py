"""A terminal with a picture on it.

This file decides how a picture gets there: on the screen that a terminal has beside its usual one, only the
lines that have changed, and all of them as one change, so that nothing flickers.
"""

from __future__ import annotations

import io
import os
import select
from typing import TYPE_CHECKING

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

from aioserve.live.modes import ENTER, LEAVE, Modes

if TYPE_CHECKING:
    from rich.console import RenderableType

_BEGIN, _END = (
    "\x1b[?2026h",
    "\x1b[?2026l",
)  # what comes between is shown at once, where a terminal knows that
_NULL = Style.null()
_SIZE = (80, 24)  # where a terminal does not tell


class Terminal:
    """The terminal of a view, for as long as it is open.

    Args:
        keyboard: the descriptor that keys are read from.
        screen: the one that is drawn to.
        encoding: of the terminal.
        is_coloured: colours are wanted.
    """

    def __init__(self, keyboard: int, screen: int, *, encoding: str, is_coloured: bool) -> None:
        self.keyboard = keyboard
        self.encoding = encoding
        self._screen = screen
        self._colors = ColorSystem.STANDARD if is_coloured else None
        self._modes = Modes(keyboard)
        self._shown: list[str] = []
        self._size = (0, 0)

    def open(self) -> None:
        """Take the terminal."""
        self._modes.take_keys()
        self._write(ENTER)

    def close(self) -> None:
        """Give it back as it was."""
        try:
            self._write(LEAVE)
        except OSError:  # it has gone
            pass
        finally:
            self._modes.restore()

    @property
    def size(self) -> tuple[int, int]:
        """Its columns and lines."""
        try:
            columns, lines = os.get_terminal_size(self._screen)
        except OSError:
            return _SIZE
        return columns or _SIZE[0], lines or _SIZE[1]

    def show(self, picture: RenderableType, size: tuple[int, int]) -> None:
        """Show a picture of this size.

        Raises:
            OSError: the terminal has gone.
        """
        lines = render(picture, size, self._colors)
        changes = []
        if size != self._size:
            self._size, self._shown = size, []
            changes.append("\x1b[2J")
        for row, line in enumerate(lines):
            if row >= len(self._shown) or line != self._shown[row]:
                changes.append(f"\x1b[{row + 1};1H{line}")
        self._shown = lines
        if changes:
            text = "".join((_BEGIN, *changes, _END))
            self._write(text.encode(self.encoding, "replace"))

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._screen, data) :]
            except BlockingIOError:  # another process has the terminal set so, perhaps the shell
                select.select((), (self._screen,), ())


def render(picture: RenderableType, size: tuple[int, int], colors: ColorSystem | None) -> list[str]:
    """Make text of a picture, with what sets colours in it; one string for each line."""
    width, height = size
    console = Console(
        file=io.StringIO(), force_terminal=True, color_system=None, width=width, legacy_windows=False
    )
    lines = console.render_lines(picture, console.options.update(width=width), pad=True)
    return [
        "".join((segment.style or _NULL).render(segment.text, color_system=colors) for segment in line)
        for line in lines[:height]
    ]
