"""Answers that are ready: a request that is the same to the byte gets the same bytes.

This file decides which requests need not be read a second time, and how long an answer may be given without
looking whether it still holds: for one turn of the event loop. What came in one turn came at the same time
as far as anybody can tell, and looking, which asks the system about files, costs more than all the rest.

Only whole heads are remembered, without a body, and only what a responder allows by `Answer.is_current`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import RequestMessage

HEAD_LIMIT = 2_048  # bytes of a request that is remembered; longer ones would cost more to compare
_OVERHEAD = 2_048  # bytes that an entry takes beside its own, roughly


class ReadyAnswer:
    """One request and all bytes of its answer.

    To `log_access` it is the response.

    Attributes:
        message: the request.
        status: of the answer.
        head: the bytes of its head, with the Date of the first time.
        headers_length, body_length, output_length: bytes of the head, of the content, and of both.
        is_current: whether it still holds.
    """

    __slots__ = (
        "_data",
        "_date",
        "_date_at",
        "body_length",
        "head",
        "headers_length",
        "is_current",
        "message",
        "output_length",
        "status",
    )

    times = None  # no handler was called

    def __init__(
        self,
        message: RequestMessage,
        status: int,
        parts: tuple[bytes, bytes],
        date: bytes,
        is_current: Callable[[], bool],
    ) -> None:
        """Keep an answer.

        Args:
            message: the request.
            status: of the answer.
            parts: its head, with a Date, and its body.
            date: the line of the Date in that head.
            is_current: see above.
        """
        head, body = parts
        self.message = message
        self.status = status
        self.is_current = is_current
        self.head = head
        self.headers_length = len(head)
        self.body_length = len(body)
        self.output_length = len(head) + len(body)
        self._data = head + body
        self._date = date
        self._date_at = head.index(b"\r\n" + date) + 2

    def render(self, date: bytes) -> bytes:
        """Return the bytes with the line of the present Date in them."""
        if date is not self._date:
            at = self._date_at
            self._data = b"".join((self._data[:at], date, self._data[at + len(self._date) :]))
            self._date = date
        return self._data


class ReadyAnswers:
    """The answers of one server that are ready, by the bytes of their requests.

    Args:
        limit: bytes that they may take in all; those used longest ago give way. 0 keeps nothing.

    Attributes:
        fresh: those that have been looked at in this turn of the event loop.
        size: bytes that they take.
    """

    __slots__ = ("_kept", "_limit", "fresh", "size")

    def __init__(self, limit: int) -> None:
        self.fresh: dict[bytes, ReadyAnswer] = {}
        self.size = 0
        self._limit = limit
        self._kept: dict[bytes, ReadyAnswer] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, head: bytes) -> ReadyAnswer | None:
        """Return the answer to a request, if there is one and it still holds."""
        answer = self._kept.pop(head, None)
        if answer is None:
            return None
        if not answer.is_current():
            self.size -= self._size_of(head, answer)
            return None
        self._kept[head] = answer  # used last
        if not self.fresh:
            asyncio.get_running_loop().call_soon(self.fresh.clear)
        self.fresh[head] = answer
        return answer

    def keep(self, head: bytes, answer: ReadyAnswer) -> None:
        """Remember the answer to a request."""
        size = self._size_of(head, answer)
        if size * 8 > self._limit:  # one alone must not push out many
            return
        self._forget(head)
        self._kept[head] = answer
        self.size += size
        while self.size > self._limit:
            self._forget(next(iter(self._kept)))

    def _forget(self, head: bytes) -> None:
        answer = self._kept.pop(head, None)
        if answer is not None:
            self.size -= self._size_of(head, answer)

    @staticmethod
    def _size_of(head: bytes, answer: ReadyAnswer) -> int:
        return len(head) + answer.output_length + _OVERHEAD
