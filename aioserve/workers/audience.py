"""Who looks on while the server works: a view on its own terminal, and whoever attaches to it.

This file decides when a snapshot is made, which is never where nobody looks, and that nobody who looks can
hold up the server.
"""

from __future__ import annotations

import logging
import selectors
import sys
import time
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

from aioserve.live.control import Control
from aioserve.live.paths import Collected
from aioserve.live.reporting import Reports
from aioserve.observe.logs import STANDARD_OUTPUT
from aioserve.observe.streams import Output
from aioserve.workers.portrait import Portrait
from aioserve.workers.stage import Stage, has_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.observe.snapshot import Snapshot
    from aioserve.settings import Settings
    from aioserve.workers.editions import Editions
    from aioserve.workers.fleet import Fleet

logger = logging.getLogger(__name__)

_PERIOD = 1.0  # seconds from one snapshot to the next


class Audience:
    """All who look on.

    Args:
        settings: all of them, as at the start: who may look on stays the same.

    Attributes:
        reports: what workers tell of paths and errors; None where nobody can look on.

    Raises:
        BindError: the control socket cannot be had.
    """

    def __init__(self, settings: Settings) -> None:
        live = settings.live
        self._is_blind = live.live and not has_terminal()
        self._control = Control(live.control) if live.control else None
        self._stage: Stage | None = None
        if live.live and not self._is_blind:
            self._stage = Stage(is_coloured=Output(sys.stderr, settings.logs.color).is_coloured)
        self.reports = Reports() if self._control or self._stage else None
        self._collected = Collected()
        self._source: Callable[[], Snapshot]
        self._due = inf
        self._has_begun = False

    def attend(
        self, selector: selectors.BaseSelector, fleet: Fleet, editions: Editions, on_quit: Callable[[], None]
    ) -> None:
        """Look after them from now on.

        Args:
            selector: waits for what they say.
            fleet: the workers, of which they are told.
            editions: what those serve.
            on_quit: called when the one at the terminal wants the server to stop.
        """
        self._source = Portrait(fleet, editions)
        if self.reports is not None:
            selector.register(self.reports, selectors.EVENT_READ, self._take_reports)
            self._due = time.monotonic()
        if self._control is not None:
            self._control.attend(selector, self._line)
        if self._stage is not None:
            self._stage.attend(selector, on_quit)
        if self._is_blind:
            logger.warning("--live needs a terminal of its own; the server runs without the view")

    def quieten(self, settings: Settings) -> Settings:
        """Have no access log where it would be drawn over by the view."""
        logs = settings.logs
        if self._stage is None or not self._stage.has_output or logs.access_log_file != STANDARD_OUTPUT:
            return settings
        return replace(settings, logs=replace(logs, access_log=False))

    def begins(self) -> None:
        """Raise the curtain, once: the server serves."""
        if self._stage is None or self._has_begun:
            return
        self._has_begun = True
        try:
            self._stage.begin()
        except OSError as error:
            logger.warning("there is no view: %s", error.strerror)
        else:
            self._stage.tell(self._line())

    def next_due(self) -> float:
        """Return when somebody is to be told something; never, where there is nobody."""
        return self._due if self._is_watched else inf

    def tell(self, now: float) -> None:
        """Tell everybody how it is, if it is time for that."""
        if now < self.next_due():
            return
        # In step with the clock, but never all at once after a pause.
        self._due = max(self._due + _PERIOD, now)
        line = self._line()
        if self._control is not None:
            self._control.tell(line)
        if self._stage is not None:
            self._stage.tell(line)

    def close(self, *, is_copy: bool = False) -> None:
        """Leave everybody, the terminal as it was found; in a worker, only let go, but of its own reports."""
        if self._control is not None:
            self._control.close(is_copy=is_copy)
        if self._stage is not None:
            self._stage.close(is_copy=is_copy)
        if self.reports is not None and not is_copy:
            self.reports.close()

    @property
    def _is_watched(self) -> bool:
        has_view = self._stage is not None and self._stage.is_on
        return has_view or (self._control is not None and self._control.has_clients)

    def _line(self) -> bytes:
        snapshot = self._source()
        self._collected.settle({each.pid for each in snapshot.workers})
        return replace(snapshot, paths=self._collected.paths, errors=self._collected.errors).to_line()

    def _take_reports(self) -> None:
        assert self.reports is not None  # noqa: S101 - it has called us
        for report in self.reports.taken():
            self._collected.take(report)
