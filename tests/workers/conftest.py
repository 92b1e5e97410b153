"""What the tests of the supervisor share."""

from __future__ import annotations

import signal

import pytest

from aioserve.workers import supervisor as module
from aioserve.workers.signals import GROUP
from tests.workers.parent import (
    FakeLookout,
    FakeManager,
    FakeProcesses,
    FakePublicity,
    FakeSelector,
    FakeSignals,
    Parent,
)


@pytest.fixture
def _fakes(monkeypatch):
    for name, fake in {
        "Processes": FakeProcesses,
        "Lookout": FakeLookout,
        "Publicity": FakePublicity,
        "Signals": FakeSignals,
        "ServiceManager": FakeManager,
    }.items():
        monkeypatch.setattr(module, name, fake)
    monkeypatch.setattr(module.selectors, "DefaultSelector", FakeSelector)


@pytest.fixture
def make(_fakes):
    """Make parents with fakes around them."""
    made = []

    def make(*args):
        made.append(Parent(*args))
        return made[-1]

    yield make
    for parent in made:
        parent.supervisor.close()


@pytest.fixture(autouse=True)
def _signals_of_the_group_are_as_they_were():
    """What a new worker does to them is done in the process of the tests as well."""
    before = {number: signal.getsignal(number) for number in GROUP}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
