"""Totals never fall, and a row belongs to one worker at a time; the board is a real one, and small."""

from __future__ import annotations

import pytest

from aioserve.observe.board import PARENT, ROOM, Board, read_board
from aioserve.observe.snapshot import Snapshot, WorkerSnapshot
from aioserve.workers.accounts import Accounts


def seen_with(*pids, **more):
    """Return what the parent sees."""
    workers = tuple(WorkerSnapshot(pid, "serves", heard=1.0) for pid in pids)
    return Snapshot(5.0, 1.0, version="1.0", workers=workers, **more)


@pytest.fixture
def board():
    return Board(3, clock=lambda: 10.0)


@pytest.fixture
def accounts(board):
    return Accounts(board, seen_with())


def start(accounts, pid):
    """Start a worker, and return its row."""
    station = accounts.station()
    if station is not None:
        accounts.started(pid, station)
        return station.row
    return None


def leave(board, row, pid, requests):
    """Let a worker write down how many requests it had."""
    numbers = Snapshot(
        5.0, 5.0, size_sum=requests, connections=(1, 0, 0, 0), workers=(WorkerSnapshot(pid, "", requests),)
    )
    board.write(row, numbers.to_line())


def read(board):
    return read_board(board, clock=lambda: 12.0, wall=lambda: 6.0)


def test_each_worker_has_a_row_and_rows_are_given_again(accounts, board):
    assert [start(accounts, 7), start(accounts, 8)] == [1, 2]
    leave(board, 1, 7, 1)
    accounts.gone(7)

    assert start(accounts, 9) == 1
    assert board.read(1) is None  # nothing of the one before


def test_numbers_of_those_who_have_ended_stay(accounts, board):
    start(accounts, 7)
    start(accounts, 8)
    leave(board, 1, 7, 3)
    leave(board, 2, 8, 4)
    accounts.tell(seen_with(7, 8))
    before = read(board)
    accounts.gone(7)
    after = read(board)

    assert (before.size_sum, after.size_sum) == (7, 7)
    assert (before.connections[0], after.connections[0]) == (2, 1)
    assert [(each.pid, each.requests, each.state) for each in before.workers] == [
        (7, 3, "serves"),
        (8, 4, "serves"),
    ]
    assert before.workers[0].heard == 3.0  # a second by then, and two since


def test_parent_has_them_without_the_board(accounts, board):
    start(accounts, 7)
    start(accounts, 8)
    start(accounts, 9)
    leave(board, 1, 7, 3)
    accounts.gone(7)
    leave(board, 2, 8, 4)
    seen = accounts.complete(seen_with(8, restarts=2, addresses=("here",)))

    assert (seen.size_sum, seen.connections[0], seen.restarts) == (7, 1, 2)
    assert (seen.version, seen.started, seen.addresses) == ("1.0", 1.0, ("here",))
    assert [(each.pid, each.requests) for each in seen.workers] == [(8, 4)]


def test_worker_that_never_wrote_leaves_nothing(accounts, board):
    start(accounts, 7)
    accounts.gone(7)
    accounts.gone(7)  # nor one that is not known

    assert read(board).total == 0


def test_how_the_server_is_said_by_the_parent(accounts, board):
    accounts.tell(seen_with(state="stopping", restarts=2))
    seen = read(board)

    assert (seen.state, seen.version, seen.restarts) == ("stopping", "1.0", 2)


def test_workers_beyond_the_rows_are_told_of_once(accounts, caplog):
    assert [start(accounts, pid) for pid in (7, 8, 9, 10)] == [1, 2, None, None]
    assert [record.getMessage() for record in caplog.records] == [
        "there are too many workers: some are not counted"
    ]


def test_more_than_there_is_room_for_is_said(accounts, board, caplog):
    accounts.tell(seen_with(served=("x" * ROOM,)))

    assert "too much to be told" in caplog.text
    assert board.read(PARENT) is None
