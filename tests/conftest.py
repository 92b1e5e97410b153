"""What holds for every test."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from aioserve.settings import Process
from tests.answers import Answering
from tests.running import LOOPS, Clients

# A machine that has other things to do is slow, and no test says anything about the speed of one.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


@pytest.fixture(autouse=True)
def loggers_are_left_as_they_were():
    """A test that leaves a logger changed makes another one fail, some day, in some order."""
    loggers = [logging.getLogger(name) for name in ("aioserve", "aioserve.server", "aioserve.access")]
    before = [(each.level, each.propagate, each.disabled) for each in loggers]
    yield
    after = [(each.level, each.propagate, each.disabled) for each in loggers]
    for each, values in zip(loggers, before, strict=True):
        each.level, each.propagate, each.disabled = values
    assert after == before


@pytest.fixture
def answering():
    """The answer to a GET, and what a client sees of it."""
    return Answering()


@pytest.fixture
def writer(answering):
    """The writer of that answer."""
    return answering.writer


@pytest.fixture
def own_folder(monkeypatch, tmp_path):
    """A folder of one's own to be in, and no options of the person testing."""
    for name in [name for name in os.environ if name.startswith("AIOSERVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def _handlers(monkeypatch):
    """Leave the handlers of the process, and pytest-timeout's timer, as they were."""
    monkeypatch.setattr(os, "_exit", lambda code: pytest.exit(f"the runner ended the process: {code}"))
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def process(request):
    """Each event loop in turn."""
    return Process(uvloop=request.param)


@pytest.fixture
def clients():
    with ExitStack() as opened:
        yield Clients(opened)
