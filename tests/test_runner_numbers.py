"""A worker whose requests are counted, in this process: from its first request to its last."""

from __future__ import annotations

import socket

import pytest

from aioserve.listen.sockets import bind_sockets
from aioserve.observe.board import Board, Station, read_board, write_parent
from aioserve.observe.snapshot import Snapshot
from aioserve.settings import Bind, Static
from aioserve.workers.channel import Order
from aioserve.workers.orders import Orders
from tests.running import GET, Handler, serve, silent

pytestmark = pytest.mark.usefixtures("_handlers")


@pytest.fixture
def station():
    board = Board(2)
    write_parent(board, [1], Snapshot(1.0, 1.0))
    return Station(board, 1, bind_sockets(Bind("127.0.0.1", 0)).sockets)


@pytest.mark.parametrize("order", [[], [Order.RETIRE], [Order.PUBLISH]])
def test_numbers_are_published_to_the_last_request(process, clients, station, tmp_path, order):
    """Also where another worker takes over, and is asked for them from then on."""
    (tmp_path / "a.txt").write_text("a")
    settings = silent(process, static=Static((("/files", str(tmp_path)),)))
    clients.connect(GET.replace(b"/", b"/files/a.txt", 1))
    clients.connect()

    serve(settings, Handler, clients.sockets, *order, station=station)

    seen = read_board(station.board)
    assert (seen.total, seen.cache_misses) == (2, 1)
    assert [each.fileno() for each in station.sockets] == [-1]


def test_address_for_metrics_is_let_go_with_the_others(process, clients, station, monkeypatch):
    class Blocks(Handler):
        def handle_request(self, message, payload):
            let_go[0]()
            with socket.create_server(address):
                super().handle_request(message, payload)

    let_go = []
    address = station.sockets[0].getsockname()
    monkeypatch.setattr(Orders, "on_abandoned", lambda _orders, act: let_go.append(act))
    clients.connect()

    serve(silent(process), Blocks, clients.sockets, station=station)
    assert read_board(station.board).total == 1
