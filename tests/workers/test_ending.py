"""The end of a process by its own timer, by real signals; `os._exit` is an exception."""

from __future__ import annotations

import faulthandler
import os
import signal
import subprocess
import sys

import pytest

from aioserve.workers.ending import Ending

LIMIT = 100.0
SOON = 0.1
GRACE = 2.0


class Ended(BaseException):
    """What `os._exit` is in these tests."""


@pytest.fixture(autouse=True)
def later(monkeypatch):
    """What the process is ended by without Python; handlers, and pytest-timeout's timer, are left alone."""
    numbers = (signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    timer = signal.setitimer(signal.ITIMER_REAL, 0)

    def exit_at_once(code):
        raise Ended(code)

    def dump(seconds, **more):
        asked.append((seconds, more))

    asked = []
    monkeypatch.setattr(os, "_exit", exit_at_once)
    monkeypatch.setattr(faulthandler, "dump_traceback_later", dump)
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: asked.append("cancel"))
    yield asked
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture
def ending():
    made = Ending(LIMIT)
    yield made
    made.close()


def ring():
    """Do what the timer will do."""
    os.kill(os.getpid(), signal.SIGALRM)


def time_left():
    """Return the seconds until the process is looked after, or 0."""
    return signal.getitimer(signal.ITIMER_REAL)[0]


def test_time_is_limited_when_that_is_asked_for(ending, later):
    times = [time_left()]
    ending.limit_time()
    times.append(time_left())
    ring()
    unasked, asked, at_last = *times, time_left()

    assert unasked == 0
    assert 0 < asked <= SOON
    assert GRACE < at_last <= LIMIT + GRACE
    assert later == [(LIMIT + GRACE + 1.0, {"file": 2, "exit": True})]


@pytest.mark.parametrize("has_parent", [True, False])
def test_signal_limits_the_time_of_a_worker_whose_parent_has_gone(ending, monkeypatch, has_parent):
    signal.signal(signal.SIGTERM, ending.take_signal)
    if not has_parent:
        monkeypatch.setattr(os, "getppid", lambda: 1)
    os.kill(os.getpid(), signal.SIGTERM)

    assert (time_left() > 0) is not has_parent
    assert time_left() <= SOON


def test_asking_again_gives_no_more_time(ending):
    ending.limit_time()
    ring()
    signal.setitimer(signal.ITIMER_REAL, 1.0)  # as when most of it is over
    ending.limit_time()

    assert 0 < time_left() <= 1.0


@pytest.mark.parametrize("has_parent", [True, False])
def test_addresses_are_let_go_where_the_parent_has_gone_and_the_loop_stands_still(
    ending, monkeypatch, has_parent
):
    """A loop that goes round has closed its sockets by then, and left nobody waiting in them."""
    let_go = []
    ending.on_abandoned(lambda: let_go.append("all"))
    if not has_parent:
        monkeypatch.setattr(os, "getppid", lambda: 1)
    ending.limit_time()
    before = [*let_go]
    ring()

    assert before == []
    assert let_go == ([] if has_parent else ["all"])


def test_nothing_is_let_go_before_anybody_has_said_what(ending, monkeypatch):
    monkeypatch.setattr(os, "getppid", lambda: 1)
    ending.limit_time()
    ring()

    assert time_left() > GRACE


def test_process_is_ended_when_the_time_is_over(ending, caplog):
    ending.limit_time()
    ring()
    with pytest.raises(Ended) as ended:
        ring()

    assert ended.value.args == (1,)
    assert caplog.messages == ["ended by force: a handler, a task or a thread did not stop"]


def test_process_that_cannot_have_one_more_thread_is_ended_by_python_alone(ending, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("unable to start watchdog thread")

    monkeypatch.setattr(faulthandler, "dump_traceback_later", fail)
    ending.limit_time()
    ring()

    assert time_left() > GRACE


def test_process_that_has_stopped_in_time_is_not_ended(ending, later):
    ending.limit_time()
    ending.close()

    assert time_left() == 0
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert later == ["cancel"]


def test_alarm_that_is_somebody_elses_is_left_alone_where_the_time_was_not_limited(ending, later):
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    ending.close()

    assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN
    assert later == []


@pytest.mark.parametrize("stages", [0, 1, 2])
def test_signals_do_what_they_do_by_default_in_what_is_forked(ending, stages):
    """At each stage of the worker's own end; in this process, as in the new one."""
    signal.signal(signal.SIGTERM, ending.take_signal)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if stages:
        ending.limit_time()
    if stages > 1:
        ring()
    let_go = []
    ending.on_abandoned(lambda: let_go.append("all"))
    ending.leave()

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert let_go == ["all"]


def test_handlers_of_the_application_stay_in_what_is_forked(ending):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    ending.leave()

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN


DEAF = """
import signal
from aioserve.workers import ending
ending.GRACE = ending._DEAF = 0.1
ending.Ending(0.1).limit_time()
while signal.getsignal(signal.SIGALRM).__name__ == "_look":
    pass
sum(range(10**15))
"""


def test_function_of_c_that_never_returns_is_ended_too():
    """Python calls no handler of a signal before it does."""
    words = [sys.executable, "-c", DEAF]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 1
    assert 'File "<string>", line 8' in done.stderr
