"""When a worker has served enough.

This file decides how that is found out: by a look now and then, and not at each request. A few requests more
than were asked for do no harm.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.observe.access import CallLater

_PERIOD = 0.5  # seconds
_JITTER = 0.1  # of the number of requests, at most: workers must not all be replaced at once
_STATM = Path("/proc/self/statm")


class Fatigue:
    """Looks at one worker.

    Args:
        requests: how many it serves, up to a tenth more; 0 = any number.
        memory: bytes that may be resident; 0 = any number. Not known on every system.
        served: tells how many it has served.
        call_later: of its event loop.
        on_tired: called once, with the requests that were served, if these are too many, or else 0, and with
            the bytes in the same way.
    """

    def __init__(
        self,
        requests: int,
        memory: int,
        served: Callable[[], int],
        call_later: CallLater,
        on_tired: Callable[[int, int], None],
    ) -> None:
        self._requests = requests + _jitter(requests)
        self._memory = memory
        self._served = served
        self._call_later = call_later
        self._on_tired = on_tired
        if requests or memory:
            call_later(_PERIOD, self._look)

    def _look(self) -> None:
        served = self._served() if self._requests else 0
        size = resident_memory() if self._memory else 0
        is_old, is_large = served >= self._requests > 0, size > self._memory
        if is_old or is_large:
            self._on_tired(served if is_old else 0, size if is_large else 0)
        else:
            self._call_later(_PERIOD, self._look)


def _jitter(requests: int) -> int:
    if not requests:
        return 0
    import random  # noqa: PLC0415 - takes 2 ms, and most servers recycle no worker

    return random.randrange(int(requests * _JITTER) + 1)  # noqa: S311 - no secret


def resident_memory() -> int:
    """Return how many bytes of this process are in memory; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
