from __future__ import annotations

import os
import time
from contextlib import closing

import pytest

from aioserve import __version__
from aioserve.listen.addresses import TcpAddress
from aioserve.listen.sockets import bind_sockets, format_address
from aioserve.observe.board import read_board
from aioserve.observe.snapshot import Snapshot, WorkerSnapshot
from aioserve.settings import Application, Bind, Metrics, Settings, Tls
from aioserve.workers.editions import Edition
from aioserve.workers.fleet import Fleet, Times
from aioserve.workers.portrait import Portrait


class FakeEditions:
    """What is served."""

    def __init__(self, settings, listening):
        self.current = Edition(settings, listening)


@pytest.fixture
def listening():
    with closing(bind_sockets(Bind("127.0.0.1", 0))) as listening:
        yield listening


@pytest.fixture
def fleet():
    return Fleet(2, Times(shutdown=1.0))


def test_it_tells_what_the_parent_knows(listening, fleet):
    portrait = Portrait(fleet, FakeEditions(Settings(application=Application("app:Handler")), listening))
    now = time.monotonic()
    fleet.started(os.getpid(), now, 0)
    fleet.serves(os.getpid(), now)
    fleet.started(2**22 + 1, now, 0)  # of which there is no process
    fleet.restarts = 3
    snapshot = portrait()

    assert snapshot.state == "serving"
    assert snapshot.version == __version__
    assert snapshot.addresses == (format_address(listening.sockets[0], "http"),)
    assert snapshot.served == ("app:Handler",)
    assert snapshot.restarts == 3
    assert snapshot.started <= snapshot.time
    own, other = snapshot.workers
    assert (own.pid, own.state, other.state) == (os.getpid(), "serves", "loads the application")
    assert own.rss > 1_000_000
    assert other.rss == 0
    assert 0 <= own.heard < 60


def test_what_workers_count_is_in_it_where_somebody_may_look(listening, fleet):
    portrait = Portrait(fleet, FakeEditions(Settings(), listening), is_watched=True)
    for pid in (1, 2):
        portrait.prepare()
        fleet.started(pid, 1.0, 0)
        portrait.started(pid)
        line = Snapshot(1.0, 1.0, size_sum=pid, workers=(WorkerSnapshot(pid, "", pid),)).to_line()
        portrait.station.board.write(portrait.station.row, line)
    fleet.gone(1, 2.0)
    portrait.gone(1)
    portrait.tell()

    for seen in (portrait(), read_board(portrait.station.board)):
        assert (seen.size_sum, seen.version) == (3, __version__)
        assert [(each.pid, each.requests, each.state) for each in seen.workers] == [
            (2, 2, "loads the application")
        ]


def test_nothing_is_counted_until_an_address_is_asked_for_and_then_to_the_end(listening, fleet):
    editions = FakeEditions(Settings(), listening)
    portrait = Portrait(fleet, editions)
    stations = []
    for address in (None, TcpAddress("127.0.0.1", 0), None):
        editions.current = Edition(Settings(metrics=Metrics(address)), listening)
        portrait.prepare()
        portrait.started(len(stations))
        portrait.tell()
        portrait.gone(7)
        stations.append(portrait.station)

    assert stations[0] is None
    assert [each.row for each in stations[1:]] == [1, 2]


def test_the_end_is_told_and_addresses_stay_when_their_sockets_are_closed(listening, fleet):
    portrait = Portrait(fleet, FakeEditions(Settings(tls=Tls(self_signed=True)), listening))
    before = portrait().addresses
    fleet.stop(1.0)
    listening.close()

    assert portrait().state == "stopping"
    assert portrait().addresses == before
    assert before[0].startswith("https://")


def test_a_reload_is_told(listening, fleet):
    portrait = Portrait(fleet, FakeEditions(Settings(), listening))
    assert portrait().state == "serving"
    fleet.started(1, 1.0, 0)
    fleet.serves(1, 1.0)
    fleet.reload()
    assert portrait().state == "reloading"
    fleet.started(2, 1.0, 1)
    fleet.serves(2, 1.0)
    list(fleet.plan(1.0))
    assert portrait().state == "reloading"
    fleet.serving[0].generation = 1
    assert portrait().state == "serving"
