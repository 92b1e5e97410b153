"""How a worker tells its parent of paths and errors.

This file decides that a report is one datagram, once a second, and that a worker never waits for its parent:
a report for which there is no room is not sent, as the next one says all of it again.
"""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve.live.paths import Report, Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aioserve.observe.access import AccessRecord, CallLater

_PERIOD = 1.0  # seconds
_LARGEST = 1 << 18  # bytes of a datagram; a report has a tenth of that

logger = logging.getLogger("aioserve")


class Reports:
    """Both ends of what all workers share: the parent reads, they write."""

    def __init__(self) -> None:
        self._reading, self._writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._reading.setblocking(False)
        self._writing.setblocking(False)

    def fileno(self) -> int:
        """Return what becomes readable when a worker has told something."""
        return self._reading.fileno()

    def taken(self) -> Iterator[Report]:
        """Take what has come."""
        with suppress(BlockingIOError):
            while True:
                yield Report.from_line(self._reading.recv(_LARGEST))

    def send(self, report: Report) -> None:
        """Send one, if there is room."""
        with suppress(OSError):
            self._writing.send(report.to_line())

    def close(self) -> None:
        """Let go of both."""
        self._reading.close()
        self._writing.close()


class Reporter:
    """Remembers what a worker answers, and reports it.

    Args:
        reports: where to.
        call_later: ``loop.call_later``, or what behaves like it.
    """

    def __init__(self, reports: Reports, call_later: CallLater) -> None:
        self._reports = reports
        self._call_later = call_later
        self._tally = Tally()
        self._is_open = True
        logger.addHandler(self._tally.errors)
        self._come_back()

    def beside(self, other: Callable[[AccessRecord], None] | None) -> Callable[[AccessRecord], None]:
        """Return what hands each record on to both."""
        if other is None:
            return self._tally
        tally = self._tally

        def tell_both(record: AccessRecord) -> None:
            tally(record)
            other(record)

        return tell_both

    def close(self) -> None:
        """Report a last time."""
        self._is_open = False
        logger.removeHandler(self._tally.errors)
        self._send()
        self._reports.close()

    def _send(self) -> None:
        self._reports.send(self._tally.report(os.getpid()))

    def _come_back(self) -> None:
        if self._is_open:
            self._send()
            self._call_later(_PERIOD, self._come_back)
