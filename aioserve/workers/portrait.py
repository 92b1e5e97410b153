"""What the parent itself knows of the server, for those who look on.

This file decides how its state, its addresses and its workers are described.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve import __version__
from aioserve.listen.sockets import format_address
from aioserve.observe.snapshot import Snapshot, WorkerSnapshot
from aioserve.workers.publicity import served_by

if TYPE_CHECKING:
    from aioserve.workers.editions import Editions
    from aioserve.workers.fleet import Fleet


class Portrait:
    """Called for a snapshot of now.

    Args:
        fleet: the workers.
        editions: what they serve.
    """

    def __init__(self, fleet: Fleet, editions: Editions) -> None:
        self._fleet = fleet
        self._editions = editions
        self._started = time.time()
        self._addresses: tuple[str, ...] = ()

    def __call__(self) -> Snapshot:
        """Describe the server."""
        settings, listening = self._editions.current
        scheme = "https" if settings.tls.is_spoken else "http"
        if not self._fleet.is_stopping:  # its sockets are closed then
            self._addresses = tuple(format_address(each, scheme) for each in listening.sockets)
        return Snapshot(
            time=time.time(),
            started=self._started,
            state=self._state,
            version=__version__,
            addresses=self._addresses,
            served=served_by(settings),
            restarts=self._fleet.restarts,
            workers=self._workers(time.monotonic()),
        )

    @property
    def _state(self) -> str:
        fleet = self._fleet
        if fleet.is_stopping:
            return "stopping"
        is_new = all(each.generation == fleet.generation for each in fleet.serving)
        return "serving" if is_new or not fleet.has_served else "reloading"

    def _workers(self, now: float) -> tuple[WorkerSnapshot, ...]:
        return tuple(
            WorkerSnapshot(each.pid, each.state.value, rss=_rss_of(each.pid), heard=now - each.heard)
            for each in self._fleet.workers.values()
        )


def _rss_of(pid: int) -> int:
    """Return the bytes of memory that a process takes; 0 where it is gone or nobody tells."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0
