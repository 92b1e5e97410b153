"""What a handler forks, as `multiprocessing` does: a process that is no worker.

This file decides that such a process begins as any other: signals do in it what they do by default, and
nothing of the worker's is kept open by it. Signals wait while it is made, so that none is taken by what the
worker had set: SIGTERM would be a wish to be replaced, and nobody would ever see to it.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from aioserve.workers.signals import block, leave_to_nobody, unblock

if TYPE_CHECKING:
    from collections.abc import Callable


class Offspring:
    """The processes that are forked by this one without our doing, while there is something to let go of."""

    def __init__(self) -> None:
        self._leave: list[Callable[[], object]] = []
        self._of_thread = threading.local()  # each can fork, and has signals wait for itself alone

    def leaves(self, leave: Callable[[], object]) -> None:
        """Have a function called in each of them, from now on."""
        self._leave.append(leave)

    def keeps(self, leave: Callable[[], object]) -> None:
        """Have it called no more; it does not matter whether it was."""
        self._leave = [each for each in self._leave if each != leave]

    def before(self) -> None:
        """Have signals wait, in what is made as well."""
        if self._leave:
            self._of_thread.mask = block()

    def after(self) -> None:
        """Let signals through again, in the process that forks."""
        mask = self._of_thread.__dict__.pop("mask", None)
        if mask is not None:
            unblock(mask)

    def begin(self) -> None:
        """Let go of what is the worker's, and then let signals through, in the process that was forked."""
        leave, self._leave = self._leave, []
        try:
            if leave:
                signal.set_wakeup_fd(-1)  # of Python's loops, only those from 3.12 on see to that
                leave_to_nobody()
            for each in leave:
                each()
        finally:
            self.after()


OFFSPRING = Offspring()

# There is no taking back.
os.register_at_fork(before=OFFSPRING.before, after_in_parent=OFFSPRING.after, after_in_child=OFFSPRING.begin)
