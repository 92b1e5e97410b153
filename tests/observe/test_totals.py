"""The numbers of several processes as those of one."""

from __future__ import annotations

from aioserve.observe.snapshot import Snapshot, WorkerSnapshot
from aioserve.observe.totals import add_up, what_stays


def snapshot(factor, **more):
    return Snapshot(
        time=1.0,
        started=0.5,
        requests=((factor, 0, 0, 0, 0),) * 8,
        durations=(factor,) * 19,
        duration_sum=factor * 0.5,
        slowest=float(factor),
        sizes=(factor,) * 14,
        size_sum=factor,
        connections=(factor, 0, 0, 1),
        restarts=factor,
        log_drops=factor,
        cache_hits=factor,
        cache_misses=factor,
        **more,
    )


def test_numbers_are_added_and_the_slowest_is_the_slowest():
    base = snapshot(1, refused={"400": 1}, certificate_ends={"a": 1.0})
    total = add_up(
        base, [snapshot(2, refused={"400": 2, "limit": 1}, certificate_ends={"b": 2.0}), snapshot(4)]
    )

    assert total.requests == ((7, 0, 0, 0, 0),) * 8
    assert (total.durations, total.sizes) == ((7,) * 19, (7,) * 14)
    assert (total.duration_sum, total.slowest, total.size_sum) == (3.5, 4.0, 7)
    assert total.connections == (7, 0, 0, 3)
    assert total.refused == {"400": 3, "limit": 1}
    assert (total.restarts, total.log_drops, total.cache_hits, total.cache_misses) == (7, 7, 7, 7)
    assert total.certificate_ends == {"a": 1.0, "b": 2.0}


def test_worker_is_what_the_parent_sees_with_what_it_says_itself():
    seen = (
        WorkerSnapshot(7, "serves", rss=1 << 20, heard=1.0),
        WorkerSnapshot(8, "loads the application", heard=2.0),
    )
    itself = WorkerSnapshot(7, "", 5, lag=0.1)
    total = add_up(snapshot(0, workers=seen), [snapshot(0, workers=(itself,))])

    assert total.workers == (WorkerSnapshot(7, "serves", 5, 1 << 20, 0.1, 1.0), seen[1])


def test_of_one_that_has_ended_what_was_counted_stays():
    last = snapshot(2, certificate_ends={"a": 1.0}, workers=(WorkerSnapshot(7, ""),))
    ended = what_stays(snapshot(1), last)

    assert (ended.size_sum, ended.connections) == (3, (1, 0, 0, 1))
    assert (ended.certificate_ends, ended.workers) == ({}, ())
