"""How the numbers of a worker get to where others read them.

This file decides when: once a second, at once when somebody asks, and in the end. It also decides what is
found out only then: what each connection does, and how late the event loop is. What has been noted is counted
ten times a second, so that it never is much.
"""

from __future__ import annotations

import os
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from aioserve.observe.snapshot import CONNECTION_STATES, WorkerSnapshot
from aioserve.phase import Phase

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable

    from aioserve.connection import Connection
    from aioserve.observe.counters import Counters

_PERIOD = 0.1  # seconds between looks at how late the loop is
_LOOKS = 10  # between two times of publishing
_MOST_CERTIFICATES = 100  # that are told of; with more of them there would be no room for the rest


class Publisher:
    """Publishes what one worker has counted.

    Args:
        counters: of the worker.
        write: takes a snapshot as a line.
        loop: the event loop.
        connections: those that there are, whenever that is looked at.
        log_drops: tells how many lines the access log has lost.
        certificate_ends: tells when each certificate ends.
    """

    def __init__(
        self,
        counters: Counters,
        write: Callable[[bytes], object],
        loop: asyncio.AbstractEventLoop,
        *,
        connections: Collection[Connection],
        log_drops: Callable[[], int],
        certificate_ends: Callable[[], dict[str, float]],
    ) -> None:
        self._counters = counters
        self._write = write
        self._loop = loop
        self._connections = connections
        self._log_drops = log_drops
        self._certificate_ends = certificate_ends
        self._late = deque([0.0], _LOOKS)
        self._looks = 0
        self._due = loop.time() + _PERIOD
        loop.call_later(_PERIOD, self._look)

    def publish(self) -> None:
        """Publish the numbers as they are now."""
        late = max(*self._late, self._loop.time() - self._due)
        snapshot = self._counters.snapshot(
            WorkerSnapshot(os.getpid(), "", lag=late),
            connections=count_states(self._connections),
            log_drops=self._log_drops(),
            certificate_ends=dict(islice(self._certificate_ends().items(), _MOST_CERTIFICATES)),
        )
        self._write(snapshot.to_line())

    def _look(self) -> None:
        now = self._loop.time()
        self._late.append(max(now - self._due, 0.0))
        self._due = now + _PERIOD
        self._loop.call_later(_PERIOD, self._look)
        self._counters.fold()
        self._looks += 1
        if self._looks % _LOOKS == 0:
            self.publish()


def count_states(connections: Iterable[Connection]) -> tuple[int, ...]:
    """Count connections by what they do, in the order of `CONNECTION_STATES`.

    One that nothing has come from yet is reading, and so is one whose request waits for its turn.
    """
    counts = dict.fromkeys(CONNECTION_STATES, 0)
    for each in connections:
        counts[_state_of(each)] += 1
    return tuple(counts.values())


def _state_of(connection: Connection) -> str:
    match connection.phase:
        case Phase.WAITING:
            return "idle" if connection.is_between_requests else "reading"
        case Phase.DISCARDING:
            return "reading"
        case Phase.ANSWERING:
            return "answering"
        case _:
            return "leaving"
