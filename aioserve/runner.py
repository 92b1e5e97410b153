"""One serving process: event loop, sockets, signals, and a clean end.

This file decides what happens from the first callback of the loop to the last: what is told to whom when the
server is ready, what each signal does, and how long answers may go on after the first of them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aioserve.admission import Admission, allowed_connections
from aioserve.complaints import Complaints
from aioserve.handler_options import HandlerOptions
from aioserve.http1.parser import ParserLimits
from aioserve.listen.sockets import BACKLOG, format_address
from aioserve.loop_parts import LoopParts
from aioserve.observe.logs import open_observers
from aioserve.responders import make_responders
from aioserve.server import ServerHttpProtocol
from aioserve.signals import StopSignals
from aioserve.static.mounts import Mounts

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from aioserve.http.messages import Responder
    from aioserve.observe.access import AccessLog
    from aioserve.settings import Settings
    from aioserve.ticker import Ticker, Ticking

    Factory = Callable[[], ServerHttpProtocol]

logger = logging.getLogger(__name__)

_A_DAY = 86_400.0  # seconds
# Connections that are accepted before one of them is looked at: asyncio takes its backlog for that.
_AT_ONCE = 64

# After so many seconds a thread that computes lets the loop have the interpreter, which asks for it again
# after each call of the system. With Python's own 0.005 a small file took 34 ms while a folder of 100,000
# was listed (p99), with this 8 ms, and the listing took no longer.
_SWITCH_INTERVAL = 0.001


def run(
    settings: Settings,
    factory: Factory | None,
    sockets: list[socket.socket],
    tls: ssl.SSLContext | None = None,
) -> int:
    """Serve until a signal ends it.

    Args:
        settings: all of them.
        factory: makes a handler for each connection; None where there are only files.
        sockets: listening; they are closed in the end.
        tls: of the certificate, where they speak HTTPS.

    Returns:
        The exit code: 0 when it was asked to stop, 130 when it was asked twice by SIGINT.

    Raises:
        ConfigurationError: a folder cannot be served.
    """
    signals = StopSignals(settings.timeouts.shutdown)
    switch_interval = sys.getswitchinterval()
    sys.setswitchinterval(min(switch_interval, _SWITCH_INTERVAL))
    try:
        with asyncio.Runner(loop_factory=_choose_loop(settings.process.uvloop)) as runner:
            return runner.run(_Server(settings, factory, sockets, tls, signals).serve())
    finally:
        sys.setswitchinterval(switch_interval)
        signals.close()
        for each in sockets:
            each.close()


def _choose_loop(wanted: bool | None) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop: uvloop's where it is wanted, or not refused and installed."""
    if wanted or (wanted is None and find_spec("uvloop")):
        import uvloop  # noqa: PLC0415 - loaded only where it serves

        return uvloop.new_event_loop
    return asyncio.new_event_loop


def make_options(
    settings: Settings, responders: tuple[Responder, ...], access_log: AccessLog | None
) -> HandlerOptions:
    """Say in the handler's terms what the command's settings ask for."""
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
        limits=ParserLimits(limits.line, limits.line, limits.head, limits.headers, limits.body),
        responders=responders,
        ready_limit=settings.static.cache // 2 if responders else 0,
    )


