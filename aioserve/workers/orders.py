"""What a worker is told, and what it says of itself.

This file decides what counts as an order: a word of the parent's, and its end, which `ending` sees to that it
has its effect in time. SIGTERM is none: who ends one worker wants it replaced, and no client cut off.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from aioserve.workers.channel import Channel, News, Order
from aioserve.workers.ending import Ending
from aioserve.workers.offspring import OFFSPRING

if TYPE_CHECKING:
    from collections.abc import Callable

_ENDS = (Order.RETIRE, Order.STOP, Order.FORCE)


class Orders:
    """The orders for one worker, in the main thread of its process.

    Args:
        channel: to the parent.
        limit: how many seconds the worker may take to stop.
        period: seconds from one sign of life of its event loop to the next; 0 = none.
    """

    def __init__(self, channel: Channel, limit: float, period: float = 0.0) -> None:
        self._channel = channel
        self._ending = Ending(limit)
        self._period = period
        self._queue: asyncio.Queue[Order] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop  # from `listen` on
        self._others: dict[Order, list[Callable[[], object]]] = {}

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take orders from now on, and ask for another worker in this one's place at SIGTERM.

        systemd sends it to all processes of a service: the parent's order to stop comes then as well. The
        system sends it when the parent has died, as the end of the channel says, too, but for a loop that
        does not go round.
        """
        self._loop = loop
        loop.add_signal_handler(signal.SIGTERM, self.tired)
        # The loop learns of a signal from a descriptor that Python writes to. In place of the loop's own
        # function, which does nothing, Python calls ours, even while a handler keeps the loop waiting.
        signal.signal(signal.SIGTERM, self._ending.take_signal)
        loop.add_reader(self._channel.fileno(), self._hear)
        OFFSPRING.leaves(self._leave)

    def on(self, order: Order, act: Callable[[], object]) -> None:
        """Have a function called for an order that is not about the end."""
        self._others.setdefault(order, []).append(act)

    def on_abandoned(self, let_go: Callable[[], object]) -> None:
        """Have a function called that lets go of the addresses: see `Ending.on_abandoned`.

        What a handler forks calls it as well.
        """
        self._ending.on_abandoned(let_go)

    async def next(self) -> Order:
        """Wait for the next order about the end, and return it."""
        return await self._queue.get()

    # What is said

    def serves(self) -> None:
        """Say that requests are answered from now on, and then again and again that the loop goes round."""
        self._channel.say(News.SERVES)
        if self._period:
            self._loop.call_later(self._period, self._live)

    def tired(self, *reasons: int) -> None:
        """Ask for another worker in this one's place, for the reasons of `Fatigue` or by SIGTERM."""
        self._channel.say(News.TIRED, *reasons)

    def asked(self) -> None:
        """Say that somebody wants the numbers of all workers."""
        self._channel.say(News.ASKED)

    def ended(self, busy: int, cut: int) -> None:
        """Say how many connections had an answer to come when the end began, and how many did not get it."""
        self._channel.say(News.ENDED, busy, cut)

    def close(self) -> None:
        """The worker has stopped; nobody needs to end the process."""
        OFFSPRING.keeps(self._leave)
        self._ending.close()
        self._channel.close()

    def _live(self) -> None:
        self._channel.say(News.ALIVE)
        self._loop.call_later(self._period, self._live)

    # What is heard

    def _hear(self) -> None:
        for said in self._channel.heard():
            if said is None:  # the parent is gone; whoever has the port now must be able to have it
                self._loop.remove_reader(self._channel.fileno())
                self._ending.limit_time()
                self._queue.put_nowait(Order.STOP)
                return
            order = Order(said[0])
            for act in self._others.get(order, ()):
                act()
            if order in _ENDS:
                self._queue.put_nowait(order)

    def _leave(self) -> None:
        """Have nothing of it in a process that a handler has forked."""
        self._ending.leave()
        self._channel.close()
