"""Which requests the access log tells of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.observe.access import Times
from aioserve.observe.selection import Selection


def test_all_are_wanted_where_nothing_is_said(message, record):
    selection = Selection()

    assert selection.wants(record(message()))
    assert selection.wants(record(None, status=400))


@pytest.mark.parametrize(
    ("skip", "path", "status", "is_wanted"),
    [
        (("/health", ""), "/health", 200, False),
        (("/health", ""), "/health?x=/y", 500, False),
        (("/health", ""), "/healthy", 200, True),
        (("/health*", ""), "/health/a/b", 200, False),
        (("*.css", ""), "/a/b.css", 200, False),
        (("*.css", ""), "/a/b.css.map", 200, True),
        (("/[ab]", ""), "/b", 200, False),
        (("/a.c", ""), "/abc", 200, True),
        (("*", "2xx"), "/", 204, False),
        (("*", "2xx"), "/", 304, True),
        (("*", "2xx 304"), "/", 304, False),
        (("*", "200"), "/", 201, True),
    ],
)
def test_what_is_skipped_goes_by_path_and_status(skip, path, status, is_wanted, message, record):
    assert Selection([skip]).wants(record(message(path=path), status=status)) is is_wanted


def test_any_of_several_is_enough(message, record):
    selection = Selection([("/a", ""), ("/b", "404")])

    assert [selection.wants(record(message(path=path))) for path in ("/a", "/b", "/c")] == [False, True, True]


def test_what_is_no_request_is_never_skipped(record):
    assert Selection([("*", "")]).wants(record(None, status=400))


def test_of_all_others_a_share_is_wanted(message, record):
    chances = iter([0.0, 0.009, 0.01, 0.5, 0.999])
    selection = Selection(sample=0.01, chance=lambda: next(chances))

    assert [selection.wants(record(message())) for _ in range(5)] == [True, True, False, False, False]


def test_none_may_be_wanted(message, record):
    assert not Selection(sample=0.0, chance=lambda: 0.0).wants(record(message()))


@pytest.mark.parametrize(("status", "duration"), [(400, 0.1), (404, 0.1), (500, 0.1), (200, 2.0), (302, 2.5)])
def test_errors_and_slow_ones_are_wanted_whatever_the_share(message, record, status, duration):
    selection = Selection(sample=0.0, slow=2.0, chance=lambda: 0.999)

    assert selection.wants(record(message(), status=status, duration=duration))
    assert not selection.wants(record(message(), duration=1.999))


@pytest.mark.parametrize(
    ("times", "text"),
    [
        (None, 'slow: "GET /x HTTP/1.1" 200 took 2.5s'),
        (
            Times(0.0002, 2.4, 0.1),
            'slow: "GET /x HTTP/1.1" 200 took 2.5s: 0.2ms in the queue, 2.4s in the handler, 100.0ms to send',
        ),
    ],
)
def test_slow_ones_are_told_of_also_where_they_are_skipped(message, record, caplog, times, text):
    selection = Selection([("*", "")], slow=2.0)
    selection.wants(record(message(path="/x"), duration=2.5, times=times))
    selection.wants(record(message(path="/x"), duration=1.0))

    assert [(each.levelname, each.message) for each in caplog.records] == [("WARNING", text)]


@given(glob=st.text(min_size=1), path=st.text())
def test_any_glob_and_any_path_can_be_compared(glob, path):
    class Message:
        raw_path = path

    class Record:
        message, status, duration = Message, 200, 0.0

    Selection([(glob, "2xx")]).wants(Record)
