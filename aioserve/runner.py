"""One worker while it serves: event loop, sockets, orders, and a clean end.

This file decides what happens from the first callback of the loop to the last: what the parent is told, what
each order does, and how long answers may go on after the first of them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from aioserve.admission import Admission, allowed_connections, allowed_strangers
from aioserve.complaints import Complaints
from aioserve.handler_options import HandlerOptions
from aioserve.health import HealthAnswers
from aioserve.http1.parser import ParserLimits
from aioserve.listen.proxies import OFF, PROXY_PROTOCOL
from aioserve.loop_parts import LoopParts
from aioserve.observe.logs import open_observers
from aioserve.phase import Phase
from aioserve.request_ids import make_identifier
from aioserve.server import ServerHttpProtocol
from aioserve.workers.channel import Order
from aioserve.workers.fatigue import Fatigue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from aioserve.bookkeeping import Bookkeeping
    from aioserve.connection import Connection
    from aioserve.handler_options import AccessSink
    from aioserve.http.messages import RequestMessage, Responder
    from aioserve.listen.certificates import Certificates
    from aioserve.live.reporting import Reporter, Reports
    from aioserve.observe.blocked import BlockedLoopWatch
    from aioserve.observe.board import Station
    from aioserve.observe.counters import Counters
    from aioserve.settings import Proxies, Settings
    from aioserve.static.mounts import Mounts
    from aioserve.ticker import Ticker, Ticking
    from aioserve.workers.orders import Orders

    Factory = Callable[[], ServerHttpProtocol]
    ProtocolFactory = Callable[[], asyncio.Protocol]

logger = logging.getLogger(__name__)

_A_DAY = 86_400.0  # seconds
# Connections that are accepted before one of them is looked at: asyncio takes its backlog for that.
_AT_ONCE = 64

# Seconds in which those who have come before the end must have agreed on TLS, as all others wait for them;
# where another worker serves they have `--timeout-tls`. Nobody tells when they have: they are looked at.
_HANDSHAKES = 1.0
_LOOK = 0.05
_LOOKS = 20  # until garbage is collected: in asyncio a handshake that has failed lives on in a cycle

# After so many seconds a thread that computes lets the loop have the interpreter, which asks for it again
# after each call of the system. With Python's own 0.005 a small file took 34 ms while a folder of 100,000
# was listed (p99), with this 8 ms, and the listing took no longer.
_SWITCH_INTERVAL = 0.001


def run(
    settings: Settings,
    factory: Factory | None,
    sockets: list[socket.socket],
    tls: Certificates | None,
    orders: Orders,
    reports: Reports | None = None,
    station: Station | None = None,
) -> None:
    """Serve until an order ends it.

    Args:
        settings: all of them.
        factory: makes a handler for each connection; None where there are only files.
        sockets: listening; they are closed in the end.
        tls: the certificates, where they speak HTTPS.
        orders: from the parent; they are closed in the end.
        reports: of paths and errors, for those who look on; None where nobody does.
        station: where numbers go, and are asked for; None where nobody asks.

    Raises:
        ConfigurationError: a folder cannot be served.
    """
    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(min(switch_interval, _SWITCH_INTERVAL))
    try:
        with asyncio.Runner(loop_factory=_choose_loop(settings.process.uvloop)) as runner:
            runner.run(_Server(settings, factory, sockets, tls, orders, station).serve(reports))
    finally:
        sys.setswitchinterval(switch_interval)
        orders.close()
        for each in (*sockets, *(station.sockets if station else ())):
            each.close()


def _choose_loop(wanted: bool | None) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop: uvloop's where it is wanted, or not refused and installed."""
    if wanted or (wanted is None and find_spec("uvloop")):
        import uvloop  # noqa: PLC0415 - loaded only where it serves

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def make_options(
    settings: Settings,
    responders: tuple[Responder, ...],
    access_log: AccessSink | None,
    scheme: str = "http",
    counters: Counters | None = None,
) -> HandlerOptions:
    """Say in the handler's terms what the command's settings ask for; connections speak the scheme."""
    timeouts, limits = settings.timeouts, settings.limits
    return HandlerOptions(
        keep_alive=timeouts.keep_alive,
        timeout=timeouts.header,
        body_timeout=timeouts.body,
        write_timeout=timeouts.write,
        handler_timeout=timeouts.handler,
        allowed_methods=() if settings.application.app else ("GET", "HEAD", "OPTIONS"),
        pipeline=limits.pipeline,
        debug=settings.process.debug,
        access_log=access_log,
        is_timed=bool(settings.logs.slow),
        limits=ParserLimits(limits.line, limits.line, limits.head, limits.headers, limits.body),
        responders=responders,
        ready_limit=settings.static.cache // 2 if settings.static.mounts else 0,
        read_origin=_make_origin_reader(settings.proxies, scheme),
        identify=make_identifier(wanted=settings.logs.request_id),
        counters=counters,
    )


