"""That nobody looks on, which is the usual case.

This file decides that it costs nothing: what an audience is shown, and how, is not even loaded.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable

    from aioserve.observe.snapshot import Snapshot
    from aioserve.settings import Settings


class Nobody:
    """Does as `audience.Audience`, for none.

    Attributes:
        reports: None; there are no workers that would have to tell anything.
    """

    reports = None

    def attend(
        self,
        selector: selectors.BaseSelector,
        source: Callable[[], Snapshot],
        on_quit: Callable[[], None],
        ask: Callable[[], None],
    ) -> None:
        """Look after none."""

    def quieten(self, settings: Settings) -> Settings:
        """Leave the access log where it is."""
        return settings

    def begins(self) -> None:
        """Have no curtain."""

    def next_due(self) -> float:
        """Return when somebody is to be told something: never."""
        return inf

    def tell(self, now: float) -> None:
        """Tell none."""

    def close(self, *, is_copy: bool = False) -> None:
        """Leave none."""
