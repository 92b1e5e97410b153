"""What a worker is told, and what it says of itself.

This file decides that an order to stop has its effect: the parent sees to that, and where there is no parent
any more, time does. A handler that never waits, a task that will not be cancelled or a thread that goes on
would keep the process for ever.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING

from aioserve.workers.channel import GRACE, Channel, News, Order

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_SOON = 0.1  # seconds in which a loop that goes round has closed its sockets

_ENDS = (Order.RETIRE, Order.STOP, Order.FORCE)

logger = logging.getLogger(__name__)


class Orders:
    """The orders for one worker, in the main thread of its process.

    Args:
        channel: to the parent.
        limit: how many seconds the worker may take to stop.
        period: seconds from one sign of life of its event loop to the next; 0 = none.
    """

    def __init__(self, channel: Channel, limit: float, period: float = 0.0) -> None:
        self._channel = channel
        self._limit = limit
        self._period = period
        self._is_timed = False
        self._parent = os.getppid()
        self._let_go: Callable[[], object] = lambda: None
        self._queue: asyncio.Queue[Order] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop  # from `listen` on
        self._others: dict[Order, list[Callable[[], object]]] = {}

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take orders from now on, and SIGTERM for one: systemd sends it to all processes of a service."""
        self._loop = loop
        loop.add_signal_handler(signal.SIGTERM, self._queue.put_nowait, Order.STOP)
        # The loop learns of a signal from a descriptor that Python writes to. In place of the loop's own
        # function, which does nothing, Python calls ours, even while a handler keeps the loop waiting.
        signal.signal(signal.SIGTERM, self._limit_time)
        loop.add_reader(self._channel.fileno(), self._hear)

    def on(self, order: Order, act: Callable[[], object]) -> None:
        """Have a function called for an order that is not about the end."""
        self._others.setdefault(order, []).append(act)

    def on_abandoned(self, let_go: Callable[[], object]) -> None:
        """Have a function called, at any moment, when the parent has gone and the loop does not go round.

        Somebody may be about to start the server again, and needs its addresses.
        """
        self._let_go = let_go

    async def next(self) -> Order:
        """Wait for the next order about the end, and return it."""
        return await self._queue.get()

    # What is said

    def serves(self) -> None:
        """Say that requests are answered from now on, and then again and again that the loop goes round."""
        self._channel.say(News.SERVES)
        if self._period:
            self._loop.call_later(self._period, self._live)

    def tired(self) -> None:
        """Ask for another worker in this one's place."""
        self._channel.say(News.TIRED)

    def ended(self, busy: int, cut: int) -> None:
        """Say how many connections had an answer to come when the end began, and how many did not get it."""
        self._channel.say(News.ENDED, busy, cut)

    def close(self) -> None:
        """The worker has stopped; nobody needs to end the process."""
        if self._is_timed:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
        self._channel.close()

    def _live(self) -> None:
        self._channel.say(News.ALIVE)
        self._loop.call_later(self._period, self._live)

    # What is heard

    def _hear(self) -> None:
        for said in self._channel.heard():
            if said is None:  # the parent is gone; whoever has the port now must be able to have it
                self._loop.remove_reader(self._channel.fileno())
                self._limit_time()
                self._queue.put_nowait(Order.STOP)
                return
            order = Order(said[0])
            for act in self._others.get(order, ()):
                act()
            if order in _ENDS:
                self._queue.put_nowait(order)

    def _limit_time(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """See to it that the process ends in time."""
        if not self._is_timed:
            self._is_timed = True
            signal.signal(signal.SIGALRM, self._look)
            signal.setitimer(signal.ITIMER_REAL, _SOON)

    def _look(self, *_: object) -> None:
        if os.getppid() != self._parent:
            self._let_go()
        signal.signal(signal.SIGALRM, self._end)
        signal.setitimer(signal.ITIMER_REAL, self._limit + GRACE)

    def _end(self, *_: object) -> None:
        logger.warning("ended by force: a handler, a task or a thread did not stop")
        os._exit(1)
