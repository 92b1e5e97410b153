"""The numbers of several processes as those of one server.

This file decides how each of them is put together: most are added, of the slowest the slowest counts, and
what a worker says of itself goes to what the parent says of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aioserve.observe.snapshot import Snapshot, WorkerSnapshot


def add_up(base: Snapshot, parts: Iterable[Snapshot]) -> Snapshot:
    """Return the snapshot of a server.

    Args:
        base: what is known of the whole, and what those have counted who are not among the parts.
        parts: of the workers, each of which is told of as its only worker.
    """
    parts = tuple(parts)
    all_of_them = (base, *parts)
    known = {worker.pid: worker for part in parts for worker in part.workers}
    return replace(
        base,
        requests=tuple(map(_sums, zip(*(each.requests for each in all_of_them), strict=True))),
        durations=_sums([each.durations for each in all_of_them]),
        duration_sum=sum(each.duration_sum for each in all_of_them),
        slowest=max(each.slowest for each in all_of_them),
        sizes=_sums([each.sizes for each in all_of_them]),
        size_sum=sum(each.size_sum for each in all_of_them),
        connections=_sums([each.connections for each in all_of_them]),
        refused=_merged(each.refused for each in all_of_them),
        restarts=sum(each.restarts for each in all_of_them),
        log_drops=sum(each.log_drops for each in all_of_them),
        cache_hits=sum(each.cache_hits for each in all_of_them),
        cache_misses=sum(each.cache_misses for each in all_of_them),
        certificate_ends={name: end for each in all_of_them for name, end in each.certificate_ends.items()},
        workers=tuple(_joined(worker, known.get(worker.pid)) for worker in base.workers),
    )


def what_stays(ended: Snapshot, of: Snapshot) -> Snapshot:
    """Return a snapshot that has, with its own numbers, those of a worker that is no more.

    Args:
        ended: of all that have ended before.
        of: the last of that worker. It has no connections any more, and no certificates.
    """
    left = replace(of, connections=(0,) * len(of.connections), certificate_ends={}, workers=())
    return add_up(ended, [left])


def _joined(as_seen: WorkerSnapshot, itself: WorkerSnapshot | None) -> WorkerSnapshot:
    if itself is None:
        return as_seen
    return replace(itself, state=as_seen.state, rss=as_seen.rss, heard=as_seen.heard)


def _sums(rows: Sequence[Sequence[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*rows, strict=True)))


def _merged(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    merged: dict[str, int] = {}
    for each in counts:
        for name, number in each.items():
            merged[name] = merged.get(name, 0) + number
    return merged
