"""What SIGINT and SIGTERM do, also where they do not get through.

This file decides that the first of them asks the server to stop, the second to stop at once, and that a third
ends the process. So does time, where the others have no effect: a handler that never waits, a task that will
not be cancelled or a thread that goes on would keep the process for ever.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_FORCED = 130  # the exit code of a second SIGINT, as of a process that dies of it

# Seconds for what comes after the last answer: cutting connections, cancelling handlers, closing the loop.
_GRACE = 2.0

logger = logging.getLogger(__name__)


class StopSignals:
    """SIGINT and SIGTERM, for an event loop in the main thread.

    Args:
        limit: how many seconds the server may take to stop after the first of them.

    Attributes:
        exit_code: of a process that ends for the signals so far.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._received = 0
        self.exit_code = 0
        self._queue: asyncio.Queue[int] = asyncio.Queue()

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take the signals from now on, also where a script's ``&`` had SIGINT ignored."""
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._queue.put_nowait, number)
            # The loop learns of a signal from a descriptor that Python writes to. In place of the loop's own
            # function, which does nothing, Python calls ours, even while a handler keeps the loop waiting.
            signal.signal(number, self._watch)

    async def next(self) -> int:
        """Wait for the next of them, and return its number."""
        return await self._queue.get()

    def close(self) -> None:
        """The server has stopped; nobody needs to end the process."""
        if self._received:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _watch(self, number: int, _frame: FrameType | None) -> None:
        """See to it that a signal has its effect in time."""
        self._received += 1
        self.exit_code = _FORCED if number == signal.SIGINT and self._received > 1 else 0
        if self._received > 2:
            os._exit(self.exit_code)
        signal.signal(signal.SIGALRM, self._end)
        signal.setitimer(signal.ITIMER_REAL, _GRACE + (self._limit if self._received == 1 else 0))

    def _end(self, *_: object) -> None:
        logger.warning("ended by force: a handler, a task or a thread did not stop")
        os._exit(self.exit_code)
