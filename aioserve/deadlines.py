"""When a connection has taken too long.

This file decides which of a connection's times has run out; what follows is the connection's to decide. The
times are numbers that move: that of what it is doing, that by which it must be closed, and that by which the
client must have taken more of its answer.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aioserve.outgoing import Outgoing
    from aioserve.ticker import Ticker


class Due(Enum):
    """What has run out."""

    NOTHING = "nothing"
    STATE = "the time for what the connection is doing"
    CLOSE = "the time that was left when the server began to stop"
    PROGRESS = "the time in which the client must take something"


class Deadlines:
    """The deadlines of one connection.

    Args:
        ticker: looks at them.
        outgoing: tells how far the client has read.
        write_timeout: seconds in which it must read something; 0 for no limit.
    """

    __slots__ = ("_close_by", "_outgoing", "_sent", "_state", "_stuck_by", "_ticker", "_write_timeout")

    def __init__(self, ticker: Ticker, outgoing: Outgoing, write_timeout: float) -> None:
        self._ticker = ticker
        self._outgoing = outgoing
        self._write_timeout = write_timeout
        self._state = self._close_by = self._stuck_by = inf
        self._sent = -1

    @property
    def is_set(self) -> bool:
        """Whether there is a deadline for what the connection is doing."""
        return self._state != inf

    def set(self, seconds: float) -> None:
        """Give what the connection is doing so many seconds from now; 0 for no limit."""
        self._state = self._ticker.deadline_in(seconds) if seconds else inf

    def clear(self) -> None:
        """Give what the connection is doing all the time in the world."""
        self._state = inf

    def close_in(self, seconds: float) -> None:
        """Give the connection so many seconds in all, or what it was given before if that is less."""
        self._close_by = min(self._close_by, self._ticker.deadline_in(seconds))

    def check(self, now: float) -> Due:
        """Return what has run out at ``now``, by the ticker; that is told once."""
        if now >= self._close_by:
            self._close_by = inf
            return Due.CLOSE
        if now >= self._state:
            self._state = inf
            return Due.STATE
        if self._outgoing.unsent and self._write_timeout:
            if self._outgoing.sent != self._sent:
                self._sent = self._outgoing.sent
                self._stuck_by = now + self._write_timeout
            elif now >= self._stuck_by:
                self._stuck_by = inf
                return Due.PROGRESS
        return Due.NOTHING
