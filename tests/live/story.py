"""A server for the tests of the view: snapshots of some seconds of its life, and the scene that they make."""

from __future__ import annotations

from dataclasses import replace

from aioserve.live.lines import UNICODE
from aioserve.live.panels import Scene
from aioserve.live.rates import History
from aioserve.observe.snapshot import (
    DURATION_BOUNDS,
    METHODS,
    STATUS_CLASSES,
    ErrorSnapshot,
    PathSnapshot,
    Snapshot,
    WorkerSnapshot,
)

BEGIN = 1_796_000_000.0  # 30 November 2026, 00:53:20 UTC

FIRST = Snapshot(
    time=BEGIN,
    started=BEGIN - 11_520,
    version="0.1.0",
    addresses=("http://127.0.0.1:8080",),
    served=("./site at /", "app:Handler"),
    connections=(42, 3, 7, 1),
    workers=(
        WorkerSnapshot(41230, "serves", rss=48_300_000, lag=0.0012),
        WorkerSnapshot(41231, "serves", rss=51_200_000, lag=0.13),
    ),
)


def answered(*statuses, method="GET"):
    """Return the counts of requests: so many of 1xx, 2xx and so on."""
    counts = (*statuses, *(0,) * (len(STATUS_CLASSES) - len(statuses)))
    return tuple(counts if each == method else (0,) * len(STATUS_CLASSES) for each in METHODS)


def lasted(**counts):
    """Return the buckets of durations; ``lasted(b3=7)`` has seven in the fourth."""
    return tuple(counts.get(f"b{index}", 0) for index in range(len(DURATION_BOUNDS) + 1))


def after(seconds, snapshot=FIRST, **more):
    """Return a later snapshot."""
    return replace(snapshot, time=snapshot.time + seconds, **more)


def history_of(*snapshots):
    """Return the history that these make."""
    history = History()
    for each in snapshots:
        history.add(each)
    return history


BUSY = after(
    10,
    requests=answered(0, 9_550, 300, 120, 30),
    durations=lasted(b2=5_000, b4=4_900, b8=90, b12=10),
    slowest=1.34,
    size_sum=50_000_000,
    refused={"400": 12},
    restarts=1,
    paths=(
        PathSnapshot("/", 7_000, 2.1, 0.009),
        PathSnapshot("/docs/handbook/getting-started/installation-on-debian.html", 2_000, 1.2, 0.054),
        PathSnapshot("/api/orders", 1_000, 3.0, 1.34),
    ),
    errors=(
        ErrorSnapshot(BEGIN - 30, 500, "GET /api/orders", "KeyError: 'customer'"),
        ErrorSnapshot(BEGIN - 90, 503, "POST /api/pay"),
    ),
)

MESSAGES = (
    "2026-11-29T00:52:31+0000 INFO listening on http://127.0.0.1:8080",
    "2026-11-29T00:53:01+0000 ERROR worker 41229 was ended by SIGKILL",
)


def scene_of(*snapshots, messages=MESSAGES, glyphs=UNICODE):
    """Return what there is to show of these snapshots."""
    return Scene(history_of(*snapshots), snapshots[-1], messages, "q or Ctrl+C stops the server", glyphs)


def texts(lines):
    """Return lines as plain text, without the blanks at their ends."""
    return [line.plain.rstrip() for line in lines]
