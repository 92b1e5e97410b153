"""What the tests of the supervisor share."""

from __future__ import annotations

import pytest

from aioserve.workers import supervisor as module
from tests.workers.parent import (
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
