from __future__ import annotations

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.messages import HttpVersion11, RequestMessage
from aioserve.live.paths import KEPT, Collected, ExceptionTexts, PathTable, Report, Tally
from aioserve.observe.access import AccessRecord
from aioserve.observe.snapshot import ErrorSnapshot, PathSnapshot


def request_for(path, method="GET"):
    return RequestMessage(method, path, HttpVersion11, b"", b"")


def record_of(message, status=200, duration=0.5):
    return AccessRecord(message, None, status, 0, 0, 1000.0, duration)


def fail(handler, message, error, *args):
    """Log an exception as the server does for a request."""
    try:
        raise error
    except type(error):
        record = logging.LogRecord("aioserve", logging.ERROR, "", 0, "%s", (message, *args), sys.exc_info())
        record.request = message
    handler.handle(record)


# The table


def test_paths_are_counted():
    table = PathTable()
    table.add("/a", 1, 0.5, 0.5)
    table.add("/b", 1, 0.1, 0.1)
    table.add("/b", 2, 0.4, 0.3)

    assert table.top(9) == [PathSnapshot("/b", 3, 0.5, 0.3), PathSnapshot("/a", 1, 0.5, 0.5)]


def test_slow_ones_follow_the_busy_ones():
    table = PathTable()
    for path, count, slowest in (("/a", 9, 0.1), ("/b", 8, 0.1), ("/c", 2, 0.1), ("/d", 1, 7.0)):
        table.add(path, count, slowest, slowest)

    assert [each.path for each in table.top(2)] == ["/a", "/b", "/d", "/c"]


@given(st.lists(st.integers(0, 3 * KEPT)))
def test_table_is_bounded_and_never_counts_what_was_not(numbers):
    table = PathTable()
    for number in [*range(3 * KEPT), *numbers]:
        table.add(str(number), 1, 0.1, 0.1)

    assert len(table._rows) <= 2 * KEPT
    assert all(each.requests <= 1 + numbers.count(int(each.path)) for each in table.top(KEPT))


def test_a_flood_of_new_paths_pushes_out_neither_busy_nor_slow_ones():
    table = PathTable()
    table.add("/busy", 50, 0.1, 0.1)
    table.add("/slow", 1, 9.0, 9.0)
    for number in range(10 * KEPT):
        table.add(f"/{number}", 1, 0.1, 0.1)

    assert table.top(1)[:2] == [PathSnapshot("/busy", 50, 0.1, 0.1), PathSnapshot("/slow", 1, 9.0, 9.0)]


def test_a_path_that_becomes_busy_later_can_stay():
    """What was forgotten could have been this one: it ranks as high as that."""
    table = PathTable()
    for number in range(2 * KEPT):
        table.add(f"/{number}", 5, 0.1, 0.1)
    for number in range(KEPT):
        table.add(f"/late{number}", 1, 0.1, 0.1)
    table.add("/busy", 4, 0.1, 0.1)
    for number in range(2 * KEPT):
        table.add(f"/later{number}", 1, 0.1, 0.1)

    assert "/busy" in table._rows


# A worker


def test_requests_count_without_their_queries():
    tally = Tally()
    tally(record_of(request_for("/a?x=1")))
    tally(record_of(request_for("/a?x=2"), duration=1.5))
    tally(record_of(None, 400))

    assert tally.report(7) == Report(7, (PathSnapshot("/a", 2, 2.0, 1.5),), ())


def test_text_of_clients_is_escaped_and_short():
    tally = Tally()
    tally(record_of(request_for("/\x1b[2J\xe9" + "x" * 500, method="M" * 99), 503))
    report = tally.report(7)

    assert report.paths[0].path.startswith("/\\x1b[2J\\xc3\\xa9x")
    assert len(report.paths[0].path) == 120
    assert report.errors[0].request == "M" * 17 + "... " + report.paths[0].path


def test_errors_are_the_last_ones_with_the_end_of_their_tracebacks():
    tally = Tally()
    for number in range(30):
        tally(record_of(request_for(f"/{number}"), 503))
    message = request_for("/boom")
    fail(tally.errors, message, KeyError("customer"))
    tally(record_of(message, 500))
    tally(record_of(request_for("/ok")))
    errors = tally.report(7).errors

    assert len(errors) == 20
    assert errors[:2] == (
        ErrorSnapshot(1000.5, 500, "GET /boom", "KeyError: 'customer'"),
        ErrorSnapshot(1000.5, 503, "GET /29"),
    )


def test_an_exception_after_the_head_of_the_answer_is_an_error_whatever_its_status():
    tally = Tally()
    message = request_for("/half")
    fail(tally.errors, message, ValueError("one\ntwo\x1b"), "more")
    tally(record_of(message, 200))

    assert tally.report(7).errors == (ErrorSnapshot(1000.5, 200, "GET /half", "two\\x1b"),)


class OddError(Exception):
    def __str__(self):
        raise RuntimeError


def test_exceptions_are_claimed_once_and_bounded():
    texts = ExceptionTexts()
    messages = [request_for(f"/{number}") for number in range(100)]
    for message in messages:
        fail(texts, message, OddError())

    assert texts.claim(messages[0]) == ""
    assert "OddError" in texts.claim(messages[-1])
    assert texts.claim(messages[-1]) == ""


def test_exceptions_whose_text_cannot_be_had_have_their_name(monkeypatch):
    monkeypatch.setattr("aioserve.live.paths.traceback.format_exception_only", lambda _error: [])
    texts = ExceptionTexts()
    message = request_for("/")
    fail(texts, message, OddError())

    assert texts.claim(message) == "OddError"


def test_messages_of_others_are_left_alone():
    texts = ExceptionTexts()
    texts.emit(logging.LogRecord("a", logging.ERROR, "", 0, "x", None, None))
    record = logging.LogRecord("a", logging.ERROR, "", 0, "x", None, (KeyError, KeyError(), None))
    texts.emit(record)

    assert texts._texts == {}


# All together


def test_report_comes_back_from_its_line():
    report = Report(7, (PathSnapshot("/a", 2, 2.0, 1.5),), (ErrorSnapshot(1.0, 500, "GET /a", "x"),))

    assert Report.from_line(report.to_line()) == report


@pytest.mark.parametrize("line", [b"", b"[1,2]", b"7", b"[1,[[1]],[]]"])
def test_anything_else_is_no_report(line):
    with pytest.raises(ValueError, match=r"no report|Expecting|values to unpack"):
        Report.from_line(line)


def test_reports_of_workers_add_up_and_outlive_them():
    collected = Collected()
    collected.take(Report(1, (PathSnapshot("/a", 1, 1.0, 1.0),), (ErrorSnapshot(1.0, 500, "GET /a"),)))
    collected.take(Report(1, (PathSnapshot("/a", 2, 2.0, 1.0),), (ErrorSnapshot(1.0, 500, "GET /a"),)))
    collected.take(Report(2, (PathSnapshot("/a", 3, 1.0, 0.5),), (ErrorSnapshot(2.0, 500, "GET /b"),)))

    for alive in ({1, 2}, {2}, set()):
        collected.settle(alive)

        assert collected.paths == (PathSnapshot("/a", 5, 3.0, 1.0),)
        assert [each.request for each in collected.errors] == ["GET /b", "GET /a"]


def test_reports_are_small_whatever_clients_ask_for():
    tally = Tally()
    for number in range(1000):
        tally(record_of(request_for(f"/{number}/" + "\x00" * 1000, method="\x00" * 99), 500))

    assert len(tally.report(7).to_line()) < 40_000
