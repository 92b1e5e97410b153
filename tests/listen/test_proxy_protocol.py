"""What becomes of a connection before its first byte of HTTP."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from functools import partial

import pytest

from aioserve.admission import Admission
from aioserve.handler_options import HandlerOptions
from aioserve.listen.proxy_protocol import ProxyProtocol, make_refusals
from aioserve.loop_parts import LoopParts
from aioserve.phase import Phase
from aioserve.trusted import TrustedPeers
from tests.doubles import FakeTransport
from tests.wire import GET, Client, Slow, handler, hello, on_both_loops

LOGGER = "aioserve.listen.proxy_protocol"
V1 = b"PROXY TCP4 192.0.2.7 192.0.2.99 40000 443\r\n"
V2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 7, 192, 0, 2, 99, 0x9C, 0x40, 1, 0xBB])
UNKNOWN = b"PROXY UNKNOWN\r\n"
CLIENT = ("192.0.2.7", 40000)
LAST = GET[:-2] + b"Connection: close\r\n\r\n"


class Recording(asyncio.Protocol):
    """Notes what it is told."""

    def __init__(self):
        self.told = []

    def connection_made(self, transport):
        self.told.append(transport)

    def data_received(self, data):
        self.told.append(data)


class Reading:
    """A connection over a `FakeTransport`, before its header; the clock stands still but for `to`."""

    def __init__(self, *, trusted="192.0.2.0/24", timeout=10.0, make=Recording, refusals=None, **extra):
        self.ticker = LoopParts.of(asyncio.get_running_loop()).ticker
        self.transport = FakeTransport(**extra)
        self.made = []
        proxies = TrustedPeers([trusted])
        self.protocol = ProxyProtocol(self._make, proxies, self.ticker, timeout, refusals or make_refusals())
        self._factory = make
        self.transport.set_protocol(self.protocol)
        self.protocol.connection_made(self.transport)
        self._start = self.ticker.now

    def _make(self):
        self.made.append(self._factory())
        return self.made[-1]

    def to(self, second):
        self.protocol.check_deadline(self._start + second)


def lines(caplog):
    return [record.getMessage() for record in caplog.records if record.name == LOGGER]


# Over fakes


@on_both_loops
async def test_what_follows_the_header_is_for_who_serves_the_connection():
    read = Reading()
    for at in range(len(V1)):
        assert read.made == []
        assert read.protocol in read.ticker.connections
        read.protocol.data_received(V1[at : at + 1])

    assert read.made[0].told == [read.transport]
    assert read.transport.get_protocol() is read.made[0]
    assert read.protocol not in read.ticker.connections


@on_both_loops
async def test_what_comes_with_the_header_too():
    read = Reading()

    read.protocol.data_received(V2 + b"more")

    assert read.made[0].told == [read.transport, b"more"]


@pytest.mark.parametrize(
    ("header", "peer"),
    [(V1, CLIENT), (V2, CLIENT), (UNKNOWN, ("192.0.2.1", 40000))],
    ids=["1", "2", "unknown"],
)
@on_both_loops
async def test_handler_knows_the_client_and_not_the_proxy(header, peer):
    seen = []

    @handler
    def tell(self, message, _payload):
        seen.append(message.peer)
        self.writer.write_response(200, "")

    read = Reading(make=tell)
    read.protocol.data_received(header + GET + GET)

    assert seen == [peer, peer]
    read.made[0].connection_lost(None)


@pytest.mark.parametrize("peer", [("198.51.100.1", 5), "", None])
@on_both_loops
async def test_who_is_not_trusted_is_closed_before_it_is_read(caplog, peer):
    read = Reading(peername=peer)
    read.protocol.data_received(V1 + GET)
    read.protocol.connection_lost(None)

    assert read.transport.is_aborted
    assert read.made == []
    assert read.protocol not in read.ticker.connections
    host = peer[0] if peer else "-"
    assert lines(caplog) == [f"{host}: closed: it is no trusted proxy"]


@on_both_loops
async def test_strangers_do_not_fill_the_log(caplog):
    refusals = make_refusals()
    for last in range(50):
        Reading(peername=(f"198.51.100.{last}", 5), refusals=refusals)
    Reading(refusals=refusals).protocol.data_received(GET)

    assert lines(caplog) == [
        "198.51.100.0: closed: it is no trusted proxy",
        "192.0.2.1: closed: there is no PROXY header",
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (GET, "there is no PROXY header"),
        (V1[:-2] + b" 1\r\n", "the PROXY header is malformed"),
        (V2[:14] + b"\xff\xff", "the PROXY header is too long"),
    ],
)
@on_both_loops
async def test_without_a_header_nobody_is_served(caplog, data, reason):
    read = Reading()
    read.protocol.data_received(data)
    read.protocol.data_received(GET)
    read.protocol.connection_lost(None)

    assert read.transport.is_aborted
    assert read.made == []
    assert lines(caplog) == [f"192.0.2.1: closed: {reason}"]


@on_both_loops
async def test_header_has_its_time(caplog):
    read = Reading()
    read.protocol.data_received(V1[:-1])
    read.to(9)
    assert not read.transport.is_aborted

    read.to(11)

    assert read.transport.is_aborted
    assert lines(caplog) == ["192.0.2.1: closed: the PROXY header did not come in time"]


@on_both_loops
async def test_header_has_all_the_time_in_the_world_where_there_is_no_limit():
    read = Reading(timeout=0.0)

    read.to(1e9)

    assert not read.transport.is_aborted
    assert read.protocol.idle_until is None
    assert not read.protocol.is_between_requests


@pytest.mark.parametrize(("data", "said"), [(b"", []), (V1[:9], ["the PROXY header broke off"])])
@on_both_loops
async def test_who_only_looks_whether_there_is_a_server_is_no_line_of_the_log(caplog, data, said):
    read = Reading()
    if data:
        read.protocol.data_received(data)

    assert read.protocol.eof_received() is False

    assert lines(caplog) == [f"192.0.2.1: closed: {each}" for each in said]


@on_both_loops
async def test_stopping_does_not_wait_for_a_header():
    read = Reading()
    waiting = asyncio.ensure_future(read.protocol.wait_lost())
    await asyncio.sleep(0)

    read.protocol.close(10.0)

    assert read.transport.is_aborted
    assert not waiting.done()
    read.protocol.connection_lost(None)
    await waiting
    read.protocol.abort()


@on_both_loops
async def test_retiring_worker_waits_for_a_request_that_may_be_on_its_way():
    @handler
    def answer(self, _message, _payload):
        self.writer.write_response(200, "a")

    read = Reading(make=answer)
    read.protocol.close(10.0, patiently=True)
    assert not read.transport.is_aborted
    read.protocol.data_received(V1)
    read.protocol = read.made[0]
    read.protocol.data_received(GET)

    assert b"\r\nConnection: close\r\n" in read.transport.sent
    read.protocol.connection_lost(None)


@on_both_loops
async def test_while_it_waits_it_says_what_it_does():
    read = Reading()

    assert (read.protocol.phase, read.protocol.message) == (Phase.WAITING, None)
    assert read.protocol.peer == ("192.0.2.1", 40000)
    read.protocol.connection_lost(None)


# Over sockets


@asynccontextmanager
async def behind_proxies(factory, *, trusted="127.0.0.1", limit=100, path=None, **options):
    """Serve what a factory makes behind PROXY headers; return how to connect."""
    loop = asyncio.get_running_loop()
    parts = LoopParts.of(loop)  # held, for connections to find it
    ticker = parts.ticker
    admission = Admission(factory, HandlerOptions(**options), ticker, limit)
    make = partial(ProxyProtocol, admission, TrustedPeers([trusted]), ticker, 10.0, make_refusals())
    if path:
        server = await loop.create_unix_server(make, path)
    else:
        server = await loop.create_server(make, "127.0.0.1", 0)
    clients = []

    async def connect(data=b""):
        clients.append(await Client.connect(server.sockets[0].getsockname()))
        clients[-1].send(data)
        return clients[-1]

    try:
        yield connect
    finally:
        server.close()
        for each in clients:
            each.close()
        for each in tuple(ticker.connections):
            each.abort()
            await each.wait_lost()


@pytest.mark.parametrize("header", [V1, V2], ids=["1", "2"])
@on_both_loops
async def test_connection_goes_on_behind_the_header(header):
    records = []
    async with behind_proxies(hello, access_log=records.append) as connect:
        client = await connect(header + GET + GET)
        replies = [await client.reply(), await client.reply()]
        client.send(GET)
        replies.append(await client.reply())
        client.send(LAST)
        replies.append(await client.reply())
    assert [(each.status, each.body, each.closes) for each in replies] == [
        *[(200, b"hello", False)] * 3,
        (200, b"hello", True),
    ]
    assert [record.peer for record in records] == [CLIENT] * 4


@on_both_loops
async def test_header_may_come_byte_by_byte():
    async with behind_proxies(hello) as connect:
        client = await connect()
        for at in range(len(V2)):
            client.send(V2[at : at + 1])
            await asyncio.sleep(0)
        client.send(GET)
        assert (await client.reply()).body == b"hello"


@pytest.mark.parametrize(("trusted", "data"), [("127.0.0.1", GET), ("192.0.2.1", V1 + GET)])
@on_both_loops
async def test_others_get_nothing(caplog, trusted, data):
    with caplog.at_level(logging.WARNING, LOGGER):
        async with behind_proxies(hello, trusted=trusted) as connect:
            client = await connect(data)
            with pytest.raises((EOFError, ConnectionError)):
                await client.until(b"\r\n")
    assert len(lines(caplog)) == 1


@on_both_loops
async def test_proxy_at_a_unix_socket_is_trusted_as_unix(tmp_path):
    records = []
    path = str(tmp_path / "socket")
    async with behind_proxies(hello, trusted="unix", path=path, access_log=records.append):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(V1 + LAST)
        assert (await reader.read()).endswith(b"hello")
        writer.close()
    assert [record.peer for record in records] == [CLIENT]


@on_both_loops
async def test_there_may_be_no_room_behind_the_header():
    async with behind_proxies(Slow, limit=1) as connect:
        await connect(V1 + GET)
        client = await connect(V1 + GET)
        reply = await client.reply()
        assert (reply.status, reply.closes) == (503, True)
