"""What a worker has where it counts; its orders are the test's, its board and its loop are real."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace

from aioserve.bookkeeping import Bookkeeping
from aioserve.listen.sockets import bind_sockets
from aioserve.loop_parts import LoopParts
from aioserve.observe.board import Board, Station, read_board, write_parent
from aioserve.observe.snapshot import Snapshot
from aioserve.settings import Bind
from aioserve.workers.channel import Order
from tests.running import Certificates
from tests.wire import on_both_loops


class FakeOrders:
    """Orders of a parent that has everybody write when somebody asks."""

    def __init__(self, board):
        self._board = board
        self._acts = {}

    def on(self, order, act):
        self._acts[order] = act

    def asked(self):
        write_parent(self._board, [1], Snapshot(1.0, 1.0))
        self._acts[Order.PUBLISH]()


class Books:
    """A worker's, with a client that asks for the numbers."""

    def __init__(self, *, is_asked=True):
        self.board = Board(2)
        write_parent(self.board, [1], Snapshot(1.0, 1.0))
        self.sockets = bind_sockets(Bind("127.0.0.1", 0)).sockets if is_asked else ()
        self.kept = Bookkeeping(Station(self.board, 1, self.sockets))
        self.loop = asyncio.get_running_loop()
        self.parts = LoopParts.of(self.loop)

    async def open(self, access_log=None, certificates=None):
        await self.kept.open(self.parts, FakeOrders(self.board), access_log, certificates)

    async def scrape(self):
        reader, writer = await asyncio.open_connection(*self.sockets[0].getsockname())
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        told = await reader.read()
        writer.close()
        return told

    async def close(self):
        await self.kept.close()
        for each in self.sockets:
            each.close()


@on_both_loops
async def test_who_asks_is_told_of_all_until_then():
    books = Books()
    await books.open()
    books.kept.counters.note(("GET", 200, 0.1, 10))
    told = await books.scrape()
    await books.close()

    assert b'aioserve_requests_total{method="GET",status="2xx"} 1.0' in told
    assert books.parts.requests == 0


@on_both_loops
async def test_lost_lines_and_ends_of_certificates_are_among_them():
    books = Books(is_asked=False)
    await books.open(SimpleNamespace(dropped=3), Certificates())
    seen = read_board(books.board)

    assert (seen.log_drops, seen.certificate_ends) == (3, {"a.example": 9.0})


@on_both_loops
async def test_what_is_left_is_published_in_the_end():
    books = Books(is_asked=False)
    books.kept.publish_last()  # where it did not come to that, there is nothing
    await books.open()
    books.kept.counters.note(("GET", 200, 0.1, 10))
    assert read_board(books.board).total == 0
    books.kept.stop_accepting()
    await books.kept.close()
    books.kept.publish_last()

    seen = read_board(books.board)
    assert (seen.total, seen.log_drops, seen.certificate_ends) == (1, 0, {})


@on_both_loops
async def test_others_are_asked_when_it_stops_accepting():
    books = Books()
    await books.open()
    copies = [each for each in books.kept.sockets if each not in books.sockets]
    books.kept.stop_accepting()
    await asyncio.sleep(0)
    with socket.create_connection(books.sockets[0].getsockname()):
        books.sockets[0].setblocking(True)
        taken, _ = books.sockets[0].accept()
    taken.close()
    await books.close()

    assert [each.fileno() for each in copies] == [-1]


@on_both_loops
async def test_files_that_are_found_are_counted():
    told = []
    books = Books(is_asked=False)
    books.kept.watch([SimpleNamespace(tell_found=told.append)])
    told[0](True)
    await books.open()

    assert read_board(books.board).cache_hits == 1
