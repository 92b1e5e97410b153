"""When a connection has taken too long.

This file decides which of a connection's times has run out; what follows is the connection's to decide. The
times are numbers that move: that of what it is doing, that by which the handler must have answered, that by
which the connection must be closed, and the two by which the client must have sent or taken enough.

Of bytes, enough is `LEAST_RATE` over the time that one may wait for them, or over five times that for those
that are taken. A limit on pauses alone would let a client send or take a byte now and then, and hold its
connection for months.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aioserve.outgoing import Outgoing
    from aioserve.ticker import Ticker

_STOP_GRACE = 1.0  # seconds for a head that has begun to come, or a client that has its answers, at the end

# A client's system takes what it reads in steps of 64 KiB and more: its rate shows over a longer time only.
_STEPS = 5
LEAST_RATE = 240  # bytes a second, on average: those of a modem of 2400 bit/s


class Due(Enum):
    """What has run out."""

    NOTHING = "nothing"
    STATE = "the time for what the connection is doing"
    CLOSE = "the time that was left when the server began to stop"
    ANSWER = "the time that the handler has for its answer"
    PROGRESS = "the time in which the client must take something"


class Deadlines:
    """The deadlines of one connection.

    Args:
        ticker: looks at them.
        outgoing: tells how far the client has read.
        write_timeout: seconds in which it must read enough; 0 for no limit.
    """

    __slots__ = (
        "_answer_by",
        "_close_by",
        "_enough_by",
        "_enough_taken_by",
        "_first",
        "_is_last_sent",
        "_moment",
        "_outgoing",
        "_received",
        "_state",
        "_stuck_by",
        "_taken",
        "_ticker",
        "_wanted",
        "_write_timeout",
    )

    def __init__(self, ticker: Ticker, outgoing: Outgoing, write_timeout: float) -> None:
        self._ticker = ticker
        self._outgoing = outgoing
        self._write_timeout = write_timeout
        self._state = self._answer_by = self._close_by = self._stuck_by = self._enough_by = inf
        self._moment = inf  # seconds until `_close_by`, from when the client has taken everything
        self._is_last_sent = False  # there is nothing more to take
        self._received = 0  # bytes of a body since `_enough_by` was set
        self._wanted = 0.0
        self._taken: int | None = None  # bytes that the client has taken, where there are more for it
        self._first = 0  # those that it had taken when `_enough_taken_by` was set
        self._enough_taken_by = inf

    @property
    def is_set(self) -> bool:
        """Whether there is a deadline for what the connection is doing."""
        return self._state != inf

    @property
    def state(self) -> float:
        """When the time for what the connection is doing ends, by the ticker."""
        return self._state

    def set(self, seconds: float) -> None:
        """Give what the connection is doing so many seconds from now; 0 for no limit."""
        self._state = self._ticker.deadline_in(seconds) if seconds else inf
        self._enough_by = inf

    def shorten(self, seconds: float) -> None:
        """Give what the connection is doing so many seconds from now, or what it has if that is less."""
        self._state = min(self._state, self._ticker.deadline_in(seconds))

    def clear(self) -> None:
        """Give what the connection is doing all the time in the world."""
        self._state = self._enough_by = inf

    def expect(self, seconds: float, received: int) -> None:
        """Let the client pause for so many seconds, in which it must also send enough; 0 for no limit.

        Args:
            seconds: how long.
            received: bytes that have come since this was called last.
        """
        if not seconds:
            self.clear()
            return
        by = self._ticker.deadline_in(seconds)
        if self._enough_by == inf:
            self._enough_by = by
            self._wanted = seconds * LEAST_RATE
            self._received = 0
        self._received += received
        if self._received >= self._wanted:
            self._enough_by = by
            self._received = 0
        self._state = min(by, self._enough_by)

    def answer_in(self, seconds: float) -> None:
        """Give the handler so many seconds from now; 0 for no limit."""
        self._answer_by = self._ticker.deadline_in(seconds) if seconds else inf

    def close_in(self, seconds: float) -> None:
        """Give the connection so many seconds in all, or what it was given before if that is less."""
        self._close_by = min(self._close_by, self._ticker.deadline_in(seconds))

    def stop(self, seconds: float, *, patiently: bool) -> None:
        """Have the connection end in so many seconds, or sooner where its client has all of its answers.

        With patience only such a client's connection has an end: see `close_once_taken`.
        """
        self._moment = min(self._moment, seconds if patiently else min(seconds, _STOP_GRACE))
        if not patiently:
            self.close_in(seconds)

    def close_once_taken(self) -> None:
        """Let a moment pass from when the client has taken everything, if the connection is to `stop`.

        That is looked at now and, as the system of a client seldom says at once that it has what was sent (it
        may wait for 40 ms), by `look_whether_taken`.
        """
        self._is_last_sent = True
        self.look_whether_taken(self._ticker.deadline_in(0))

    def look_whether_taken(self, now: float) -> None:
        """Let that moment begin ``now``, by the ticker, if the client has everything by now."""
        if self._is_last_sent and self._moment != inf and self._outgoing.is_taken:
            self._is_last_sent = False
            self._close_by = min(self._close_by, now + self._moment)

    def check(self, now: float) -> Due:
        """Return what has run out at ``now``, by the ticker; that is told once."""
        if now >= self._close_by:
            self._close_by = inf
            return Due.CLOSE
        if now >= self._state:
            self.clear()
            return Due.STATE
        if now >= self._answer_by:
            self._answer_by = inf
            return Due.ANSWER
        if self._write_timeout and self._is_stuck(now):
            self._stuck_by = self._enough_taken_by = inf
            return Due.PROGRESS
        return Due.NOTHING

    def _is_stuck(self, now: float) -> bool:
        """Whether the client has taken nothing for its time, or too little for a multiple of that."""
        if self._outgoing.is_taken:
            self._taken = None
            return False
        taken, timeout = self._outgoing.taken, self._write_timeout
        if self._taken is None or (now >= self._enough_taken_by and taken - self._first >= self._least_taken):
            self._first = taken
            self._enough_taken_by = now + _STEPS * timeout
        if taken != self._taken:
            self._taken = taken
            self._stuck_by = now + timeout
        return now >= self._stuck_by or now >= self._enough_taken_by

    @property
    def _least_taken(self) -> float:
        return LEAST_RATE * _STEPS * self._write_timeout
