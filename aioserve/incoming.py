"""How bytes come into a connection: parsed when they are wanted, under flow control.

This file decides when reading from the transport is paused and resumed. While a request is being answered,
what comes is the rest of its body or waits for its turn; neither may grow past a mark. A body that its
handler did not read is read away where that is quicker than another connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.content_coding import decoder_for, supported_codings
from aioserve.errors import HttpProcessingError
from aioserve.payload import EMPTY_PAYLOAD, Payload

if TYPE_CHECKING:
    import asyncio

    from aioserve.handler_options import HandlerOptions
    from aioserve.http.messages import RequestMessage
    from aioserve.http1.parser import RequestParser
    from aioserve.writer import ResponseWriter

_BUFFER_LIMIT = 65_536  # bytes of pipelined requests that wait behind the one being answered
DISCARD_LIMIT = 262_144  # bytes of an unread body that are read away to keep the connection


class Incoming:
    """The receiving half of one connection.

    Args:
        transport: where the bytes come from.
        parser: makes requests of them.
    """

    __slots__ = ("_discarded", "_is_broken", "_is_paused", "_parser", "_transport", "payload")

    def __init__(self, transport: asyncio.ReadTransport, parser: RequestParser) -> None:
        self._transport = transport
        self._parser = parser
        self._is_paused = False
        self._is_broken = False  # nothing that comes can be understood any more
        self._discarded = 0
        self.payload = EMPTY_PAYLOAD

    @property
    def buffered(self) -> int:
        """Bytes that have come and are not used up."""
        return self._parser.buffered

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read from the transport for now."""
        return self._is_paused

    @property
    def body_is_complete(self) -> bool:
        """All of the current request's body has come out of the parser."""
        return not self._is_broken and self._parser.body_is_complete

    @property
    def is_discardable(self) -> bool:
        """The rest of the body is small enough, as far as is known, to be read away."""
        left = self._parser.body_left
        return not self._is_broken and (left is None or left <= DISCARD_LIMIT)

    def receive(self, data: bytes) -> None:
        """Take bytes from the transport; too many of them, with a request still unanswered, pause it."""
        self._parser.receive_data(data)

    def next_request(self) -> RequestMessage | None:
        """Return the next request, or None while its head is incomplete.

        Raises:
            HttpProcessingError: what came is no request.
        """
        return self._parser.next_request()

    def give_up(self) -> None:
        """Understand nothing any more: what came was no request."""
        self._is_broken = True

    def break_off(self, error: Exception) -> None:
        """The rest of the current body will not come: reads of it raise ``error``."""
        if self.payload is not EMPTY_PAYLOAD:
            self.payload.set_exception(error)

    def take_rest(self) -> bytes:
        """Hand over what came behind the last request, for another protocol."""
        self._resume()
        return self._parser.take_rest()

    # The body

    def open_payload(
        self, message: RequestMessage, writer: ResponseWriter, options: HandlerOptions
    ) -> Payload:
        """Make the payload of the request that came last, and feed it what is there.

        A client that waits for 100 Continue is told to go on when the handler first reads (RFC 9110 §10.1.1).

        Raises:
            HttpProcessingError: 415 for a content coding that is not understood (RFC 9110 §12.5.3).
        """
        if not message.chunked and not message.content_length:
            return EMPTY_PAYLOAD
        decoder = None
        if options.auto_decompress and message.compression is not None:
            decoder = decoder_for(message.compression)
            if decoder is None:
                known = (("Accept-Encoding", ", ".join(supported_codings())),)
                raise HttpProcessingError(415, "The coding of the body is not understood here.", known)
        may_persist = writer.may_persist
        is_asked_for = message.expects_continue and not self._parser.buffered
        # Until somebody reads, the client may send the body or not, or more than is worth reading away.
        if is_asked_for or not self.is_discardable:
            writer.may_persist = False

        def begin_to_read() -> None:
            writer.may_persist = may_persist
            if is_asked_for:
                writer.write_continue()

        self.payload = Payload(
            message.field("content-type"),
            decoder=decoder,
            limit=options.limits.body,
            on_first_read=begin_to_read,
            on_room=self._on_room,
        )
        self.feed()
        return self.payload

    def feed(self) -> None:
        """Move what is there of the body into the payload, and pause where there is too much of anything."""
        payload = self.payload
        if not payload.is_eof() and not self._is_broken and not payload.is_full:
            try:
                if part := self._parser.read_body():
                    payload.feed_data(part)
                if self._parser.body_is_complete:
                    payload.feed_eof()
            except HttpProcessingError as error:
                self._is_broken = True
                payload.set_exception(error)
        if payload.is_full or self._parser.buffered > _BUFFER_LIMIT:
            self._pause()

    def discard_body(self) -> bool:
        """Read away what is there of an unread body; False when that is too much or makes no sense."""
        try:
            self._discarded += len(self._parser.read_body())
        except HttpProcessingError:
            self._is_broken = True
        return not self._is_broken and self._discarded <= DISCARD_LIMIT

    def end_request(self) -> None:
        """Forget the current request's payload; what comes next is another request."""
        if self.payload is not EMPTY_PAYLOAD:
            self.payload.close()
            self.payload = EMPTY_PAYLOAD
        self._discarded = 0
        self._resume()

    # Flow control

    def _on_room(self) -> None:
        self._resume()
        self.feed()

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
