"""The drain delay: the server goes on as before, and says that it wants no more requests."""

from __future__ import annotations

import signal

import pytest

from aioserve.settings import Settings, Timeouts
from aioserve.workers import supervisor as module
from aioserve.workers.channel import Order
from tests.workers.parent import BIND

pytestmark = pytest.mark.usefixtures("_fakes")


def test_drain_delay_passes_before_workers_are_told(make):
    parent = make(Settings(bind=BIND, timeouts=Timeouts(drain_delay=3600.0, worker=0.0)))
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGTERM),
        lambda: None,
        parent.send(signal.SIGTERM),
        parent.die(1),
    )

    assert ("stops", 3612.0) in parent.public.log
    assert parent.processes.log[1:] == [Order.DRAIN, (Order.FORCE, 1)]
    assert 3590 < parent.supervisor._selector.waits[2] <= 3600


def test_there_is_no_drain_delay_before_anybody_has_served(make):
    parent = make(Settings(bind=BIND, timeouts=Timeouts(drain_delay=3600.0)))
    parent.run(parent.send(signal.SIGTERM), parent.die(1, code=-9))

    assert parent.processes.log == [("start", 1), (signal.SIGKILL, 1)]


def test_worker_that_dies_just_before_the_drain_delay_is_replaced(make):
    parent = make(Settings(bind=BIND, timeouts=Timeouts(drain_delay=3600.0)))
    parent.run(
        parent.serve(1),
        lambda: parent.die(1)() or parent.send(signal.SIGTERM)(),
        parent.serve(2),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log[:2] == [("start", 1), Order.DRAIN]
    assert parent.processes.log[2:] == [("start", 2), (Order.DRAIN, 2), (Order.FORCE, 2)]


def test_worker_that_dies_during_the_drain_delay_is_replaced(make, caplog):
    parent = make(Settings(bind=BIND, timeouts=Timeouts(drain_delay=3600.0, worker=0.0)))
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGTERM),
        parent.die(1, code=-9),
        parent.serve(2),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log[:2] == [("start", 1), Order.DRAIN]
    assert parent.processes.log[2:] == [("start", 2), (Order.DRAIN, 2), (Order.FORCE, 2)]
    assert caplog.messages == ["worker 1 was ended by SIGKILL"]


def test_workers_that_die_again_and_again_end_the_server_before_the_drain_delay_does(make, monkeypatch):
    now = [0.0]

    def wait():
        now[0] += 1.0

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parent = make(Settings(bind=BIND, timeouts=Timeouts(drain_delay=3600.0, worker=0.0)))
    script = [parent.serve(1), parent.send(signal.SIGTERM)]
    for pid in range(1, 10):
        script += [parent.die(pid, code=1), wait]

    assert parent.run(*script, parent.die(10, code=1)) == 6
