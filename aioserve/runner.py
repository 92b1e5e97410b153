"""One serving process: event loop, sockets, signals, and a clean end.

This file decides what happens from the first callback of the loop to the last: what is told to whom when the
server is ready, what each signal does, and how long answers may go on after the first of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.handler_options import HandlerOptions
from aioserve.http1.parser import ParserLimits
from aioserve.listen.sockets import format_address
from aioserve.loop_parts import LoopParts
from aioserve.observe.logs import open_observers
from aioserve.responders import make_responders
from aioserve.server import ServerHttpProtocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from aioserve.http.messages import Responder
    from aioserve.observe.access import AccessLog
    from aioserve.settings import Settings

    Factory = Callable[[], ServerHttpProtocol]

FORCED = 130  # the exit code of a second SIGINT, as of a process that dies of it


def run(settings: Settings, factory: Factory | None, sockets: list[socket.socket]) -> int:
    """Serve until a signal ends it.

    Args:
        settings: all of them.
        factory: makes a handler for each connection; None where there are only files.
        sockets: listening; they are closed in the end.

    Returns:
        The exit code: 0 when it was asked to stop, `FORCED` when it was asked twice by SIGINT.

    Raises:
        ConfigurationError: a folder cannot be served.
    """
    try:
        with asyncio.Runner(loop_factory=_choose_loop(settings.process.uvloop)) as runner:
            return runner.run(_Server(settings, factory, sockets).serve())
    finally:
        for each in sockets:
            each.close()


def _choose_loop(wanted: bool | None) -> Callable[[], asyncio.AbstractEventLoop]:
    """Return what makes the loop: uvloop's where it is wanted, or not refused and installed."""
    if wanted is not False:
        try:
            import uvloop  # noqa: PLC0415 - loaded only where it serves
        except ImportError:
            if wanted:
                raise
        else:
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
        debug=settings.process.debug,
        access_log=access_log,
        limits=ParserLimits(limits.line, limits.line, limits.head, limits.headers, limits.body),
        responders=responders,
    )


class _Server:
    """The server of one process, from start to end."""

    def __init__(self, settings: Settings, factory: Factory | None, sockets: list[socket.socket]) -> None:
        self._settings = settings
        self._factory = factory
        self._sockets = sockets
        self._stop_requests: asyncio.Queue[signal.Signals] = asyncio.Queue()

    async def serve(self) -> int:
        """Serve, stop, and return the exit code."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        observers = open_observers(settings.logs, debug=settings.process.debug, call_later=loop.call_later)
        port_file = settings.process.port_file
        try:
            parts = LoopParts.of(loop)  # held here, so that it lives from the first connection to the last
            responders = make_responders(
                settings.static,
                has_application=self._factory is not None,
                clock=lambda: parts.ticker.seconds,  # a Last-Modified is never later than Date
            )
            options = make_options(settings, responders, observers.access_log)
            for number in (signal.SIGINT, signal.SIGTERM):
                # Also where a script's `&` had SIGINT ignored: a handler of one's own takes that back.
                loop.add_signal_handler(number, self._stop_requests.put_nowait, number)
            servers = [
                await loop.create_server(self._make_protocol(options), sock=each, start_serving=False)
                for each in self._sockets
            ]
            addresses = [format_address(each) for each in self._sockets]
            for server in servers:
                await server.start_serving()
            if port_file:
                _write_port_file(Path(port_file), self._sockets[0].getsockname()[1])
            observers.ready(addresses, self._served())
            await self._stop_requests.get()
            code = await self._drain(servers, parts)
            observers.stopped("stopped" if code == 0 else "stopped at once")
            return code
        finally:
            if port_file:
                _remove_port_file(Path(port_file))
            observers.close()

    def _make_protocol(self, options: HandlerOptions) -> Factory:
        factory = self._factory or ServerHttpProtocol

        def make_protocol() -> ServerHttpProtocol:
            protocol = factory()
            protocol.use_defaults(options)
            return protocol

        return make_protocol

    def _served(self) -> list[str]:
        app = self._settings.application.app
        mounts = [f"{folder} at {prefix}" for prefix, folder in self._settings.static.mounts]
        return [*mounts, app] if app else mounts

    async def _drain(self, servers: list[asyncio.Server], parts: LoopParts) -> int:
        """Accept no more, let answers finish, and cut what does not; a second signal cuts at once."""
        for server in servers:
            server.close()
        connections = parts.ticker.connections
        for connection in tuple(connections):
            connection.close(self._settings.timeouts.shutdown)
        second = asyncio.create_task(self._stop_requests.get())
        while connections:
            gone = [asyncio.create_task(each.wait_lost()) for each in connections]
            await asyncio.wait([*gone, second], return_when=asyncio.FIRST_COMPLETED)
            for each in gone:
                each.cancel()
            if second.done():
                for connection in tuple(connections):
                    connection.abort()
                return FORCED if second.result() is signal.SIGINT else 0
        second.cancel()
        return 0


def _remove_port_file(path: Path) -> None:
    path.unlink(missing_ok=True)


def _write_port_file(path: Path, port: int) -> None:
    """Write the file at once and whole: whoever sees it can read the number."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(f"{port}\n", encoding="ascii")
    temporary.replace(path)
