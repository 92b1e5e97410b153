"""Which signals the parent takes, and what each of them means.

This file alone says so; docs/signals.md and the man page are made of it.
"""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MEANINGS: dict[signal.Signals, str] = {
    signal.SIGTERM: "Stop: connections are accepted no more, idle ones are closed at once, answers finish, "
    "and what is left after `--timeout-shutdown` is cut off. A second one stops at once.",
    signal.SIGINT: "The same, as Ctrl+C sends it, also where a script's `&` had it ignored. After a second "
    "one the exit code is 130.",
    signal.SIGQUIT: "Stop at once.",
    signal.SIGHUP: "Load configuration, application and certificates anew. New workers take the place of the "
    "old ones one by one, and no request is lost. If the new ones cannot start, the old ones go on. If the "
    "terminal that the server was started from has gone, stop.",
    signal.SIGUSR1: "Open the file of `--access-log-file` anew, for those who move it away, and read the "
    "certificates anew.",
    signal.SIGUSR2: "Write to the standard error what every worker does: connections, and tasks with stacks.",
    signal.SIGTTIN: "One worker more.",
    signal.SIGTTOU: "One worker less, but one at least.",
}

# What a terminal or a script sends to all processes of a group, and the parent alone acts on.
GROUP = (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)

# Sent by terminals as well, to a job in the background that reads, or writes after `stty tostop`. A handler
# is no answer to that: Python would try again for ever. Who ignores or blocks it may write, and cannot read.
JOB_CONTROL = (signal.SIGTTIN, signal.SIGTTOU)


class Signals:
    """The signals of the parent, to be waited for beside other things."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        # Before the handlers, so that none is lost that comes in between.
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _do_nothing) for number in (*MEANINGS, signal.SIGCHLD)}
        # What whoever has started us had blocked stays so over execve(2), and would never come.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {*MEANINGS, signal.SIGCHLD} - {signal.SIGTTOU})
        self.had_terminal = _has_terminal() and self._before[signal.SIGHUP] is not signal.SIG_IGN

    def fileno(self) -> int:
        """Return what becomes readable when one has come."""
        return self._reading.fileno()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let SIGTTOU through, while nothing is written."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})

    def taken(self) -> Iterator[int]:
        """Take those that have come; SIGCHLD as well."""
        with suppress(BlockingIOError):
            yield from self._reading.recv(4096)

    def has_lost_terminal(self) -> bool:
        """Whether there was a terminal and is none any more; with nohup there never was one."""
        return self.had_terminal and not _has_terminal()

    def close(self, *, is_exiting: bool) -> None:
        """Hear of no more.

        Args:
            is_exiting: they wait, for good: an impatient person's third SIGINT must not become the exit code,
                as it would when Python has left its handlers. Otherwise they do what they did before.
        """
        signal.set_wakeup_fd(-1)
        if is_exiting:
            block()
        else:
            for number, handler in self._before.items():
                signal.signal(number, handler)
        self._reading.close()
        self._writing.close()


def block() -> set[int]:
    """Let no signal through for now; returns what `unblock` takes."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def unblock(mask: set[int]) -> None:
    """Let them through again."""
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def leave_to_parent() -> None:
    """Do nothing at a signal that is sent to the whole group.

    Programs that are started have it as usual; those of `JOB_CONTROL` are ignored by them, too.
    """
    for number in GROUP:
        signal.signal(number, _do_nothing)
    for number in JOB_CONTROL:
        signal.signal(number, signal.SIG_IGN)


def leave_to_nobody() -> None:
    """Have those signals do what they do by default, but where the application has taken one for itself."""
    for number in (*GROUP, *JOB_CONTROL):
        if signal.getsignal(number) is (signal.SIG_IGN if number in JOB_CONTROL else _do_nothing):
            signal.signal(number, signal.SIG_DFL)


def _do_nothing(_number: int, _frame: object) -> None:
    """Be there: only for a signal with a handler does Python write to the descriptor."""


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
