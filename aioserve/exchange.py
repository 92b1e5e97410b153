"""One request and its answer.

This file decides what answers a request, and what happens when that waits, fails, or ends without an answer.
What becomes of the connection afterwards is the connection's to decide.
"""

from __future__ import annotations

import asyncio
import time
from inspect import isawaitable, iscoroutine
from types import CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any, Protocol

from aioserve.awaitables import Steps
from aioserve.counting import make_ready_answer
from aioserve.error_pages import is_internal
from aioserve.errors import ClientDisconnectedError, HttpProcessingError
from aioserve.file_body import close_files, length_of, pieces_of
from aioserve.http.messages import Answer
from aioserve.http.statuses import reason_of
from aioserve.http1.rules import USUAL_METHODS, must_be_allowed
from aioserve.observe.formats import describe_request
from aioserve.ready import ReadyAnswer
from aioserve.timing import TimedIncoming, TimedWriter

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Coroutine

    from aioserve.eager import EagerStarter
    from aioserve.errors import HeadersArgument
    from aioserve.handler_options import HandlerOptions
    from aioserve.http.messages import RequestMessage
    from aioserve.incoming import Incoming
    from aioserve.observe.counters import Counters
    from aioserve.outgoing import Outgoing
    from aioserve.payload import Payload
    from aioserve.writer import ResponseWriter

_CLIENT_GONE = 499  # what logs have for a request whose client did not wait; no answer has it


