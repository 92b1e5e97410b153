"""Answers that are given again count themselves, without a look at whether they should."""

from __future__ import annotations

from aioserve.counting import CountedAnswer, make_ready_answer
from aioserve.observe.counters import Counters
from aioserve.observe.snapshot import WorkerSnapshot
from aioserve.ready import ReadyAnswer
from tests.doubles import request
from tests.pages import Site, said
from tests.wire import GET, on_both_loops

DATE, LATER = b"Date: now\r\n", b"Date: later\r\n"
PARTS = request(), 200, (b"HTTP/1.1 200 OK\r\n" + DATE + b"\r\n", b"body"), DATE, lambda: True


def test_it_tells_of_itself_once_and_counts_on():
    counters = Counters()
    answer = make_ready_answer(counters, *PARTS)

    assert answer.render(DATE).endswith(DATE + b"\r\nbody")
    assert LATER in answer.render(LATER)
    assert LATER in answer.render(LATER)
    assert (answer.given, counters.again) == (3, [answer])

    counters.snapshot(WorkerSnapshot(1, ""))
    answer.render(DATE)

    assert (answer.given, counters.again) == (1, [answer])


def test_where_nobody_asks_it_is_a_plain_one():
    assert type(make_ready_answer(None, *PARTS)) is ReadyAnswer
    assert type(make_ready_answer(Counters(), *PARTS)) is CountedAnswer


@on_both_loops
async def test_each_time_that_a_page_is_given_counts():
    counters = Counters()
    with Site(counters=counters) as site:
        client = site.connect()
        for _ in range(5):
            assert b"page" in said(*client, GET)
        seen = counters.snapshot(WorkerSnapshot(1, ""))

        assert site.pages.asked == 1
        assert (seen.total, seen.cache_hits) == (5, 4)
        assert seen.size_sum % 5 == 0
