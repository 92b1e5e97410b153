"""One form of a file in which it is sent: its header fields, its validators, and its bytes.

This file decides what an answer made of a file looks like. Entity tags are strong. A small file, which is
read at once, has one made of its bytes: it is the same wherever the same file is served, and another when a
byte is another, whatever became of the times. A larger one has one made of all that the system tells of it,
which is another when the file is. While it could be changed without a trace, its tag is one that was never
used before and will not be again. Neither shows what it is made of.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from aioserve.http.conditional import Validators
from aioserve.http.dates import format_http_date
from aioserve.http.messages import Answer, FileSlice
from aioserve.http.ranges import render_part_heads
from aioserve.static.header_fields import merge_fields
from aioserve.static.shared_file import SharedFile
from aioserve.static.watch import is_settled, signature_of, version_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.ranges import ByteRange
    from aioserve.static.header_fields import Fields
    from aioserve.static.tree import Found

SMALL = 131_072  # bytes; up to here one write from memory is quicker than the system's sendfile

# What a 304 does not say, since the client has it (RFC 9110 §15.4.5).
_OF_THE_CONTENT = {
    "accept-ranges",
    "content-encoding",
    "content-language",
    "content-type",
    "last-modified",
}


class ChangedMeanwhileError(Exception):
    """A file was written while it was read: what was read is no version of it."""


@dataclass(frozen=True, slots=True)
class Representation:
    """What a form of a file is to HTTP (RFC 9110 §8).

    Attributes:
        media_type: its Content-Type.
        coding: its Content-Encoding, or ``identity``.
        validators: its ETag and Last-Modified.
        size: its length in bytes.
        content: its bytes, where it is small.
        file: where its bytes are, where it is not.
        has_ranges: parts of it can be asked for.
    """

    media_type: str
    coding: str
    validators: Validators
    size: int
    content: bytes | None
    file: SharedFile | None
    has_ranges: bool = True

    @classmethod
    def of(cls, found: Found, media_type: str, now: int, coding: str = "identity") -> Representation:
        """Make one of a file, and close it or keep it in there.

        Args:
            found: the file.
            media_type: of the content, its coding undone.
            now: the present in seconds since the epoch. A Last-Modified in the future, or before the epoch,
                is brought to its nearer end (RFC 9110 §8.8.2.1).
            coding: in which the file is.

        Raises:
            ChangedMeanwhileError: it was written while it was read.
            OSError: it cannot be read.
        """
        status = found.status
        content, file = None, None
        if status.st_size > SMALL:
            file = SharedFile(found.file, status)
            seed = repr(signature_of(status)).encode("ascii")
            if not is_settled(status, time.time_ns()):
                seed += os.urandom(16)
        else:
            with found.file:
                seed = content = _read(found)
        modified = max(0, min(status.st_mtime_ns // 1_000_000_000, now))
        return cls(media_type, coding, Validators(_etag_of(seed), modified), status.st_size, content, file)

    def compressed(self, content: bytes, coding: str) -> Representation:
        """Make the one of the same file that was compressed here.

        It has no ranges: after an update of the library its bytes could be others.
        """
        etag = f'{self.validators.etag[:-1]}-{coding}"'
        validators = Validators(etag, self.validators.last_modified)
        return Representation(self.media_type, coding, validators, len(content), content, None, False)

    def close(self) -> None:
        """Need its file no more."""
        if self.file is not None:
            self.file.close()

    def read(self) -> bytes:
        """Return all of its bytes, from the disk where they are not in memory.

        Raises:
            ChangedMeanwhileError: they are no more those that its validators are about.
            OSError: they cannot be read.
        """
        if self.file is None:
            return self.content or b""
        content = os.pread(self.file.fileno(), self.size, 0)
        if len(content) != self.size or not self.file.is_unchanged():
            raise ChangedMeanwhileError
        return content

    # The answers

    def whole(self, site: Fields, is_current: Callable[[], bool] | None = None) -> Answer:
        """Answer with all of it; ``site`` are fields to be added, or to replace its own."""
        return Answer(200, merge_fields(self._fields(), site), self._slice(0, self.size), is_current)

    def part(self, byte_range: ByteRange, site: Fields) -> Answer:
        """Answer with one part of it (RFC 9110 §15.3.7.1)."""
        fields = (*merge_fields(self._fields(), site), self._content_range(byte_range))
        return Answer(206, fields, self._slice(byte_range.first, byte_range.length))

    def parts(self, ranges: tuple[ByteRange, ...], site: Fields) -> Answer:
        """Answer with several parts of it, each behind a head of its own (RFC 9110 §15.3.7.2)."""
        fields = merge_fields(self._fields(), site)
        media_type = next(value for name, value in fields if name.lower() == "content-type")
        boundary = os.urandom(12).hex()
        heads, end = render_part_heads(ranges, self.size, media_type, boundary)
        pieces: list[bytes | FileSlice] = []
        for head, one in zip(heads, ranges, strict=True):
            pieces += head, self._slice(one.first, one.length)
        pieces.append(end)
        others = (field for field in fields if field[0].lower() != "content-type")
        fields = (*others, ("Content-Type", f"multipart/byteranges; boundary={boundary}"))
        if self.content is not None:
            return Answer(206, fields, b"".join(piece for piece in pieces if isinstance(piece, bytes)))
        return Answer(206, fields, tuple(pieces))

    def not_modified(self, site: Fields, is_current: Callable[[], bool] | None = None) -> Answer:
        """Answer that the client has it already."""
        fields = merge_fields(self._fields(), site)
        kept = tuple(field for field in fields if field[0].lower() not in _OF_THE_CONTENT)
        return Answer(304, kept, b"", is_current)

    def as_error(self, status: int, site: Fields, headers: Fields) -> Answer:
        """Answer with all of it as the page of an error, whose own header fields these are."""
        own = (
            ("Content-Type", self.media_type),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        )
        return Answer(status, (*merge_fields(own, site), *headers), self._slice(0, self.size))

    def _fields(self) -> Fields:
        coded = (("Content-Encoding", self.coding),) if self.coding != "identity" else ()
        return (
            ("Content-Type", self.media_type),
            *coded,
            ("Last-Modified", format_http_date(self.validators.last_modified)),
            ("ETag", self.validators.etag),
            *((("Accept-Ranges", "bytes"),) if self.has_ranges else ()),
            ("X-Content-Type-Options", "nosniff"),
        )

    def _content_range(self, byte_range: ByteRange) -> tuple[str, str]:
        return "Content-Range", byte_range.format_content_range(self.size)

    def _slice(self, first: int, length: int) -> bytes | FileSlice:
        if self.file is None:
            return (self.content or b"")[first : first + length]
        return FileSlice(self.file.share(), first, length, self.file.is_unchanged)


def _read(found: Found) -> bytes:
    content = found.file.read(found.status.st_size + 1)  # one more, to see that it ends there
    after = os.fstat(found.file.fileno())
    if len(content) != found.status.st_size or version_of(after) != version_of(found.status):
        raise ChangedMeanwhileError
    return content


def _etag_of(seed: bytes) -> str:
    """Make an entity tag: nobody finds two seeds that give the same, or the seed of one."""
    return f'"{blake2b(seed, digest_size=12).hexdigest()}"'
