"""The life of one connection: which request is next, and when the connection ends.

This file decides in which phase a connection is, and which event takes it to another. How bytes come and go
is up to `incoming` and `outgoing`, an answer to `exchange`, and what has taken too long to `deadlines`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve import send_buffer
from aioserve.deadlines import Deadlines, Due
from aioserve.errors import ClientDisconnectedError, HttpProcessingError, RequestTimeout
from aioserve.exchange import Exchange, open_channel
from aioserve.http1.parser import RequestParser
from aioserve.incoming import Incoming, peer_of
from aioserve.loop_parts import LoopParts
from aioserve.news import News
from aioserve.observe.formats import format_peer
from aioserve.outgoing import Outgoing
from aioserve.phase import Phase
from aioserve.ready import HEAD_LIMIT
from aioserve.response import Response
from aioserve.timing import TimedIncoming, TimedWriter
from aioserve.writer import ResponseWriter

if TYPE_CHECKING:
    from aioserve.exchange import Handler
    from aioserve.handler_options import HandlerOptions
    from aioserve.http.messages import Peer, RequestMessage
    from aioserve.ready import ReadyAnswer

_MOST_UNSENT = 196_608  # bytes; a ready answer of 128 KiB is no reason to pause, which would cost 1 us of 32

logger = logging.getLogger(__name__)


class Connection:
    """One connection; its handler passes on what the transport reports.

    Args:
        handler: answers the requests.
        transport: of the connection.
        options: how to serve.

    Attributes:
        peer: the address of the client.
    """

    __slots__ = (
        "_channel",
        "_deadlines",
        "_exchange",
        "_incoming",
        "_is_closing",
        "_is_idle",
        "_is_in_head",
        "_is_stalled",
        "_news",
        "_options",
        "_outgoing",
        "_parts",
        "_peer_is_done",
        "_phase",
        "_transport",
        "peer",
    )

    def __init__(self, handler: Handler, transport: asyncio.Transport, options: HandlerOptions) -> None:
        loop = asyncio.get_running_loop()
        scheme = "https" if transport.get_extra_info("sslcontext") else "http"
        self._transport = transport
        if options.ready is not None:
            transport.set_write_buffer_limits(_MOST_UNSENT)
        self._options = options
        self._parts = options.parts or LoopParts.of(loop)
        parser = RequestParser(options.limits, scheme, options.known_methods, options.known_sections)
        self._incoming = (TimedIncoming if options.is_timed else Incoming)(transport, parser)
        self._outgoing = Outgoing(transport, loop)
        self._channel = open_channel(handler, self._incoming, self._outgoing, options, self._parts.starter)
        self._deadlines = Deadlines(self._parts.ticker, self._outgoing, options.write_timeout)
        self._exchange: Exchange | None = None
        self._phase = Phase.WAITING
        self._is_in_head = True  # a client that connects has a request to make
        self._is_idle = True  # the next byte begins a request
        self._is_closing = False
        self._is_stalled = False  # requests that have come wait, for the client to read or for their turn
        self._peer_is_done = False
        self._news = News()  # for those who wait for the client to go
        self.peer: Peer = peer_of(transport)
        self._parts.ticker.add(self, options.shortest_timeout)
        self._deadlines.set(options.timeout)

    @property
    def transport(self) -> asyncio.Transport | None:
        """The transport, or None once the connection is lost."""
        return None if self._phase is Phase.LOST else self._transport

    @property
    def phase(self) -> Phase:
        """What the connection is doing."""
        return self._phase

    @property
    def is_between_requests(self) -> bool:
        """Whether the last request was answered, and nothing has come of the next."""
        return self._phase is Phase.WAITING and not (self._is_in_head or self._incoming.buffered)

    @property
    def idle_until(self) -> float | None:
        """When the wait for the next request ends, by the ticker; None where nobody waits for one."""
        return self._deadlines.state if self.is_between_requests and self._outgoing.is_taken else None

    @property
    def message(self) -> RequestMessage | None:
        """The request being answered, or None."""
        return None if self._exchange is None else self._exchange.message

    @property
    def writer(self) -> ResponseWriter | None:
        """The writer of the request being answered, or None."""
        return None if self._exchange is None else self._exchange.writer

    # What the transport reports

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        head = None
        if self._is_idle:
            if (ready := self._options.ready) is not None and len(data) <= HEAD_LIMIT:
                answer = ready.fresh.get(data) or ready.find(data)
                if answer is not None and not self._outgoing.is_paused:
                    self._answer_again(answer)
                    return
                head = data
            self._is_idle = False
        if self._phase in (Phase.LEAVING, Phase.DETACHED):  # and nobody has set another protocol
            if not self._incoming.throw_away(data):
                self._transport.abort()
            return
        self._incoming.receive(data)
        if self._is_stalled:
            return
        if self._phase is Phase.WAITING:
            self._serve(head)
        elif self._phase is Phase.ANSWERING:
            self._receive_body(len(data))
        else:
            self._discard_body()
            self._serve()

    def eof_received(self) -> bool:
        """The client sends no more; a request that is whole still gets its answer (RFC 9112 §9.6)."""
        self._peer_is_done = True
        self._news.tell()
        if self._transport.get_extra_info("sslcontext"):
            return False  # closes the transport; TLS cannot be half-closed
        if self._phase is not Phase.ANSWERING:
            return self._is_stalled
        if self._options.cancel_on_disconnect:
            return False  # a client that has gone looks the same until something is written to it
        self._receive_nothing_more()
        return True

    def connection_lost(self) -> None:
        """The connection is gone; a handler that is at work learns of it."""
        self._parts.ticker.discard(self)
        if self._phase is not Phase.DETACHED:
            self._phase = Phase.LOST
        self._incoming.break_off(ClientDisconnectedError("the client has gone"))
        self._outgoing.lose()
        if self._exchange is not None:
            if self._options.cancel_on_disconnect or self._exchange.is_responding:
                self._exchange.cancel()
            elif self._options.handler_timeout:  # nobody looks at a lost connection's deadlines
                seconds = self._options.handler_timeout
                asyncio.get_running_loop().call_later(seconds, self._exchange.expire)
        self._news.tell()

    def pause_writing(self) -> None:
        """The transport has enough."""
        self._outgoing.pause()

    def resume_writing(self) -> None:
        """The transport has room."""
        self._outgoing.resume()
        if self._is_stalled:  # not now, as `Outgoing.resume` explains: an answer may close the connection
            asyncio.get_running_loop().call_soon(self._resume)

    # The requests, one after the other

    def _answer_again(self, answer: ReadyAnswer) -> None:
        """Answer a request as it was answered before."""
        is_logged = self._options.access_sink is not None
        began = time.perf_counter() if is_logged else 0.0
        self._outgoing.send(answer.render(self._parts.ticker.date))
        self._parts.requests += 1
        self._is_in_head = False
        self._deadlines.set(self._options.keep_alive)
        if is_logged:
            answer.message.peer = self.peer
            self._channel.log(answer.message, answer, began)

    def _serve(self, head: bytes | None = None) -> None:
        """Answer the requests that are there; their answers leave in one write.

        Args:
            head: all that is there, where that may be the whole head of a request.
        """
        self._outgoing.cork()
        try:
            self._answer_those_that_wait(head)
        finally:
            self._outgoing.uncork()
        if self._phase is Phase.WAITING and not self._is_stalled:
            self._wait()

    def _answer_those_that_wait(self, head: bytes | None) -> None:
        self._is_stalled = False
        for _ in range(self._options.pipeline):
            if self._phase is not Phase.WAITING:
                return
            if self._outgoing.is_paused:  # the next answer is made when the client has read the last ones
                self._stall()
                return
            try:
                message = self._incoming.next_request()
            except HttpProcessingError as error:
                self._refuse(error)
                return
            if message is None:
                return
            message.peer = self.peer
            may_persist = not message.should_close and bool(self._options.keep_alive)
            exchange = self._begin(message, may_persist=may_persist)
            if exchange.run(message):
                if head is not None:
                    self._keep(head, exchange)
                    head = None
                self._end()
            else:
                self._deadlines.answer_in(self._options.handler_timeout)
                self._receive_body()
        if self._phase is Phase.WAITING and self._incoming.buffered:
            self._stall()  # other connections have their turn first
            asyncio.get_running_loop().call_soon(self._resume)

    def _keep(self, head: bytes, exchange: Exchange) -> None:
        """Have the answer ready for the same request, if that was all that came and it can be."""
        ready = self._options.ready
        if ready is not None and not self._incoming.buffered:
            answer = exchange.ready_answer(self._parts.ticker.date)
            if answer is not None:
                ready.keep(head, answer)

    def _stall(self) -> None:
        """Leave requests that have come for later, and read no more of them."""
        self._is_stalled = True
        self._incoming.pause()
        self._deadlines.clear()

    def _resume(self) -> None:
        if self._is_stalled and self._phase is Phase.WAITING and not self._outgoing.is_paused:
            self._incoming.resume()
            self._serve()

    def _wait(self) -> None:
        """Set the deadline for the next request; that of a head that has begun stays (RFC 9112 §9.5)."""
        if self._peer_is_done:
            self._leave()
        elif not self._incoming.buffered:
            self._is_idle = self._incoming.is_at_start
            self._is_in_head = False
            self._deadlines.set(self._options.keep_alive)
        elif not self._is_in_head:
            self._is_in_head = True
            self._deadlines.set(self._options.timeout)

    def _begin(self, message: RequestMessage | None, *, may_persist: bool, refused: bytes = b"") -> Exchange:
        self._phase = Phase.ANSWERING
        self._parts.requests += 1
        self._is_in_head = False
        self._deadlines.clear()
        writer = (TimedWriter if self._options.is_timed else ResponseWriter)(
            self._outgoing,
            message,
            self._parts.ticker.date,
            Response.SERVER_SOFTWARE,
            may_persist=may_persist and not self._is_last,
            refused=refused,
        )
        self._exchange = Exchange(self._channel, message, writer, self._exchange_ended)
        return self._exchange

    def _refuse(self, error: HttpProcessingError) -> None:
        """Answer what is no request, and end the connection: nothing behind it can be trusted."""
        logger.info("%s: refused with %d: %s", format_peer(self.peer), error.code, error.message)
        refused = self._incoming.first_line
        self._incoming.give_up()
        self._begin(None, may_persist=False, refused=refused).refuse(error)
        self._end()

    def _exchange_ended(self) -> None:
        """Go on behind a request that took longer than the callback it began in."""
        self._end()
        self._serve()

    def _end(self) -> None:
        """Decide what becomes of the connection after an answer."""
        exchange, self._exchange = self._exchange, None
        if exchange is None or self._phase is not Phase.ANSWERING:
            self._incoming.forget_payload()
            return
        self._deadlines.clear()
        self._deadlines.answer_in(0)
        writer = exchange.writer
        if not writer.persists or self._is_closing or writer.ends_http:  # and nobody took it over
            self._leave(abruptly=writer.is_broken and writer.ends_by_close, has_answered=True)
        elif self._incoming.body_is_complete:
            self._incoming.end_request()
            self._phase = Phase.WAITING
        else:
            self._phase = Phase.DISCARDING
            self._deadlines.set(self._options.lingering_time)
            self._discard_body()

    def _discard_body(self) -> None:
        if not self._incoming.discard_body():
            self._leave()
        elif self._incoming.body_is_complete:
            self._incoming.end_request()
            self._phase = Phase.WAITING
        elif self._peer_is_done or not self._options.lingering_time:
            self._leave()

    def _receive_body(self, received: int = 0) -> None:
        """Pass on what has come of the body, and stop reading where enough has."""
        self._incoming.feed()
        self._watch_body(received)
        if self._peer_is_done:
            self._receive_nothing_more()

    def _receive_nothing_more(self) -> None:
        if not self._incoming.body_is_complete:
            self._incoming.break_off(ClientDisconnectedError("the body ended too early"))
        if self._is_last:
            self._persist_no_more()

    @property
    def _is_last(self) -> bool:
        """No other request can come behind this one."""
        return self._is_closing or (self._peer_is_done and not self._incoming.buffered)

    def _watch_body(self, received: int = 0) -> None:
        if self._incoming.is_expecting:
            self._deadlines.expect(self._options.body_timeout, received)
        else:
            self._deadlines.clear()

    def _persist_no_more(self) -> None:
        if self._exchange is not None:
            self._exchange.writer.may_persist = False

    # Deadlines

    def check_deadline(self, now: float) -> None:
        """Act on what has taken too long; called by the ticker."""
        if self._phase is Phase.ANSWERING:
            if not self._deadlines.is_set:
                self._watch_body()  # its reader may have made room, or have asked the client to go on
        elif self._is_closing:
            self._deadlines.look_whether_taken(now)
        match self._deadlines.check(now):
            case Due.STATE:
                self._expire()
            case Due.CLOSE:
                if self._exchange is not None or not self._outgoing.is_taken:
                    self._parts.cut += 1
                    logger.info("%s was still served when the time to stop was over", format_peer(self.peer))
                self.abort()
            case Due.ANSWER:
                self._expire_handler()
            case Due.PROGRESS:
                logger.info("%s took too little of its answer for too long", format_peer(self.peer))
                send_buffer.forget(self._transport)
                self.abort()

    def _expire_handler(self) -> None:
        if (exchange := self._exchange) is None or not exchange.is_handled:
            return
        if exchange.expire():
            seconds = self._options.handler_timeout
            logger.warning("%s took longer than %g s and is cancelled", exchange.message, seconds)
            self._deadlines.answer_in(seconds)  # a handler may need time to clean up
        else:
            logger.error("%s did not end when it was cancelled", exchange.message)
            self.abort()

    def _expire(self) -> None:
        match self._phase:
            case Phase.WAITING if self._incoming.buffered:
                self._refuse(RequestTimeout())
            case Phase.WAITING | Phase.DISCARDING:
                self._leave()
            case Phase.ANSWERING:
                self._incoming.break_off(RequestTimeout())
                self._persist_no_more()
            case Phase.LEAVING if not self._outgoing.is_taken:  # then the deadline is that of progress
                self._deadlines.set(self._options.lingering_time)
            case _:
                self._transport.abort()

    # The end

    def _leave(self, *, abruptly: bool = False, has_answered: bool = False) -> None:
        """End the connection so that the client still gets all of the last answer (RFC 9112 §9.6).

        Closing a socket with bytes unread, or to which bytes come later, resets the connection, and the
        client may lose what it had not read yet. So only our half is closed, and what comes is thrown away
        for a while.
        """
        self._outgoing.uncork()
        self._is_idle, self._phase = False, Phase.LEAVING
        if abruptly:
            self._transport.abort()
            return
        is_unread = self._incoming.buffered > 0 or not self._incoming.body_is_complete
        # A client that pipelines may have more on its way. Who stops does not wait for it: clients that keep
        # a pool of connections do not look at them before they are used again.
        may_come = is_unread or (has_answered and not self._is_closing)
        self._incoming.end_request()
        self._incoming.take_rest()
        self._deadlines.close_once_taken()
        # TLS cannot be half-closed, but closing it tells the client, and it reads on until the client agrees.
        can_linger = self._transport.can_write_eof() and not self._peer_is_done
        if may_come and can_linger and self._options.lingering_time:
            self._deadlines.set(self._options.lingering_time)
            with suppress(OSError):  # asyncio's shuts the socket down at once: the client may have gone
                self._transport.write_eof()
        else:
            self._deadlines.set(self._options.write_timeout)
            self._transport.close()

    def close(self, timeout: float, *, patiently: bool = False) -> None:
        """Close at once if idle, else after the current answer, at the latest in ``timeout`` seconds.

        A request that has only begun to come gets a moment, and so does a client that has all of its answer.
        With patience an idle one may ask once more in that time, and an answer takes as long as at any time.
        """
        self._is_closing = True
        self._is_idle = False  # an answer that is ready would not say that it is the last
        self._news.tell()
        is_waiting = self._phase is Phase.WAITING and not self._is_stalled
        if (is_waiting and not patiently and not self._incoming.buffered) or self._phase is Phase.DISCARDING:
            self._leave()
        self._persist_no_more()
        self._deadlines.stop(timeout, patiently=patiently)
        if patiently and is_waiting:
            self._deadlines.shorten(timeout)
        elif self._phase is not Phase.ANSWERING and not self._is_stalled:
            self._deadlines.close_once_taken()

    def abort(self) -> None:
        """Cut the connection at once, and cancel its handler."""
        if self._exchange is not None:
            self._exchange.cancel()
        self._transport.abort()

    def detach(self) -> tuple[asyncio.Transport, bytes]:
        """Give the connection away; see `ServerHttpProtocol.detach`."""
        if self._exchange is None or self._phase is not Phase.ANSWERING:
            raise RuntimeError("only a connection whose request is being answered can be taken over")
        self._phase = Phase.DETACHED
        self._news.tell()
        self._exchange.writer.is_detached = True
        self._parts.ticker.discard(self)
        self._outgoing.uncork()
        return self._transport, self._incoming.take_rest()

    async def wait_lost(self) -> None:
        """Wait until the connection is gone, or another protocol's."""
        while self._phase not in (Phase.LOST, Phase.DETACHED):
            await self._news.wait()

    async def wait_closing(self) -> None:
        """Wait until the connection is to be closed, or gone."""
        while not self._is_closing and self._phase not in (Phase.LOST, Phase.DETACHED):
            await self._news.wait()

    async def wait_disconnected(self) -> None:
        """Wait until the client has gone or, which looks the same, sends no more."""
        while not self._peer_is_done and self._phase not in (Phase.LOST, Phase.DETACHED):
            await self._news.wait()
