"""The address for metrics: what is asked there, and whom it waits for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from aioserve import metrics
from aioserve.loop_parts import LoopParts
from aioserve.metrics import Inquiry, MetricsServer
from aioserve.observe.board import Board, write_parent
from aioserve.observe.snapshot import Snapshot
from tests.doubles import FakeTransport
from tests.wire import on_both_loops, turns


class Clock:
    """A clock that goes on with each look."""

    def __init__(self):
        self.now = 10.0

    def __call__(self):
        self.now += 0.01
        return self.now


def numbers(count):
    return Snapshot(1.0, 1.0, size_sum=count)


@pytest.fixture
def board():
    board = Board(2, clock=Clock())
    write_parent(board, [1], numbers(0))
    board.write(1, numbers(1).to_line())
    return board


@on_both_loops
async def test_numbers_are_those_of_after_the_question(board):
    def ask():
        asyncio.get_running_loop().call_soon(answer)

    def answer():
        write_parent(board, [1], numbers(0))
        board.write(1, numbers(2).to_line())

    assert (await Inquiry(board, ask, clock=board._clock)()).size_sum == 2


@on_both_loops
async def test_who_does_not_answer_is_not_waited_for_long(board):
    inquiry = Inquiry(board, lambda: None, clock=board._clock)

    assert (await inquiry()).size_sum == 1
    assert board._clock.now < 10.5


class Telling:
    """A server of metrics whose numbers are the test's, and its clients."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.outer = LoopParts.of(self.loop)
        self.parts = self.outer.aside(self.loop)
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.server = MetricsServer(self.inquire, self.parts)

    async def inquire(self):
        await self.go_on.wait()
        return numbers(5)

    def connect(self):
        protocol, transport = self.server(), FakeTransport()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        return protocol, transport

    async def ask(self, line, *fields):
        protocol, transport = self.connect()
        protocol.data_received("\r\n".join((f"{line} HTTP/1.1", "Host: a", *fields, "", "")).encode())
        await turns()
        protocol.connection_lost(None)
        head, _, body = transport.sent.partition(b"\r\n\r\n")
        return head.decode(), body.decode()


@on_both_loops
async def test_metrics_are_told():
    head, body = await Telling().ask("GET /metrics?x=y")

    assert "HTTP/1.1 200 OK" in head
    assert "Content-Type: text/plain; version=0.0.4; charset=utf-8" in head
    assert "Cache-Control: no-store" in head
    assert "\naioserve_response_size_bytes_sum 5.0\n" in body


@on_both_loops
async def test_form_is_chosen_by_the_client():
    _, body = await Telling().ask("GET /metrics", "Accept: application/openmetrics-text")

    assert body.endswith("# EOF\n")


@on_both_loops
async def test_head_has_the_length_alone():
    head, body = await Telling().ask("HEAD /metrics")

    assert "HTTP/1.1 200 OK" in head
    assert "Content-Length: " in head
    assert body == ""


@pytest.mark.parametrize(
    ("line", "status"), [("POST /metrics", 405), ("GET /", 404), ("GET /metrics/", 404), ("DELETE /x", 404)]
)
@on_both_loops
async def test_nothing_else_is_there(line, status):
    head, _ = await Telling().ask(line)

    assert f"HTTP/1.1 {status} " in head
    assert ("Allow: GET, HEAD" in head) == (status == 405)


@on_both_loops
async def test_its_connections_are_none_of_the_others():
    telling = Telling()
    protocol, _ = telling.connect()

    assert len(telling.parts.ticker.connections) == 1
    assert telling.outer.ticker.connections == set()
    await telling.ask("GET /metrics")
    assert (telling.parts.requests, telling.outer.requests) == (1, 0)
    protocol.connection_lost(None)


@on_both_loops
async def test_in_the_end_idle_connections_are_closed_and_answers_finish():
    telling = Telling()
    telling.go_on.clear()
    closed = []
    telling.server.servers.append(SimpleNamespace(close=lambda: closed.append(1)))
    (idle, idle_transport), (busy, transport) = telling.connect(), telling.connect()
    busy.data_received(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    ending = asyncio.ensure_future(telling.server.close())
    await turns()
    assert closed == [1]
    idle.connection_lost(None)
    telling.go_on.set()
    await turns()
    busy.connection_lost(None)
    await ending

    assert b"Connection: close" in transport.sent
    assert idle_transport.is_closing()


@on_both_loops
async def test_who_takes_too_long_is_left(monkeypatch):
    monkeypatch.setattr(metrics, "_LAST_WORDS", 0.001)
    telling = Telling()
    telling.go_on.clear()
    protocol, _ = telling.connect()
    protocol.data_received(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    await telling.server.close()
    telling.go_on.set()
    await turns()
    protocol.connection_lost(None)


@on_both_loops
async def test_server_without_connections_is_closed_at_once():
    await Telling().server.close()
