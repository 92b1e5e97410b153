"""What holds for every test."""

from __future__ import annotations

import logging

import pytest

from tests.answers import Answering


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
