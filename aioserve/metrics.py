"""The address at which the server tells its numbers.

This file decides what is asked there and how: one path, by GET and HEAD, on connections that are none of
those which are served, so that they are not counted, not logged, and keep nobody from stopping. Whoever is
asked has all workers say their numbers first, and waits for that, but not for one that is blocked.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from aioserve.errors import HttpMethodNotAllowed, HttpProcessingError
from aioserve.handler_options import HandlerOptions
from aioserve.observe.board import read_board
from aioserve.observe.exposition import render
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aioserve.http.messages import RequestMessage
    from aioserve.loop_parts import LoopParts
    from aioserve.observe.board import Board
    from aioserve.observe.snapshot import Snapshot
    from aioserve.payload import Payload

_PATIENCE = 0.2  # seconds that workers have for their numbers
_PERIOD = 0.002  # between looks whether they are there
_LAST_WORDS = 0.5  # seconds for answers when the server stops


class Inquiry:
    """Finds out the numbers of the server as they are now.

    Args:
        board: where they are.
        ask: has all workers write them there.
        clock: that of the board.
    """

    def __init__(
        self, board: Board, ask: Callable[[], object], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._board = board
        self._ask = ask
        self._clock = clock

    async def __call__(self) -> Snapshot:
        """Return them; of who does not answer those of before."""
        asked = self._clock()
        self._ask()
        while not self._board.is_newer(asked) and self._clock() < asked + _PATIENCE:  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(_PERIOD)
        return read_board(self._board)


class MetricsHandler(ServerHttpProtocol):
    """Answers with the numbers.

    Args:
        inquire: finds them out.
        render: writes them as `observe.exposition.render` does.
    """

    def __init__(
        self,
        inquire: Callable[[], Awaitable[Snapshot]],
        render: Callable[[Snapshot, str | None], tuple[str, bytes]],
    ) -> None:
        super().__init__()
        self._inquire = inquire
        self._render = render

    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:  # noqa: ARG002 - the API
        """Answer a request."""
        if message.path.partition("?")[0] != Metrics.PATH:
            raise HttpProcessingError(404)
        if message.method not in ("GET", "HEAD"):
            raise HttpMethodNotAllowed(("GET", "HEAD"))
        content_type, body = self._render(await self._inquire(), message.field("accept"))
        self.writer.write_response(200, body, {"Cache-Control": "no-store"}, content_type=content_type)


class MetricsServer:
    """What accepts connections of those who ask.

    Args:
        inquire: finds out the numbers.
        parts: of connections that are told, and are none of those which are served.
    """

    def __init__(self, inquire: Inquiry, parts: LoopParts) -> None:
        self._inquire = inquire
        self._parts = parts
        self._options = replace(HandlerOptions(access_log=None), parts=parts)
        self.servers: list[asyncio.Server] = []

    def __call__(self) -> MetricsHandler:
        """Make the protocol of a connection."""
        handler = MetricsHandler(self._inquire, render)
        handler.use_defaults(self._options)
        return handler

    def stop_accepting(self) -> None:
        """Accept no more: others do."""
        for server in self.servers:
            server.close()

    async def close(self) -> None:
        """Accept no more, and give the last answers a moment."""
        self.stop_accepting()
        connections = tuple(self._parts.ticker.connections)
        for each in connections:
            each.close(_LAST_WORDS)
        waiting = [asyncio.ensure_future(each.wait_lost()) for each in connections]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=_LAST_WORDS)
            for task in late:
                task.cancel()
