"""One clock looks at the deadlines of all connections of a loop, and rests when there are none."""

from __future__ import annotations

import asyncio
import time
from email.utils import parsedate_to_datetime
from math import inf

import pytest

from aioserve.ticker import Ticker
from tests.doubles import FakeLoop
from tests.wire import LOOPS

EPOCH = 784_111_777.0  # RFC 9110 §5.6.7: Sun, 06 Nov 1994 08:49:37 GMT


class FakeConnection:
    """Keeps the times at which its deadline was looked at."""

    def __init__(self, ticker=None, act=lambda _connection: None):
        self.ticker = ticker
        self.act = act
        self.seen = []

    def check_deadline(self, now):
        self.seen.append(now)
        self.act(self)


@pytest.fixture
def loop():
    return FakeLoop()


@pytest.fixture
def ticker(loop):
    return Ticker(loop, lambda: EPOCH + loop.time())


# How often


@pytest.mark.parametrize(
    ("reason", "shortest_timeout", "period"),
    [
        ("a quarter of the timeout", 1.0, 0.25),
        ("never slower than the Date may be old", 75.0, 0.5),
        ("never quicker than is worth the work", 0.001, 0.02),
        ("no timeout at all", 0.0, 0.02),
    ],
)
def test_a_connection_is_looked_at_often_enough_for_its_shortest_timeout(
    loop, ticker, reason, shortest_timeout, period
):
    connection = FakeConnection()
    ticker.add(connection, shortest_timeout)
    loop.advance(3.5 * period)

    assert connection.seen == pytest.approx([period, 2 * period, 3 * period]), reason


def test_the_shortest_of_all_timeouts_counts_and_at_once(loop, ticker):
    patient, hasty = FakeConnection(), FakeConnection()
    ticker.add(patient, 75)
    loop.advance(0.4)
    ticker.add(hasty, 0.4)
    loop.advance(0.25)

    assert hasty.seen == pytest.approx([0.5, 0.6])
    assert patient.seen == pytest.approx([0.4, 0.5, 0.6])
    assert loop.pending == 1


def test_a_longer_timeout_changes_nothing(loop, ticker):
    ticker.add(FakeConnection(), 1)
    loop.advance(0.1)
    ticker.add(FakeConnection(), 75)
    loop.advance(0.2)

    assert ticker.now == 0.25
    assert loop.pending == 1


# What it looks at


def test_a_connection_that_was_discarded_is_not_looked_at(loop, ticker):
    connection = FakeConnection()
    ticker.add(connection, 75)
    loop.advance(1)
    ticker.discard(connection)
    ticker.discard(connection)
    loop.advance(10)

    assert connection.seen == [0.5, 1.0]
    assert ticker.connections == set()


def test_connections_may_come_and_go_while_they_are_looked_at(loop, ticker):
    late = FakeConnection()

    def leave(connection):
        ticker.discard(connection)
        ticker.add(late, 75)

    leaving = [FakeConnection(ticker, leave) for _ in range(2)]
    for each in leaving:
        ticker.add(each, 75)
    loop.advance(1)

    assert [each.seen for each in leaving] == [[0.5], [0.5]]
    assert late.seen == [1.0]
    assert loop.pending == 1


def test_a_connection_that_goes_wrong_does_not_stop_the_clock(loop, ticker):
    def fail(_connection):
        raise ValueError("from a connection")

    failing = FakeConnection(act=fail)
    ticker.add(failing, 75)
    with pytest.raises(ValueError, match="from a connection"):
        loop.advance(0.5)
    ticker.discard(failing)
    other = FakeConnection()
    ticker.add(other, 75)
    loop.advance(0.5)

    assert other.seen == [1.0]


def test_the_time_of_all_can_be_over_and_that_is_before_no_time_at_all(ticker):
    connections = [FakeConnection() for _ in range(2)]
    for each in connections:
        ticker.add(each, 75)
    ticker.end()

    for each in connections:
        (now,) = each.seen
        assert 1e100 < now < inf


# Rest


def test_it_rests_when_there_was_no_connection_for_a_while(loop, ticker):
    connection = FakeConnection()
    ticker.add(connection, 75)
    ticker.discard(connection)
    loop.advance(60)

    assert loop.pending == 0
    assert 5 < ticker.now < 15


def test_it_does_not_rest_while_there_is_one(loop, ticker):
    connection = FakeConnection()
    ticker.add(connection, 75)
    loop.advance(3600)

    assert len(connection.seen) == 7200


def test_it_goes_on_after_a_rest(loop, ticker):
    ticker.add(first := FakeConnection(), 0.1)
    ticker.discard(first)
    loop.advance(60)
    second = FakeConnection()
    ticker.add(second, 75)
    assert (ticker.now, ticker.seconds) == (60, EPOCH + 60)

    loop.advance(1)
    assert second.seen == [60.5, 61.0]  # and the period of long ago is forgotten


def test_it_rests_again_and_again(loop, ticker):
    for _ in range(3):
        connection = FakeConnection()
        ticker.add(connection, 75)
        loop.advance(30)
        assert len(connection.seen) == 60
        ticker.discard(connection)
        loop.advance(30)
        assert loop.pending == 0


# What it tells


def test_it_tells_nothing_before_there_is_a_connection(loop, ticker):
    assert (ticker.now, ticker.seconds, ticker.date) == (0.0, 0.0, b"")
    assert loop.pending == 0


def test_the_first_answer_already_has_a_date(ticker):
    ticker.add(FakeConnection(), 75)

    assert ticker.date == b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    assert ticker.seconds == EPOCH


def test_the_date_is_at_most_half_a_second_old(loop, ticker):
    ticker.add(FakeConnection(), 75)
    for _ in range(100):
        loop.advance(0.07)
        told = parsedate_to_datetime(ticker.date.removeprefix(b"Date: ").strip().decode()).timestamp()
        assert told <= EPOCH + loop.time()
        assert EPOCH + loop.time() - told < 1.5  # a Date has whole seconds
        assert loop.time() - ticker.now <= 0.5


def test_a_deadline_never_comes_too_early_and_hardly_too_late(loop, ticker):
    ticker.add(FakeConnection(), 8)
    for _ in range(50):
        loop.advance(0.13)
        assert 2 <= ticker.deadline_in(2) - loop.time() <= 2.5


def test_the_time_in_which_the_loop_was_blocked_hardly_counts_and_the_date_is_right(loop, ticker):
    """What clients sent meanwhile has not been heard yet, so their deadlines have not passed."""
    ticker.add(connection := FakeConnection(), 75)
    loop.advance(1)
    deadline = ticker.deadline_in(30)
    loop.block(3600)
    loop.turn()
    assert ticker.date == b"Date: Sun, 06 Nov 1994 09:49:38 GMT\r\n"
    assert connection.seen[-1] <= 2
    loop.advance(28)
    assert connection.seen[-1] < deadline
    loop.advance(2)

    assert connection.seen[-1] >= deadline


@pytest.mark.parametrize("make_loop", LOOPS)
def test_a_real_loop_ticks(make_loop):
    with asyncio.Runner(loop_factory=make_loop) as runner:
        loop = runner.get_loop()
        ticker = Ticker(loop)
        looked_at = loop.create_future()

        async def main():
            before = time.time()
            ticker.add(FakeConnection(act=lambda _: looked_at.done() or looked_at.set_result(None)), 0.001)
            await looked_at
            assert before - 1 <= ticker.seconds <= time.time() + 1
            assert ticker.now <= loop.time()

        runner.run(main())
