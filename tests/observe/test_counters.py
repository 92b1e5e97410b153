"""What a worker counts, and in which class and bucket."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from aioserve.observe.counters import Counters
from aioserve.observe.snapshot import DURATION_BOUNDS, METHODS, SIZE_BOUNDS, WorkerSnapshot

WORKER = WorkerSnapshot(7, "")


@pytest.fixture
def counters():
    return Counters()


def nonzero(counts):
    return {place: count for place, count in enumerate(counts) if count}


@pytest.mark.parametrize(
    ("method", "status", "row", "column"),
    [
        ("GET", 200, "GET", 1),
        ("POST", 101, "POST", 0),
        ("DELETE", 404, "DELETE", 3),
        ("PROPFIND", 301, "other", 2),
        ("other", 500, "other", 4),
        ("GET", 999, "GET", 4),
        ("GET", 600, "GET", 4),
    ],
)
def test_request_is_counted_by_method_and_class(counters, method, status, row, column):
    counters.note((method, status, 0.1, 100))
    seen = counters.snapshot(WORKER)

    assert nonzero(seen.requests[METHODS.index(row)]) == {column: 1}
    assert (seen.total, seen.workers[0].requests) == (1, 1)


@pytest.mark.parametrize("place", range(len(DURATION_BOUNDS)))
def test_bound_belongs_to_its_bucket(counters, place):
    counters.note(("GET", 200, DURATION_BOUNDS[place], 1))
    counters.note(("GET", 200, DURATION_BOUNDS[place] * 1.001, 1))

    assert nonzero(counters.snapshot(WORKER).durations) == {place: 1, place + 1: 1}


@pytest.mark.parametrize("place", range(len(SIZE_BOUNDS)))
def test_bound_of_a_size_belongs_to_its_bucket(counters, place):
    counters.note(("GET", 200, 0.1, int(SIZE_BOUNDS[place])))
    counters.note(("GET", 200, 0.1, int(SIZE_BOUNDS[place]) + 1))

    assert nonzero(counters.snapshot(WORKER).sizes) == {place: 1, place + 1: 1}


def test_sums_and_the_slowest_are_of_all_that_was_noted(counters):
    for seconds in (0.5, 0.25, 2.0, 0.125, 1.0):
        counters.fold()
        counters.note(("GET", 200, seconds, 10))
    seen = counters.snapshot(WORKER, log_drops=3)

    assert (seen.duration_sum, seen.slowest, seen.size_sum) == (3.875, 2.0, 50)
    assert (sum(seen.durations), sum(seen.sizes), seen.total, seen.log_drops) == (5, 5, 5, 3)
    assert counters.snapshot(WORKER).total == 5


def test_refusals_and_files_are_counted(counters):
    for reason in ("400", "limit", "400"):
        counters.refuse(reason)
    for is_kept in (True, False, True):
        counters.found(is_kept)
    seen = counters.snapshot(WORKER)

    assert (seen.refused, seen.cache_hits, seen.cache_misses, seen.total) == (
        {"400": 2, "limit": 1},
        2,
        1,
        0,
    )


def test_answers_that_were_given_again_are_asked_how_often(counters):
    answer = SimpleNamespace(message=SimpleNamespace(method="HEAD"), status=304, output_length=100, given=3)
    counters.again.append(answer)
    seen = counters.snapshot(WORKER)

    assert (seen.requests[1][2], seen.durations[0], seen.sizes[1], seen.size_sum) == (3, 3, 3, 300)
    assert (seen.cache_hits, answer.given, counters.again) == (3, 0, [])


def test_exchanges_that_go_on_are_asked_whether_they_count_until_they_do(counters):
    class Going:
        def __init__(self):
            self.is_sent = False

        def count_if_sent(self, counters):
            if self.is_sent:
                counters.note(("GET", 200, 0.1, 1))
            return self.is_sent

    going = Going()
    counters.going[going] = False
    assert counters.snapshot(WORKER).total == 0
    going.is_sent = True
    assert counters.snapshot(WORKER).total == 1
    assert counters.snapshot(WORKER).total == 1
    assert counters.going == {going: True}


def test_methods_are_told_apart_though_they_were_noted_together(counters):
    for method, status in (("GET", 200), ("POST", 200), ("GET", 404), ("GET", 200), ("HEAD", 304)):
        counters.note((method, status, 0.1, 1))
    requests = counters.snapshot(WORKER).requests

    assert [nonzero(counts) for counts in requests[:3]] == [{1: 2, 3: 1}, {2: 1}, {1: 1}]
