"""Real processes, which leave by `os._exit` at once; and this one in the place of a new one."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from aioserve.workers.offspring import OFFSPRING, Offspring
from aioserve.workers.signals import leave_to_parent

# Python warns of forks beside other threads; pytest-xdist has one, which the new processes have no need of.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def blocked_signals():
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


def in_a_fork(look):
    """Return the exit code of a forked process: what a function returns there."""
    pid = os.fork()
    if not pid:
        code = 99
        try:
            code = look()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_what_is_forked_leaves_what_it_was_told_to_and_its_parent_does_not():
    left = []
    leave = lambda: left.append(os.getpid())  # noqa: E731 - the same one twice
    before = blocked_signals()
    OFFSPRING.leaves(leave)
    try:
        code = in_a_fork(lambda: 7 if left == [os.getpid()] and blocked_signals() == before else 8)
    finally:
        OFFSPRING.keeps(leave)

    assert code == 7
    assert left == []
    assert blocked_signals() == before
    assert in_a_fork(lambda: len(left)) == 0


def test_sigterm_that_comes_at_once_is_not_taken_by_the_worker():
    """What had been set for it is there still, until the new process has begun."""

    def leave():
        os.kill(os.getpid(), signal.SIGTERM)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    OFFSPRING.leaves(leave)
    try:
        assert in_a_fork(lambda: 7) == -signal.SIGTERM
    finally:
        OFFSPRING.keeps(leave)
        signal.signal(signal.SIGTERM, before)


def test_signals_wait_while_a_process_is_made():
    offspring = Offspring()
    offspring.leaves(lambda: None)
    before = blocked_signals()
    offspring.before()
    assert signal.SIGTERM in blocked_signals()

    offspring.after()
    assert blocked_signals() == before


def test_signals_do_not_wait_where_nothing_is_to_be_left():
    offspring = Offspring()
    before = blocked_signals()
    offspring.before()
    assert blocked_signals() == before

    offspring.after()
    offspring.begin()
    assert blocked_signals() == before


def test_signals_are_nobodys_in_the_new_process_and_its_own_processes_are_not_our_concern():
    """Nor does a signal in it become a byte for the worker's loop."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    calls = []
    offspring = Offspring()
    offspring.leaves(lambda: calls.append("left"))
    before = signal.getsignal(signal.SIGINT)
    wakeup = signal.set_wakeup_fd(theirs.fileno())
    try:
        leave_to_parent()
        offspring.before()
        offspring.begin()
        offspring.begin()

        assert signal.set_wakeup_fd(wakeup) == -1
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, before)
        ours.close()
        theirs.close()
    assert calls == ["left"]


def test_signals_come_through_again_though_something_cannot_be_left():
    def fail():
        raise OSError("no descriptors")

    offspring = Offspring()
    offspring.leaves(fail)
    before = blocked_signals()
    offspring.before()

    with pytest.raises(OSError, match="no descriptors"):
        offspring.begin()
    assert blocked_signals() == before
