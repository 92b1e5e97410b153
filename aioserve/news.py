"""What happens to a connection, for those who wait for it."""

from __future__ import annotations

import asyncio


class News:
    """Wakes all who wait whenever something has happened; each looks whether it was what they wait for."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None

    def tell(self) -> None:
        """Something has happened."""
        waited_for, self._next = self._next, None
        if waited_for is not None:
            waited_for.set_result(None)

    async def wait(self) -> None:
        """Wait for the next thing to happen."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._next)  # others wait for it as well
