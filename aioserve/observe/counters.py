"""What one worker counts, as plain numbers.

This file decides what it costs. Only the loop counts, so that there is no lock. A request is four things at
the end of one list, which is all that it waits for; some times a second they are counted together, mostly by
Python's own loops, which takes a fifth of the time that counting each of them would. A snapshot is made of
the numbers when somebody wants it. Answers that are given again count themselves, since that is all there is
time for, and are asked for their numbers then.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from aioserve.observe.snapshot import DURATION_BOUNDS, METHODS, SIZE_BOUNDS, STATUS_CLASSES, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from aioserve.http.messages import RequestMessage
    from aioserve.observe.snapshot import WorkerSnapshot


class GivenAgain(Protocol):
    """An answer that was given again, as `counting.CountedAnswer`.

    Attributes:
        given: how often, since it was asked last.
    """

    message: RequestMessage
    status: int
    output_length: int
    given: int


class Going(Protocol):
    """An exchange that goes on, as `exchange.Exchange`."""

    def count_if_sent(self, counters: Counters) -> bool:
        """Count its request, if its client may have all of the answer; whether that is so."""


class Counters:
    """The numbers of one worker.

    Attributes:
        note: takes note of a request that was answered, as its method, the status of its answer (100 to
            999), the seconds that it took, and the bytes of the whole answer. They wait for `fold`.
        again: answers that have been given again since the last snapshot.
        going: exchanges that are not over, and whether they are counted, as their answers are.
        cache_hits, cache_misses: of files, without what was given again.
    """

    __slots__ = (
        "_bytes",
        "_durations",
        "_log",
        "_other",
        "_refused",
        "_requests",
        "_seconds",
        "_sizes",
        "_slowest",
        "again",
        "cache_hits",
        "cache_misses",
        "going",
        "note",
    )

    def __init__(self) -> None:
        self._requests = {method: [0] * 10 for method in METHODS}  # by the first digit of the status
        self._other = self._requests["other"]
        self._durations = [0] * (len(DURATION_BOUNDS) + 1)
        self._sizes = [0] * (len(SIZE_BOUNDS) + 1)
        # Flat: a list of tuples would have Python look for garbage in them, again and again.
        self._log: list[Any] = []
        self.note: Callable[[tuple[str, int, float, int]], object] = self._log.extend
        self._seconds = self._slowest = 0.0
        self._bytes = 0
        self._refused: dict[str, int] = {}
        self.again: list[GivenAgain] = []
        self.going: dict[Going, bool] = {}
        self.cache_hits = self.cache_misses = 0

    def refuse(self, reason: str) -> None:
        """Count what was no request, by the status of its answer, or a connection without room: ``limit``."""
        self._refused[reason] = self._refused.get(reason, 0) + 1

    def found(self, is_kept: bool) -> None:
        """Count a file that was asked for: it was in memory, or had to be read."""
        if is_kept:
            self.cache_hits += 1
        else:
            self.cache_misses += 1

    def snapshot(self, worker: WorkerSnapshot, **more: Any) -> Snapshot:
        """Make a snapshot of what was counted until now.

        Args:
            worker: what else there is to say of the worker; its requests are filled in.
            **more: further attributes of the snapshot.
        """
        for exchange, is_counted in self.going.items():
            self.going[exchange] = is_counted or exchange.count_if_sent(self)
        self.fold()
        self._ask_again()
        requests = tuple(_by_class(self._requests[method]) for method in METHODS)
        now = time.time()
        return Snapshot(
            time=now,
            started=now,
            requests=requests,
            durations=tuple(self._durations),
            duration_sum=self._seconds,
            slowest=self._slowest,
            sizes=tuple(self._sizes),
            size_sum=self._bytes,
            refused=dict(self._refused),
            cache_hits=self.cache_hits,
            cache_misses=self.cache_misses,
            workers=(replace(worker, requests=sum(map(sum, requests))),),
            **more,
        )

    def fold(self) -> None:
        """Count what was noted."""
        if not self._log:
            return
        methods, statuses, durations, sizes = (self._log[place::4] for place in range(4))
        self._log.clear()
        for (method, status), number in _count_pairs(methods, statuses):
            self._requests.get(method, self._other)[status // 100] += number
        durations.sort()
        _add_up(durations, DURATION_BOUNDS, self._durations)
        self._seconds += sum(durations)
        self._slowest = max(self._slowest, durations[-1])
        sizes.sort()
        _add_up(sizes, SIZE_BOUNDS, self._sizes)
        self._bytes += sum(sizes)

    def _ask_again(self) -> None:
        """Count what was given again. It took some microseconds: the first bucket, and no time in the sum."""
        for answer in self.again:
            number, answer.given = answer.given, 0
            self._requests.get(answer.message.method, self._other)[answer.status // 100] += number
            self._durations[0] += number
            self._sizes[bisect_left(SIZE_BOUNDS, answer.output_length)] += number
            self._bytes += answer.output_length * number
            self.cache_hits += number
        self.again.clear()


def _count_pairs(methods: list[str], statuses: list[int]) -> Iterable[tuple[tuple[str, int], int]]:
    """Count each method with each status; mostly there is one method, and that takes a tenth of the time."""
    method = methods[0]
    if methods.count(method) == len(methods):
        return [((method, status), statuses.count(status)) for status in set(statuses)]
    return Counter(zip(methods, statuses, strict=True)).items()


def _add_up(values: Sequence[float], bounds: Sequence[float], counts: list[int]) -> None:
    """Add to each bucket how many of the values, in their order, belong there."""
    below = 0
    for place, bound in enumerate(bounds):
        if below == len(values):
            return
        number = bisect_right(values, bound, below) - below
        counts[place] += number
        below += number
    counts[-1] += len(values) - below


def _by_class(counts: Sequence[int]) -> tuple[int, ...]:
    """Put counts by the first digit of the status in the order of the classes; 6 to 9 are errors, too."""
    number = len(STATUS_CLASSES)
    return (*counts[1:number], sum(counts[number:]))
