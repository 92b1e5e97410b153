"""Work that would keep the event loop waiting, done once by a thread for however many wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ThreadWork(Generic[T]):
    """A function at work in a thread, from now on; made in the event loop.

    Args:
        work: called without arguments.
        on_end: called in the event loop when it is over, whether or not somebody waits for it.

    Raises:
        RuntimeError: there is no thread for it, and there will be no end.
    """

    __slots__ = ("_future", "_on_end")

    def __init__(self, work: Callable[[], T], on_end: Callable[[], None] = lambda: None) -> None:
        self._future = asyncio.get_running_loop().run_in_executor(None, work)
        self._on_end = on_end
        self._future.add_done_callback(self._end)

    def _end(self, future: asyncio.Future[T]) -> None:
        if not future.cancelled():  # as it is where threads are told to stop before they came to it
            future.exception()  # nobody may wait, and then nobody is to be told
        self._on_end()

    async def result(self) -> T:
        """Wait for what it returns, or raises.

        One who waits no more, since its client has gone, does not keep others from waiting.
        """
        return await asyncio.shield(self._future)
