"""Which of a connection's times has run out; a fake clock moves the real ticker."""

from __future__ import annotations

from math import inf

import pytest

from aioserve.deadlines import LEAST_RATE, Deadlines, Due
from aioserve.outgoing import Outgoing
from aioserve.ticker import Ticker
from tests.doubles import FakeLoop, FakeTransport

ENOUGH = LEAST_RATE * 60  # bytes to take in a minute
TICK = 0.5  # seconds; what runs out is noticed at most two of them too late


class Watched:
    """A connection that does nothing but note what ran out, and when.

    Attributes:
        told: a pair of the time and what ran out, for each time that something did.
    """

    def __init__(self, write_timeout=60.0):
        self.loop = FakeLoop()
        self.transport = FakeTransport()
        self.outgoing = Outgoing(self.transport, self.loop)
        self.ticker = Ticker(self.loop)
        self.deadlines = Deadlines(self.ticker, self.outgoing, write_timeout)
        self.told = []
        self.ticker.add(self, 75)

    def check_deadline(self, now):
        self.deadlines.look_whether_taken(now)
        if (due := self.deadlines.check(now)) is not Due.NOTHING:
            self.told.append((now, due))

    def write(self, size):
        """Give the transport bytes of which the system takes none."""
        self.transport.unsent += size
        self.outgoing.send(bytes(size))


def noticed(seconds):
    """When something is noticed that runs out after so many seconds."""
    return pytest.approx(seconds + TICK, abs=TICK * 1.01)


# What the connection is doing


@pytest.mark.parametrize(("before", "after"), [(75, 15), (10, 10), (0, 15)])
def test_time_is_made_shorter_and_never_longer(before, after):
    watched = Watched()
    watched.deadlines.set(before)
    watched.deadlines.shorten(15)
    watched.loop.advance(600)

    assert watched.told == [(noticed(after), Due.STATE)]


def test_nothing_runs_out_where_nothing_was_set():
    watched = Watched()
    watched.loop.advance(600)

    assert watched.told == []
    assert not watched.deadlines.is_set


def test_a_time_runs_out_once():
    watched = Watched()
    watched.loop.advance(5)
    watched.deadlines.set(30)
    assert watched.deadlines.is_set
    watched.loop.advance(600)

    assert watched.told == [(noticed(35), Due.STATE)]
    assert not watched.deadlines.is_set


@pytest.mark.parametrize("seconds", [0, 0.0, None, False])
def test_no_time_is_no_limit(seconds):
    watched = Watched()
    watched.deadlines.set(30)
    watched.deadlines.set(seconds)
    watched.loop.advance(600)

    assert watched.told == []


def test_the_last_time_that_was_set_counts():
    watched = Watched()
    watched.deadlines.set(10)
    watched.loop.advance(8)
    watched.deadlines.set(10)
    watched.loop.advance(9)
    assert watched.told == []
    watched.deadlines.set(0.5)
    watched.loop.advance(600)

    assert watched.told == [(noticed(17.5), Due.STATE)]


def test_a_time_that_was_cleared_does_not_run_out():
    watched = Watched()
    watched.deadlines.set(1)
    watched.deadlines.clear()
    assert not watched.deadlines.is_set
    watched.loop.advance(600)

    assert watched.told == []


def test_a_time_may_be_endless():
    watched = Watched()
    watched.deadlines.set(inf)
    watched.loop.advance(600)

    assert watched.told == []


# A body that comes


def test_a_body_that_pauses_runs_out_of_time():
    watched = Watched()
    watched.deadlines.expect(30, 1_000_000)
    watched.loop.advance(600)

    assert watched.told == [(noticed(30), Due.STATE)]


def test_a_body_that_comes_fast_enough_does_not():
    watched = Watched()
    for _ in range(600):
        watched.deadlines.expect(30, LEAST_RATE + 10)
        watched.loop.advance(1)

    assert watched.told == []


def test_a_body_that_comes_byte_by_byte_does():
    watched = Watched()
    for _ in range(29):
        watched.deadlines.expect(30, LEAST_RATE - 20)
        watched.loop.advance(1)
    assert watched.told == []
    watched.loop.advance(3)

    assert watched.told == [(noticed(30), Due.STATE)]


@pytest.mark.parametrize("interrupt", [Deadlines.clear, lambda deadlines: deadlines.set(60)])
def test_time_in_which_nothing_is_expected_does_not_count(interrupt):
    watched = Watched()
    for _ in range(10):
        watched.deadlines.expect(30, 1)
        watched.loop.advance(20)
        interrupt(watched.deadlines)

    assert watched.told == []


def test_without_a_time_a_body_may_take_for_ever():
    watched = Watched()
    watched.deadlines.expect(0, 0)
    watched.loop.advance(600)

    assert watched.told == []


# The handler


def test_a_handler_has_its_time_from_when_it_was_given():
    watched = Watched()
    watched.deadlines.answer_in(10)
    watched.loop.advance(5)
    watched.deadlines.answer_in(10)
    watched.deadlines.set(1000)
    watched.loop.advance(600)

    assert watched.told == [(noticed(15), Due.ANSWER)]
    assert watched.deadlines.state == noticed(1005)


def test_an_answer_takes_that_time_away():
    watched = Watched()
    watched.deadlines.answer_in(10)
    watched.deadlines.answer_in(0)
    watched.loop.advance(600)

    assert watched.told == []


# The end of the server


