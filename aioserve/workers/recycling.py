"""When a worker that is tired is replaced, and what the log says of it.

This file decides that workers do not come and go all the time. Where `--max-rss` is less than an application
takes, each new worker is too large as soon as it is there, and another one would be no better. So those that
are too large within ten seconds are replaced at once only the first time, and then later and later.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aioserve.workers.fleet import Worker

_SOON = 10.0  # seconds from when it began to serve; it is too large by then because others would be as well
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds for which the second such worker in a row goes on, and any
_MIB = 1 << 20

logger = logging.getLogger(__name__)


class Recycling:
    """Hears of workers that are tired."""

    def __init__(self) -> None:
        self._pause = 0.0  # of the last that was too large soon
        self._has_warned = False  # of the first such in a row
        self._generation = 0  # of the last of them

    def due(self, worker: Worker, now: float, served: int = 0, size: int = 0) -> float:
        """Say when a worker is to be replaced, and tell the log why.

        Args:
            worker: is tired.
            now: when it says so.
            served: requests that it has served, if these are too many.
            size: bytes that it has in memory, if these are too many.

        Returns:
            The time, which is ``-inf`` for at once.
        """
        if served:
            logger.info("worker %d has served %d requests; another takes its place", worker.pid, served)
        elif not size:
            logger.info("worker %d was told to end (SIGTERM); another takes its place", worker.pid)
        elif now - worker.since < _SOON:
            return self._rest(worker, now, size)
        else:
            self._begin_anew(worker.generation)
            logger.info("worker %d has grown to %.0f MiB; another takes its place", worker.pid, size / _MIB)
        return -inf

    def _rest(self, worker: Worker, now: float, size: int) -> float:
        if worker.generation != self._generation:  # with other settings, perhaps
            self._begin_anew(worker.generation)
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "worker %d has %.0f MiB, %.1f s after it began to serve, which is more than --max-rss; "
                "where others have as much, they are replaced later and later, at last after a minute",
                worker.pid,
                size / _MIB,
                now - worker.since,
            )
            return -inf
        self._pause = min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        logger.info(
            "worker %d has %.0f MiB; another takes its place in %.0f s", worker.pid, size / _MIB, self._pause
        )
        return now + self._pause

    def _begin_anew(self, generation: int) -> None:
        self._pause, self._has_warned, self._generation = 0.0, False, generation
