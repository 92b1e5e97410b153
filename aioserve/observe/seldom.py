"""Lines of the log that any stranger can cause, as often as he likes.

This file decides how often they are written: one of a kind in a while, which tells how many were left out.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

_PERIOD = 10.0  # seconds
_MOST_KINDS = 64  # all others are one kind: that there are many must not help to fill the log, or the memory
_OTHERS = ""


class Seldom:
    """Writes them.

    Args:
        logger: that they are written to.
        level: of that.
        period: seconds in which one of each kind is written.
        clock: in seconds.
    """

    def __init__(
        self,
        logger: logging.Logger,
        level: int,
        *,
        period: float = _PERIOD,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger = logger
        self._level = level
        self._period = period
        self._clock = clock
        self._said: dict[str, float] = {}  # when one of a kind was written last
        self._left_out: dict[str, int] = {}

    def say(self, kind: str, message: str) -> None:
        """Write a message, unless one of its kind was written just now."""
        now = self._clock()
        if kind not in self._said and len(self._said) >= _MOST_KINDS:
            kind = _OTHERS
        if kind in self._said and now - self._said[kind] < self._period:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._said[kind] = now
        if left_out := self._left_out.pop(kind, 0):
            message = f"{message} (and {left_out} like it since the last line)"
        self._logger.log(self._level, "%s", message)
