"""What a worker is told and says, over a real channel and by real signals, on both loops."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from aioserve.workers.channel import Channel, Order
from aioserve.workers.offspring import OFFSPRING
from aioserve.workers.orders import Orders
from tests.doubles import FakeLoop
from tests.wire import LOOPS

LIMIT = 100.0
SOON = 0.1
GRACE = 2.0
ABOUT_THE_END = [Order.RETIRE, Order.STOP, Order.FORCE]


pytestmark = pytest.mark.usefixtures("_handlers")


class Worker:
    """Orders, and the parent's end of their channel.

    Attributes:
        parent: says orders, and hears.
        orders: of the worker.
    """

    def __init__(self, **settings):
        self.parent, channel = Channel.pair()
        self.orders = Orders(channel, LIMIT, **settings)

    def listen(self):
        self.orders.listen(asyncio.get_running_loop())
        return self.orders

    async def heard(self, number):
        """Wait until the parent has heard so many words, and return them."""
        heard = []
        while len(heard) < number:
            turn = asyncio.Event()
            asyncio.get_running_loop().add_reader(self.parent, turn.set)
            await turn.wait()
            heard += self.parent.heard()
        asyncio.get_running_loop().remove_reader(self.parent)
        return heard

    def close(self):
        self.orders.close()
        self.parent.close()


@pytest.fixture
def make_worker():
    made = []

    def make(**settings):
        made.append(Worker(**settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def worker(make_worker):
    return make_worker()


@pytest.fixture(params=LOOPS, ids=lambda make: make.__module__)
def run(request):
    """Run a coroutine on each event loop in turn."""

    def run(main):
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main())

    return run


def time_left():
    """Return the seconds until the process is ended, or 0."""
    return signal.getitimer(signal.ITIMER_REAL)[0]


# What is heard


@pytest.mark.parametrize("order", ABOUT_THE_END)
def test_order_of_the_parent_about_the_end_is_told(run, worker, order):
    async def main():
        orders = worker.listen()
        worker.parent.say(order)
        return await orders.next()

    assert run(main) is order
    assert time_left() == 0  # the parent sees to it


def test_orders_about_the_end_are_told_in_their_order(run, worker):
    async def main():
        orders = worker.listen()
        for order in ABOUT_THE_END:
            worker.parent.say(order)
        return [await orders.next() for _ in ABOUT_THE_END]

    assert run(main) == ABOUT_THE_END


def test_order_that_came_before_anybody_listened_is_told(run, worker):
    async def main():
        return await worker.listen().next()

    worker.parent.say(Order.RETIRE)

    assert run(main) is Order.RETIRE


def test_other_orders_have_their_functions_called(run, worker):
    async def main():
        orders = worker.listen()
        orders.on(Order.DESCRIBE, lambda: called.append("describe"))
        orders.on(Order.REOPEN, lambda: called.append("reopen"))
        orders.on(Order.REOPEN, lambda: called.append("too"))
        for order in (Order.REOPEN, Order.DESCRIBE, Order.REOPEN, Order.STOP):
            worker.parent.say(order)
        return await orders.next()

    called = []

    assert run(main) is Order.STOP
    assert called == ["reopen", "too", "describe", "reopen", "too"]


@pytest.mark.parametrize("order", [each for each in Order if each not in ABOUT_THE_END])
def test_order_that_nothing_is_done_about_is_not_about_the_end(run, worker, order):
    """A worker that has just begun to listen does not yet know what to do at it."""

    async def main():
        orders = worker.listen()
        worker.parent.say(order)
        worker.parent.say(Order.FORCE)
        return await orders.next()

    assert run(main) is Order.FORCE


@pytest.mark.parametrize("before", [signal.SIG_IGN, signal.SIG_DFL], ids=["ignored", "not ignored"])
def test_sigterm_is_a_wish_to_be_replaced(run, worker, before):
    """systemd sends it to all processes of a service, the parent included: systemd.kill(5)."""

    async def main():
        worker.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        return await worker.heard(1), time_left()

    signal.signal(signal.SIGTERM, before)

    assert run(main) == ([(b"tired", [])], 0)  # it may take all the time that its answers need


def test_end_of_the_parent_is_an_order_to_stop_and_limits_the_time(run, worker):
    async def main():
        orders = worker.listen()
        worker.parent.close()
        told = await orders.next()
        return told, time_left(), asyncio.get_running_loop().remove_reader(orders._channel.fileno())

    told, left, is_read_from = run(main)

    assert told is Order.STOP
    assert 0 < left <= SOON
    assert not is_read_from  # or its end would be there to be read in each turn


def test_what_the_parent_said_before_its_end_is_told_first(run, worker):
    async def main():
        orders = worker.listen()
        worker.parent.say(Order.RETIRE)
        worker.parent.close()
        return [await orders.next(), await orders.next()]

    assert run(main) == [Order.RETIRE, Order.STOP]


# The time


def test_end_of_the_parent_limits_the_time_though_the_loop_stands_still(run, worker, monkeypatch):
    """The system sends SIGTERM then."""

    async def main():
        worker.listen()
        monkeypatch.setattr(os, "getppid", lambda: 1)
        times = [time_left()]
        for number in (signal.SIGTERM, signal.SIGALRM):  # the second as the timer will
            os.kill(os.getpid(), number)
            times.append(time_left())
        return times

    unasked, asked, later = run(main)

    assert unasked == 0
    assert 0 < asked <= SOON
    assert GRACE < later <= LIMIT + GRACE


def test_addresses_are_let_go_where_the_parent_has_gone_and_the_loop_stands_still(run, worker, monkeypatch):
    async def main():
        worker.listen().on_abandoned(lambda: let_go.append("all"))
        monkeypatch.setattr(os, "getppid", lambda: 1)
        for number in (signal.SIGTERM, signal.SIGALRM):
            os.kill(os.getpid(), number)

    let_go = []
    run(main)

    assert let_go == ["all"]


# The end


def test_worker_that_has_stopped_in_time_is_not_ended(run, worker):
    async def main():
        orders = worker.listen()
        worker.parent.close()
        await orders.next()

    run(main)
    assert time_left() > 0
    worker.orders.close()

    assert time_left() == 0


# What is said


def test_parent_is_told_how_the_worker_is(run, worker):
    async def main():
        orders = worker.listen()
        orders.serves()
        orders.tired()
        orders.ended(7, 2)
        return await worker.heard(3)

    assert run(main) == [(b"serves", []), (b"tired", []), (b"ended", [7, 2])]


def test_signs_of_life_come_again_and_again_while_the_loop_goes_round(run, make_worker):
    worker = make_worker(period=0.001)

    async def main():
        worker.listen().serves()
        return await worker.heard(4)

    first, *others = run(main)

    assert first == (b"serves", [])
    assert len(others) >= 3
    assert set(map(repr, others)) == {repr((b"alive", []))}


class Loop(FakeLoop):
    """One that takes no signals and reads nothing."""

    def add_signal_handler(self, number, callback, *args):
        """Never call it."""

    def add_reader(self, fd, callback, *args):
        """Never call it."""


def alive(worker):
    """Count the signs of life since the last time."""
    return [*worker.parent.heard()].count((b"alive", []))


def test_sign_of_life_comes_once_in_each_period_and_not_before_the_worker_serves(make_worker):
    worker, loop = make_worker(period=5.0), Loop()
    worker.orders.listen(loop)
    loop.advance(60.0)
    assert alive(worker) == 0

    worker.orders.serves()
    counts = []
    for seconds in (4.9, 0.1, 4.9, 0.1, 50.0):
        loop.advance(seconds)
        counts.append(alive(worker))
    assert counts == [0, 1, 0, 1, 10]


def test_loop_that_is_blocked_gives_no_sign_of_life(make_worker):
    worker, loop = make_worker(period=5.0), Loop()
    worker.orders.listen(loop)
    worker.orders.serves()
    loop.block(60.0)

    assert alive(worker) == 0
    loop.turn()
    assert alive(worker) == 1


def test_no_sign_of_life_is_given_where_none_is_wanted(worker):
    loop = Loop()
    worker.orders.listen(loop)
    worker.orders.serves()

    assert loop.pending == 0


# What is forked


def test_what_a_handler_forks_has_nothing_of_the_worker_while_that_serves(worker):
    """In this process, as in the new one."""
    let_go = []
    worker.orders.listen(Loop())
    worker.orders.on_abandoned(lambda: let_go.append("all"))
    wakeup = signal.set_wakeup_fd(-1)
    OFFSPRING.begin()
    signal.set_wakeup_fd(wakeup)

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert let_go == ["all"]
    assert [*worker.parent.heard()] == [None]


def test_what_is_forked_later_is_left_alone(worker):
    worker.orders.listen(Loop())
    worker.orders.on_abandoned(lambda: pytest.fail("it is let go of by the worker"))
    worker.orders.close()

    OFFSPRING.begin()


def test_parent_is_told_that_somebody_wants_the_numbers(run, worker):
    async def main():
        worker.listen().asked()
        return await worker.heard(1)

    assert run(main) == [(b"asked", [])]
