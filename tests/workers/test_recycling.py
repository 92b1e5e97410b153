"""When a worker that is tired is replaced, and what is said of it."""

from __future__ import annotations

import logging
from math import inf

import pytest

from aioserve.workers.fleet import State, Worker
from aioserve.workers.recycling import Recycling

MIB = 1 << 20
LATER = "where others have as much, they are replaced later and later, at last after a minute"


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level(logging.INFO)


def worker(pid=1, since=0.0, generation=0):
    return Worker(pid, generation, State.SERVING, since, since)


def said(caplog):
    records, caplog.records[:] = [*caplog.records], []
    return [(record.levelname, record.getMessage()) for record in records]


@pytest.mark.parametrize(
    ("reasons", "line"),
    [
        ((1003, 0), "has served 1003 requests; another takes its place"),
        ((1003, 9 * MIB), "has served 1003 requests; another takes its place"),
        ((0, 300 * MIB), "has grown to 300 MiB; another takes its place"),
        ((), "was told to end (SIGTERM); another takes its place"),
    ],
)
def test_why_a_worker_is_replaced_is_said(caplog, reasons, line):
    assert Recycling().due(worker(7), 10.0, *reasons) == -inf
    assert said(caplog) == [("INFO", f"worker 7 {line}")]


def test_those_that_are_too_large_from_their_start_are_replaced_later_and_later(caplog):
    recycling = Recycling()
    now, pauses = 0.0, []
    for pid in range(1, 11):
        due = recycling.due(worker(pid, since=now), now + 0.5, 0, 36 * MIB)
        pauses.append(due - now - 0.5)
        now = max(due, now) + 1.0

    assert pauses == [-inf, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    first, *others = said(caplog)
    assert first == (
        "WARNING",
        f"worker 1 has 36 MiB, 0.5 s after it began to serve, which is more than --max-rss; {LATER}",
    )
    assert others[0] == ("INFO", "worker 2 has 36 MiB; another takes its place in 1 s")
    assert {level for level, _ in others} == {"INFO"}


@pytest.mark.parametrize("later", [worker(9), worker(9, since=99.9, generation=1)], ids=["grown", "reload"])
def test_one_that_took_its_time_to_grow_and_a_reload_begin_anew(caplog, later):
    recycling = Recycling()
    for pid in (1, 2, 3):
        recycling.due(worker(pid), 1.0, 0, MIB)
    said(caplog)

    assert recycling.due(later, 100.0, 0, MIB) == -inf
    assert recycling.due(worker(10, since=101.0, generation=later.generation + 1), 102.0, 0, MIB) == -inf
    assert said(caplog)[-1][0] == "WARNING"


def test_requests_that_are_served_soon_are_no_reason_to_wait():
    recycling = Recycling()

    assert {recycling.due(worker(pid), 0.5, 100) for pid in range(20)} == {-inf}
