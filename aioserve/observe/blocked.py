"""What keeps the event loop from turning, told while it does.

This file decides when a loop counts as blocked, what is said of that, and how often. The loop leaves a sign a
few times in the time that is allowed, and a thread looks whether the next one is overdue. If it is, the stack
of the loop's thread is told, and the whole length when it is over. A place that blocks again and again is
told of once in a while, with a count of the other times.

The thread needs the interpreter. It gets it within a millisecond from code that is Python, or that waits, but
from a call in C that holds it only when that returns. Then the stack is that of this moment, in which the
line that called is still the innermost.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.error_pages import is_internal
from aioserve.observe.formats import describe_request, format_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import CodeType, FrameType

    from aioserve.http.messages import RequestMessage

    Line = tuple[CodeType, int]
    FindRequest = Callable[[Sequence[FrameType]], RequestMessage | None]

logger = logging.getLogger(__name__)

_SIGNS = 2  # in the time that is allowed, so that a blockage is noticed soon after that
_SHORTEST_PERIOD = 0.01  # seconds
_HELD = 0.05  # seconds, at least, that the thread came too late if something held the interpreter
_PAUSE = 60.0  # seconds in which a place is told of once
_MOST_PLACES = 64  # that are told of in that time
_MOST_FRAMES = 30  # the innermost
_OUTERMOST = asyncio.Runner.run.__code__  # outside of it is what started the server

_HELD_TEXT = (
    ", by a call that held the interpreter or while the whole process stood still; "
    "the stack is that of the moment behind it"
)


@dataclass(slots=True)
class _Place:
    """When a line of code was told of, and how often it has blocked the loop since."""

    told: float
    others: int = 0


@dataclass(frozen=True, slots=True)
class _Sight:
    """What could be seen of the loop's thread.

    Attributes:
        line: the innermost of the handler's, or of all; None where there is none.
        stack: in words, empty where there is none.
        request: that is being answered.
    """

    line: Line | None
    stack: str
    request: RequestMessage | None


class BlockedLoopWatch:
    """Watches the running loop, from a thread of its own, until `stop`.

    Args:
        limit: seconds for which the loop may be blocked.
        find_request: returns the request that is being answered, by the frames of the loop's thread, the
            innermost first; called in the other thread.
        clock: tells seconds.
    """

    def __init__(
        self, limit: float, find_request: FindRequest, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._period = max(limit / _SIGNS, _SHORTEST_PERIOD)
        self._find_request = find_request
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._over = threading.Lock()  # held until then; an Event takes longer to come back from
        self._over.acquire()
        self._ended: deque[float] = deque(maxlen=_MOST_PLACES)  # seconds of blockages that are over
        self._places: dict[Line | None, _Place] = {}
        self._due = clock() + self._period  # when the next sign is
        self._timer = self._loop.call_later(self._period, self._sign)
        self._thread = threading.Thread(target=self._watch, name="aioserve-blocked", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        self._over.release()
        self._thread.join()

    def _sign(self) -> None:
        """Leave a sign that the loop turns; called in the loop."""
        now = self._clock()
        seconds, self._due = now - self._due, now + self._period
        if seconds >= self._limit:
            self._ended.append(seconds)
        self._timer = self._loop.call_later(self._period, self._sign)

    # In the thread

    def _watch(self) -> None:
        while True:
            seconds = max(self._due + self._limit - self._clock(), _SHORTEST_PERIOD)
            before = time.perf_counter()
            if self._waits_for_end(seconds):
                return
            late = time.perf_counter() - before - seconds
            self.look(is_held=late >= max(self._limit / 2, _HELD))

    def _waits_for_end(self, seconds: float) -> bool:
        """Wait for a while, and tell whether the end has come."""
        if not self._over.acquire(timeout=seconds):
            return False
        self._over.release()
        return True

    def look(self, *, is_held: bool) -> None:
        """Tell of blockages that were missed, and of one that is there, whose end is waited for.

        Args:
            is_held: whoever looks could not do so in time.
        """
        while self._ended:
            self._tell_missed(self._ended.popleft())
        seconds = self._clock() - self._due
        if seconds < self._limit:
            return
        sight = self._see()
        if sight is None:
            return
        more = self._what_to_add(sight.line)
        during = "" if sight.request is None else f" while it answers {describe_request(sight.request)}"
        if more is not None:
            held = _HELD_TEXT if is_held else ""
            text = f"has been blocked for {format_duration(seconds)} so far{during}{held}{more}"
            _tell(text, seconds, sight.request, sight.stack)
        while not self._ended:
            if self._waits_for_end(self._period):
                return
        seconds = self._ended.popleft()
        if more is not None:
            _tell(f"was blocked for {format_duration(seconds)}{during}; that is over", seconds, sight.request)

    def _tell_missed(self, seconds: float) -> None:
        more = self._what_to_add(None)
        if more is not None:
            length = format_duration(seconds)
            _tell(f"was blocked for {length}; it was over before its stack could be looked at{more}", seconds)

    def _what_to_add(self, line: Line | None) -> str | None:
        """Return what is to be said of the other times, or None where this time is not to be told of."""
        now, place = self._clock(), self._places.get(line)
        if place is None:
            if len(self._places) >= _MOST_PLACES:
                self._places = {key: each for key, each in self._places.items() if now - each.told < _PAUSE}
            if len(self._places) >= _MOST_PLACES:
                return None
            self._places[line] = _Place(now)
            return ""
        if now - place.told < _PAUSE:
            place.others += 1
            return None
        others, place.told, place.others = place.others, now, 0
        return f" (and {others} times since the last report from there)" if others else ""

    def _see(self) -> _Sight | None:
        """Look at the stack of the loop's thread up to what runs the loop; None where that turns again."""
        frames, lines = [], []
        frame = sys._current_frames().get(self._loop_thread)  # noqa: SLF001 - so it is called
        while frame is not None and frame.f_code is not _OUTERMOST:
            frames.append(frame)
            lines.append(frame.f_lineno or 0)
            frame = frame.f_back
        request = self._find_request(frames)
        stack = [(each.f_code, line) for each, line in zip(frames, lines, strict=True)]
        if self._ended:
            return None
        # From here on, where files are read, the loop may go on.
        stack = [each for each in stack if not is_internal(each[0].co_filename)] or stack
        told = [
            traceback.FrameSummary(code.co_filename, line, code.co_name)
            for code, line in reversed(stack[:_MOST_FRAMES])
        ]
        text = "".join(traceback.StackSummary.from_list(told).format()).rstrip("\n")
        return _Sight(stack[0] if stack else None, text, request)


def _tell(text: str, seconds: float, request: RequestMessage | None = None, stack: str = "") -> None:
    """Log it; `Logger.warning` would take the stack of this thread."""
    more = {"request": request, "blocked_seconds": round(seconds, 3)}
    text = f"The event loop {text}"
    if logger.isEnabledFor(logging.WARNING):
        logger.handle(
            logger.makeRecord(
                logger.name, logging.WARNING, __file__, 0, "%s", (text,), None, None, more, stack or None
            )
        )
