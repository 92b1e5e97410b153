"""The numbers of all workers, as the parent keeps them.

This file decides which row of the board a worker writes to, and that totals never fall: what a worker wrote
last is kept when it is gone, however it went, and only then another one gets its row. It is loaded only where
somebody asks for the numbers.
"""

from __future__ import annotations

import logging

from aioserve.observe.board import PARENT, Board, Station, read_row, write_parent
from aioserve.observe.snapshot import Snapshot
from aioserve.observe.totals import add_up, what_stays

logger = logging.getLogger(__name__)


class Accounts:
    """Keeps them.

    Args:
        board: for all of them.
        seen: what the parent knows of the server.
    """

    def __init__(self, board: Board, seen: Snapshot) -> None:
        self._board = board
        self._rows: dict[int, int] = {}  # of workers, by their process numbers
        self._ended = Snapshot(seen.started, seen.started)  # what those have counted that are gone
        self._seen = seen
        self._has_complained = False

    def station(self) -> Station | None:
        """Return one for the worker that is started next; None where there is no room for its numbers."""
        taken = {PARENT, *self._rows.values()}
        row = next((each for each in range(self._board.rows) if each not in taken), None)
        if row is None:
            self._complain("there are too many workers: some are not counted")
            return None
        self._board.clear(row)
        return Station(self._board, row)

    def started(self, pid: int, station: Station) -> None:
        """The worker was started."""
        self._rows[pid] = station.row

    def gone(self, pid: int) -> None:
        """A worker has ended: keep its numbers."""
        row = self._rows.pop(pid, None)
        if row is None:
            return
        if (last := read_row(self._board, row)) is not None:
            self._ended = what_stays(self._ended, last)
        self._write()  # before the row is another's

    def tell(self, seen: Snapshot) -> None:
        """Say on the board how things are, as the parent sees them."""
        self._seen = seen
        self._write()

    def complete(self, seen: Snapshot) -> Snapshot:
        """Return what the parent sees with what has been counted."""
        rows = (read_row(self._board, row) for row in self._rows.values())
        return add_up(seen, [self._ended, *(each for each in rows if each is not None)])

    def _write(self) -> None:
        if not write_parent(self._board, [*self._rows.values()], add_up(self._seen, [self._ended])):
            self._complain("there is too much to be told of: metrics stay as they are")

    def _complain(self, what: str) -> None:
        if not self._has_complained:
            self._has_complained = True
            logger.error("%s", what)
