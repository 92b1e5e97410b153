from __future__ import annotations

import os
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.workers import fatigue as module
from aioserve.workers.fatigue import Fatigue, resident_memory
from tests.doubles import FakeLoop

MIB = 1 << 20


class Tiring:
    """A worker that is looked at, on a loop whose clock a test moves."""

    def __init__(self, requests=0, memory=0):
        self.loop = FakeLoop()
        self.served = 0
        self.tired = 0
        self.fatigue = Fatigue(requests, memory, lambda: self.served, self.loop.call_later, self._on_tired)

    def _on_tired(self, *reasons):
        self.tired += 1
        self.reasons = reasons


@pytest.fixture
def statm(tmp_path, monkeypatch):
    """Say how many bytes are resident, in the words of proc_pid_statm(5)."""
    file = tmp_path / "statm"
    monkeypatch.setattr(module, "_STATM", file)

    def write(resident):
        pages = resident // os.sysconf("SC_PAGE_SIZE")
        file.write_text(f"90000 {pages} 2000 500 0 30000 0\n")

    return write


@pytest.fixture
def no_jitter(monkeypatch):
    monkeypatch.setattr(random, "randrange", lambda _stop: 0)


def test_nobody_looks_where_any_number_is_allowed():
    assert Tiring().loop.pending == 0


@pytest.mark.usefixtures("no_jitter")
def test_worker_is_tired_once_when_it_has_served_enough():
    worker = Tiring(requests=100)
    worker.served = 99
    worker.loop.advance(60)
    assert worker.tired == 0

    worker.served = 100
    worker.loop.advance(0.5)
    assert worker.tired == 1
    assert worker.loop.pending == 0
    worker.loop.advance(60)
    assert worker.tired == 1


@pytest.mark.usefixtures("no_jitter")
def test_worker_is_looked_at_now_and_then_and_not_at_each_request():
    worker = Tiring(requests=100)
    worker.served = 100_000
    worker.loop.advance(0.49)

    assert worker.tired == 0


@given(requests=st.integers(1, 10_000))
def test_workers_are_tired_up_to_a_tenth_later_than_asked_for(requests):
    """They must not all be replaced at once."""
    worker = Tiring(requests=requests)

    assert requests <= worker.fatigue._requests <= requests + requests // 10
    worker.served = requests + requests // 10
    worker.loop.advance(0.5)
    assert worker.tired == 1


def test_workers_are_not_tired_at_the_same_number():
    assert len({Tiring(requests=1_000_000).fatigue._requests for _ in range(10)}) > 1


def test_worker_is_tired_when_it_is_larger_than_asked_for(statm):
    worker = Tiring(memory=100 * MIB)
    worker.served = 1_000_000
    statm(100 * MIB)
    worker.loop.advance(60)
    assert worker.tired == 0

    statm(101 * MIB)
    worker.loop.advance(0.5)
    assert worker.tired == 1
    assert worker.loop.pending == 0


@pytest.mark.usefixtures("no_jitter")
@pytest.mark.parametrize(
    ("served", "size", "reasons"),
    [(10, 1 * MIB, (10, 0)), (9, 3 * MIB, (0, 3 * MIB)), (11, 3 * MIB, (11, 3 * MIB))],
    ids=["requests", "memory", "both"],
)
def test_either_is_enough_and_the_reason_is_told(statm, served, size, reasons):
    worker = Tiring(requests=10, memory=2 * MIB)
    worker.served = served
    statm(size)
    worker.loop.advance(0.5)

    assert worker.tired == 1
    assert worker.reasons == reasons


def test_resident_memory_is_in_bytes(statm):
    statm(7 * MIB)

    assert resident_memory() == 7 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_resident_memory_of_this_process_is_what_a_python_needs():
    assert MIB < resident_memory() < 1 << 40


@pytest.mark.usefixtures("statm")
def test_worker_is_never_too_large_where_the_system_does_not_tell():
    worker = Tiring(memory=1)
    worker.loop.advance(60)

    assert resident_memory() == 0
    assert worker.tired == 0
