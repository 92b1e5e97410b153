"""What the connections of one event loop share: its ticker, and what starts its handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from aioserve.eager import EagerStarter
from aioserve.ticker import Ticker

if TYPE_CHECKING:
    import asyncio


class LoopParts:
    """The parts of one loop; `of` finds them.

    Attributes:
        starter: of handlers.
        ticker: looks at deadlines.
        requests: how many have been answered so far, refused ones included.
        cut: how many connections were cut off because the time to stop was over.
    """

    __slots__ = ("__weakref__", "cut", "requests", "starter", "ticker")

    def __init__(self, loop: asyncio.AbstractEventLoop, starter: EagerStarter | None = None) -> None:
        self.requests = self.cut = 0
        self.ticker = Ticker(loop)
        self.starter = starter or EagerStarter(loop)

    def aside(self, loop: asyncio.AbstractEventLoop) -> LoopParts:
        """Return parts for connections of the same loop that do not count among the others."""
        return LoopParts(loop, self.starter)

    @staticmethod
    def of(loop: asyncio.AbstractEventLoop) -> LoopParts:
        """Return the parts of a loop; they live as long as somebody holds them."""
        parts = _PARTS.get(id(loop))
        if parts is None:
            parts = _PARTS[id(loop)] = LoopParts(loop)
        return parts


# By id, and not weakly by loop: the parts hold their loop, which would keep it alive for ever. For the same
# reason an id that is found here is that of its loop and of no later one.
_PARTS: WeakValueDictionary[int, LoopParts] = WeakValueDictionary()
