"""The access log: one record for each request, and when and where its line is written.

This file decides that a record is only kept when its request ends, and that records become lines later, in
batches, with one write for each batch: formatting and writing at once would cost a small request about as
much as everything else that happens to it. An output that fails costs its lines and never a request, and is
told of once, and once more when it is over.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import Peer, RequestMessage

    Format = Callable[["AccessRecord"], str]
    CallLater = Callable[[float, Callable[[], None]], object]

logger = logging.getLogger(__name__)

_RETRY = 0.1  # seconds until lines that nobody read are tried again
_STUCK = 1.0  # seconds for which nothing was taken, until that is told of
_OVER = 10.0  # seconds without a loss, so that a slow reader is not told of all the time


class LineOutput(Protocol):
    """Where lines go, as `streams.Output`."""

    @property
    def lost(self) -> int:
        """Lines that could not be written, so far."""

    @property
    def sent(self) -> int:
        """Bytes that somebody has taken, so far."""

    @property
    def has_waiting(self) -> bool:
        """Whether lines wait for somebody to read those before them."""

    def write(self, text: str) -> None:
        """Write whole lines, or keep them; OSError and ValueError say that lines are lost."""

    def push(self) -> None:
        """Write what waits."""


class Times(NamedTuple):
    """The parts of the time of one request, in seconds.

    Attributes:
        queue: from when its last byte, or the beginning of its body, was read to when its handler was called.
        handler: from then to the head of its answer.
        sending: from then to the end of the exchange.
    """

    queue: float
    handler: float
    sending: float


class AccessRecord:
    """What there is to say about one request and its answer.

    Attributes:
        message: the head of the request, or None where it could not be parsed.
        peer: the address of the client: ``(host, port)``, the name of a unix socket, or None.
        status: the status code of the answer.
        body_length: bytes of the answer's body as sent, framing left out.
        output_length: all bytes of the answer.
        started: when the request began to arrive, in seconds since the epoch.
        duration: seconds from then to the last byte of the answer.
        refused: the first line of what could not be parsed; its bytes over 127 as surrogate escapes.
        head: the status line and fields of the answer, as sent.
        times: where the time went; None where that is not measured.
    """

    __slots__ = (
        *("message", "peer", "status", "body_length", "output_length", "started", "duration"),
        *("refused", "head", "times"),
    )

    # Made for every request: a named tuple takes a third longer, a frozen dataclass four times as long.
    def __init__(  # noqa: PLR0913, PLR0917 - all that there is to say
        self,
        message: RequestMessage | None,
        peer: Peer,
        status: int,
        body_length: int,
        output_length: int,
        started: float,
        duration: float,
        refused: str = "",
        head: bytes = b"",
        times: Times | None = None,
    ) -> None:
        self.message = message
        self.peer = peer
        self.status = status
        self.body_length = body_length
        self.output_length = output_length
        self.started = started
        self.duration = duration
        self.refused = refused
        self.head = head
        self.times = times


class AccessLog:
    """Keeps records and writes them in batches; called with each record.

    Args:
        output: takes the text of a batch, whole lines.
        format_record: makes a line, without line feed, of a record.
        call_later: ``loop.call_later``, or what behaves like it.
        wants: tells which records become lines; None where all do.
        delay: seconds that a line may wait for others.
        batch: records that may wait; they hold the heads of their requests in memory.
        clock: tells seconds.
    """

    __slots__ = (
        "_batch",
        "_call_later",
        "_clock",
        "_delay",
        "_format",
        "_is_due",
        "_lost_at",
        "_output",
        "_records",
        "_sent",
        "_stuck_at",
        "_told",
        "_unformatted",
        "_wants",
    )

    def __init__(
        self,
        output: LineOutput,
        format_record: Format,
        call_later: CallLater,
        *,
        wants: Callable[[AccessRecord], bool] | None = None,
        delay: float = 0.1,
        batch: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._output = output
        self._format = format_record
        self._call_later = call_later
        self._wants = wants
        self._delay = delay
        self._batch = batch
        self._clock = clock
        self._records: list[AccessRecord] = []
        self._is_due = False
        self._unformatted = 0
        self._told = 0  # of the lost ones, as many as somebody was told of
        self._lost_at: float | None = None  # when the last one was, as long as that is not over
        self._sent = -1
        self._stuck_at = 0.0  # when so many had been taken for the first time

    @property
    def dropped(self) -> int:
        """The lines lost so far."""
        return self._output.lost + self._unformatted

    def __call__(self, record: AccessRecord) -> None:
        """Keep a record; it is written within ``delay`` seconds."""
        self._records.append(record)
        if len(self._records) >= self._batch:
            self.flush()
        elif not self._is_due:
            self._come_back(self._delay)

    def flush(self) -> None:
        """Write at once whatever has been kept."""
        records, self._records = self._records, []
        if self._wants is not None:
            records = [*filter(self._wants, records)]
        lines = [line for record in records if (line := self._line(record)) is not None]
        try:
            if lines:
                self._output.write("\n".join(lines) + "\n")
            else:
                self._output.push()
        except (OSError, ValueError) as error:  # no space, no reader, a closed stream
            self._note_loss(f"cannot write: {getattr(error, 'strerror', None) or error}")
        else:
            if lines and not self._output.has_waiting:
                self._note_success()
        if self._output.has_waiting:
            self._note_waiting()
            if not self._is_due:
                self._come_back(_RETRY)

    def _come_back(self, delay: float) -> None:
        self._is_due = True
        self._call_later(delay, self._write_due)

    def _write_due(self) -> None:
        self._is_due = False
        self.flush()

    def _line(self, record: AccessRecord) -> str | None:
        try:
            return self._format(record)
        except Exception as error:  # noqa: BLE001 - a format is anybody's function
            self._unformatted += 1
            self._note_loss(f"cannot format: {error!r}")
            return None

    def _note_loss(self, reason: str) -> None:
        if self._lost_at is None:
            logger.warning("access log: %s; its lines are dropped until that is over", reason)
        self._lost_at = self._clock()

    def _note_waiting(self) -> None:
        now = self._clock()
        if self._output.sent != self._sent:
            self._sent, self._stuck_at = self._output.sent, now
        elif self._lost_at is not None:
            self._lost_at = now
        elif now - self._stuck_at >= _STUCK:
            logger.warning("access log: nobody reads it; its lines wait, and are dropped when there are many")
            self._lost_at = now

    def _note_success(self) -> None:
        if self._lost_at is not None and self._clock() - self._lost_at >= _OVER:
            logger.warning("access log: written again; %d lines were lost", self.dropped - self._told)
            self._told = self.dropped
            self._lost_at = None


class LoggerAccessLog:
    """Hands each line to a logger of the standard library, for those who run a server of their own.

    Args:
        target: gets the line at the level INFO. Nothing is formatted where that is not enabled.
        format_record: makes a line, without line feed, of a record.
    """

    __slots__ = ("_format", "_logger")

    def __init__(self, target: logging.Logger, format_record: Format) -> None:
        self._logger = target
        self._format = format_record

    def __call__(self, record: AccessRecord) -> None:
        """Log one record."""
        if not self._logger.isEnabledFor(logging.INFO):
            return
        try:
            line = self._format(record)
        except Exception:
            self._logger.exception("Error in logging")
        else:
            self._logger.info("%s", line)
