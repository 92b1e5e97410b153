"""What the parent does for those who ask for numbers, and for those who look on."""

from __future__ import annotations

import signal

import pytest

from aioserve.listen.addresses import TcpAddress
from aioserve.live.settings import Live
from aioserve.observe.board import read_board
from aioserve.settings import Metrics, Settings
from aioserve.workers import supervisor as module
from aioserve.workers.channel import Order
from tests.workers.parent import BIND, ONE

pytestmark = pytest.mark.usefixtures("_fakes")

TOLD = Settings(bind=BIND, metrics=Metrics(TcpAddress("127.0.0.1", 0)))


def numbers_of(parent):
    return read_board(parent.supervisor.station.board)


def test_who_asks_for_numbers_has_those_of_the_parent_and_of_all_workers(make):
    parent = make(TOLD)
    seen = []

    def look():
        seen.append(numbers_of(parent))

    parent.run(
        parent.serve(1),
        parent.say(1, b"asked"),
        look,
        parent.send(signal.SIGTERM),
        parent.say(1, b"asked"),
        look,
        parent.die(1),
    )

    assert parent.processes.log == [("start", 1), Order.PUBLISH, (Order.STOP, 1), Order.PUBLISH]
    assert [each.state for each in seen] == ["serving", "stopping"]
    assert [(each.pid, each.state) for each in seen[0].workers] == [(1, "serves")]


def test_worker_is_given_a_row_and_the_address(make):
    parent = make(TOLD)
    parent.run(parent.serve(1), parent.send(signal.SIGTERM), parent.die(1))
    station = parent.supervisor.station

    assert station.row == 1
    assert station.sockets == parent.supervisor.edition.listening.aside
    assert len(station.sockets) == 1


def test_workers_in_the_place_of_dead_ones_are_counted(make):
    parent = make(TOLD)
    parent.run(
        parent.serve(1),
        parent.die(1, code=-9),
        parent.serve(2),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert numbers_of(parent).restarts == 1
    assert parent.supervisor.station.row == 1  # that of the first, which is kept elsewhere


def test_workers_in_the_place_of_blocked_ones_are_counted_once(make, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait():
        now[0] += 30.5

    parent = make(TOLD)
    parent.run(
        parent.serve(1),
        wait,
        lambda: None,
        parent.die(1, code=-6),
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert (signal.SIGABRT, 1) in parent.processes.log
    assert numbers_of(parent).restarts == 1


def test_who_looks_on_has_them_too(make, tmp_path):
    parent = make(Settings(bind=BIND, live=Live(control=str(tmp_path / "ctl"))))
    parent.run(parent.serve(1), parent.send(signal.SIGTERM), parent.die(1))

    assert parent.supervisor.station.sockets == []


def test_nothing_is_kept_where_nobody_asks(make):
    parent = make(ONE)
    parent.run(parent.serve(1), parent.send(signal.SIGTERM), parent.die(1))

    assert parent.supervisor.station is None
