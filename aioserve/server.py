"""`ServerHttpProtocol`: the class that a user inherits to answer requests.

This file decides what a handler is and what it can use: one method to write, a few to call, a few to
override. What it serves is a `Connection`.
"""

from __future__ import annotations

import socket
import time as clock
import types
from asyncio import Protocol, get_running_loop
from contextlib import suppress
from inspect import isgeneratorfunction
from typing import TYPE_CHECKING, Any

from aioserve.connection import Connection
from aioserve.error_pages import format_traceback, render_error_page
from aioserve.errors import HttpProcessingError, pairs_of
from aioserve.handler_options import DEFAULT_OPTIONS, options_of
from aioserve.http.statuses import REASONS
from aioserve.observe.access import AccessRecord
from aioserve.observe.formats import describe_request

if TYPE_CHECKING:
    import asyncio
    import logging

    from aioserve.errors import HeadersArgument
    from aioserve.handler_options import HandlerOptions
    from aioserve.http.messages import Peer, RequestMessage
    from aioserve.outgoing import Outgoing
    from aioserve.payload import Payload
    from aioserve.writer import ResponseWriter

__all__ = ["ServerHttpProtocol"]


class ServerHttpProtocol(Protocol):
    """Serves HTTP/1.1 and HTTP/1.0 on one connection; subclass it and write `handle_request`.

    It works with ``loop.create_server(lambda: Handler(keep_alive=75), '0.0.0.0', '8080')`` on asyncio and on
    uvloop alike, and under the ``aioserve`` command.

    Args:
        loop: accepted for the seed's sake; the running loop is used.
        **options: ``keep_alive``, ``timeout``, ``body_timeout``, ``write_timeout``, ``handler_timeout``,
            ``lingering_time``, ``pipeline``, ``tcp_keepalive`` (also ``keep_alive_on``), ``allowed_methods``,
            ``debug``, ``logger`` (also ``log``), ``access_log``, ``access_log_format``, ``auto_decompress``,
            ``cancel_on_disconnect`` as `HandlerOptions` explains them, and the limits ``max_line_size``,
            ``max_field_size``, ``max_headers`` (bytes of all fields), ``max_header_count`` and
            ``max_body_size``.

    Raises:
        TypeError: an option is not known.
        ValueError: an option's value cannot be used.
    """

    # On the class, for a subclass whose constructor does not call this one.
    _given: dict[str, Any] = {}  # noqa: RUF012 - replaced as a whole, never changed
    _options = DEFAULT_OPTIONS
    _connection: Connection | None = None

    def __init__(self, *, loop: asyncio.AbstractEventLoop | None = None, **options: Any) -> None:  # noqa: ARG002
        self._given = options
        self._options = options_of(options)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let a plain generator ``handle_request`` yield from native coroutines too."""
        super().__init_subclass__(**kwargs)
        if isgeneratorfunction(cls.handle_request):
            cls.handle_request = types.coroutine(cls.handle_request)  # type: ignore[method-assign]

    def __repr__(self) -> str:
        if self._connection is None:
            return f"<{type(self).__name__} not connected>"
        request = "" if self._connection.message is None else f" {self._connection.message}"
        return f"<{type(self).__name__} {self._connection.phase.name.lower()}{request}>"

    @property
    def was_connected(self) -> bool:
        """Whether the connection has been made, whatever became of it."""
        return self._connection is not None

    def use_defaults(self, defaults: HandlerOptions) -> None:
        """Take what the constructor was not given from ``defaults``; before the connection is made."""
        self._options = options_of(self._given, defaults)

    # What an author writes

    def handle_request(self, message: RequestMessage, payload: Payload) -> Any:  # noqa: ARG002 - the API
        """Answer one request; the one method to write.

        Args:
            message: the head of the request.
            payload: its body.

        Returns:
            None, or anything that can be awaited: ``async def`` and generators are both welcome. What has not
            been sent when it ends is finished by the server.

        Raises:
            HttpProcessingError: to answer with an error page.
        """
        raise HttpProcessingError(404, "Page Not Found!")

    # What an author uses

    @property
    def transport(self) -> asyncio.Transport | None:
        """The transport, None before the connection is made and after it is lost."""
        return None if self._connection is None else self._connection.transport

    @property
    def writer(self) -> ResponseWriter:
        """What writes the answer to the current request; None, in spite of its type, between requests."""
        return None if self._connection is None else self._connection.writer  # type: ignore[return-value]

    @property
    def debug(self) -> bool:
        """Whether error pages show tracebacks."""
        return self._options.debug

    @property
    def logger(self) -> logging.Logger:
        """Where the server reports errors."""
        return self._options.logger

    @property
    def access_log(self) -> Any:
        """The access log as it was given, or None."""
        return self._options.access_log

    @property
    def keep_alive_timeout(self) -> float:
        """How many seconds an idle connection is kept."""
        return self._options.keep_alive

    def is_connected(self) -> bool:
        """Return whether there is a connection."""
        return self.transport is not None

    def keep_alive(self, val: bool) -> None:
        """End the connection after this answer (False), or leave that to the rules of HTTP (True)."""
        if self.writer is not None:
            self.writer.keep_alive = val

    async def wait_disconnected(self) -> None:
        """Wait until the client has gone.

        One that has closed only its sending half looks the same until something is written to it.
        """
        if self._connection is not None:
            await self._connection.wait_disconnected()

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Take over the connection for another protocol, usually behind a 101 or the 200 to a CONNECT.

        Returns:
            The transport, to set another protocol on at once, and the bytes that came behind the request.

        Raises:
            RuntimeError: no request is being answered.
        """
        if self._connection is None:
            raise RuntimeError("there is no connection")
        return self._connection.detach()

    def closing(self, timeout: float = 15.0) -> None:
        """Close the connection: at once if idle, else after its answer, within ``timeout`` seconds."""
        if self._connection is not None:
            self._connection.close(timeout)

    async def wait_closing(self) -> None:
        """Wait until the connection is to be closed: the server stops, or somebody called `closing`.

        An answer that has no end by itself, such as a stream of events, ends it then, or is cut off when the
        time to stop is over.
        """
        if self._connection is not None:
            await self._connection.wait_closing()

    async def shutdown(self, timeout: float = 15.0) -> None:  # noqa: ASYNC109 - the API's own
        """Do as `closing`, and wait until the connection is closed."""
        self.closing(timeout)
        if self._connection is not None:
            await self._connection.wait_lost()

    # What an author may override

    def handle_error(
        self,
        status: int = 500,
        message: RequestMessage | None = None,
        payload: Payload | None = None,  # noqa: ARG002 - for those who override this
        exc: BaseException | None = None,
        headers: HeadersArgument = None,
        reason: str | None = None,
    ) -> Outgoing | tuple[()]:
        """Answer with an error page: HTML, plain text or JSON, as the request's Accept asks.

        The server calls this for what a handler raises. A handler that calls it itself, without ``exc``, also
        ends the connection, as it always did.

        Args:
            status: of the answer; one that is not registered becomes 500.
            message: the request, where there is one.
            payload: its body.
            exc: what went wrong; with ``debug`` a 500 shows its traceback.
            headers: added to the answer, as a mapping or as pairs.
            reason: the phrase of the status line.

        Returns:
            An object to await for back-pressure, or ``()`` when the client has gone.
        """
        if status not in REASONS or status < 200:
            status, reason = 500, "???"
        if status == 500:
            told = "" if message is None else describe_request(message)
            self.log_exception("Error handling request %s", told, exc_info=exc, extra={"request": message})
        writer = None if self._connection is None else self._connection.writer
        if exc is None:
            self.keep_alive(False)
        if writer is None or not self.is_connected():
            return ()
        reason = reason or REASONS[status]
        content_type, body = render_error_page(
            status=status,
            reason=reason,
            message=exc.message if isinstance(exc, HttpProcessingError) else "",
            accept=message.field("accept") if message is not None else None,
            traceback=format_traceback(exc) if self.debug and exc is not None and status == 500 else None,
        )
        fields = (*pairs_of(headers), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
        return writer.write_response(status, body, fields, content_type=content_type, reason=reason)

    def log_access(
        self,
        message: RequestMessage | None,
        environ: Any,  # noqa: ARG002 - the seed's
        response: Any,
        time: float,
    ) -> None:
        """Log one request; called at its end unless there is no access log.

        Args:
            message: its head, or None where it could not be parsed.
            environ: None; it was the WSGI environment.
            response: has ``status``, ``body_length`` and ``output_length``.
            time: how many seconds it took.
        """
        sink = self._options.access_sink
        if sink is not None:
            if message is not None:
                peer = message.peer  # the client, where its proxy tells
            else:
                peer = None if self._connection is None else self._connection.peer
            sent = response.status, response.body_length, response.output_length
            line = "" if message else str(getattr(response, "refused", b""), "ascii", "surrogateescape")
            more = line, getattr(response, "head", b""), getattr(response, "times", None)
            sink(AccessRecord(message, peer, *sent, clock.time() - time, time, *more))

    def log_debug(self, *args: Any, **kwargs: Any) -> None:
        """Log at the level DEBUG, with ``debug`` only."""
        if self.debug:
            self.logger.debug(*args, **kwargs)

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log an exception at the level ERROR: the current one, or ``exc_info``."""
        self.logger.exception(*args, **kwargs)  # noqa: LOG004 - called for an exception, or with one

    # What the transport reports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to serve the connection."""
        if self._options.tcp_keepalive:
            sock = transport.get_extra_info("socket")
            if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
                with suppress(OSError):  # a peer that has gone already
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = Connection(self, transport, self._options)  # type: ignore[arg-type]

    def connection_passed_on(
        self, transport: asyncio.BaseTransport, peer: Peer, closing_in: float | None = None
    ) -> None:
        """Begin to serve the connection of a client that somebody else has made for it.

        Args:
            transport: of the connection.
            peer: the client.
            closing_in: seconds in which it must end, with one request if that comes; None where it need not.
        """
        self.connection_made(transport)
        if self._connection is not None:
            self._connection.peer = peer
            if closing_in is not None:
                self._connection.close(closing_in, patiently=True)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._connection is not None:
            try:
                self._connection.data_received(data)
            except (KeyboardInterrupt, SystemExit) as error:
                # Ctrl+C while a handler is at work. uvloop would take it for a fault of this connection and
                # go on; raised from a callback of the loop's own, it ends the loop as it should.
                get_running_loop().call_soon(_raise, error)

    def eof_received(self) -> bool:
        """The client sends no more."""
        return self._connection is not None and self._connection.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """The connection is gone."""
        if self._connection is not None:
            self._connection.connection_lost()

    def pause_writing(self) -> None:
        """The transport has enough."""
        if self._connection is not None:
            self._connection.pause_writing()

    def resume_writing(self) -> None:
        """The transport has room."""
        if self._connection is not None:
            self._connection.resume_writing()


def _raise(error: BaseException) -> None:
    raise error
