"""Real signals, sent to this process."""

from __future__ import annotations

import errno
import os
import pty
import select
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from aioserve.workers.signals import MEANINGS, Signals, block, leave_to_nobody, leave_to_parent, unblock

TAKEN = [*MEANINGS, signal.SIGCHLD]
GROUP = [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2]


@pytest.fixture(autouse=True)
def signals_are_left_as_they_were():
    handlers = {number: signal.getsignal(number) for number in TAKEN}
    wakeup = signal.set_wakeup_fd(-1)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    yield
    for number in TAKEN:  # so that what waits still is nothing to anybody
        signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    signal.set_wakeup_fd(wakeup)


@pytest.fixture
def signals():
    made = Signals()
    yield made
    if made.fileno() >= 0:
        made.close(is_exiting=False)


@contextmanager
def closing_at_last(signals):
    yield signals
    signals.close(is_exiting=False)


@pytest.fixture
def terminal(monkeypatch):
    """Whether the process has a terminal: the element of a list."""

    def open_(path, flags, *args, **kwargs):
        if path != "/dev/tty":
            return really(path, flags, *args, **kwargs)
        if is_there[0]:
            return really(os.devnull, flags)
        raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))

    really, is_there = os.open, [True]
    monkeypatch.setattr(os, "open", open_)
    return is_there


def send(number):
    os.kill(os.getpid(), number)


# Taking them


@pytest.mark.parametrize("number", TAKEN)
def test_signal_is_taken_and_does_nothing_else(signals, number):
    assert select.select([signals], [], [], 0) == ([], [], [])
    with signals.waiting():
        send(number)

        assert select.select([signals], [], [], 30) == ([signals], [], [])
    assert [*signals.taken()] == [number]
    assert [*signals.taken()] == []


@pytest.mark.parametrize("number", sorted({*TAKEN} - {signal.SIGTTOU}))
def test_signal_that_had_been_blocked_is_taken(number):
    """A mask is kept over execve(2), as what is ignored."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    with closing_at_last(Signals()) as signals:
        send(number)

        assert [*signals.taken()] == [number]


@pytest.mark.parametrize("number", sorted({*MEANINGS} - {signal.SIGTTOU}))
def test_signal_that_waits_for_that_is_taken_as_well(number):
    """By default most of them would end the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    signal.raise_signal(number)  # to this thread
    with closing_at_last(Signals()) as signals:
        assert [*signals.taken()] == [number]


def test_signal_of_a_terminal_that_may_not_be_written_to_comes_only_while_nothing_is_written(signals):
    """Blocked it lets a write through (POSIX.1-2024, 11.1.4); with a handler Python would try for ever."""
    signal.raise_signal(signal.SIGTTOU)  # to this thread
    assert [*signals.taken()] == []
    with signals.waiting():
        assert [*signals.taken()] == [signal.SIGTTOU]
    signal.raise_signal(signal.SIGTTOU)

    assert [*signals.taken()] == []


def test_signals_are_taken_in_their_order_and_as_often_as_they_came(signals):
    sent = [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGINT]
    for number in sent:
        send(number)

    assert [*signals.taken()] == sent


@pytest.mark.parametrize("number", MEANINGS)
def test_signal_that_a_script_had_ignored_is_taken(number):
    """As SIGINT is for what a script starts with `&`: POSIX.1-2024, Shell Command Language, 2.11."""
    signal.signal(number, signal.SIG_IGN)
    signals = Signals()
    with signals.waiting():
        send(number)

    assert [*signals.taken()] == [number]
    signals.close(is_exiting=False)
    assert signal.getsignal(number) is signal.SIG_IGN


def test_more_signals_than_anybody_takes_are_forgotten_without_a_word(signals, capfd):
    most = 10_000
    for _ in range(most):
        send(signal.SIGUSR1)
    taken = []
    while some := [*signals.taken()]:
        taken += some

    assert 0 < len(taken) < most
    assert set(taken) == {signal.SIGUSR1}
    assert capfd.readouterr().err == ""


def test_every_meaning_is_a_sentence():
    assert all(text.endswith(".") for text in MEANINGS.values())
    assert signal.SIGCHLD not in MEANINGS


# The end


