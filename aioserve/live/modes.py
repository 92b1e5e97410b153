"""What a view changes about a terminal, and how that is undone.

This file decides it, and what a view says of it to the server that has started it. The parent of the server
undoes it as well, for a view that has been killed; so nothing is loaded here that only drawing needs.
"""

from __future__ import annotations

import os
import termios
from contextlib import suppress
from typing import Any

# The other screen, so that what was there comes back; no cursor; and no line ends of the terminal's own.
ENTER = b"\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
LEAVE = b"\x1b[?2026l\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l"

QUIT = b"q"
"""What a view says when the server is to stop."""

DONE = b"done"
"""What it says last, when the terminal is as it was."""

_LOCAL, _CHARACTERS = 3, 6  # in what tcgetattr returns


class Modes:
    """How a terminal was found.

    Args:
        descriptor: of the terminal; anything else is left alone.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._found: list[Any] | None = None
        with suppress(termios.error, OSError):
            self._found = termios.tcgetattr(descriptor)

    def take_keys(self) -> None:
        """Have keys come one by one, unseen. Ctrl+C stays a signal; Ctrl+Z would leave a picture behind."""
        if self._found is None:
            return
        mode = [*self._found[:_CHARACTERS], [*self._found[_CHARACTERS]]]
        mode[_LOCAL] &= ~(termios.ICANON | termios.ECHO)
        mode[_CHARACTERS][termios.VMIN] = 1
        mode[_CHARACTERS][termios.VTIME] = 0
        mode[_CHARACTERS][termios.VSUSP] = os.fpathconf(self._descriptor, "PC_VDISABLE")
        self._set(mode)

    def restore(self) -> None:
        """Leave the terminal as it was found."""
        if self._found is not None:
            self._set(self._found)

    def _set(self, mode: list[Any]) -> None:
        with suppress(termios.error, OSError):  # it has gone
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mode)
