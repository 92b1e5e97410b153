"""Which worker speaks where all of them find the same, and one line in the log is right.

This file decides that: one that serves, until it does so no longer. It is for what is read by each worker by
itself, such as certificates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.workers.channel import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aioserve.workers.fleet import Worker


class Spokesman:
    """Whoever it is."""

    def __init__(self) -> None:
        self._pid = 0
        self._told = -1  # of which generation one has said how things are from the beginning

    def choose(self, serving: list[Worker]) -> Iterator[tuple[int, Order]]:
        """See that there is one: say which worker is to be told what.

        Who takes over says what is new from then on, and who is the first with other settings says it all.
        """
        if not serving or any(each.pid == self._pid for each in serving):
            return
        chosen = max(serving, key=lambda each: each.generation)
        self._pid = chosen.pid
        yield chosen.pid, Order.SPEAK
        if chosen.generation != self._told:
            self._told = chosen.generation
            yield chosen.pid, Order.TELL