@pytest.mark.parametrize("number", TAKEN)
def test_worker_does_at_a_signal_what_was_done_before(number):
    came = []
    signal.signal(number, lambda *_: came.append(number))
    Signals().close(is_exiting=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    send(number)

    assert came == [number]
    assert signal.set_wakeup_fd(-1) == -1


def test_impatient_persons_signals_wait_for_good_when_the_process_ends():
    before = signal.getsignal(signal.SIGINT)
    signals = Signals()
    handler = signal.getsignal(signal.SIGINT)
    signals.close(is_exiting=True)
    signal.raise_signal(signal.SIGINT)  # to this thread

    assert signal.SIGINT in signal.sigpending()
    assert signal.getsignal(signal.SIGINT) is handler is not before
    assert signals.fileno() == -1
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_wait_while_they_are_blocked_and_come_then(signals):
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    mask = block()
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGUSR1)

    assert mask == before
    assert signal.valid_signals() - signal.pthread_sigmask(signal.SIG_BLOCK, ()) <= {
        signal.SIGKILL,
        signal.SIGSTOP,
    }
    assert [*signals.taken()] == []
    unblock(mask)
    assert sorted(signals.taken()) == [signal.SIGUSR1, signal.SIGTERM]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_those_that_were_blocked_before_stay_so():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    unblock(block())

    assert signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, ())


# Workers


@pytest.mark.parametrize("number", [*GROUP, signal.SIGTTIN, signal.SIGTTOU])
def test_worker_leaves_to_its_parent_what_is_sent_to_the_whole_group(number):
    came = []
    signal.signal(number, lambda *_: came.append(number))
    leave_to_parent()
    send(number)

    assert came == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGCHLD])
def test_worker_has_other_signals_as_they_were(number):
    before = signal.getsignal(number)
    leave_to_parent()

    assert signal.getsignal(number) is before


def test_programs_that_a_worker_starts_have_signals_as_usual():
    """What is ignored would be ignored by them as well: execve(2)."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    leave_to_parent()
    numbers = [int(number) for number in GROUP if number != signal.SIGINT]
    program = f"import signal; print({{signal.getsignal(number) for number in {numbers}}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "{<Handlers.SIG_DFL: 0>}\n"


# The terminal


def test_signals_of_the_group_do_what_they_do_by_default_where_they_are_left_to_nobody():
    leave_to_parent()
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # as an application may
    leave_to_nobody()

    reset = {*GROUP, signal.SIGTTIN, signal.SIGTTOU} - {signal.SIGUSR1}
    assert {signal.getsignal(number) for number in reset} == {signal.SIG_DFL}
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN


def test_terminal_that_is_there_is_not_lost(terminal):
    signals = Signals()

    assert terminal == [True]
    assert signals.had_terminal
    assert not signals.has_lost_terminal()
    signals.close(is_exiting=False)


def test_terminal_that_was_there_can_be_lost(terminal):
    signals = Signals()
    terminal[0] = False

    assert signals.has_lost_terminal()
    signals.close(is_exiting=False)


def test_terminal_that_never_was_there_cannot_be_lost(terminal):
    terminal[0] = False
    signals = Signals()

    assert not signals.had_terminal
    assert not signals.has_lost_terminal()
    signals.close(is_exiting=False)


def test_nohup_has_no_terminal_to_lose(terminal):
    """It has SIGHUP ignored: nohup(1)."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals = Signals()
    terminal[0] = False

    assert not signals.had_terminal
    assert not signals.has_lost_terminal()
    signals.close(is_exiting=False)


# Python warns of forks beside other threads; pytest-xdist has one, which the new process has no need of.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_process_learns_that_its_terminal_is_closed():
    """A process of its own, which a terminal can be taken from."""

    def live():
        signals = Signals()
        os.write(writing, b"there " if signals.had_terminal else b"not there ")
        select.select([signals], [], [], 30)
        names = " ".join(signal.Signals(number).name for number in signals.taken())
        os.write(writing, f"{names} {'lost' if signals.has_lost_terminal() else 'not lost'}".encode())

    reading, writing = os.pipe()
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests are run by nohup
    pid, terminal = pty.fork()
    if not pid:
        try:
            live()
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as stream:
        assert stream.read(100) == b"there "
        os.close(terminal)
        assert stream.read(100) == b"SIGHUP lost"
    os.waitpid(pid, 0)
