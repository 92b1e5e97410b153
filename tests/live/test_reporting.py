from __future__ import annotations

import logging
import os
from contextlib import closing

import pytest

from aioserve.live.paths import Report
from aioserve.live.reporting import Reporter, Reports
from aioserve.observe.access import AccessRecord
from aioserve.observe.snapshot import PathSnapshot
from tests.live.test_paths import request_for

EMPTY = Report(os.getpid(), (), ())


@pytest.fixture
def reports():
    with closing(Reports()) as reports:
        yield reports


@pytest.fixture
def later():
    """What is to be called later, and when."""
    return []


@pytest.fixture
def reporter(reports, later):
    reporter = Reporter(reports, lambda *when: later.append(when))
    yield reporter
    reporter.close()


@pytest.mark.usefixtures("reporter")
def test_a_report_comes_each_second(reports, later):
    assert list(reports.taken()) == [EMPTY]
    ((seconds, again),) = later
    again()

    assert seconds == 1.0
    assert list(reports.taken()) == [EMPTY]
    assert len(later) == 2


def test_records_go_to_both(reporter, reports, later):
    others = []
    record = AccessRecord(request_for("/a"), None, 200, 0, 0, 1.0, 0.5)
    reporter.beside(others.append)(record)
    reporter.beside(None)(record)
    later[0][1]()

    assert others == [record]
    assert list(reports.taken())[-1].paths == (PathSnapshot("/a", 2, 1.0, 0.5),)


def test_it_hears_of_exceptions_until_it_is_closed(reports, later):
    logger = logging.getLogger("aioserve")
    before = list(logger.handlers)
    reporter = Reporter(reports, lambda *when: later.append(when))

    assert len(logger.handlers) == len(before) + 1
    fileno = reports._reading.fileno()
    reporter._reports = type("Kept", (), {"send": reports.send, "close": lambda _self: None})()
    reporter.close()
    later[0][1]()

    assert logger.handlers == before
    assert reports.fileno() == fileno
    assert list(reports.taken()) == [EMPTY, EMPTY]
    assert len(later) == 1


def test_nobody_waits_for_a_parent_that_does_not_read(reports):
    big = Report(1, tuple(PathSnapshot("/" * 120, 1, 1.0, 1.0) for _ in range(80)), ())
    for _ in range(200):
        reports.send(big)
    taken = list(reports.taken())

    assert 0 < len(taken) < 200
    assert set(taken) == {big}
