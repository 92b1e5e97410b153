"""What one process writes another reads whole, whenever the first one stops."""

from __future__ import annotations

import os

import pytest

from aioserve.observe import board as module
from aioserve.observe.board import PARENT, ROOM, Board, read_board, read_row, write_parent
from aioserve.observe.snapshot import Snapshot, WorkerSnapshot


class Clock:
    def __init__(self):
        self.now = 10.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def board(clock):
    return Board(4, clock=clock)


def numbers(pid, requests):
    return Snapshot(1.0, 1.0, size_sum=requests, workers=(WorkerSnapshot(pid, "", requests),)).to_line()


def test_row_shows_what_was_written_last(board, clock):
    assert (board.read(1), board.stamp(1)) == (None, None)
    assert board.write(1, b"one")
    clock.now = 11.0
    assert board.write(1, b"other")

    entry = board.read(1)
    assert (entry.number, entry.stamp, entry.data) == (2, 11.0, b"other")
    assert board.stamp(1) == 11.0
    board.clear(1)
    assert board.read(1) is None


def test_what_has_no_room_is_not_written(board):
    board.write(1, b"x" * ROOM)

    assert not board.write(1, b"x" * (ROOM + 1))
    assert board.read(1).data == b"x" * ROOM


def test_rows_do_not_touch(board):
    for row in range(board.rows):
        board.write(row, b"%d" % row * (ROOM // 1))

    assert [board.read(row).data[:1] for row in range(board.rows)] == [b"0", b"1", b"2", b"3"]


def test_other_processes_read_it(board):
    pid = os.fork()
    if not pid:  # pragma: no cover - the other process
        board.write(1, b"from a child")
        os._exit(0)
    os.waitpid(pid, 0)

    assert board.read(1).data == b"from a child"


def test_who_is_killed_while_it_writes_leaves_what_it_wrote_before(board, monkeypatch):
    board.write(1, b"whole")

    class Killed(BaseException):
        pass

    def kill(_data):
        raise Killed

    monkeypatch.setattr(module, "crc32", kill)  # the place is written to after that
    with pytest.raises(Killed):
        board.write(1, b"new")
    monkeypatch.undo()
    board._memory[board._place(1, 2) : board._place(1, 2) + 5] = b"torn!"

    assert board.read(1).data == b"whole"


def test_what_is_torn_is_not_read(board):
    board.write(1, b"whole")
    at = board._place(1, 1) + module._PLACE.size
    board._memory[at : at + 1] = b"W"

    assert board.read(1) is None


def test_all_numbers_are_put_together(board, clock):
    worker = WorkerSnapshot(7, "serves", heard=1.0)
    write_parent(board, [1, 2], Snapshot(1.0, 0.5, "stopping", size_sum=100, workers=(worker,)))
    board.write(1, numbers(7, 20))
    board.write(3, numbers(9, 5))  # counts no more
    clock.now = 12.0

    seen = read_board(board, clock=clock, wall=lambda: 9.0)

    assert (seen.time, seen.started, seen.state, seen.size_sum) == (9.0, 0.5, "stopping", 120)
    assert seen.workers == (WorkerSnapshot(7, "serves", 20, heard=3.0),)
    assert read_row(board, 1).size_sum == 20
    assert read_row(board, 2) is None


def test_board_without_a_parent_has_no_numbers(board):
    assert read_board(board, wall=lambda: 9.0).total == 0


@pytest.mark.parametrize("goes", [True, False])
def test_worker_that_ends_meanwhile_is_counted_once(board, monkeypatch, goes):
    """Its row is read, then it ends, and the parent has its numbers."""
    write_parent(board, [1], Snapshot(1.0, 1.0))
    board.write(1, numbers(7, 20))
    read, turns = board.read, []

    def read_and_end(row):
        entry = read(row)
        if row != PARENT and not turns:
            turns.append(row)
            if goes:
                write_parent(board, [], Snapshot(1.0, 1.0, size_sum=20))
        return entry

    monkeypatch.setattr(board, "read", read_and_end)

    assert read_board(board).size_sum == 20


def test_parent_that_never_stands_still_is_believed_in_the_end(board, monkeypatch):
    write_parent(board, [], Snapshot(1.0, 1.0, size_sum=20))
    read = board.read

    def read_and_write(row):
        entry = read(row)
        write_parent(board, [], Snapshot(1.0, 1.0, size_sum=20))
        return entry

    monkeypatch.setattr(board, "read", read_and_write)

    assert read_board(board).size_sum == 20


def test_numbers_are_newer_when_all_that_count_were_written_later(board, clock):
    def is_newer():
        return board.is_newer(11.0)

    assert not is_newer()
    write_parent(board, [1, 2], Snapshot(1.0, 1.0))
    board.write(1, b"old")
    board.write(3, b"of nobody")
    assert not is_newer()
    clock.now = 11.0
    write_parent(board, [1, 2], Snapshot(1.0, 1.0))
    assert not is_newer()
    board.write(1, b"new")
    assert is_newer()  # 2 has never written
    write_parent(board, [1, 3], Snapshot(1.0, 1.0))
    assert not is_newer()
