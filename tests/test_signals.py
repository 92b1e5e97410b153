from __future__ import annotations

import asyncio
import os
import signal
from importlib.util import find_spec

import pytest

from aioserve.signals import StopSignals

LIMIT = 100.0
GRACE = 2.0
LOOPS = ["asyncio", *(["uvloop"] if find_spec("uvloop") else [])]


class Ended(BaseException):
    """What `os._exit` is in these tests."""


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """Leave the handlers of the process, and pytest-timeout's timer, as they were."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    timer = signal.setitimer(signal.ITIMER_REAL, 0)

    def exit_at_once(code):
        raise Ended(code)

    monkeypatch.setattr(os, "_exit", exit_at_once)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture(params=LOOPS)
def run(request):
    """Run a coroutine on each event loop in turn."""

    def run(main):
        factory = asyncio.new_event_loop
        if request.param == "uvloop":
            import uvloop

            factory = uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(main)

    return run


def listening():
    signals = StopSignals(LIMIT)
    signals.listen(asyncio.get_running_loop())
    return signals


def time_left():
    """Return the seconds until the process is ended, or 0."""
    return signal.getitimer(signal.ITIMER_REAL)[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("before", [signal.SIG_IGN, signal.SIG_DFL], ids=["ignored", "not ignored"])
def test_signals_are_told_in_their_order(run, number, before):
    async def main():
        signals = listening()
        os.kill(os.getpid(), number)
        told = [await signals.next()]
        os.kill(os.getpid(), signal.SIGTERM)
        told.append(await signals.next())
        signals.close()
        return told

    signal.signal(number, before)

    assert run(main()) == [number, signal.SIGTERM]


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((), 0),
        ((signal.SIGINT,), 0),
        ((signal.SIGTERM,), 0),
        ((signal.SIGINT, signal.SIGINT), 130),
        ((signal.SIGTERM, signal.SIGINT), 130),
        ((signal.SIGINT, signal.SIGTERM), 0),
        ((signal.SIGTERM, signal.SIGTERM), 0),
    ],
)
def test_exit_code_is_that_of_a_forced_end_only_after_a_second_sigint(run, numbers, code):
    async def main():
        signals = listening()
        for number in numbers:
            os.kill(os.getpid(), number)
            await signals.next()
        signals.close()
        return signals.exit_code

    assert run(main()) == code


def test_process_has_its_limit_and_some_more_after_the_first_signal_and_little_after_the_second(run):
    async def main():
        signals = listening()
        times = [time_left()]
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await signals.next()
            times.append(time_left())
        signals.close()
        return [*times, time_left()]

    unasked, first, second, closed = run(main())

    assert unasked == 0
    assert GRACE < first <= LIMIT + GRACE
    assert 0 < second <= GRACE
    assert closed == 0


def test_process_is_ended_when_the_time_is_over(run, caplog):
    async def main():
        listening()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGALRM)  # as the timer will

    with pytest.raises(Ended) as ended:
        run(main())

    assert ended.value.args == (0,)
    assert caplog.messages == ["ended by force: a handler, a task or a thread did not stop"]


def test_third_signal_ends_the_process_though_the_loop_stands_still(run):
    async def main():
        listening()
        while True:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Ended) as ended:
        run(main())

    assert ended.value.args == (130,)


def test_alarm_that_is_somebody_elses_is_left_alone_where_no_signal_came(run):
    async def main():
        listening().close()

    signal.signal(signal.SIGALRM, signal.SIG_IGN)

    run(main())

    assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
