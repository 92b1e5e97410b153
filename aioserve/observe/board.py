"""Where the processes of a server leave their numbers for one another: memory that all of them share.

This file decides how it is laid out, and that nobody reads what is half written. There is a row for each
process that may write, and nobody else writes there. A row has two places; what is new goes to the one that
is not shown, and then a number beside them, which is written at once, shows it. So a process that is killed
while it writes leaves what it wrote before.

Row 0 is the parent's: it says which other rows count, and has what workers have left that have ended. Between
two looks at the same row 0, no worker has come or gone, so that none is missed or counted twice.
"""

from __future__ import annotations

import mmap
import struct
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from aioserve.observe.snapshot import Snapshot
from aioserve.observe.totals import add_up

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

ROWS = 256
"""Workers whose numbers there is room for at a time; memory that is never written to is never had."""

ROOM = 65_536
"""Bytes for what one of them says."""

PARENT = 0
"""The row of the parent."""

_HEAD = 16  # bytes for the number of the last writing
_PLACE = struct.Struct("=dII")  # when it was written, its length, and a sum to be sure by
_STRIDE = _HEAD + 2 * (_PLACE.size + ROOM)
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a row.

    Attributes:
        number: of the writing, from 1.
        stamp: when it was written, by `time.monotonic`.
        data: what.
    """

    number: int
    stamp: float
    data: bytes


class Board:
    """The memory; made by the parent before it forks.

    Args:
        rows: how many processes may write.
        clock: tells seconds, the same in all processes.
    """

    def __init__(self, rows: int = ROWS, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._memory = mmap.mmap(-1, rows * _STRIDE)
        self._numbers = memoryview(self._memory).cast("Q")
        self._clock = clock
        self.rows = rows

    def write(self, row: int, data: bytes) -> bool:
        """Show something in a row, in place of what it had; False where there is no room for it."""
        if len(data) > ROOM:
            return False
        number = self._numbers[row * _STRIDE // 8] + 1
        at = self._place(row, number)
        _PLACE.pack_into(self._memory, at, self._clock(), len(data), crc32(data))
        at += _PLACE.size
        self._memory[at : at + len(data)] = data
        self._numbers[row * _STRIDE // 8] = number
        return True

    def read(self, row: int) -> Entry | None:
        """Return what a row shows, or None where it shows nothing."""
        for _ in range(_ATTEMPTS):
            number = self._numbers[row * _STRIDE // 8]
            if not number:
                return None
            at = self._place(row, number)
            stamp, length, checksum = _PLACE.unpack_from(self._memory, at)
            at += _PLACE.size
            data = self._memory[at : at + length]
            if self._numbers[row * _STRIDE // 8] == number and crc32(data) == checksum:
                return Entry(number, stamp, data)
        return None

    def stamp(self, row: int) -> float | None:
        """Return when a row was written to, or None where it shows nothing."""
        number = self._numbers[row * _STRIDE // 8]
        stamp: float = _PLACE.unpack_from(self._memory, self._place(row, number))[0]
        return stamp if number else None

    def clear(self, row: int) -> None:
        """Show nothing in a row."""
        self._numbers[row * _STRIDE // 8] = 0

    def is_newer(self, than: float) -> bool:
        """Whether all that counts was written later than that; a worker that never wrote does not count."""
        parent = self.read(PARENT)
        if parent is None or parent.stamp < than:
            return False
        stamps = map(self.stamp, _parse(parent)[0])
        return all(stamp is None or stamp >= than for stamp in stamps)

    @staticmethod
    def _place(row: int, number: int) -> int:
        return row * _STRIDE + _HEAD + number % 2 * (_PLACE.size + ROOM)


class Station(NamedTuple):
    """What a worker needs to have its numbers among those of all.

    Attributes:
        board: where they are.
        row: where its own belong.
        sockets: at which it may be asked for them; none where only the parent reads them.
    """

    board: Board
    row: int
    sockets: Sequence[socket.socket] = ()


def write_parent(board: Board, rows: Sequence[int], snapshot: Snapshot) -> bool:
    """Write the parent's row.

    Args:
        board: to write on.
        rows: of workers that count.
        snapshot: what the parent knows, with the numbers of workers that have ended.
    """
    return board.write(PARENT, b"%b\n%b" % (b" ".join(b"%d" % row for row in rows), snapshot.to_line()))


def read_board(
    board: Board, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
) -> Snapshot:
    """Return the numbers of all, as of when each has last written.

    Args:
        board: to read from.
        clock: that of the board.
        wall: tells seconds since the epoch.
    """
    base, parts = Snapshot(wall(), wall()), []
    for _ in range(_ATTEMPTS):
        parent = board.read(PARENT)
        if parent is None:
            break
        rows, base = _parse(parent)
        entries = map(board.read, rows)
        parts = [Snapshot.from_line(each.data) for each in entries if each is not None]
        silent = max(clock() - parent.stamp, 0.0)
        base = replace(base, workers=tuple(replace(each, heard=each.heard + silent) for each in base.workers))
        after = board.read(PARENT)
        if after is not None and after.number == parent.number:
            break
    return replace(add_up(base, parts), time=wall())


def read_row(board: Board, row: int) -> Snapshot | None:
    """Return what one worker has left, or None where that is nothing."""
    entry = board.read(row)
    return None if entry is None else Snapshot.from_line(entry.data)


def _parse(entry: Entry) -> tuple[list[int], Snapshot]:
    rows, _, line = entry.data.partition(b"\n")
    return [int(row) for row in rows.split()], Snapshot.from_line(line)
