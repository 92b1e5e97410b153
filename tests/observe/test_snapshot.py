"""What a server says of itself, and that it arrives as it was said."""

from __future__ import annotations

import pytest

from aioserve.observe.snapshot import (
    DURATION_BOUNDS,
    SIZE_BOUNDS,
    ErrorSnapshot,
    PathSnapshot,
    Snapshot,
    WorkerSnapshot,
)

FULL = Snapshot(
    time=2.5,
    started=1.0,
    state="stopping",
    addresses=("http://127.0.0.1:80",),
    served=("app:Handler",),
    requests=((1, 2, 3, 4, 5),) * 8,
    refused={"400": 3},
    certificate_ends={"a.example": 9.0},
    workers=(WorkerSnapshot(7, "serves", 9, 1 << 20, 0.01, 0.1),),
    paths=(PathSnapshot("/\udcff", 3, 0.3, 0.2),),
    errors=(ErrorSnapshot(2.0, 500, "GET /", "ValueError: é"),),
)


@pytest.mark.parametrize("snapshot", [Snapshot(2.0, 1.0), FULL])
def test_it_arrives_as_it_was_said(snapshot):
    line = snapshot.to_line()

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert Snapshot.from_line(line) == snapshot


@pytest.mark.parametrize(
    "line", [b"", b"x", b"{}", b"[]", b'{"workers": 1}', b'{"workers": [{"x": 1}]}', b"\xff"]
)
def test_anything_else_is_refused(line):
    with pytest.raises(ValueError, match=r"snapshot|Expecting|decode"):
        Snapshot.from_line(line)


def test_a_field_too_many_is_refused():
    with pytest.raises(ValueError, match="this is no snapshot"):
        Snapshot.from_line(FULL.to_line().replace(b'{"time"', b'{"more":1,"time"'))


def test_total_is_of_all_methods_and_classes():
    assert FULL.total == 8 * 15


def test_bounds_rise_from_the_quickest_to_the_slowest():
    assert (DURATION_BOUNDS[0], DURATION_BOUNDS[-1], len(DURATION_BOUNDS)) == (5e-5, 20.0, 18)
    assert (SIZE_BOUNDS[0], SIZE_BOUNDS[-1]) == (64.0, float(1 << 30))
    for bounds in (DURATION_BOUNDS, SIZE_BOUNDS):
        assert list(bounds) == sorted(bounds)
