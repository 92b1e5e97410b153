"""Real processes, which leave by `os._exit` at once; and this one in the place of a new one."""

from __future__ import annotations

import errno
import os
import signal

import pytest

from aioserve.workers.forking import fork
from aioserve.workers.signals import GROUP

# Python warns of forks beside other threads; pytest-xdist has one, which the new processes have no need of.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def blocked_signals():
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_there_are_two_and_the_new_one_has_let_go():
    left, parent, code = [], os.getpid(), 99
    try:
        pid = fork(lambda: left.append(os.getpid()))
        code = left == [os.getpid()] and 7
    finally:
        if os.getpid() != parent:
            os._exit(code)

    assert left == []
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_signals_wait_until_it_has_let_go(monkeypatch):
    """As in the new process, in this one."""
    before, blocked = blocked_signals(), []
    monkeypatch.setattr(os, "fork", lambda: 0)

    assert fork(lambda: blocked.append(blocked_signals())) == 0
    assert signal.SIGTERM in blocked[0]
    assert blocked_signals() == before


def test_what_is_sent_to_the_group_is_left_to_the_parent(monkeypatch):
    monkeypatch.setattr(os, "fork", lambda: 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fork(lambda: None)

    for number in GROUP:
        os.kill(os.getpid(), number)


def test_signals_are_as_they_were_where_there_is_no_room(monkeypatch):
    def fork_in_vain():
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    before = blocked_signals()
    monkeypatch.setattr(os, "fork", fork_in_vain)

    with pytest.raises(BlockingIOError):
        fork(lambda: pytest.fail("there is no new process"))
    assert blocked_signals() == before
