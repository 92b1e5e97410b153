"""Real processes, which leave by `os._exit` as soon as they have done what the test is about."""

from __future__ import annotations

import errno
import os
import select
import selectors
import signal

import pytest

from aioserve.workers.channel import Channel, News, Order
from aioserve.workers.processes import BecomeWorker, Processes

# Python warns of forks beside other threads; pytest-xdist has one, which the new processes have no need of.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


class Parent:
    """A parent of processes, and what they have said."""

    def __init__(self, selector):
        self.selector = selector
        self.said = []
        self.processes = Processes(selector, lambda *said: self.said.append(said))

    def start(self, live, leave=lambda: None):
        """Start a process that does something with its channel, and ends with the code that this returns."""
        code, parent = 99, os.getpid()
        try:
            return self.processes.start(leave)
        except BecomeWorker as become:
            code = live(become.channel) or 0
            return None
        finally:
            if os.getpid() != parent:
                os._exit(code)

    def turn(self):
        """Wait until something is said, or a channel is at its end, and take it."""
        ready = self.selector.select(30)
        assert ready
        for key, _ in ready:
            key.data()

    def end_of(self, *pids):
        """Wait until processes have ended, and take leave of all that have."""
        for pid in pids:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return [*self.processes.ended()]


@pytest.fixture
def parent():
    with selectors.DefaultSelector() as selector:
        made = Parent(selector)
        yield made
        for pid in made.processes._channels:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        made.processes.close()


def next_of(channel):
    """Wait, in a process, for what is said next; None is the end."""
    select.select([channel], [], [], 30)
    return next(channel.heard())


def wait_for_ever(_channel):
    while True:
        signal.pause()


def blocked_signals():
    return signal.pthread_sigmask(signal.SIG_BLOCK, ())


# The beginning


def test_new_process_is_a_worker_that_can_be_heard(parent):
    left = []
    pid = parent.start(
        lambda channel: channel.say(News.ENDED, os.getpid(), len(left)), leave=lambda: left.append(None)
    )
    parent.turn()

    assert parent.said == [(pid, b"ended", [pid, 1])]
    assert left == []  # which is said in the new process only
    assert parent.end_of(pid) == [(pid, 0)]


def test_process_hears_what_it_is_told(parent):
    pid = parent.start(lambda channel: next_of(channel) == (b"retire", []))
    parent.processes.say(pid, Order.RETIRE)

    assert parent.end_of(pid) == [(pid, 1)]


def test_all_hear_what_all_are_told(parent):
    pids = [parent.start(lambda channel: next_of(channel) == (b"stop", [])) for _ in range(3)]
    parent.processes.say_to_all(Order.STOP)

    assert sorted(parent.end_of(*pids)) == [(pid, 1) for pid in sorted(pids)]


def test_nobody_hears_what_is_told_to_one_that_is_not_there(parent):
    pid = parent.start(lambda channel: next_of(channel) == (b"stop", []))
    parent.processes.say(os.getpid(), Order.FORCE)
    parent.processes.say(pid, Order.STOP)

    assert parent.end_of(pid) == [(pid, 1)]


