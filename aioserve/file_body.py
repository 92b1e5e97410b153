"""A run of bytes of a file, read in blocks while it is being sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from aioserve.http.messages import FileSlice

# One block is in memory at a time for each file being sent, however slow its client. Larger ones take less
# processor time (0.48 s for a GiB with 64 KiB, 0.37 with 256 KiB, 0.30 with 1 MiB), but more memory.
_BLOCK = 262_144


def read_blocks(body: FileSlice) -> Generator[bytes, None, None]:
    """Return a generator of a slice's bytes, which closes the file when it ends or is closed.

    Raises:
        OSError: while it yields: the file cannot be read, or has become shorter than it was.
    """
    blocks = _read_blocks(body)
    next(blocks)  # into its `with`: it closes the file also when nobody asks for a block
    return blocks


def _read_blocks(body: FileSlice) -> Generator[bytes, None, None]:
    offset, left = body.offset, body.length
    with body.file:
        yield b""
        while left:
            block = os.pread(body.file.fileno(), min(left, _BLOCK), offset)
            if not block:
                raise OSError(f"the file ends {left} bytes too early")
            offset += len(block)
            left -= len(block)
            yield block
