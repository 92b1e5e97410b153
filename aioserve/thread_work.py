"""Work that would keep the event loop waiting, done once by a thread for however many wait for it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ThreadWork(Generic[T]):
    """A function at work in a thread, from now on; made in the event loop.

    Args:
        work: called without arguments.
        on_end: called in the event loop when it is over, whether or not somebody waits for it.
    """

    __slots__ = ("_future", "_on_end")

    def __init__(self, work: Callable[[], T], on_end: Callable[[], None] = lambda: None) -> None:
        self._future = asyncio.get_running_loop().run_in_executor(None, work)
        self._on_end = on_end
        self._future.add_done_callback(self._end)

    def _end(self, future: asyncio.Future[T]) -> None:
        future.exception()  # nobody may wait, and then nobody is to be told
        self._on_end()

    def discard(self, dispose: Callable[[T], object]) -> None:
        """Wait for it no more; what it returns is to be disposed of, in the event loop."""
        self._future.add_done_callback(partial(_dispose, dispose))

    async def result(self) -> T:
        """Wait for what it returns, or raises.

        One who waits no more, since its client has gone, does not keep others from waiting.
        """
        return await asyncio.shield(self._future)


def _dispose(dispose: Callable[[T], object], future: asyncio.Future[T]) -> None:
    if future.exception() is None:
        dispose(future.result())
