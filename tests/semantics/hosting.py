"""The command's server in a thread of the tests: each setup on a port of its own, all on one loop."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

from aioserve.cli import command
from aioserve.loop_parts import LoopParts
from aioserve.parameters import read_typed
from aioserve.runner import _Server
from aioserve.settings import OPTIONS, build_settings
from tests.semantics.client import Client


def read_settings(words):
    """Read the words of a command line as the command does, without its environment."""
    typed = read_typed(command.make_context("aioserve", list(words)), OPTIONS.values())
    return build_settings(typed)


class Host:
    """Serves what the command would serve.

    Attributes:
        errors: what the loop complained of.
    """

    def __init__(self, loop):
        self.errors = []
        self._loop = loop
        self._parts = None
        self._servers = []
        self._serving = []
        self._clients = {}

    def client(self, words):
        """Return a client of a server that was started with these words, started now if it is the first."""
        words = tuple(words)
        if words not in self._clients:
            port = asyncio.run_coroutine_threadsafe(self._start(words), self._loop).result()
            self._clients[words] = Client(port)
        return self._clients[words]

    def port(self, words):
        """Return the port of such a server."""
        return self.client(words)._port

    async def _start(self, words):
        parts = self._parts = self._parts or LoopParts.of(self._loop)
        serving = _Server(read_settings(words), None, [], None, None)
        self._serving.append(serving)
        make_protocol = serving._protocol_maker(parts.ticker, None, 1000)
        server = await self._loop.create_server(make_protocol, "127.0.0.1", 0)
        self._servers.append(server)
        return server.sockets[0].getsockname()[1]

    async def stop(self):
        """Close everything, and wait until every connection is gone."""
        for server in self._servers:
            server.close()
        for client in self._clients.values():
            client.close()
        connections = self._parts.ticker.connections if self._parts else ()
        for connection in tuple(connections):
            connection.close(1)
        for connection in tuple(connections):
            await connection.wait_lost()
        for serving in self._serving:
            serving.close_files()


@contextmanager
def hosting(make_loop):
    """Run a loop in a thread, and a host on it; the loop may not have complained of anything."""
    ready, box = threading.Event(), []

    def run():
        with asyncio.Runner(loop_factory=make_loop) as runner:
            runner.run(serve())

    async def serve():
        loop = asyncio.get_running_loop()
        host, stop = Host(loop), asyncio.Event()
        loop.set_exception_handler(lambda _loop, context: host.errors.append(context))
        box.extend((host, lambda: loop.call_soon_threadsafe(stop.set)))
        ready.set()
        await stop.wait()
        await host.stop()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    host, stop = box
    try:
        yield host
    finally:
        stop()
        thread.join()
    assert host.errors == []