class Handler(Protocol):
    """What an exchange asks of a `ServerHttpProtocol`."""

    @property
    def logger(self) -> logging.Logger:
        """Where errors are reported."""

    def handle_request(self, message: RequestMessage, payload: Payload) -> Any:
        """Answer a request."""

    def handle_error(
        self,
        status: int = 500,
        message: RequestMessage | None = None,
        payload: Payload | None = None,
        exc: BaseException | None = None,
        headers: HeadersArgument = None,
        reason: str | None = None,
    ) -> object:
        """Answer with an error page."""

    def log_access(self, message: RequestMessage | None, environ: Any, response: Any, time: float) -> None:
        """Log a request."""

    def log_debug(self, *args: Any, **kwargs: Any) -> None:
        """Log at the level DEBUG."""

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log an exception."""


class Channel:
    """What the exchanges of one connection share.

    No named tuple, as its attributes take Python four times as long.
    """

    __slots__ = ("handler", "incoming", "options", "outgoing", "starter")

    def __init__(
        self,
        handler: Handler,
        incoming: Incoming,
        outgoing: Outgoing,
        options: HandlerOptions,
        starter: EagerStarter,
    ) -> None:
        self.handler = handler
        self.incoming = incoming
        self.outgoing = outgoing
        self.options = options
        self.starter = starter

    def log(self, message: RequestMessage | None, response: object, began: float) -> None:
        """Log a request that began then, by `time.perf_counter`."""
        try:
            self.handler.log_access(message, None, response, time.perf_counter() - began)
        except Exception:  # noqa: BLE001 - an author's log_access costs its line and nothing else
            self.handler.log_exception("Error in logging", extra={"request": message})


class _CuriousChannel(Channel):
    """What they share where proxies tell of clients, or times are asked for; others cost no more for that."""

    __slots__ = ()

    def log(self, message: RequestMessage | None, response: object, began: float) -> None:
        """Log a request; that of a ready answer has the peer of its connection until now."""
        if isinstance(response, ReadyAnswer) and self.options.read_origin is not None:
            self.options.read_origin(response.message)
        if isinstance(response, TimedWriter) and isinstance(self.incoming, TimedIncoming):
            response.note(self.incoming.waited, began)
        super().log(message, response, began)


def open_channel(
    handler: Handler, incoming: Incoming, outgoing: Outgoing, options: HandlerOptions, starter: EagerStarter
) -> Channel:
    """Return what the exchanges of a connection are to share."""
    kind = _CuriousChannel if options.is_timed or options.read_origin is not None else Channel
    return kind(handler, incoming, outgoing, options, starter)


class Exchange:
    """Answers one request.

    Args:
        channel: of the connection.
        message: the head of the request, or None for what could not be parsed.
        writer: for the answer.
        on_end: called when an exchange ends that had to wait; not when it ends in `run` or `refuse`.

    Attributes:
        message: as given.
        writer: as given.
    """

    __slots__ = (
        "_answer",
        "_began",
        "_channel",
        "_is_cancelled",
        "_is_expired",
        "_is_responding",
        "_on_end",
        "_sends_files",
        "_task",
        "message",
        "writer",
    )

    def __init__(
        self,
        channel: Channel,
        message: RequestMessage | None,
        writer: ResponseWriter,
        on_end: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._on_end = on_end
        self._task: asyncio.Task[Any] | None = None
        self._answer: Answer | None = None  # a responder's that was sent at once
        self._sends_files = False
        self._is_cancelled = False
        self._is_expired = False
        self._is_responding = False
        self._began = time.perf_counter() if channel.options.is_measured else 0.0
        self.message = message
        self.writer = writer

    def run(self, message: RequestMessage) -> bool:
        """Ask the responders and then the handler; True when the exchange is over, False when it goes on."""
        channel = self._channel
        options = channel.options
        try:
            if options.prepare is not None:
                options.prepare(message, self.writer)
            payload = channel.incoming.open_payload(message, self.writer, options)
            if message.path == "*":
                return self._answer_for_server(options.allowed_methods)
            if options.allowed_methods:
                must_be_allowed(message.method, options.allowed_methods)
            for respond in options.responders:
                if (answer := respond(message)) is not None:
                    is_over = self._send(answer) if isinstance(answer, Answer) else self._wait_for(answer)
                    break
            else:
                result = channel.handler.handle_request(message, payload)
                is_over = result is None or self._start(result)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - each kind has its answer
            self._fail(error)
            is_over = True
        if is_over:
            self._finish()
        elif options.counters is not None:
            options.counters.going[self] = False
        return is_over

    def _answer_for_server(self, allowed: tuple[str, ...]) -> bool:
        """Answer ``OPTIONS *``, which is about the server and no resource of it (RFC 9110 §9.3.7)."""
        self._send(Answer(200, (("Allow", ", ".join(allowed or USUAL_METHODS)),)))
        self._finish()
        return True

    def refuse(self, error: HttpProcessingError) -> None:
        """Answer what is no request."""
        self._fail(error)
        self._finish()

    def cancel(self) -> None:
        """Cancel the handler, if it is at work."""
        self._is_cancelled = True
        if self._task is not None:
            self._task.cancel()

    def expire(self) -> bool:
        """Cancel a handler that has had its time; False when there is none, or one that does not give up."""
        if self._task is None or self._is_expired:
            return False
        self._is_expired = True
        self._task.cancel()
        return True

    @property
    def is_handled(self) -> bool:
        """Whether a handler or a responder is at work, and not the sending of a file."""
        return self._task is not None

    @property
    def is_responding(self) -> bool:
        """Whether a responder is at work, whose answer is of no use without its client."""
        return self._is_responding

    def ready_answer(self, date: bytes) -> ReadyAnswer | None:
        """Return the answer for others that ask the same, if the request had no body and nothing failed.

        Args:
            date: the line of the Date that the answer has.
        """
        answer, writer, message = self._answer, self.writer, self.message
        if (
            answer is None
            or message is None
            or answer.is_current is None
            or not isinstance(answer.body, bytes)
        ):
            return None
        if not writer.persists or message.chunked or message.content_length is not None:
            return None
        body = answer.body if writer.has_body else b""
        parts = message, answer.status, (writer.head, body), date, answer.is_current
        return make_ready_answer(self._channel.options.counters, *parts)

    # The ways to an answer

    def _start(self, result: Any) -> bool:
        """Take the first step of what a handler returned; True when that was all."""
        if not isinstance(result, CoroutineType):
            result = _as_coroutine(result)
        self._task = self._channel.starter.start(result)
        if self._task is None:
            return True
        self._task.add_done_callback(self._task_done)
        return False

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        self._end(asyncio.CancelledError() if task.cancelled() else task.exception())

    def _send(self, answer: Answer) -> bool:
        """Send a responder's answer; True when that was all, False for a file that takes its time."""
        writer, body = self.writer, answer.body
        if isinstance(body, bytes):
            writer.write_response(answer.status, body, answer.headers)
            self._answer = answer
            return True
        pieces = pieces_of(body)
        try:
            writer.begin(answer.status, reason_of(answer.status), answer.headers, length=length_of(pieces))
        except BaseException:
            close_files(pieces)
            raise
        if not writer.has_body:
            close_files(pieces)
            return True
        self._sends_files = True
        self._channel.outgoing.send_files(pieces, writer.write, writer.count, self._end)
        return False

    def _wait_for(self, answer: Awaitable[Answer]) -> bool:
        """Send the answer of a responder that needs its time, when it is there."""
        self._task = asyncio.ensure_future(answer)
        self._is_responding = True
        self._task.add_done_callback(self._answer_is_there)
        return False

    def _answer_is_there(self, task: asyncio.Task[Answer]) -> None:
        self._task = None
        self._is_responding = False
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None:
            self._end(error)
            return
        is_over = True
        try:
            is_over = self._send(task.result())
        except Exception as failure:  # noqa: BLE001 - fields that cannot be sent
            error = failure
        if is_over:
            self._end(error)

    # Ends and errors

    def _end(self, error: BaseException | None) -> None:
        """End an exchange that took longer than the callback it began in."""
        outgoing = self._channel.outgoing
        outgoing.cork()
        try:
            if error is not None:
                self._fail(error)
            self._finish()
        finally:
            outgoing.uncork()
        self._on_end()

    def _fail(self, error: BaseException) -> None:
        """Turn what was raised into an answer or, where one has begun, into the connection's end."""
        error = _without_own_frames(error)
        handler, writer = self._channel.handler, self.writer
        if self._is_expected(error):
            handler.log_debug("Ignored premature client disconnection.")
            writer.is_broken = True
            return
        if self._is_expired and isinstance(error, asyncio.CancelledError):
            error = HttpProcessingError(503, "The answer took too long.")
        elif writer.is_started or writer.is_detached:
            self._report_late(error)
        if writer.is_started or writer.is_detached:
            writer.keep_alive = False
            writer.is_broken = not writer.is_finished
        else:
            self._answer_error(error)
            writer.is_broken |= not writer.is_started

    def _report_late(self, error: BaseException) -> None:
        """Log what can be answered no more; what is wrong with a body is no error of the server's."""
        handler, body_error = self._channel.handler, self._channel.incoming.payload.exception()
        told, more = self._told, {"request": self.message}
        if isinstance(error, HttpProcessingError) and error is body_error:
            handler.logger.info("%s, after its answer began: %s", told, error.message, extra=more)
        elif self._sends_files and isinstance(error, OSError):  # where in our own code is no news
            handler.logger.error("%s, after its answer began: %s", told, error, extra=more)
        else:
            problem = "Error handling request %s, after its answer began"
            handler.log_exception(problem, told, exc_info=error, extra=more)

    @property
    def _told(self) -> str:
        """What messages call the request."""
        return "what is no request" if self.message is None else describe_request(self.message)

    def _is_expected(self, error: BaseException) -> bool:
        """Whether the client has gone, or we have cancelled the handler; its own cancellation is an error."""
        if isinstance(error, asyncio.CancelledError):
            return self._is_cancelled or self._channel.outgoing.is_lost
        return isinstance(error, ClientDisconnectedError)

    def _answer_error(self, error: BaseException) -> None:
        handler, incoming = self._channel.handler, self._channel.incoming
        status, headers = 500, None
        if isinstance(error, HttpProcessingError):
            status, headers = error.code, error.headers
        try:
            result = handler.handle_error(status, self.message, incoming.payload, error, headers)
            if iscoroutine(result):
                result.close()
                raise TypeError("handle_error() is a plain function, not an async one") from error  # noqa: TRY301
        except Exception as second:  # noqa: BLE001 - an author's handle_error, or fields that cannot be sent
            handler.log_exception("Error in handle_error", exc_info=second, extra={"request": self.message})
            self.writer.is_broken = self.writer.is_started and not self.writer.is_finished
        if not self.writer.is_started and not self._channel.outgoing.is_lost:
            self.writer.write_response(500, "500 Internal Server Error\n")

    def _finish(self) -> None:
        """Finish the answer if nobody did, and count and log the request."""
        writer = self.writer
        is_whole = writer.is_finished and not writer.is_broken
        if not (is_whole or writer.is_detached or self._channel.outgoing.is_lost):
            self._complete()
        writer.status = writer.status or _CLIENT_GONE
        if began := self._began:  # somebody wants to know
            options, message = self._channel.options, self.message
            counters = options.counters
            # It may have been counted already, when its client had the answer.
            if counters is not None and not (counters.going and counters.going.pop(self, False)):
                if message is None:
                    counters.refuse(str(writer.status))
                else:
                    note = counters.note  # a call of an attribute would look for a method first
                    note((message.method, writer.status, time.perf_counter() - began, writer.output_length))
            if options.access_sink is not None:
                self._channel.log(message, writer, began)
        writer.close()

    def count_if_sent(self, counters: Counters) -> bool:
        """Count the request now, if its client may have all of the answer, and the handler only goes on."""
        message, writer = self.message, self.writer
        if message is None or not writer.is_written:
            return False
        counters.note(
            (message.method, writer.status, time.perf_counter() - self._began, writer.output_length)
        )
        return True

    def _complete(self) -> None:
        writer, response = self.writer, self.writer.response
        if not writer.is_broken:
            try:
                if writer.is_started:
                    if response is not None and response.headers_sent:
                        response.write_eof()
                elif response is not None:
                    response.send_empty()
                else:
                    name = type(self._channel.handler).__name__
                    self._fail(RuntimeError(f"{name}.handle_request() ended without an answer"))
            except Exception as error:  # noqa: BLE001 - also an answer that was made and cannot be sent
                self._fail(error)
        if not writer.is_broken:
            writer.write_eof()
        if writer.is_finished and writer.missing:
            problem, more = "%s: the body is %d bytes short", {"request": self.message}
            self._channel.handler.logger.error(problem, self._told, writer.missing, extra=more)


def _without_own_frames(error: BaseException) -> BaseException:
    """Begin an exception's traceback at the handler's code, if it comes to that."""
    frames = error.__traceback__
    while frames is not None and is_internal(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return error if frames is None else error.with_traceback(frames)


def _as_coroutine(result: Any) -> Coroutine[Any, Any, object]:
    """Make a coroutine of what else can be awaited, and of a generator, as coroutines once were written."""
    if isawaitable(result):
        return _await(result)
    if isinstance(result, GeneratorType):
        return _await(Steps(result))
    raise TypeError(f"handle_request() returned {result!r}, neither None nor an awaitable")


async def _await(awaitable: Awaitable[object]) -> object:
    return await awaitable
