"""What two snapshots say about the time between them.

This file decides how counters become rates, buckets become percentiles, and how far back a view remembers.
It is pure: time is what the snapshots say.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from aioserve.observe.snapshot import DURATION_BOUNDS, STATUS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aioserve.observe.snapshot import PathSnapshot, Snapshot

REMEMBERED = 600
"""Seconds of requests that are kept: ten minutes, more than the widest terminal shows."""

_WINDOW = 10.0  # seconds; durations of one alone are too few to have percentiles


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened in some seconds; all numbers are for one second.

    Attributes:
        requests: answered.
        classes: the same for each of `STATUS_CLASSES`.
        sent: bytes.
        refused: what was no request, and connections that were turned away.
    """

    requests: float = 0.0
    classes: tuple[float, ...] = (0.0,) * len(STATUS_CLASSES)
    sent: float = 0.0
    refused: float = 0.0


@dataclass(frozen=True, slots=True)
class Durations:
    """How long requests took, in seconds: the half of them at most so long, 99 of 100, and all."""

    median: float
    p99: float
    highest: float


@dataclass(frozen=True, slots=True)
class PathRates:
    """One path in some seconds.

    Attributes:
        path: as the snapshot has it.
        requests: of one second.
        mean: seconds that one took; those since the start, where there was none in these seconds.
        slowest: seconds of the slowest since the start.
    """

    path: str
    requests: float
    mean: float
    slowest: float


def rates_between(before: Snapshot, now: Snapshot) -> Rates:
    """Tell what happened between two snapshots of one server; nothing, where no time has passed."""
    seconds = now.time - before.time
    if seconds <= 0:
        return Rates()
    classes = [
        sum(row[index] for row in now.requests) - sum(row[index] for row in before.requests)
        for index in range(len(STATUS_CLASSES))
    ]
    refused = sum(now.refused.values()) - sum(before.refused.values())
    return Rates(
        requests=max(now.total - before.total, 0) / seconds,
        classes=tuple(max(each, 0) / seconds for each in classes),
        sent=max(now.size_sum - before.size_sum, 0) / seconds,
        refused=max(refused, 0) / seconds,
    )


def durations_between(before: Snapshot, now: Snapshot) -> Durations | None:
    """Tell how long the requests between two snapshots took; None where there were none."""
    counts = [max(new - old, 0) for old, new in zip(before.durations, now.durations, strict=True)]
    if not any(counts):
        return None
    if now.slowest > before.slowest:  # it was between them
        highest = now.slowest
    else:
        last = max(index for index, count in enumerate(counts) if count)
        highest = min(_bounds_of(last, now.slowest)[1], now.slowest or DURATION_BOUNDS[-1])
    return Durations(quantile(counts, 0.5, highest), quantile(counts, 0.99, highest), highest)


def quantile(counts: Sequence[int], share: float, highest: float) -> float:
    """Return the seconds within which this share of requests was over.

    Args:
        counts: for each of `DURATION_BOUNDS`, and for the rest; not all zero.
        share: from 0 to 1.
        highest: seconds of the slowest of them; no percentile is more.
    """
    wanted, passed = share * sum(counts), 0
    index = 0
    while passed + counts[index] < wanted or not counts[index]:
        passed += counts[index]
        index += 1
    lower, upper = _bounds_of(index, highest)
    return min(lower + (upper - lower) * (wanted - passed) / counts[index], highest)


def paths_between(before: Snapshot, now: Snapshot) -> list[PathRates]:
    """Tell about the paths of the later snapshot, the busiest in between first."""
    seconds = max(now.time - before.time, 1e-9)
    known = {each.path: each for each in before.paths}
    found = [_path_rates(known.get(each.path), each, seconds) for each in now.paths]
    return sorted(found, key=lambda each: -each.requests)  # those without keep the order that they have


class History:
    """The snapshots of one server, as far back as a view shows them.

    Attributes:
        latest: the last one; None before there is one.
        series: requests of each second, the oldest first.
        seconds: that have passed so far, also those that are forgotten.
    """

    def __init__(self) -> None:
        self.latest: Snapshot | None = None
        self.series: deque[float] = deque(maxlen=REMEMBERED)
        self.seconds = 0
        self._window: deque[Snapshot] = deque()

    def add(self, snapshot: Snapshot) -> None:
        """Take the next one. A second that brought none has the mean of those around."""
        if self.latest is not None:
            passed = min(max(round(snapshot.time - self.latest.time), 1), REMEMBERED)
            self.series.extend([rates_between(self.latest, snapshot).requests] * passed)
            self.seconds += passed
        self.latest = snapshot
        self._window.append(snapshot)
        while len(self._window) > 2 and snapshot.time - self._window[1].time >= _WINDOW:
            self._window.popleft()

    @property
    def rates(self) -> Rates:
        """What happened from the last snapshot but one to the last."""
        return rates_between(self._window[-2], self._window[-1]) if len(self._window) > 1 else Rates()

    @property
    def recent(self) -> Rates:
        """What happened in the last ten seconds."""
        return rates_between(self._window[0], self._window[-1]) if self._window else Rates()

    @property
    def durations(self) -> Durations | None:
        """How long the requests of the last ten seconds took."""
        return durations_between(self._window[0], self._window[-1]) if self._window else None

    @property
    def paths(self) -> list[PathRates]:
        """The paths in the last ten seconds."""
        return paths_between(self._window[0], self._window[-1]) if self._window else []


def _path_rates(before: PathSnapshot | None, now: PathSnapshot, seconds: float) -> PathRates:
    requests = now.requests - (before.requests if before else 0)
    spent = now.seconds - (before.seconds if before else 0.0)
    if requests <= 0:
        requests, mean = 0, now.seconds / max(now.requests, 1)
    else:
        mean = max(spent, 0.0) / requests
    return PathRates(now.path, requests / seconds, mean, now.slowest)


def _bounds_of(index: int, highest: float) -> tuple[float, float]:
    lower = DURATION_BOUNDS[index - 1] if index else 0.0
    return lower, DURATION_BOUNDS[index] if index < len(DURATION_BOUNDS) else max(highest, lower)


def last_columns(series: Sequence[float], seconds: int, width: int, per_column: int) -> Iterator[float]:
    """Yield the mean of some seconds for each column, for the last columns.

    Which seconds share a column depends on the count of all that have passed: a column that is full keeps its
    height while it moves.
    """
    newest = seconds % per_column or per_column
    edges = [len(series)]
    while edges[-1] > 0 and len(edges) <= width:
        edges.append(max(edges[-1] - (newest if len(edges) == 1 else per_column), 0))
    edges.reverse()
    values = list(series)
    for start, end in pairwise(edges):
        yield sum(values[start:end]) / (end - start)
