"""The chunked transfer coding, read (RFC 9112 §7.1).

This file alone decides where a chunked body ends. It keeps no bytes: it looks into the parser's buffer from
an offset on and says how far it got, so that a body in a million chunks costs time linear in its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.errors import LineTooLong, PayloadTooLarge, TooManyFields, TransferEncodingError
from aioserve.http1.grammar import CHUNK_LINE, FIELD_LINE, PLAIN_CHUNK_LINE

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

_LINE_LIMIT = 8_192  # bytes of a chunk's line or a trailer field
_EXTENSIONS_LIMIT = 16_384  # bytes in one body; RFC 9112 §7.1.1 asks for a limit on their sum


class ChunkedBody:
    """The state of one chunked body.

    Args:
        body_limit: the most bytes of content; 0 for no limit.
        trailer_limit: the most bytes of all trailer fields together.
        trailer_count: the most trailer fields.
    """

    __slots__ = (
        "_body_limit",
        "_extensions",
        "_left",
        "_received",
        "_state",
        "_trailer_bytes",
        "_trailer_count",
        "_trailer_limit",
        "_trailers",
    )

    def __init__(self, body_limit: int, trailer_limit: int, trailer_count: int) -> None:
        self._body_limit = body_limit
        self._trailer_limit = trailer_limit
        self._trailer_count = trailer_count
        self._state: _State = ChunkedBody._read_size
        self._left = 0  # bytes of the open chunk still to come
        self._received = 0
        self._extensions = 0
        self._trailer_bytes = 0
        self._trailers = 0

    @property
    def is_complete(self) -> bool:
        """The last chunk and the end of the trailer section have been seen."""
        return self._state is ChunkedBody._read_nothing

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Return the content found from ``at`` on, and the offset up to which ``data`` is used up.

        Raises:
            TransferEncodingError: the coding is broken.
            PayloadTooLarge: the content is over its limit.
            LineTooLong, TooManyFields: the trailer section is over its limits.
        """
        parts: list[bytes] = []
        while True:
            if self._state is ChunkedBody._read_size:
                at = self._read_whole_chunks(data, at, parts)
            reached = self._state(self, data, at, parts)
            if reached == at:
                return b"".join(parts), at
            at = reached

    def _read_whole_chunks(self, data: bytes, at: int, parts: list[bytes]) -> int:
        """Read the chunks that have come whole and are plain, as most are: in half of the time."""
        received, limit = self._received, self._body_limit
        while match := PLAIN_CHUNK_LINE.match(data, at):
            start, size = match.end(), int(match[1], 16)
            end = start + size
            if not size or (limit and received + size > limit) or data[end : end + 2] != b"\r\n":
                break  # the states know what that means
            parts.append(data[start:end])
            received += size
            at = end + 2
        self._received = received
        return at

    # The states: each returns the new offset, or the old one when it needs more bytes. A state is a plain
    # function and not a bound method, so that a body is no reference cycle.

    def _read_size(self, data: bytes, at: int, _parts: list[bytes]) -> int:
        match = _match_line(CHUNK_LINE, data, at, "A chunk does not begin with its size.")
        if match is None:
            return at
        size = int(match[1], 16)
        self._extensions += len(match[2])
        if self._extensions > _EXTENSIONS_LIMIT:
            raise TransferEncodingError("The chunk extensions are too long.")
        self._received += size
        if self._body_limit and self._received > self._body_limit:
            raise PayloadTooLarge(self._body_limit)
        self._left = size
        self._state = ChunkedBody._read_content if size else ChunkedBody._read_trailer
        return match.end()

    def _read_content(self, data: bytes, at: int, parts: list[bytes]) -> int:
        end = min(at + self._left, len(data))
        if end > at:
            parts.append(data[at:end])
            self._left -= end - at
            if not self._left:
                self._state = ChunkedBody._read_content_end
        return end

    def _read_content_end(self, data: bytes, at: int, _parts: list[bytes]) -> int:
        if data.startswith(b"\r\n", at):
            self._state = ChunkedBody._read_size
            return at + 2
        if data[at : at + 2] not in (b"", b"\r"):
            raise TransferEncodingError("A chunk is longer than its size.")
        return at

    def _read_trailer(self, data: bytes, at: int, _parts: list[bytes]) -> int:
        if data.startswith(b"\r\n", at):
            self._state = ChunkedBody._read_nothing
            return at + 2
        match = _match_line(FIELD_LINE, data, at, "A trailer field is malformed.")
        if match is None:
            return at
        self._trailer_bytes += match.end() - at
        self._trailers += 1
        if self._trailers > self._trailer_count:
            raise TooManyFields("trailer", self._trailer_count)
        if self._trailer_bytes > self._trailer_limit:
            raise LineTooLong("The trailer section", self._trailer_limit)
        return match.end()

    def _read_nothing(self, _data: bytes, at: int, _parts: list[bytes]) -> int:
        return at


if TYPE_CHECKING:
    _State = Callable[[ChunkedBody, bytes, int, list[bytes]], int]


def _match_line(pattern: re.Pattern[bytes], data: bytes, at: int, complaint: str) -> re.Match[bytes] | None:
    """Match a whole line, or return None while its end is to come; the limit holds in both cases alike."""
    match = pattern.match(data, at)
    end = match.end() if match else data.find(b"\n", at) + 1 or len(data)
    if end - at > _LINE_LIMIT:
        raise LineTooLong("A line between chunks", _LINE_LIMIT)
    if match is None and data.endswith(b"\n", at, end):
        raise TransferEncodingError(complaint)
    return match
