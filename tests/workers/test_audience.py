from __future__ import annotations

import selectors
import socket
from contextlib import closing
from dataclasses import replace
from math import inf

import pytest

from aioserve.errors import BindError
from aioserve.live.paths import Report
from aioserve.live.settings import Live
from aioserve.live.stream import Stream
from aioserve.observe.snapshot import ErrorSnapshot, PathSnapshot, Snapshot, WorkerSnapshot
from aioserve.settings import Logs, Settings
from aioserve.workers import audience as module
from aioserve.workers.audience import Audience

NOW = Snapshot(time=5.0, started=1.0, workers=(WorkerSnapshot(7, "serves"),))


class FakeStage:
    """A stage that keeps what it is told."""

    error = None
    has_output = True

    def __init__(self, *, is_coloured):
        self.is_coloured = is_coloured
        self.is_on = False
        self.told = []

    def attend(self, _selector, on_quit):
        self.on_quit = on_quit

    def begin(self):
        self.told.append("begin")
        if self.error:
            raise self.error
        self.is_on = True

    def tell(self, line):
        self.told.append(Snapshot.from_line(line))

    def close(self, *, is_copy):
        self.told.append(("close", is_copy))


@pytest.fixture(autouse=True)
def _stage(monkeypatch):
    monkeypatch.setattr(module, "Stage", FakeStage)
    monkeypatch.setattr(module, "has_terminal", lambda: True)
    monkeypatch.setattr(FakeStage, "error", None)
    monkeypatch.setattr(FakeStage, "has_output", True)


@pytest.fixture
def make():
    """Make those who look on at a server with these options."""
    made = []

    def make(**live):
        selector = selectors.DefaultSelector()
        audience = Audience(Settings(live=Live(**live), logs=Logs(color="always")))
        made.append((audience, selector))
        audience.attend(selector, lambda: NOW, lambda: None, lambda: asked.append(None))
        audience.asked = asked
        return audience, selector

    asked = []
    yield make
    for audience, selector in made:
        audience.close()
        selector.close()


def turn(selector):
    for key, _ in selector.select(10):
        key.data()


def test_where_nobody_can_look_on_nothing_is_made(make):
    audience, selector = make()
    audience.begins()
    audience.tell(1e9)

    assert audience.reports is None
    assert audience.next_due() == inf
    assert not selector.get_map()


def test_a_view_begins_once_and_is_told_each_second(make, monkeypatch):
    monkeypatch.setattr(module.time, "monotonic", lambda: 100.0)
    audience, _ = make(live=True)
    stage = audience._stage
    assert audience.next_due() == inf
    audience.begins()
    audience.begins()
    assert stage.told == ["begin", NOW]
    assert stage.is_coloured

    assert audience.next_due() == 99.95
    audience.tell(99.0)
    assert audience.asked == []
    audience.tell(99.96)
    assert (len(audience.asked), audience.next_due()) == (1, pytest.approx(100.01))
    assert stage.told == ["begin", NOW]
    audience.tell(100.02)
    assert stage.told == ["begin", NOW, NOW]
    assert audience.next_due() == pytest.approx(100.96)
    audience.tell(100.5)
    assert len(audience.asked) == 1


def test_after_a_pause_workers_have_their_time_and_nothing_comes_all_at_once(make):
    audience, _ = make(live=True)
    stage = audience._stage
    audience.begins()
    for now in (5e8, 5e8, 5e8 + 0.1, 5e8 + 0.1):
        audience.tell(now)

    assert len(audience.asked) == 1
    assert stage.told == ["begin", NOW, NOW]
    assert audience.next_due() == 5e8 + 1.0


def test_a_view_that_cannot_begin_is_told_of(make, monkeypatch, caplog):
    monkeypatch.setattr(FakeStage, "error", OSError(12, "Cannot allocate memory"))
    audience, _ = make(live=True)
    audience.begins()

    assert caplog.messages == ["there is no view: Cannot allocate memory"]
    assert audience.next_due() == inf


def test_without_a_terminal_one_line_says_so(make, monkeypatch, caplog):
    monkeypatch.setattr(module, "has_terminal", lambda: False)
    audience, _ = make(live=True)

    assert caplog.messages == ["--live needs a terminal of its own; the server runs without the view"]
    assert audience.reports is None


def test_who_attaches_is_told(make, tmp_path):
    path = str(tmp_path / "ctl")
    audience, selector = make(control=path)
    assert audience.next_due() == inf
    audience.tell(1e9)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        turn(selector)
        stream = Stream(client)

        assert list(stream.read()) == [NOW]
        audience.tell(audience.next_due())
        audience.tell(audience.next_due())
        assert list(stream.read()) == [NOW]


def test_what_workers_report_is_in_the_snapshots(make):
    audience, selector = make(live=True)
    path, error = PathSnapshot("/a", 1, 1.0, 1.0), ErrorSnapshot(1.0, 500, "GET /a")
    audience.reports.send(Report(7, (path,), (error,)))
    turn(selector)
    audience.begins()

    assert audience._stage.told[-1] == replace(NOW, paths=(path,), errors=(error,))


def test_control_socket_that_cannot_be_had_is_an_error(tmp_path):
    with pytest.raises(BindError, match="--control: cannot listen on unix:"):
        Audience(Settings(live=Live(control=str(tmp_path / "none" / "ctl"))))


@pytest.mark.parametrize(
    ("live", "file", "has_output", "is_quiet"),
    [
        (True, "-", True, True),
        (True, "-", False, False),
        (True, "access.log", True, False),
        (False, "-", True, False),
    ],
)
def test_there_is_no_access_log_in_the_picture(make, monkeypatch, live, file, has_output, is_quiet):
    monkeypatch.setattr(FakeStage, "has_output", has_output)
    audience, _ = make(live=live)
    settings = Settings(logs=Logs(access_log_file=file))

    assert audience.quieten(settings).logs.access_log is not is_quiet


def test_a_worker_leaves_the_file_and_keeps_its_reports(tmp_path):
    audience = Audience(Settings(live=Live(live=True, control=str(tmp_path / "ctl"))))
    audience.close(is_copy=True)

    assert (tmp_path / "ctl").exists()
    assert audience._stage.told == [("close", True)]
    audience.reports.send(Report(7, (), ()))
    with closing(audience.reports) as reports:
        assert list(reports.taken()) == [Report(7, (), ())]
