"""When numbers are published, on a loop whose clock the test moves, and what is found out then."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from aioserve.observe.counters import Counters
from aioserve.observe.snapshot import Snapshot
from aioserve.phase import Phase
from aioserve.publishing import Publisher, count_states
from tests.doubles import FakeLoop


class Publishing:
    """A publisher, and what it wrote."""

    def __init__(self):
        self.loop, self.counters, self.ends, self.written = FakeLoop(), Counters(), {}, []
        self.publisher = Publisher(
            self.counters,
            lambda line: self.written.append(Snapshot.from_line(line)),
            self.loop,
            connections=[SimpleNamespace(phase=Phase.ANSWERING)],
            log_drops=lambda: 4,
            certificate_ends=lambda: self.ends,
        )

    @property
    def lag(self):
        self.publisher.publish()
        return self.written[-1].workers[0].lag


@pytest.fixture
def publishing():
    return Publishing()


def test_numbers_are_published_once_a_second_and_when_asked(publishing):
    publishing.loop.advance(0.95)
    assert publishing.written == []
    publishing.loop.advance(0.1)
    assert len(publishing.written) == 1
    publishing.loop.advance(2.0)
    assert len(publishing.written) == 3
    publishing.publisher.publish()
    assert len(publishing.written) == 4


def test_what_is_published_is_what_there_is(publishing):
    publishing.counters.note(("GET", 200, 0.1, 10))
    publishing.ends = {"a.example": 9.0}
    publishing.publisher.publish()
    (seen,) = publishing.written

    assert (seen.total, seen.log_drops, seen.certificate_ends) == (1, 4, {"a.example": 9.0})
    assert seen.connections == (0, 0, 1, 0)
    assert seen.workers[0].pid == os.getpid()


def test_there_is_room_for_a_hundred_certificates(publishing):
    publishing.ends = {str(number): 1.0 for number in range(300)}
    publishing.publisher.publish()

    assert len(publishing.written[0].certificate_ends) == 100


def test_lag_is_the_longest_of_the_last_second(publishing):
    publishing.loop.advance(1.0)
    assert publishing.lag == pytest.approx(0.0, abs=1e-9)
    publishing.loop.block(0.35)
    assert publishing.lag == pytest.approx(0.25)  # also before the loop goes on
    publishing.loop.advance()
    assert publishing.lag == pytest.approx(0.25)
    publishing.loop.advance(0.85)
    assert publishing.lag == pytest.approx(0.25)
    publishing.loop.advance(0.2)
    assert publishing.lag == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("phase", "is_idle", "state"),
    [
        (Phase.WAITING, True, "idle"),
        (Phase.WAITING, False, "reading"),
        (Phase.DISCARDING, False, "reading"),
        (Phase.ANSWERING, False, "answering"),
        (Phase.LEAVING, False, "leaving"),
    ],
)
def test_connections_are_counted_by_what_they_do(phase, is_idle, state):
    counts = count_states([SimpleNamespace(phase=phase, is_between_requests=is_idle)] * 2)

    assert dict(zip(("idle", "reading", "answering", "leaving"), counts, strict=True))[state] == 2
    assert sum(counts) == 2
