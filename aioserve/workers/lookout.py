"""The parent's side of the process that looks for changed files.

This file decides when there is one, what is done when it dies, and how its findings are told.
"""

from __future__ import annotations

import logging
import selectors
import socket
import time
from math import inf
from typing import TYPE_CHECKING

from aioserve.workers.forking import fork

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.workers.sources import Sources

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds before another takes the place of one that has ended
_STEADY = 60.0  # seconds after which its end is news again
_MOST = 65_536  # bytes read at once


class BecomeWatcher(BaseException):
    """Raised in the process that has just been forked: it looks for changed files from now on.

    Attributes:
        sources: the files that matter.
        parent: is told.
    """

    def __init__(self, sources: Sources, parent: socket.socket) -> None:
        super().__init__()
        self.sources = sources
        self.parent = parent


class Lookout:
    """Has a process look for changed files.

    Args:
        selector: waits for what it says.
        on_changed: called with what has changed, in words.
    """

    def __init__(self, selector: selectors.BaseSelector, on_changed: Callable[[str], None]) -> None:
        self._selector = selector
        self._on_changed = on_changed
        self._sources: Sources | None = None
        self._socket: socket.socket | None = None
        self._rest = b""
        self._start_at = self._started = -inf
        self._ends = 0

    @property
    def due(self) -> float:
        """When `keep` will have something to do."""
        return inf if self._sources is None or self._socket else self._start_at

    def watch(self, sources: Sources | None) -> None:
        """From now on look at these files, or at none."""
        if sources is not None and not sources.folders and not sources.config:
            logger.warning("--reload: there is nothing to look at; static files are served as they are")
            sources = None
        if sources != self._sources:
            self._dismiss()
            self._sources = sources
            self._start_at, self._ends = -inf, 0

    def keep(self, leave: Callable[[], None]) -> None:
        """See to it that the process is there.

        Args:
            leave: called in the new process, to let go of what is the parent's.

        Raises:
            BecomeWatcher: in the new process.
        """
        sources, now = self._sources, time.monotonic()
        if sources is None or now < self.due:
            return
        self._started = now
        try:
            ours, theirs = socket.socketpair()
        except OSError as error:  # no descriptors
            self._has_ended(error.strerror)
            return

        def let_go() -> None:
            ours.close()
            leave()

        try:
            pid = fork(let_go)
        except OSError as error:
            ours.close()
            self._has_ended(error.strerror)
        else:
            if not pid:
                raise BecomeWatcher(sources, theirs)
            ours.setblocking(False)
            self._socket, self._rest = ours, b""
            self._selector.register(ours, selectors.EVENT_READ, self._hear)
        theirs.close()

    def close(self) -> None:
        """Have it end, by being gone, for good; in a child, let go of what is the parent's."""
        if self._socket is not None:
            self._socket.close()  # and not unregistered: a child shares what the parent's selector is made of

    def _dismiss(self) -> None:
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None

    def _hear(self) -> None:
        if self._socket is None:  # closed in the same turn
            return
        try:
            data = self._socket.recv(_MOST)
        except OSError:  # reset
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            import json  # noqa: PLC0415 - only with --reload

            what, *names = json.loads(line)
            if names:
                self._on_changed(f"{_describe(what, *names)} changed")
            else:
                self._dismiss()
                self._has_ended(what)
        if not data and self._socket is not None:
            self._dismiss()
            self._has_ended("the process that does it has ended")

    def _has_ended(self, why: str | None) -> None:
        """See that there is another after a while, longer each time, and say why for the first time."""
        now = time.monotonic()
        if now - self._started >= _STEADY:
            self._ends = 0
        if not self._ends:
            logger.error("--reload: changes are not seen for a while: %s", why)
        self._start_at = now + min(_FIRST_PAUSE * 2**self._ends, _LONGEST_PAUSE)
        self._ends += 1


def _describe(number: int, names: list[str]) -> str:
    """Name files, of which there are so many."""
    rest = number - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")
