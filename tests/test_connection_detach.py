"""A connection that its handler takes over for another protocol."""

from __future__ import annotations

import asyncio

import pytest

from aioserve import Response
from aioserve.connection import Phase
from tests.wire import FAKE_LATE, GET, LATE, connected, errors, handler, on_both_loops, post, serving


class Echo(asyncio.Protocol):
    def __init__(self, transport, rest):
        self._transport = transport
        self.data_received(rest)

    def data_received(self, data):
        self._transport.write(data)


@handler
async def switches(self, message, _payload):
    """RFC 9110 §7.8."""
    response = Response(self.writer, 101)
    response.add_headers(("Connection", "upgrade"), ("Upgrade", message.upgrade))
    response.send_headers()
    transport, rest = self.detach()
    transport.set_protocol(Echo(transport, rest))
    if message.path == "/wait":
        await asyncio.sleep(0)
    if message.path == "/fail":
        raise ValueError("behind the switch")
    await self.wait_disconnected()


@pytest.mark.parametrize("path", ["/", "/wait", "/fail"])
@on_both_loops
async def test_a_handler_may_take_the_connection_over(path, caplog):
    records = []
    async with serving(switches, access_log=records.append) as server:
        client = await server.connect()
        client.send(
            f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n".encode()
        )
        client.send(b"early ")
        head = await client.until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert b"\r\nUpgrade: echo\r\nConnection: upgrade\r\n" in head
        client.send(GET)
        assert await client.until(GET) == b"early " + GET
        with pytest.raises(RuntimeError, match="only a connection whose request"):
            server.handlers[0].detach()
        client.close()
    assert [record.status for record in records] == [101]
    assert errors(caplog) == ([LATE.replace(" / ", " /fail ")] if path == "/fail" else [])


@on_both_loops
async def test_nothing_is_answered_on_a_connection_that_was_taken_over(caplog):
    @handler
    async def takes(self, _message, _payload):
        self.detach()
        raise ValueError("no page for this")

    protocol, transport = connected(takes)
    protocol.data_received(GET + b"rest")
    assert transport.sent == b""
    assert errors(caplog) == [FAKE_LATE]
    assert protocol._connection.phase is Phase.DETACHED
    protocol.closing()
    assert not transport.is_closing()
    await protocol.shutdown()
    protocol.connection_lost(None)
    assert protocol._connection.phase is Phase.DETACHED


@on_both_loops
async def test_what_has_come_of_a_body_is_the_payloads_and_the_rest_the_takers():
    @handler
    async def takes(self, _message, payload):
        taken.append(await payload.read())
        taken.append(self.detach()[1])

    taken = []
    protocol, _transport = connected(takes)
    protocol.data_received(post(b"body") + b"rest")
    assert taken == [b"body", b"rest"]
    protocol.connection_lost(None)


@on_both_loops
async def test_what_comes_before_there_is_another_protocol_is_thrown_away():
    @handler
    def takes(self, _message, _payload):
        self.detach()

    protocol, transport = connected(takes)
    protocol.data_received(GET)
    for _ in range(64):
        assert not transport.is_aborted
        protocol.data_received(bytes(1 << 20 | 1))
    assert transport.is_aborted
    protocol.connection_lost(None)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"CONNECT a:1 HTTP/1.1", 200),
        (b"GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: chat", 101),
    ],
    ids=["CONNECT", "101"],
)
@on_both_loops
async def test_what_follows_is_no_request_even_if_nobody_takes_the_connection_over(head, status):
    @handler
    async def answers(self, _message, _payload):
        response = Response(self.writer, status)
        response.add_header("Upgrade", "chat")
        response.send_headers()

    async with serving(answers, access_log=None, allowed_methods=["GET", "CONNECT"]) as server:
        client = await server.connect()
        client.send(head + b"\r\nHost: a\r\n\r\n" + GET)
        said = await client.rest()

    assert said.count(b"HTTP/1.1 ") == 1