def test_process_hears_the_end_of_its_parent_though_another_was_started_later(parent):
    """The later one has let go of what it found of the parent's, the other end of that channel too."""
    first = parent.start(lambda channel: next_of(channel) is None)
    later = parent.start(wait_for_ever, leave=parent.processes.close)
    parent.processes._channels[first].close()

    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert os.waitid(os.P_PID, later, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None
    parent.selector.unregister(parent.processes._channels.pop(first))
    assert os.waitstatus_to_exitcode(os.waitpid(first, 0)[1]) == 1


def test_signals_wait_until_the_new_process_has_let_go_of_what_is_the_parents(parent):
    def leave():
        blocked.append(blocked_signals())

    before, blocked = blocked_signals(), []
    pid = parent.start(
        lambda _channel: signal.SIGTERM in blocked[0] and blocked_signals() == before, leave=leave
    )

    assert blocked_signals() == before
    assert parent.end_of(pid) == [(pid, 1)]


def test_new_process_has_one_end_of_the_channel_and_the_signals_as_they_were(parent, monkeypatch):
    """As in the new process, in this one."""
    before, blocked = blocked_signals(), []
    monkeypatch.setattr(os, "fork", lambda: 0)

    with pytest.raises(BecomeWorker) as become:
        parent.processes.start(lambda: blocked.append(blocked_signals()))

    assert signal.SIGTERM in blocked[0]
    assert blocked_signals() == before
    assert [*become.value.channel.heard()] == [None]
    assert not parent.selector.get_map()
    become.value.channel.close()


def test_nothing_stays_open_where_no_process_can_be_made(parent, monkeypatch):
    def pair():
        pairs.append(make_pair())
        return pairs[-1]

    def fork():
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    make_pair, pairs, before = Channel.pair, [], blocked_signals()
    monkeypatch.setattr(Channel, "pair", pair)
    monkeypatch.setattr(os, "fork", fork)

    with pytest.raises(BlockingIOError):
        parent.processes.start(lambda: None)

    assert [each.fileno() for each in pairs[0]] == [-1, -1]
    assert blocked_signals() == before


def test_no_process_is_made_where_there_are_no_descriptors(parent, monkeypatch):
    def pair():
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(Channel, "pair", pair)
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a process was made"))

    with pytest.raises(OSError, match="open files"):
        parent.processes.start(lambda: None)


# The end


@pytest.mark.parametrize("code", [0, 3, 255])
def test_exit_code_is_told(parent, code):
    pid = parent.start(lambda _channel: code)

    assert parent.end_of(pid) == [(pid, code)]
    assert parent.end_of() == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGUSR2])
def test_signal_that_ended_a_process_is_told_with_a_minus(parent, number):
    def live(channel):
        signal.signal(signal.SIGUSR2, signal.SIG_DFL)
        channel.say(News.SERVES)
        wait_for_ever(channel)

    pid = parent.start(live)
    parent.turn()
    parent.processes.kill(pid, number)

    assert parent.end_of(pid) == [(pid, -number)]


def test_nobody_minds_that_a_process_is_gone_before_its_signal(parent):
    pid = parent.start(lambda _channel: 0)
    parent.end_of(pid)

    parent.processes.kill(pid, signal.SIGKILL)


def test_last_words_are_heard_before_the_end_is_told(parent):
    pid = parent.start(lambda channel: channel.say(News.ENDED, 3, 1) or 5)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    told = [(end, [*parent.said]) for end in parent.processes.ended()]

    assert told == [((pid, 5), [(pid, b"ended", [3, 1])])]


def test_channel_at_its_end_is_waited_for_no_more(parent):
    """Or its end would be there to be read again and again until the process has ended."""

    def live(channel):
        channel.close()
        wait_for_ever(channel)

    pid = parent.start(live)
    parent.turn()

    assert not parent.selector.get_map()
    assert parent.end_of() == []
    parent.processes.kill(pid, signal.SIGKILL)
    assert parent.end_of(pid) == [(pid, -9)]


def test_words_that_come_in_the_turn_in_which_the_end_is_told_are_not_told_twice(parent):
    pid = parent.start(lambda channel: channel.say(News.ALIVE))
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    ready = parent.selector.select(30)
    assert [*parent.processes.ended()] == [(pid, 0)]

    for key, _ in ready:
        key.data()

    assert parent.said == [(pid, b"alive", [])]
    assert not parent.selector.get_map()


def test_all_that_have_ended_are_told_at_once_and_the_others_go_on(parent):
    """Signals that come at the same time are one."""
    goes_on = parent.start(wait_for_ever)
    pids = [parent.start(lambda _channel: 7) for _ in range(3)]

    assert sorted(parent.end_of(*pids)) == [(pid, 7) for pid in sorted(pids)]
    assert [*parent.processes._channels] == [goes_on]


def test_other_children_are_taken_leave_of_without_a_word(parent):
    """The first process of a container is given those whose parents have ended."""
    other = os.posix_spawnp("true", ["true"], os.environ)

    assert parent.end_of(other) == []
    with pytest.raises(ChildProcessError):
        os.waitpid(other, 0)


def test_none_has_ended_where_there_are_none(parent):
    assert parent.end_of() == []


def test_process_hears_the_end_when_nobody_is_heard_any_more(parent):
    pid = parent.start(lambda channel: next_of(channel) is None)
    parent.processes.close()

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1
    parent.processes._channels.clear()
