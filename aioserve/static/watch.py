"""Whether files and folders are still what they were when they were looked at.

This file decides by what a change is noticed: by what the system says of the same path, links followed. A
file that was written, replaced, or led elsewhere by a link has another number, size or time; so has a folder
in which something came or went.

A time of the system moves in steps of some milliseconds. What was changed in the present step could be
changed again without a trace, so it is not trusted; nor is anything for longer than a second, as not
every file system dates a folder that is moved.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Signature = tuple[int, int, int, int, int]

_STEP = 50_000_000  # nanoseconds; Linux steps every 1 to 10 ms, other systems and disks more coarsely
_TRUST = 1.0  # seconds


def signature_of(status: os.stat_result) -> Signature:
    """Return what is another as soon as the file or folder is another, or has been changed."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def version_of(status: os.stat_result) -> tuple[int, int]:
    """Return what is another when a file was written to; its name and its rights may have become others.

    Like all that is said of times it holds from step to step, and not for who sets them back on purpose.
    """
    return status.st_size, status.st_mtime_ns


class Watch:
    """Some files and folders as they are now.

    Args:
        seen: what was already found out, by path.
        paths: others; one that does not exist may not come to exist either.

    Attributes:
        is_settled: nothing was changed so shortly before that another change could go unnoticed.
    """

    __slots__ = ("_signatures", "_until", "is_settled")

    def __init__(self, seen: Iterable[tuple[bytes, os.stat_result]], paths: Iterable[bytes]) -> None:
        statuses = [*seen, *((path, status_of(path)) for path in paths)]
        self._until = time.monotonic() + _TRUST
        self._signatures = [
            (path, None if status is None else signature_of(status)) for path, status in statuses
        ]
        now = time.time_ns()
        self.is_settled = all(status is None or is_settled(status, now) for _, status in statuses)

    @property
    def has_run_out(self) -> bool:
        """Whether too much time has passed to be sure of anything; it stays so."""
        return time.monotonic() > self._until

    def holds(self) -> bool:
        """Whether nothing has changed, and not too much time has passed to be sure of that."""
        if self.has_run_out:
            return False
        for path, signature in self._signatures:
            status = status_of(path)
            if (None if status is None else signature_of(status)) != signature:
                return False
        return True


def is_settled(status: os.stat_result, now: int) -> bool:
    """Whether another change of it would be noticed; ``now`` is in nanoseconds since the epoch."""
    return not time_to_settle(status, now)


def time_to_settle(status: os.stat_result, now: int) -> float:
    """Return for how many seconds another change might not be noticed, if this was the last one."""
    age = now - status.st_ctime_ns
    return (_STEP + 1 - age) / 1e9 if abs(age) <= _STEP else 0.0


def status_of(path: bytes) -> os.stat_result | None:
    """Return what the system says of a path; None where there is nothing, or nothing to be known."""
    try:
        return os.stat(path)  # noqa: PTH116 - bytes, and called for every request
    except OSError:
        return None
