"""Files as the tree finds them, for the tests of what is made of them."""

from __future__ import annotations

import errno
import io
import os
from typing import TYPE_CHECKING

from aioserve.http.messages import FileSlice
from aioserve.static.tree import Found

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000
CHANGED = NOW - 100


def write(path: Path, content: bytes, changed: int = CHANGED) -> Path:
    """Write a file, and say that it was changed at a time, in seconds since the epoch."""
    path.write_bytes(content)
    os.utime(path, (changed, changed))
    return path


def find(path: Path) -> Found:
    """Open a file as the tree does."""
    return found(path.open("rb", buffering=0), path)


def found(file: io.FileIO, path: Path) -> Found:
    """Return an open file as one that was found."""
    return Found(file, os.fstat(file.fileno()), (os.fsencode(path.name),))


class BrokenFile(io.FileIO):
    """A file on a disk that is broken."""

    def read(self, size: int = -1, /) -> bytes:
        """Fail, however much is wanted."""
        raise OSError(errno.EIO, f"cannot read {size} bytes")


def bytes_of(body) -> bytes:
    """Return the bytes of an answer's body, and need its files no more, as the server does."""
    if isinstance(body, bytes):
        return body
    if not isinstance(body, FileSlice):
        return b"".join(map(bytes_of, body))
    content = os.pread(body.file.fileno(), body.length, body.offset)
    body.file.close()
    return content
