"""One file in the form it is sent: its header fields, its validators, and its bytes.

This file decides what an answer made of a file looks like. The entity tag is strong: it is made of the time
of the last change in nanoseconds, the size and the inode, so that neither a write nor a file moved over
another keeps it. A small file is read at once and must be the version that its validators name; a larger one
is left to the server, to be sent from the open file piece by piece.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.http.conditional import Validators
from aioserve.http.dates import format_http_date
from aioserve.http.messages import Answer, FileSlice
from aioserve.static.media_types import media_type_of

if TYPE_CHECKING:
    from aioserve.http.ranges import ByteRange
    from aioserve.static.lookup import Found

SMALL = 64 * 1024


@dataclass(frozen=True, slots=True)
class Representation:
    """What a found file is to HTTP (RFC 9110 §8).

    Attributes:
        found: the open file.
        validators: its ETag and Last-Modified.
    """

    found: Found
    validators: Validators

    @classmethod
    def of(cls, found: Found, now: int) -> Representation:
        """Describe a file; ``now`` is the present in seconds since the epoch.

        A time in the future, or before the epoch, is brought to its nearer end (RFC 9110 §8.8.2.1).
        """
        status = found.status
        etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"'
        return cls(found, Validators(etag, max(0, min(status.st_mtime_ns // 1_000_000_000, now))))

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return self.found.status.st_size

    def whole(self) -> Answer | None:
        """Answer with all of it; None where the file was changed since."""
        body = self._read(0, self.size)
        return None if body is None else Answer(200, self._fields(), body)

    def part(self, byte_range: ByteRange) -> Answer | None:
        """Answer with one part of it (RFC 9110 §15.3.7.1); None where the file was changed since."""
        body = self._read(byte_range.first, byte_range.length)
        content_range = ("Content-Range", byte_range.format_content_range(self.size))
        return None if body is None else Answer(206, (*self._fields(), content_range), body)

    def not_modified(self) -> Answer:
        """Answer that the client has it already (RFC 9110 §15.4.5)."""
        return Answer(304, (("ETag", self.validators.etag),))

    def _fields(self) -> tuple[tuple[str, str], ...]:
        return (
            ("Content-Type", media_type_of(self.found.name)),
            ("Last-Modified", format_http_date(self.validators.last_modified)),
            ("ETag", self.validators.etag),
            ("Accept-Ranges", "bytes"),
            ("X-Content-Type-Options", "nosniff"),
        )

    def _read(self, first: int, length: int) -> bytes | FileSlice | None:
        file, status = self.found.file, self.found.status
        if self.size > SMALL:
            return FileSlice(file, first, length)
        content = file.read(self.size + 1)  # one more, to see that it ends there
        after = os.fstat(file.fileno())
        if len(content) != self.size or after.st_mtime_ns != status.st_mtime_ns:
            return None
        return content[first : first + length]