def _watch_loop(seconds: float, loop: asyncio.AbstractEventLoop) -> BlockedLoopWatch:
    from aioserve.observe.blocked import BlockedLoopWatch  # noqa: PLC0415 - where it is asked for
    from aioserve.running_request import running_request  # noqa: PLC0415

    return BlockedLoopWatch(seconds, partial(running_request, loop))


def _open_reporter(reports: Reports, loop: asyncio.AbstractEventLoop) -> Reporter:
    from aioserve.live.reporting import Reporter  # noqa: PLC0415 - where somebody looks on

    return Reporter(reports, loop.call_later)


def _open_books(station: Station) -> Bookkeeping:
    from aioserve.bookkeeping import Bookkeeping  # noqa: PLC0415 - where somebody asks for numbers

    return Bookkeeping(station)


def _make_origin_reader(proxies: Proxies, scheme: str) -> Callable[[RequestMessage], object] | None:
    if proxies.headers == OFF:
        return None
    from aioserve.origins import make_origin_reader  # noqa: PLC0415 - only behind a proxy

    return make_origin_reader(proxies, scheme)


class _Server:
    """The server of one process, from start to end."""

    def __init__(
        self,
        settings: Settings,
        factory: Factory | None,
        sockets: list[socket.socket],
        tls: Certificates | None,
        orders: Orders,
        station: Station | None = None,
    ) -> None:
        self._settings = settings
        self._books = None if station is None else _open_books(station)
        self._factory = factory
        self._sockets = sockets
        self._shared: list[_Shared] = []  # the same, as the loop has them
        # What the loop is told of TLS; it has no word for no limit.
        timeout = self._handshake_limit = settings.timeouts.tls or _A_DAY
        # Its shutdown is bounded by the connection's own deadlines: the loop's time would begin when an
        # answer is closed, and cut off what a slow client has not read by then.
        times = {"ssl_handshake_timeout": timeout, "ssl_shutdown_timeout": _A_DAY}
        self._tls: Any = {"ssl": tls.context, **times} if tls else {}
        self._scheme = "https" if tls else "http"
        self._certificates = tls
        self._health = HealthAnswers(settings.health)
        self._orders = orders
        self._options: HandlerOptions | None = None
        self._mounts: tuple[Mounts, ...] = ()
        self._admission: Admission
        self._expects_until = 0.0  # those who have come, but not agreed on TLS so far

    async def serve(self, reports: Reports | None = None) -> None:
        """Serve, and stop."""
        settings, orders = self._settings, self._orders
        loop = asyncio.get_running_loop()
        orders.listen(loop)
        orders.on_abandoned(self._let_go)
        complaints = Complaints()
        loop.set_exception_handler(complaints)
        if not isinstance(loop, asyncio.BaseEventLoop):
            complaints.watch(loop)
        observers = open_observers(settings.logs, debug=settings.process.debug, call_later=loop.call_later)
        orders.on(Order.DRAIN, self._health.drain)
        orders.on(Order.REOPEN, observers.reopen)
        reporter = _open_reporter(reports, loop) if reports else None
        watch: BlockedLoopWatch | None = None
        try:
            if self._certificates:
                self._certificates.is_speaking = False  # until it is this worker's turn
                self._certificates.watch(loop.call_later)
                orders.on(Order.REOPEN, self._certificates.reread)
                orders.on(Order.SPEAK, self._certificates.speak)
                orders.on(Order.TELL, self._certificates.tell)
            parts = LoopParts.of(loop)  # held here, so that it lives from the first connection to the last
            access_log = reporter.beside(observers.access_log) if reporter else observers.access_log
            limit = allowed_connections(settings.limits.connections or 0)
            make_protocol = self._protocol_maker(parts.ticker, access_log, limit)
            at_once = min(_AT_ONCE, -(-allowed_strangers(limit) // 2))  # those of the turn before are there
            servers = [await self._listen(loop, each, make_protocol, at_once) for each in self._sockets]
            Fatigue(
                settings.process.max_requests or 0,
                settings.process.max_rss,
                served=lambda: parts.requests,
                call_later=loop.call_later,
                on_tired=orders.tired,
            )
            orders.on(Order.DESCRIBE, partial(_describe, parts))
            if self._books:
                await self._books.open(parts, orders, observers.access_log, self._certificates)
            if settings.logs.warn_blocked:
                watch = _watch_loop(settings.logs.warn_blocked, loop)
            orders.serves()
            await self._end(await orders.next(), servers, make_protocol, parts)
            if self._books:
                await self._books.close()
            self.close_files()
        finally:
            if self._books:
                self._books.publish_last()
            if watch is not None:
                watch.stop()
            if self._certificates:
                self._certificates.close()
            if reporter:
                reporter.close()
            observers.close()

    async def _listen(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        make_protocol: ProtocolFactory,
        at_once: int,
    ) -> asyncio.Server:
        shared = _Shared(fileno=os.dup(sock.fileno()))
        self._shared.append(shared)
        # To uvloop it is what it says, and cannot be left as it is.
        backlog = at_once if isinstance(loop, asyncio.BaseEventLoop) else self._settings.bind.backlog
        return await loop.create_server(make_protocol, sock=shared, backlog=backlog, **self._tls)

    def _protocol_maker(self, ticker: Ticker, access_log: AccessSink | None, limit: int) -> ProtocolFactory:
        factory = self._factory or ServerHttpProtocol
        if self._settings.static.mounts:
            from aioserve.responders import make_responders  # noqa: PLC0415 - only who serves files

            self._mounts = make_responders(
                self._settings.static,
                has_application=self._factory is not None,
                clock=lambda: ticker.seconds,  # a Last-Modified is never later than Date
                call_later=asyncio.get_running_loop().call_later,
            )
        health: tuple[Responder, ...] = (self._health,) if self._settings.health.is_on else ()
        options = self._options = make_options(
            self._settings,
            (*health, *self._mounts),
            access_log,
            self._scheme,
            self._books.counters if self._books else None,
        )
        if self._books:
            self._books.watch(self._mounts)
        admission = self._admission = Admission(factory, options, ticker, limit)
        proxies = self._settings.proxies
        if proxies.headers != PROXY_PROTOCOL:
            return admission
        from aioserve.listen.proxy_protocol import (  # noqa: PLC0415 - behind few proxies
            ProxyProtocol,
            make_refusals,
        )
        from aioserve.origins import trusted_by  # noqa: PLC0415

        trusted = trusted_by(proxies)
        return partial(ProxyProtocol, admission, trusted, ticker, options.timeout, make_refusals())

    def close_files(self) -> None:
        """Close what was kept of files, and log how much that was, for those who choose `--static-cache`."""
        ready = None if self._options is None else self._options.ready
        if self._options is None or ready is None:
            return
        stores = [*chain.from_iterable(each.stores for each in self._mounts)]
        logger.debug(
            "kept in the end: %d files, %d bytes; %d answers, %d bytes",
            sum(map(len, stores)),
            sum(store.size for store in stores),
            len(ready),
            ready.size,
        )
        for store in stores:
            store.close()

    # The end

    async def _end(
        self, order: Order, servers: list[asyncio.Server], make_protocol: ProtocolFactory, parts: LoopParts
    ) -> None:
        """Do as ordered, until nobody is served any more, and say how that went."""
        loop, connections = asyncio.get_running_loop(), parts.ticker.connections
        began = loop.time()
        if order is not Order.RETIRE:  # others want requests then
            self._health.drain()
        elif self._books:  # and are asked for numbers
            self._books.stop_accepting()
        await self._stop_accepting(servers, make_protocol, is_last=order is not Order.RETIRE)
        if self._certificates:
            self._certificates.close()  # others have the next handshakes, and the word
        busy = sum(each.phase is Phase.ANSWERING for each in cast("set[Connection]", connections))
        self._close(connections, order)
        self._limit_time(order, parts, began)
        self._limit_handshakes(order)
        while order is not Order.FORCE and (connections or self._is_expecting()):
            told = {*connections}
            next_order = await _first(self._orders.next(), self._wait(connections, told))
            if next_order is Order.STOP and order is Order.RETIRE:
                self._limit_time(next_order, parts, loop.time())
                await self._stop_accepting(servers, make_protocol, is_last=True)
            if next_order is not None:
                order, told = next_order, set()
                self._limit_handshakes(order)
            self._close(connections - told, order)
        self._orders.ended(busy, parts.cut + len(connections))

    def _limit_handshakes(self, order: Order) -> None:
        """Give those their time who have come, but not agreed on TLS so far."""
        limit = self._handshake_limit if order is Order.RETIRE else _HANDSHAKES
        if self._settings.process.reload:
            limit = min(limit, self._settings.timeouts.shutdown)
        self._expects_until = asyncio.get_running_loop().time() + limit

    def _is_expecting(self) -> bool:
        return asyncio.get_running_loop().time() < self._expects_until and self._admission.is_expecting

    async def _wait(self, connections: set[Ticking], told: set[Ticking]) -> None:
        """Wait for one who agrees on TLS, as long as any may; and where none may, until all are lost."""
        if not self._is_expecting():
            await _wait_lost(connections)
            return
        looks = 0
        while self._is_expecting() and connections <= told:
            if not looks % _LOOKS:
                gc.collect()
            looks += 1
            await asyncio.sleep(_LOOK)

    def _limit_time(self, order: Order, parts: LoopParts, began: float) -> None:
        """Give the answers their time; where another worker has the next ones, it is all that they need.

        But for `--reload`: for those who develop old workers would soon be many.
        """
        if order is not Order.RETIRE or self._settings.process.reload:
            is_over = began + self._settings.timeouts.shutdown
            asyncio.get_running_loop().call_at(is_over, self._cut_off, parts.ticker)

    @staticmethod
    def _cut_off(ticker: Ticker) -> None:
        for connection in tuple(ticker.connections):
            connection.close(0.0)  # those of a worker that retires have not been given a time
        ticker.end()  # the connections' own deadlines are up to a second late, as the ticker is

    def _close(self, connections: Iterable[Ticking], order: Order) -> None:
        for connection in tuple(connections):
            if order is Order.FORCE:
                connection.abort()
            else:
                connection.close(self._settings.timeouts.shutdown, patiently=order is Order.RETIRE)

    async def _stop_accepting(
        self, servers: list[asyncio.Server], make_protocol: ProtocolFactory, *, is_last: bool
    ) -> None:
        """Accept no more, but what has connected already: closing a socket resets whoever waits in it.

        Args:
            servers: that accept.
            make_protocol: for those who wait.
            is_last: nobody else accepts from the sockets any more.
        """
        loop = asyncio.get_running_loop()
        for shared in self._shared:
            if shared.fileno() >= 0:
                loop.remove_reader(shared)  # asyncio accepts no more; uvloop does, until its server is closed
        await _let_loop_turn()  # what asyncio has accepted needs its server to become a connection
        waiting = [*chain.from_iterable(map(_accept_waiting, self._sockets))] if is_last else []
        for server in servers:
            server.close()
        for each in self._sockets:
            each.close()  # so that nobody is left to wait in it when the others have closed it as well
        coming = (loop.connect_accepted_socket(make_protocol, each, **self._tls) for each in waiting)
        made = [asyncio.ensure_future(each) for each in coming]
        if made:
            _, late = await asyncio.wait(made, timeout=_HANDSHAKES)
            for task in late:
                task.cancel()
            await asyncio.gather(*made, return_exceptions=True)  # a client may have gone
        await _let_loop_turn()  # to read what clients have sent already

    def _let_go(self) -> None:
        """Have the addresses free for others though the loop stands still, and cannot close its sockets.

        Their descriptors become those of a socket that nobody connects to: closed, they would soon be
        something else, which the loop would take for them.
        """
        with suppress(OSError), socket.socket() as nobody:
            for each in (*self._sockets, *self._shared, *(self._books.sockets if self._books else ())):
                if each.fileno() >= 0:
                    os.dup2(nobody.fileno(), each.fileno(), inheritable=False)


def _describe(parts: LoopParts) -> None:
    from aioserve.workers.describe import describe  # noqa: PLC0415 - when somebody asks

    connections = cast("set[Connection]", parts.ticker.connections)
    logger.warning("%s", describe(connections))


async def _wait_lost(connections: Iterable[Ticking]) -> None:
    await asyncio.gather(*(each.wait_lost() for each in connections))


async def _first(order: Awaitable[Order], other: Awaitable[None]) -> Order | None:
    """Wait for an order, or for something else; return the order, or None."""
    tasks = asyncio.ensure_future(order), asyncio.ensure_future(other)
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    return tasks[0].result() if tasks[0].done() else None


async def _let_loop_turn() -> None:
    """Let what has happened so far take effect.

    One turn finds out about it, the next makes a connection, whose reading begins in a third, and which is
    read from in a fourth.
    """
    for _ in range(4):
        await asyncio.sleep(0)


def _accept_waiting(listening: socket.socket) -> Iterator[socket.socket]:
    with suppress(OSError):  # there are no more, or no more descriptors
        while True:
            sock, _ = listening.accept()
            sock.setblocking(False)
            yield sock


class _Shared(socket.socket):
    """A listening socket that several processes accept from: how many may wait in it is the parent's to say.

    asyncio takes one number for that and for how many it accepts at once.
    """

    def listen(self, _backlog: int = 0, /) -> None:
        """Leave it as it is."""
