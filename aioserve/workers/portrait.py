"""The server as the parent knows it, for those who look on, and for those who ask for numbers.

This file decides how its state, its addresses and its workers are described, and from when on its requests
are counted: from the first worker that is started while somebody may want to know. After that they are
counted to the end, so that no total falls.
"""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve import __version__
from aioserve.listen.sockets import format_address
from aioserve.workers.publicity import served_by

if TYPE_CHECKING:
    from aioserve.observe.board import Station
    from aioserve.observe.snapshot import Snapshot, WorkerSnapshot
    from aioserve.workers.accounts import Accounts
    from aioserve.workers.editions import Editions
    from aioserve.workers.fleet import Fleet


class Portrait:
    """Called for a snapshot of now.

    Args:
        fleet: the workers.
        editions: what they serve.
        is_watched: somebody may look on.

    Attributes:
        station: what the worker that is started now is counted by; None where it is not.
    """

    def __init__(self, fleet: Fleet, editions: Editions, *, is_watched: bool = False) -> None:
        self.station: Station | None = None
        self._is_watched = is_watched
        self._accounts: Accounts | None = None
        self._fleet = fleet
        self._editions = editions
        self._started = time.time()
        self._addresses: tuple[str, ...] = ()

    def __call__(self) -> Snapshot:
        """Describe the server, with what has been counted."""
        sketch = self._sketch()
        return sketch if self._accounts is None else self._accounts.complete(sketch)

    def prepare(self) -> None:
        """Have a station for the worker that is started next, if it is to count."""
        if self._accounts is None and (self._is_watched or self._editions.current.settings.metrics.address):
            from aioserve.observe.board import Board  # noqa: PLC0415 - where somebody asks for numbers
            from aioserve.workers.accounts import Accounts  # noqa: PLC0415 - as above

            self._accounts = Accounts(Board(), self._sketch())
        self.station = self._accounts.station() if self._accounts else None

    def started(self, pid: int) -> None:
        """The worker was started."""
        if self._accounts is not None and self.station is not None:
            self._accounts.started(pid, self.station)

    def gone(self, pid: int) -> None:
        """A worker has ended."""
        if self._accounts is not None:
            self._accounts.gone(pid)

    def tell(self) -> None:
        """Let the workers know how the server is, which are asked for its numbers."""
        if self._accounts is not None:
            self._accounts.tell(self._sketch())

    def _sketch(self) -> Snapshot:
        from aioserve.observe.snapshot import Snapshot  # noqa: PLC0415 - takes long, and few ask

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
        from aioserve.observe.snapshot import WorkerSnapshot  # noqa: PLC0415 - as above

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