def test_what_is_left_until_the_end_is_no_more_than_was_said_first():
    watched = Watched()
    watched.deadlines.close_in(10)
    watched.loop.advance(1)
    watched.deadlines.close_in(60)
    watched.loop.advance(600)

    assert watched.told == [(noticed(10), Due.CLOSE)]


def test_what_is_left_until_the_end_may_become_less():
    watched = Watched()
    watched.deadlines.close_in(60)
    watched.deadlines.close_in(0)
    watched.loop.advance(600)

    assert watched.told == [(noticed(0), Due.CLOSE)]


def test_the_end_comes_whatever_the_connection_is_doing():
    watched = Watched()
    watched.deadlines.close_in(10)
    for _ in range(12):
        watched.deadlines.set(5)
        watched.loop.advance(1)
    watched.deadlines.clear()
    watched.loop.advance(600)

    assert watched.told == [(noticed(10), Due.CLOSE)]


def test_both_are_told_and_the_end_first():
    watched = Watched()
    watched.deadlines.set(1)
    watched.deadlines.close_in(1)
    watched.loop.advance(600)

    assert [due for _, due in watched.told] == [Due.CLOSE, Due.STATE]


# The end of the server, and a client that has all of its answers


@pytest.mark.parametrize(
    ("seconds", "patiently", "left"), [(10, False, 1), (0.2, False, 0.2), (10, True, 10)]
)
def test_a_client_that_has_everything_has_a_moment_left(seconds, patiently, left):
    watched = Watched()
    watched.deadlines.stop(seconds, patiently=patiently)
    watched.deadlines.close_once_taken()
    watched.loop.advance(600)

    assert watched.told == [(noticed(left), Due.CLOSE)]


@pytest.mark.parametrize(("patiently", "left"), [(False, 1), (True, 30)])
def test_that_begins_when_it_is_seen_to_have_everything(patiently, left):
    """Its system may say so 40 ms after the server was told to stop, and it has no more time for that."""
    watched = Watched(write_timeout=0)
    watched.write(10)
    watched.deadlines.stop(30, patiently=patiently)
    watched.deadlines.close_once_taken()
    watched.loop.advance(4.9)
    assert watched.told == []
    watched.transport.unsent = 0
    watched.loop.advance(600)

    assert watched.told == [(noticed(5 + left), Due.CLOSE)]


@pytest.mark.parametrize(("patiently", "told"), [(False, [(noticed(30), Due.CLOSE)]), (True, [])])
def test_a_client_that_still_takes_its_answer_has_all_the_time_or_with_patience_any(patiently, told):
    watched = Watched(write_timeout=0)
    watched.write(10)
    watched.deadlines.stop(30, patiently=patiently)
    watched.deadlines.close_once_taken()
    watched.loop.advance(600)

    assert watched.told == told


def test_where_nothing_is_to_stop_no_moment_has_an_end():
    watched = Watched()
    watched.deadlines.close_once_taken()
    watched.loop.advance(600)

    assert watched.told == []


def test_an_answer_that_is_still_being_made_is_not_taken():
    watched = Watched()
    watched.deadlines.stop(30, patiently=False)
    watched.loop.advance(600)

    assert watched.told == [(noticed(30), Due.CLOSE)]


# A client that does not read


def test_a_client_that_takes_nothing_is_told_once():
    watched = Watched(write_timeout=60)
    watched.write(1000)
    watched.loop.advance(600)

    assert watched.told == [(noticed(60), Due.PROGRESS)]


def test_a_client_that_takes_enough_in_time_may_go_on():
    watched = Watched(write_timeout=60)
    watched.write(20 * ENOUGH)
    for _ in range(9):
        watched.loop.advance(59)
        watched.transport.unsent -= ENOUGH
    assert watched.told == []
    watched.loop.advance(600)

    assert watched.told == [(noticed(9 * 59 + 60), Due.PROGRESS)]


def test_a_client_that_takes_a_little_now_and_then_may_not_for_long():
    watched = Watched(write_timeout=60)
    watched.write(20 * ENOUGH)
    for _ in range(299):
        watched.loop.advance(1)
        watched.transport.unsent -= LEAST_RATE - 20
    assert watched.told == []
    watched.loop.advance(600)

    assert watched.told == [(noticed(300), Due.PROGRESS)]


def test_a_client_that_takes_it_in_large_steps_may():
    watched = Watched(write_timeout=60)
    watched.write(100 * ENOUGH)
    for _ in range(20):
        watched.loop.advance(50)
        watched.transport.unsent -= ENOUGH

    assert watched.told == []


def test_more_to_send_gives_no_more_time():
    watched = Watched(write_timeout=60)
    for _ in range(100):
        watched.write(10)
        watched.loop.advance(1)

    assert watched.told == [(noticed(60), Due.PROGRESS)]


def test_a_client_has_all_its_time_again_after_it_took_everything():
    watched = Watched(write_timeout=60)
    watched.write(10)
    watched.loop.advance(59)
    watched.transport.unsent = 0
    watched.loop.advance(1000)
    watched.write(10)
    watched.loop.advance(59)
    assert watched.told == []
    watched.loop.advance(600)

    assert watched.told == [(noticed(1119), Due.PROGRESS)]


def test_without_a_write_timeout_a_client_may_take_nothing_for_ever():
    watched = Watched(write_timeout=0)
    watched.write(10)
    watched.loop.advance(600)

    assert watched.told == []


def test_a_client_with_nothing_to_read_cannot_be_late():
    watched = Watched(write_timeout=60)
    watched.outgoing.send(b"taken at once")
    watched.loop.advance(600)

    assert watched.told == []