class _Server:
    """The server of one process, from start to end."""

    def __init__(
        self,
        settings: Settings,
        factory: Factory | None,
        sockets: list[socket.socket],
        tls: ssl.SSLContext | None,
        signals: StopSignals,
    ) -> None:
        self._settings = settings
        self._factory = factory
        self._sockets = sockets
        # What the loop is told of TLS; it has no word for no limit.
        timeout = settings.timeouts.tls or _A_DAY
        # Its shutdown is bounded by the connection's own deadlines: the loop's time would begin when an
        # answer is closed, and cut off what a slow client has not read by then.
        times = {"ssl_handshake_timeout": timeout, "ssl_shutdown_timeout": _A_DAY}
        self._tls: Any = {"ssl": tls, **times} if tls else {}
        self._signals = signals
        self._options: HandlerOptions | None = None

    async def serve(self) -> int:
        """Serve, stop, and return the exit code."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        self._signals.listen(loop)
        loop.set_exception_handler(Complaints())
        observers = open_observers(settings.logs, debug=settings.process.debug, call_later=loop.call_later)
        try:
            parts = LoopParts.of(loop)  # held here, so that it lives from the first connection to the last
            make_protocol = self._protocol_maker(parts.ticker, observers.access_log)
            scheme = "https" if self._tls else "http"
            addresses = [format_address(each, scheme) for each in self._sockets]
            servers = [
                await loop.create_server(make_protocol, sock=each, backlog=_AT_ONCE, **self._tls)
                for each in self._sockets
            ]
            for each in self._sockets:
                each.listen(BACKLOG)
            with _port_file(settings.process.port_file, self._sockets[0].getsockname()[1]):
                observers.ready(addresses, self._served())
                await self._signals.next()
                await self._stop_accepting(servers, make_protocol)
                is_forced = await self._drain(parts.ticker)
            self.close_files()
            observers.stopped("stopped at once" if is_forced else "stopped")
        finally:
            observers.close()
        return self._signals.exit_code

    def _protocol_maker(self, ticker: Ticker, access_log: AccessLog | None) -> Admission:
        factory = self._factory or ServerHttpProtocol
        responders = make_responders(
            self._settings.static,
            has_application=self._factory is not None,
            clock=lambda: ticker.seconds,  # a Last-Modified is never later than Date
            call_later=asyncio.get_running_loop().call_later,
        )
        options = self._options = make_options(self._settings, responders, access_log)
        limit = self._settings.limits.connections or allowed_connections()
        return Admission(factory, options, ticker, limit)

    def close_files(self) -> None:
        """Close what was kept of files, and log how much that was, for those who choose `--static-cache`."""
        ready = None if self._options is None else self._options.ready
        if self._options is None or ready is None:
            return
        stores = [
            *chain.from_iterable(each.stores for each in self._options.responders if isinstance(each, Mounts))
        ]
        logger.debug(
            "kept in the end: %d files, %d bytes; %d answers, %d bytes",
            sum(map(len, stores)),
            sum(store.size for store in stores),
            len(ready),
            ready.size,
        )
        for store in stores:
            store.close()

    def _served(self) -> list[str]:
        app = self._settings.application.app
        mounts = [f"{folder} at {prefix}" for prefix, folder in self._settings.static.mounts]
        return [*mounts, app] if app else mounts

    async def _stop_accepting(self, servers: list[asyncio.Server], make_protocol: Admission) -> None:
        """Accept no more, but what has connected already: closing a socket resets whoever waits in it."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            loop.remove_reader(each)  # asyncio accepts no more; uvloop does, until its server is closed
        await _let_loop_turn()  # what asyncio has accepted needs its server to become a connection
        waiting = [*chain.from_iterable(map(_accept_waiting, self._sockets))]
        for server in servers:
            server.close()
        made = (loop.connect_accepted_socket(make_protocol, each, **self._tls) for each in waiting)
        await asyncio.gather(*made, return_exceptions=True)  # a client may have gone
        await _let_loop_turn()  # to read what clients have sent already

    async def _drain(self, ticker: Ticker) -> bool:
        """Let answers finish, and cut what does not; at once by a second signal, and then return True."""
        connections = ticker.connections
        for connection in tuple(connections):
            connection.close(self._settings.timeouts.shutdown)
        second = asyncio.create_task(self._signals.next())
        while connections:
            gone = asyncio.create_task(_wait_lost(connections))
            await asyncio.wait({gone, second}, return_when=asyncio.FIRST_COMPLETED)
            if second.done():
                gone.cancel()
                for connection in tuple(connections):
                    connection.abort()
                return True
        second.cancel()
        return False


async def _wait_lost(connections: Iterable[Ticking]) -> None:
    await asyncio.gather(*(each.wait_lost() for each in connections))


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


@contextmanager
def _port_file(name: str | None, port: int) -> Iterator[None]:
    """Have the number of the port in a file, which appears at once and whole, and goes in the end."""
    if not name:
        yield
        return
    path, text = Path(name), f"{port}\n"
    if path.exists() and not path.is_file():  # a pipe or a device is written to, not replaced
        path.write_text(text, encoding="ascii")
        yield
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="ascii")
    temporary.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
