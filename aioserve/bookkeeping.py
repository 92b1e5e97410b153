"""What a worker has where its requests are counted.

This file decides what that is: counters, what publishes them, and the address at which the worker may be
asked for the numbers of all. It is loaded only where somebody asks for numbers.
"""

from __future__ import annotations

import asyncio
import os
import socket
from functools import partial
from typing import TYPE_CHECKING, cast

from aioserve.observe.counters import Counters
from aioserve.publishing import Publisher
from aioserve.workers.channel import Order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aioserve.connection import Connection
    from aioserve.listen.certificates import Certificates
    from aioserve.loop_parts import LoopParts
    from aioserve.metrics import MetricsServer
    from aioserve.observe.access import AccessLog
    from aioserve.observe.board import Station
    from aioserve.static.mounts import Mounts
    from aioserve.workers.orders import Orders

_AT_ONCE = 64  # that are accepted before one of them is looked at


class Bookkeeping:
    """The books of one worker.

    Args:
        station: where its numbers belong, and where it is asked for those of all.

    Attributes:
        counters: what it counts.
        sockets: those that are asked at.
    """

    def __init__(self, station: Station) -> None:
        self.counters = Counters()
        self.sockets = list(station.sockets)
        self._station = station
        self._publisher: Publisher | None = None
        self._server: MetricsServer | None = None

    def watch(self, mounts: Iterable[Mounts]) -> None:
        """Count the files that are found, too."""
        for each in mounts:
            each.tell_found(self.counters.found)

    async def open(
        self,
        parts: LoopParts,
        orders: Orders,
        access_log: AccessLog | None,
        certificates: Certificates | None,
    ) -> None:
        """Publish from now on, and answer who asks.

        Args:
            parts: of the event loop.
            orders: from the parent, who is told when somebody asks.
            access_log: knows how many lines it has lost.
            certificates: know when they end.
        """
        loop, station = asyncio.get_running_loop(), self._station
        self._publisher = Publisher(
            self.counters,
            partial(station.board.write, station.row),
            loop,
            connections=cast("set[Connection]", parts.ticker.connections),
            log_drops=lambda: 0 if access_log is None else access_log.dropped,
            certificate_ends=lambda: {} if certificates is None else certificates.ends,
        )
        orders.on(Order.PUBLISH, self._publisher.publish)
        self._publisher.publish()
        if not self.sockets:
            return
        from aioserve.metrics import Inquiry, MetricsServer  # noqa: PLC0415 - where there is an address for it

        self._server = MetricsServer(Inquiry(station.board, orders.asked), parts.aside(loop))
        for each in tuple(self.sockets):
            # The loop closes what it listens at, and a worker that ends without it needs to know both.
            copy = socket.socket(fileno=os.dup(each.fileno()))
            self.sockets.append(copy)
            self._server.servers.append(await loop.create_server(self._server, sock=copy, backlog=_AT_ONCE))

    def stop_accepting(self) -> None:
        """Let others be asked."""
        if self._server is not None:
            self._server.stop_accepting()

    async def close(self) -> None:
        """Be asked no more, and give the last answers a moment."""
        if self._server is not None:
            await self._server.close()

    def publish_last(self) -> None:
        """Publish what will be left of this worker."""
        if self._publisher is not None:
            self._publisher.publish()
