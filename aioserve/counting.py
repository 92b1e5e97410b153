"""How answers that are given again come to be counted.

This file decides that by an object that counts itself, made only where somebody asks for the numbers: such an
answer takes a microsecond, and looking whether it is to be counted would cost as much as counting it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioserve.ready import ReadyAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.observe.counters import Counters


class CountedAnswer(ReadyAnswer):
    """An answer that counts how often it is given; a clock would cost more than all the rest of that.

    Attributes:
        given: how often, since somebody asked last.
    """

    __slots__ = ("_on_given", "given")

    def __init__(self, on_given: Callable[[CountedAnswer], object], *parts: Any) -> None:
        super().__init__(*parts)
        self._on_given = on_given
        self.given = 0

    def render(self, date: bytes) -> bytes:
        """Return the bytes, and count that."""
        given = self.given
        self.given = given + 1
        if not given:
            self._on_given(self)
        return self._data if date is self._date else super().render(date)


def make_ready_answer(counters: Counters | None, *parts: Any) -> ReadyAnswer:
    """Make an answer to be given again."""
    return ReadyAnswer(*parts) if counters is None else CountedAnswer(counters.again.append, *parts)
