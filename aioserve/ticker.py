"""The clock of one event loop's connections.

This file alone decides when deadlines are looked at. A connection has one deadline, a number that it moves
as its state changes; the ticker compares all of them a few times a second. A timer for each request would be
made and cancelled a hundred times for each time that it fires.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Protocol

from aioserve.http.dates import format_http_date

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

_LONGEST_PERIOD = 0.5  # seconds; the Date of an answer is at most this old
_SHORTEST_PERIOD = 0.02
_TICKS_PER_TIMEOUT = 4
_END_OF_TIME = sys.float_info.max  # later than any deadline, but not than none, which is infinite
_IDLE_TICKS = 20  # ticks without a connection before the ticker rests


class Ticking(Protocol):
    """What is looked at on each tick, and closed when the server stops."""

    @property
    def idle_until(self) -> float | None:
        """When it would be closed for being idle, by the ticker's clock; None where it is not."""

    def check_deadline(self, now: float) -> None:
        """Act if a deadline has passed; ``now`` is the ticker's."""

    def close(self, timeout: float, *, patiently: bool = False) -> None:
        """Close within ``timeout`` seconds, idle ones at once unless ``patiently``."""

    def abort(self) -> None:
        """Close at once."""

    async def wait_lost(self) -> None:
        """Wait until it is closed."""


class Ticker:
    """Looks at the deadlines of the connections of one loop.

    Attributes:
        now: a clock in seconds, set by each tick, that stands while the loop is blocked.
        seconds: the time that ``date`` tells, in seconds since the epoch.
        date: the value of a Date field for an answer that is made now, as a line with its CRLF.
        connections: what is being looked at.
    """

    __slots__ = (
        "__weakref__",
        "_idle_ticks",
        "_loop",
        "_most",
        "_period",
        "_real",
        "_timer",
        "_wall_clock",
        "connections",
        "date",
        "now",
        "seconds",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, wall_clock: Callable[[], float] = time.time) -> None:
        self._loop = loop
        self._wall_clock = wall_clock
        self._period = _LONGEST_PERIOD
        self._most = 0.0  # how far the next tick may move the clock
        self._timer: asyncio.TimerHandle | None = None
        self._idle_ticks = 0
        self.connections: set[Ticking] = set()
        self.now = self._real = loop.time()
        self.seconds = 0.0
        self.date = b""

    def add(self, connection: Ticking, shortest_timeout: float) -> None:
        """Look at a connection from now on, often enough for its shortest timeout in seconds."""
        period = min(max(shortest_timeout / _TICKS_PER_TIMEOUT, _SHORTEST_PERIOD), _LONGEST_PERIOD)
        if self._timer is None:
            self._period = period
            self._idle_ticks = 0
            self.now = self._real = self._loop.time()  # nobody had a deadline meanwhile
            self._tick()
        elif period < self._period:
            self._timer.cancel()
            self._period = period
            self._tick()
        self.connections.add(connection)

    def discard(self, connection: Ticking) -> None:
        """Look at a connection no more."""
        self.connections.discard(connection)

    def deadline_in(self, seconds: float) -> float:
        """Return the time by `now` at which ``seconds`` have passed for sure."""
        return self.now + self._period + seconds

    def end(self) -> None:
        """Let the time of all be over, to the moment: of those that have been told to close."""
        for connection in tuple(self.connections):
            connection.check_deadline(_END_OF_TIME)

    def _tick(self) -> None:
        # A handler that blocked the loop kept the server from hearing its clients: what they have sent comes
        # after this tick, and so only a little of that time counts against them.
        real, before = self._loop.time(), self._real
        self.now += min(real - before, self._most)
        self._real = real
        self.seconds = self._wall_clock()
        self.date = b"Date: %b\r\n" % format_http_date(int(self.seconds)).encode("ascii")
        self._idle_ticks = 0 if self.connections else self._idle_ticks + 1
        # The next tick is set first: a connection that goes wrong must not stop the clock of the others.
        is_resting = self._idle_ticks >= _IDLE_TICKS
        self._timer = None if is_resting else self._loop.call_later(self._period, self._tick)
        self._most = 2 * self._period
        for connection in tuple(self.connections):
            connection.check_deadline(self.now)
