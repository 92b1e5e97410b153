"""How bytes come into a connection: parsed when they are wanted, under flow control.

This file decides when reading from the transport is paused and resumed. While a request is being answered,
what comes is the rest of its body or waits for its turn; neither may grow past a mark. A body that its
handler did not read is read away where that is quicker than another connection, and what comes behind the
last answer for so long as it is not too much.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aioserve.errors import HttpProcessingError
from aioserve.payload import EMPTY_PAYLOAD, Payload

if TYPE_CHECKING:
    import asyncio

    from aioserve.handler_options import HandlerOptions
    from aioserve.http.messages import Peer, RequestMessage
    from aioserve.http1.parser import RequestParser
    from aioserve.writer import ResponseWriter

_BUFFER_LIMIT = 65_536  # bytes of pipelined requests that wait behind the one being answered
DISCARD_LIMIT = 262_144  # bytes of an unread body that are read away to keep the connection
_LINGER_LIMIT = 67_108_864  # bytes that a client may send behind its last answer before it is cut off


class Incoming:
    """The receiving half of one connection.

    Args:
        transport: where the bytes come from.
        parser: makes requests of them.
    """

    __slots__ = (
        "_awaits_reader",
        "_discarded",
        "_is_broken",
        "_is_paused",
        "_parser",
        "_transport",
        "_writer",
        "payload",
    )

    def __init__(self, transport: asyncio.ReadTransport, parser: RequestParser) -> None:
        self._transport = transport
        self._parser = parser
        self._is_paused = False
        self._is_broken = False  # nothing that comes can be understood any more
        self._awaits_reader = False  # the client sends its body when it is told that somebody wants it
        self._discarded = 0
        self._writer: ResponseWriter | None = None  # of the request that has a body
        self.payload = EMPTY_PAYLOAD

    @property
    def buffered(self) -> int:
        """Bytes that have come and are not used up."""
        return self._parser.buffered

    @property
    def is_at_start(self) -> bool:
        """Nothing has come of the next request, not even the empty line that may stand before it."""
        return self._parser.is_at_start

    @property
    def first_line(self) -> bytes:
        """What is there of the next request's first line, cut where it is long; for logs."""
        return self._parser.first_line

    @property
    def is_expecting(self) -> bool:
        """It is the client's turn to send more of the body."""
        return not (self._is_paused or self._awaits_reader or self.body_is_complete)

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
        """Keep bytes from the transport, for `next_request` and `feed`."""
        self._parser.receive_data(data)

    def next_request(self) -> RequestMessage | None:
        """Return the next request, or None while its head is incomplete.

        Raises:
            HttpProcessingError: what came is no request.
        """
        message = self._parser.next_request()
        if message is None:
            self.resume()
        return message

    def give_up(self) -> None:
        """Understand nothing any more: what came was no request."""
        self._is_broken = True

    def break_off(self, error: Exception) -> None:
        """The rest of the current body will not come: reads of it raise ``error``."""
        if self.payload is not EMPTY_PAYLOAD:
            self.payload.set_exception(error)

    def take_rest(self) -> bytes:
        """Hand over what came behind the last request, for another protocol or to be thrown away."""
        self.resume()
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
        self._writer = writer
        self._awaits_reader = message.expects_continue and not self._parser.buffered
        # Until somebody reads, the client may send the body or not, or more than is worth reading away.
        writer.leaves_body = self._awaits_reader or not self.is_discardable
        decoder = None
        if options.auto_decompress and message.compression is not None:
            from aioserve.content_coding import decoder_for, supported_codings  # noqa: PLC0415 - it is seldom

            decoder = decoder_for(message.compression)
            if decoder is None:
                known = (("Accept-Encoding", ", ".join(supported_codings())),)
                raise HttpProcessingError(415, "The coding of the body is not understood here.", known)
        self.payload = Payload(
            message.field("content-type"),
            decoder=decoder,
            limit=options.limits.body,
            on_first_read=partial(self._begin_to_read, writer),
            on_room=self.feed,
        )
        self.feed()
        return self.payload

    def _begin_to_read(self, writer: ResponseWriter) -> None:
        writer.leaves_body = False
        if self._awaits_reader:
            self._awaits_reader = False
            writer.write_continue()

    def feed(self) -> None:
        """Move what is there of the body into the payload; read on unless there is too much of anything."""
        payload, writer = self.payload, self._writer
        if writer is not None and not (payload.is_eof() or self._is_broken or payload.is_full):
            try:
                if part := self._parser.read_body():
                    payload.feed_data(part)
                if self._parser.body_is_complete:
                    payload.feed_eof()
                    writer.leaves_body = False
            except HttpProcessingError as error:
                self._is_broken = True
                writer.may_persist = False
                payload.set_exception(error)
        # A payload that has the whole body needs no pause: nobody would notice that the client leaves.
        if self._parser.buffered > _BUFFER_LIMIT or (payload.is_full and not self._parser.body_is_complete):
            self.pause()
        else:
            self.resume()

    def discard_body(self) -> bool:
        """Read away what is there of an unread body; False when that is too much or makes no sense."""
        self.forget_payload()
        try:
            self._discarded += len(self._parser.read_body())
        except HttpProcessingError:
            self._is_broken = True
        self.feed()
        return not self._is_broken and self._discarded <= DISCARD_LIMIT

    def throw_away(self, data: bytes) -> bool:
        """Take bytes that came behind the last answer; False when they are too many."""
        self._discarded += len(data)
        return self._discarded <= _LINGER_LIMIT

    def end_request(self) -> None:
        """Forget the current request; what comes next is another one."""
        self.forget_payload()
        self._discarded = 0
        self.feed()

    def forget_payload(self) -> None:
        """Let nobody read the current request's body any more."""
        if self.payload is not EMPTY_PAYLOAD:
            self.payload.close()
            self.payload = EMPTY_PAYLOAD
        self._awaits_reader = False
        self._writer = None

    # Flow control

    def pause(self) -> None:
        """Read nothing from the transport until `resume`."""
        if not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read from the transport again."""
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()


def peer_of(transport: asyncio.BaseTransport) -> Peer:
    """Return host and port of an IP address, the name of a unix socket, or None where nobody knows.

    A unix socket that nobody named has the empty name. It is told from a peer that the system does not know,
    as it is with one that has reset its connection: the first may be a trusted proxy.
    """
    match transport.get_extra_info("peername"):
        case (str(host), int(port), *_):
            return host, port
        case str(name):
            return name
        case _:
            return None
