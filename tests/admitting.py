"""A server that admits connections up to a limit, for the tests of `Admission`."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

from aioserve.admission import Admission
from aioserve.handler_options import HandlerOptions
from aioserve.loop_parts import LoopParts
from tests.wire import GET, Client


class Admitting:
    """A server with a limit, in a test.

    Attributes:
        admission: what is tested.
        handlers: those that were made.
        ticker: its clock stands still but for `tick`.
    """

    def __init__(self, factory, limit, options):
        self._parts = LoopParts.of(asyncio.get_running_loop())
        self.ticker = self._parts.ticker
        self.ticker._tick()
        self.ticker._timer.cancel()
        self.handlers = []
        self.admission = Admission(self._make, options, self.ticker, limit)
        self._factory = factory
        self._made = asyncio.Queue()
        self._clients = []
        self._server = None

    def _make(self):
        protocol = self._factory()
        self.handlers.append(protocol)
        self._made.put_nowait(protocol)
        return protocol

    @property
    def number(self):
        """How many connections are served."""
        return len(self.ticker.connections)

    @property
    def address(self):
        """Where it listens."""
        return self._server.sockets[0].getsockname()

    def tick(self, seconds=0.5):
        """Let a little time pass."""
        self.ticker.now += seconds

    async def connect(self):
        """Open another connection."""
        client = await Client.connect(self.address)
        self._clients.append(client)
        return client

    async def connect_at_once(self, number):
        """Open connections, all of which are there before the loop can accept the first of them."""
        socks = [socket.create_connection(self.address) for _ in range(number)]
        clients = [Client(sock, *await asyncio.open_connection(sock=sock)) for sock in socks]
        self._clients += clients
        return clients

    async def ask(self, data=GET):
        """Make one request on another connection; return client and answer."""
        client = await self.connect()
        client.send(data)
        return client, await client.reply()

    async def idle(self, number):
        """Open connections that have had an answer, one on each tick."""
        clients = []
        for _ in range(number):
            client, reply = await self.ask()
            assert (reply.status, reply.closes) == (200, False)
            clients.append(client)
            self.tick()
        return clients

    async def busy(self):
        """Open a connection with a `Slow` handler that is at work."""
        client = await self.connect()
        client.send(GET)
        protocol = await self._made.get()
        await protocol.entered.get()
        return client, protocol


@asynccontextmanager
async def admitting(factory, limit, *, tls=None, **options):
    """Serve what a factory makes, so many at once; in the end no connection may be left."""
    found = Admitting(factory, limit, HandlerOptions(**options))
    make = asyncio.get_running_loop().create_server
    found._server = await make(found.admission, "127.0.0.1", 0, ssl=tls)
    try:
        yield found
    finally:
        found._server.close()
        for client in found._clients:
            client.close()
        for protocol in found.handlers:
            if protocol.transport is not None:
                protocol.transport.abort()
            await protocol.shutdown()
        for connection in tuple(found.ticker.connections):  # of handlers that could not be made
            await connection.wait_lost()
        while found.admission.told:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
    assert not found.ticker.connections
