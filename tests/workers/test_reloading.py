"""A reload with real editions and a real fleet; the supervisor's tests have the whole story."""

from __future__ import annotations

import logging
import os
from math import inf

import pytest

from aioserve.errors import ConfigurationError
from aioserve.settings import Application, Bind, Process, Settings, Timeouts
from aioserve.workers.editions import Editions
from aioserve.workers.fleet import Fleet, State, Times
from aioserve.workers.reloading import Reloading, size_of, times_of
from aioserve.workers.sources import sources_of
from tests.workers.parent import FakeLookout, FakePublicity

BIND = Bind("127.0.0.1", 0)
OLD = Settings(bind=BIND, timeouts=Timeouts(worker=0.0))
NEW = Settings(
    bind=BIND,
    application=Application("app:Handler"),
    process=Process(workers=3, reload=True),
    timeouts=Timeouts(worker=5.0, shutdown=1.0),
)


class Scene:
    """A reload and what it changes.

    Attributes:
        again: the settings that are read the next time, or what is raised then.
    """

    def __init__(self):
        self.again = NEW
        self.editions = Editions(OLD, self.read)
        self.fleet = Fleet(1, Times())
        self.public = FakePublicity(OLD, None)
        self.lookout = FakeLookout(None, None)
        self.reloading = Reloading(self.editions, self.fleet, self.public, self.lookout)
        self.fleet.started(1, 0.0, 0)
        self.fleet.serves(1, 0.0)

    def read(self):
        if isinstance(self.again, Exception):
            raise self.again
        return self.again


@pytest.fixture
def scene(caplog):
    caplog.set_level(logging.INFO)
    scene = Scene()
    yield scene
    scene.editions.forget()


def test_all_parts_follow_the_new_settings_from_the_beginning(scene, caplog):
    scene.reloading.begin("app.py changed: reloading")

    assert scene.editions.current.settings is NEW
    assert (scene.fleet.size, scene.fleet.generation) == (3, 1)
    assert scene.fleet._times == times_of(NEW)
    assert scene.public.followed is NEW
    assert scene.lookout.log == [sources_of(NEW)]
    assert caplog.messages == ["app.py changed: reloading"]


def test_end_is_said_once(scene, caplog):
    assert not scene.reloading.end()

    scene.reloading.begin()
    assert scene.reloading.end()
    assert not scene.reloading.end()
    assert caplog.messages == ["reloading", "reloaded"]


def test_number_of_workers_that_signals_have_made_stays_where_the_settings_name_the_same(scene):
    scene.fleet.size = 7
    scene.again = OLD
    scene.reloading.begin()

    assert scene.fleet.size == 7


def test_settings_that_are_wrong_change_nothing(scene, caplog):
    scene.again = ConfigurationError("unknown key")
    scene.reloading.begin()

    assert scene.editions.current.settings is OLD
    assert scene.fleet.generation == 0
    assert scene.public.log == ["reloads", "goes_on"]
    assert caplog.messages == ["not reloaded: unknown key"]
    assert not scene.reloading.end()


def test_settings_that_are_wrong_do_not_end_what_has_begun(scene):
    scene.reloading.begin()
    scene.again = ConfigurationError("unknown key")
    scene.reloading.begin()

    assert "goes_on" not in scene.public.log
    assert scene.reloading.end()


@pytest.mark.parametrize("is_stopping", [False, True])
def test_all_parts_go_back_if_no_worker_can_start(scene, is_stopping):
    scene.reloading.begin()
    if is_stopping:
        scene.fleet.stop(0.0, 5.0)
    scene.reloading.give_up()

    assert scene.editions.current.settings is OLD
    assert scene.public.followed is OLD
    assert scene.lookout.log[-1] is None
    assert ("goes_on" in scene.public.log) is not is_stopping
    assert not scene.reloading.end()


def test_nothing_begins_while_it_stops(scene):
    scene.fleet.stop(0.0)
    scene.reloading.begin()

    assert scene.public.log == []
    assert scene.editions.current.settings is OLD


def test_auto_is_one_worker_for_each_processor(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2})

    assert size_of(Settings(process=Process(workers=0))) == 3
    assert size_of(Settings(process=Process(workers=2))) == 2


def test_with_a_debugger_a_worker_may_be_silent_for_ever():
    assert times_of(Settings(process=Process(debug=True))).worker == inf
    assert times_of(Settings(timeouts=Timeouts(worker=0.0))).worker == inf
    assert times_of(Settings(timeouts=Timeouts(worker=7.0))).worker == 7.0


def test_worker_has_its_time_to_come_to_serve():
    assert times_of(Settings()).start == 60.0
    assert times_of(Settings(timeouts=Timeouts(start=0.0))).start == inf
    assert times_of(Settings(process=Process(debug=True))).start == inf


def test_old_workers_have_all_the_time_that_they_need_but_for_development():
    timeouts = Timeouts(shutdown=7.0)

    assert times_of(Settings(timeouts=timeouts)).retire == inf
    assert times_of(Settings(process=Process(reload=True), timeouts=timeouts)).retire == 7.0


def test_old_workers_that_are_still_there_are_told_of(scene, caplog):
    scene.fleet.workers[1].state = State.RETIRING
    scene.reloading.begin()

    assert caplog.messages == ["reloading", "old workers that still finish what they have: 1"]
