"""What workers are started with: the settings, and the sockets that they ask for.

This file decides which edition that is while one takes the place of another, and what becomes of the sockets
of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aioserve.listen.sockets import Listening, bind_sockets, port_line, rebind

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.settings import Settings


class Edition(NamedTuple):
    """Settings, and what is bound as they say."""

    settings: Settings
    listening: Listening


class Editions:
    """The edition that workers are started with, and the one that is known to work.

    Args:
        settings: of the first.
        read_settings: reads those of the next.

    Attributes:
        current: for the workers that are started now.

    Raises:
        BindError: an address cannot be had.
        ConfigurationError: the settings cannot be followed.
    """

    def __init__(self, settings: Settings, read_settings: Callable[[], Settings]) -> None:
        self._read_settings = read_settings
        self.current = self._proven = Edition(settings, bind_sockets(settings.bind))
        self._open = self.current.listening  # with that of editions that were, or will have been
        try:
            self._check()
        except Exception:
            self.close()
            raise

    def load(self) -> None:
        """Read the settings anew and bind what they ask for; where that fails, nothing has changed.

        Raises:
            BindError, ConfigurationError: as when the first was made, or by reading.
        """
        settings = self._read_settings()
        before = self.current
        self.current = Edition(settings, rebind(settings.bind, self._open))
        try:
            self._check()
        except Exception:
            self.current.listening.close(keep=self._open)
            self.current = before
            raise
        self._open = self._open.together_with(self.current.listening)

    def prove(self) -> None:
        """Know that workers serve with the current one."""
        self._proven = self.current

    def settle(self) -> None:
        """Have the current one alone, and close what only others had."""
        self._open.close(keep=self.current.listening)
        self._open = self.current.listening

    def go_back(self) -> None:
        """Have the one that is known to work."""
        self.current = self._proven
        self.settle()

    def close(self) -> None:
        """Close everything: who was started with it has it still."""
        self._open.close()

    def _check(self) -> None:
        if self.current.settings.process.port_file:
            port_line(self.current.listening.sockets)
