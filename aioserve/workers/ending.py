"""The end of a worker's process, where nobody else sees to it.

This file decides that an order to stop has its effect: the parent sees to that, and where there is no parent
any more, time does. A handler that never waits, a task that will not be cancelled or a thread that goes on
would keep the process for ever.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve.workers.channel import GRACE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_SOON = 0.1  # seconds in which a loop that goes round has closed its sockets

# Seconds from the time when Python is to end the process to the time when it is ended without Python, which a
# function written in C, such as `sum()` of a large range, may keep waiting for ever.
_DEAF = 1.0
_STANDARD_ERROR = 2

logger = logging.getLogger(__name__)


class Ending:
    """The end of this process, in its main thread.

    Args:
        limit: how many seconds it may take to stop.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._is_timed = False
        self._parent = os.getppid()
        self._let_go: Callable[[], object] = lambda: None

    def on_abandoned(self, let_go: Callable[[], object]) -> None:
        """Have a function called, at any moment, when the parent has gone and the loop does not go round.

        Somebody may be about to start the server again, and needs its addresses.
        """
        self._let_go = let_go

    def take_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Limit the time if the parent has gone; where it has not, it sees to the end itself."""
        if self._is_abandoned:
            self.limit_time()

    def limit_time(self) -> None:
        """See to it that the process ends in time."""
        if not self._is_timed:
            self._is_timed = True
            signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, _SOON)

    def close(self) -> None:
        """The worker has stopped; nobody needs to end the process."""
        if self._is_timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            faulthandler.cancel_dump_traceback_later()

    def leave(self) -> None:
        """Have nothing of it in a process that a handler has forked, which has no part in serving."""
        for number, ours in ((signal.SIGTERM, self.take_signal), (signal.SIGALRM, self._look)):
            if signal.getsignal(number) in (ours, self._end):
                signal.signal(number, signal.SIG_DFL)
        self._let_go()

    @property
    def _is_abandoned(self) -> bool:
        return os.getppid() != self._parent

    def _look(self, *_: object) -> None:
        if self._is_abandoned:
            self._let_go()
        signal.signal(signal.SIGALRM, self._end)
        signal.setitimer(signal.ITIMER_REAL, self._limit + GRACE)
        with suppress(RuntimeError):  # no thread can be started
            faulthandler.dump_traceback_later(self._limit + GRACE + _DEAF, file=_STANDARD_ERROR, exit=True)

    def _end(self, *_: object) -> None:
        logger.warning("ended by force: a handler, a task or a thread did not stop")
        os._exit(1)
