"""The body of a request as a stream that a handler reads.

This file decides how a body can be read, and how much of it waits in memory: past a mark the connection is
asked to stop reading, and goes on when the handler has read most of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from aioserve.awaitables import steps
from aioserve.errors import BadHttpMessage, HttpProcessingError, PayloadTooLarge
from aioserve.multidict import MultiDict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator

    from aioserve.content_coding import Decoder
    from aioserve.multipart import MultipartForm, UploadedFile

    Waiting = Generator[Any, Any, Any]

HIGH_WATER = 131_072  # bytes kept before reading is paused
_LOW_WATER = 32_768
_SLICE = 65_536  # bytes decoded at once
_LINE_LIMIT = 65_536
_SMALL = 4_096  # bytes; what comes in less is joined, as an object for each segment would be many times more
_FREE = 1_048_576  # bytes that any coded body may become,
_RATIO = 100  # and how many times its size beyond that; 2 to 12 in texts that were measured, 1000 in a bomb
_FORM_LIMIT = 1_048_576  # bytes of a urlencoded form


class Payload:
    """The body of one request.

    Every method that may wait returns an object that may be awaited, yielded from, or ignored. Reads raise
    what went wrong with the body: `ClientDisconnectedError`, or an `HttpProcessingError` (too large, broken,
    too slow) that becomes the answer if the handler lets it pass.

    Args:
        content_type: of the request, for `text` and `form`.
        decoder: takes the content coding off; None leaves the body as it is.
        limit: the most bytes after decoding; 0 for no limit.
        on_first_read: called when somebody first wants bytes.
        on_room: called when reading may go on.
    """

    __slots__ = (
        "_buffer",
        "_buffered",
        "_coded",
        "_content_type",
        "_decoder",
        "_exception",
        "_first",
        "_form",
        "_is_closed",
        "_is_eof",
        "_is_fed",
        "_limit",
        "_on_first_read",
        "_on_room",
        "_raw_is_eof",
        "_waiter",
        "total_bytes",
    )

    def __init__(
        self,
        content_type: str | None = None,
        *,
        decoder: Decoder | None = None,
        limit: int = 0,
        on_first_read: Callable[[], None] | None = None,
        on_room: Callable[[], None] | None = None,
    ) -> None:
        self._content_type = content_type
        self._decoder = decoder
        self._limit = limit
        self._on_first_read = on_first_read
        self._on_room = on_room
        self._buffer: deque[bytes] = deque()
        self._first = 0  # bytes of the buffer's first piece that have been read
        self._buffered = 0
        self._coded = 0  # bytes before decoding
        self._is_fed = False
        self._raw_is_eof = False
        self._is_eof = False
        self._is_closed = False
        self._form: MultipartForm | None = None
        self._exception: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.total_bytes = 0

    # The connection's side

    @property
    def is_full(self) -> bool:
        """Enough is kept; more should wait until `on_room` is called."""
        return self._buffered >= HIGH_WATER

    def feed_data(self, data: bytes) -> None:
        """Take bytes of the body as they came."""
        if self._decoder is None:
            self._keep(data)
        else:
            self._is_fed = True
            self._coded += len(data)
            self._decode(data)
        self._wake()

    def feed_eof(self) -> None:
        """The body has come to its end."""
        self._raw_is_eof = True
        if self._decoder is None or not self._is_fed:  # no bytes at all are not a truncated coding
            self._is_eof = True
        else:
            self._decode(b"")
        self._wake()

    def set_exception(self, error: Exception) -> None:
        """Let reads raise an exception from now on, unless all of the body is there."""
        if not self._is_eof and self._exception is None:
            self._exception = error
            self._wake()

    def close(self) -> None:
        """Forget what is kept: the request is over and nobody reads on."""
        if self is EMPTY_PAYLOAD:  # which other requests share
            return
        self._is_closed = True
        self._exception = RuntimeError("the request is over; its body can be read no more")
        self._is_eof = False
        self._buffer.clear()
        self._buffered = self._first = 0
        self._wake()
        self._on_first_read = self._on_room = self._decoder = None
        if self._form is not None:
            self._form.close()

    def _keep(self, data: bytes) -> None:
        if data:
            buffer = self._buffer
            # The first piece may be half read.
            if len(buffer) > 1 and len(buffer[-1]) + len(data) <= _SMALL:
                buffer[-1] += data
            else:
                buffer.append(data)
            self._buffered += len(data)
            self.total_bytes += len(data)

    def _decode(self, data: bytes) -> None:
        """Decode in slices until there is enough; what is left waits in its coded form."""
        decoder = self._decoder
        try:
            while decoder is not None and self._exception is None:
                self._keep(decoder.decode(data, _SLICE))
                data = b""
                self._must_be_in_proportion()
                if decoder.needs_input:
                    if self._raw_is_eof and not self._is_eof:
                        decoder.finish()
                        self._is_eof = True
                    return
                if self.is_full:
                    return
        except HttpProcessingError as error:
            self.set_exception(error)

    def _must_be_in_proportion(self) -> None:
        """Refuse what becomes too large when its coding is undone, in all or for its size (a bomb)."""
        if self._limit and self.total_bytes > self._limit:
            raise PayloadTooLarge(self._limit)
        if self.total_bytes > _FREE + _RATIO * self._coded:
            raise HttpProcessingError(413, "The body is too large for the size of its coded form.")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What is known

    def at_eof(self) -> bool:
        """Whether everything has been read."""
        return self._is_eof and not self._buffer

    def is_eof(self) -> bool:
        """Whether everything has come."""
        return self._is_eof

    def exception(self) -> Exception | None:
        """Return what reads raise, or None."""
        return self._exception

    # Reading

    def _wait(self) -> Waiting:
        """Wait for more: bytes, the end, or an exception, which is raised."""
        self._must_be_free()
        if self._exception is not None:
            raise self._exception
        if self._on_first_read is not None:
            on_first_read, self._on_first_read = self._on_first_read, None
            on_first_read()
        if self._is_eof:
            return
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            yield from self._waiter
        finally:
            self._waiter = None
        if self._exception is not None and not self._buffer:
            raise self._exception

    def _must_be_free(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("the body is already being read by somebody else")

    def _take(self, most: int) -> bytes:
        """Take at most so many bytes of what is kept; all for a negative number."""
        self._must_be_free()
        if most < 0 or most >= self._buffered:
            first, rest = self._buffer.popleft() if self._buffer else b"", self._buffer
            taken = b"".join([memoryview(first)[self._first :], *rest]) if rest or self._first else first
            self._buffer.clear()
            self._first = self._buffered = 0
        else:
            parts = []
            wanted = most
            while wanted:
                piece = self._buffer[0][self._first : self._first + wanted]
                parts.append(piece)
                wanted -= len(piece)
                self._first += len(piece)
                if self._first == len(self._buffer[0]):
                    self._buffer.popleft()
                    self._first = 0
            self._buffered -= most
            taken = b"".join(parts)
        if self._buffered <= _LOW_WATER:
            self._make_room()
        return taken

    def _put_back(self, taken: bytes) -> None:
        """Keep again what was taken by a reader that did not get to its end."""
        if taken and not self._is_closed:
            if self._buffer:
                self._buffer[0] = self._buffer[0][self._first :]
            self._first = 0
            self._buffer.appendleft(taken)
            self._buffered += len(taken)

    def _gather(self, most: int) -> Waiting:
        """Take so many bytes (to the end for a negative number), fewer only at the end; or none at all."""
        first, rest = b"", bytearray()
        try:
            while most and not self.at_eof():
                if not self._buffered:
                    yield from self._wait()
                part = self._take(most)
                most -= len(part)
                if first:
                    rest += part
                else:
                    first = part
        except BaseException:
            self._put_back(first + rest)
            raise
        return first + rest if rest else first

    def _make_room(self) -> None:
        if self._decoder is not None and not self._decoder.needs_input:
            self._decode(b"")
        if self._on_room is not None and not self._raw_is_eof:
            self._on_room()

    @steps
    def readany(self) -> Waiting:
        """Return what is there, waiting only when nothing is; ``b""`` at the end."""
        while not self._buffered and not self._is_eof:
            yield from self._wait()
        return self._take(-1)

    @steps
    def read(self, n: int = -1) -> Waiting:
        """Return at most ``n`` bytes, or everything to the end for a negative ``n``; ``b""`` at the end."""
        if n < 0:
            return (yield from self._gather(-1))
        while n and not self._buffered and not self._is_eof:
            yield from self._wait()
        return self._take(n)

    @steps
    def readexactly(self, n: int) -> Waiting:
        """Return ``n`` bytes.

        Raises:
            asyncio.IncompleteReadError: the body ended before; it holds what came.
            ValueError: ``n`` is negative.
        """
        if n < 0:
            raise ValueError(f"a number of bytes is not negative: {n}")
        data = yield from self._gather(n)
        if len(data) < n:
            raise asyncio.IncompleteReadError(data, n)
        return data

    @steps
    def readline(self) -> Waiting:
        """Return the bytes up to and with the next LF, or to the end.

        Raises:
            ValueError: the line is longer than 64 KiB; the other methods can still read it.
        """
        parts: list[bytes] = []
        size, end = 0, -1
        try:
            while end < 0 and not self.at_eof():
                if not self._buffered:
                    yield from self._wait()
                    continue
                end = self._buffer[0].find(b"\n", self._first)
                length = (end + 1 if end >= 0 else len(self._buffer[0])) - self._first
                size += length
                if size > _LINE_LIMIT:
                    raise ValueError("Line is too long")  # noqa: TRY301 - it keeps what was taken
                parts.append(self._take(length))
        except BaseException:
            self._put_back(b"".join(parts))
            raise
        return b"".join(parts)

    @steps
    def wait_eof(self) -> Waiting:
        """Wait until everything has come; reads are needed too where it is more than is kept."""
        while not self._is_eof:
            yield from self._wait()

    def read_nowait(self, n: int = -1) -> bytes:
        """Return at most ``n`` bytes of what is there, without waiting.

        Raises:
            RuntimeError: somebody waits for bytes.
        """
        if self._exception is not None and not self._buffer:
            raise self._exception
        return self._take(n)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line

    async def iter_chunked(self, n: int) -> AsyncIterator[bytes]:
        """Iterate over pieces of at most ``n`` bytes."""
        if n <= 0:
            raise ValueError("a piece has at least one byte")
        while piece := await self.read(n):
            yield piece

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Iterate over pieces as they come."""
        while piece := await self.readany():
            yield piece

    # The whole body as something else

    @steps
    def text(self, encoding: str | None = None) -> Waiting:
        """Return the body as text: in ``encoding``, else in the request's charset, else in UTF-8.

        Raises:
            BadHttpMessage: the body is not text in that encoding, or nobody knows it.
        """
        body = yield from self.read()
        from aioserve.charsets import decode_text  # noqa: PLC0415 - as forms

        return decode_text(body, self._content_type, encoding)

    @steps
    def json(self) -> Waiting:
        """Return the body as JSON (RFC 8259).

        Raises:
            BadHttpMessage: the body is not JSON.
        """
        import json  # noqa: PLC0415 - as forms

        body = yield from self.read()
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise BadHttpMessage("The body is not JSON.") from None

    @steps
    def form(self, max_fields: int = 1000, max_size: int = _FORM_LIMIT) -> Waiting:
        """Return the fields of a submitted form, urlencoded or multipart; empty where the body is no form.

        An uploaded file is an `UploadedFile`; it can be read until the request is over.

        Raises:
            BadHttpMessage: the body is not what its Content-Type says.
            HttpProcessingError: 413 for more than ``max_fields`` fields, or more than ``max_size`` bytes of a
                urlencoded form, which is read into memory whole; uploads have the limit of all bodies.
        """
        from aioserve import forms  # noqa: PLC0415 - many applications have none

        match forms.parse_form_content_type(self._content_type):
            case forms.Urlencoded():
                body = yield from self._gather(max_size + 1)
                if len(body) > max_size:
                    raise PayloadTooLarge(max_size)
                return forms.parse_urlencoded(body, max_fields=max_fields)
            case forms.Multipart(boundary):
                return (yield from self._read_multipart(boundary, max_fields))
            case _:
                fields: MultiDict[str | UploadedFile] = MultiDict()
                return fields

    def _read_multipart(self, boundary: str, max_fields: int) -> Waiting:
        from aioserve.multipart import MultipartForm  # noqa: PLC0415 - for the few that upload files

        self._form = MultipartForm(boundary, max_fields=max_fields)  # closed with the payload
        while data := (yield from self.readany()):
            self._form.feed(data)
        return self._form.finish()


def _ended_payload() -> Payload:
    payload = Payload()
    payload.feed_eof()
    return payload


EMPTY_PAYLOAD = _ended_payload()
"""The body of every request that has none."""
