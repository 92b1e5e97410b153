"""The processes of the workers: how they come to be, are spoken to, and are taken leave of.

This file decides that nothing which happens to one of them is missed: its last words are read before its end
is told.
"""

from __future__ import annotations

import os
import selectors
from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve.workers.channel import Channel
from aioserve.workers.forking import fork

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator

    from aioserve.workers.channel import Order


class BecomeWorker(BaseException):
    """Raised in the process that has just been forked: it is a worker from now on.

    Attributes:
        channel: to the parent.
    """

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.channel = channel


class Processes:
    """The children that are workers.

    Args:
        selector: waits for what they say.
        on_said: called with the number of a process, a word and its numbers.
    """

    def __init__(
        self, selector: selectors.BaseSelector, on_said: Callable[[int, bytes, list[int]], None]
    ) -> None:
        self._selector = selector
        self._on_said = on_said
        self._channels: dict[int, Channel] = {}

    def start(self, leave: Callable[[], None]) -> int:
        """Make one, and return its number.

        Args:
            leave: called in the new process, to let go of what is the parent's.

        Raises:
            BecomeWorker: in the new process.
            OSError: there are no descriptors or processes left.
        """
        ours, theirs = Channel.pair()

        def let_go() -> None:
            ours.close()
            leave()

        try:
            pid = fork(let_go)
        except OSError:
            ours.close()
            theirs.close()
            raise
        if not pid:
            raise BecomeWorker(theirs)
        theirs.close()
        self._channels[pid] = ours
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(pid))
        return pid

    def say(self, pid: int, order: Order) -> None:
        """Give one of them an order."""
        if (channel := self._channels.get(pid)) is not None:
            channel.say(order)

    def say_to_all(self, order: Order) -> None:
        """Give all of them an order."""
        for channel in self._channels.values():
            channel.say(order)

    @staticmethod
    def kill(pid: int, number: signal.Signals) -> None:
        """Send one of them a signal."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def ended(self) -> Iterator[tuple[int, int]]:
        """Take leave of those that have ended: of each its number, and its exit code or minus its signal.

        Other children, which the first process of a container is given, are taken leave of without a word.
        """
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if pid in self._channels:
                    self._hear(pid)
                    self._forget(pid)
                    yield pid, os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        """Hear no more of any."""
        for channel in self._channels.values():
            channel.close()

    def _hear(self, pid: int) -> None:
        channel = self._channels.get(pid)
        if channel is None:  # its end was told in the same turn
            return
        for said in channel.heard():
            if said is None:  # its end is near; it is told when the system tells it
                with suppress(KeyError):
                    self._selector.unregister(channel)
            else:
                self._on_said(pid, *said)

    def _forget(self, pid: int) -> None:
        channel = self._channels.pop(pid)
        with suppress(KeyError):
            self._selector.unregister(channel)
        channel.close()
