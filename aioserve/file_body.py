"""Runs of bytes of files on their way out, and those that are read in blocks for it.

This file decides how much of a file is read in one go, and what may keep the event loop waiting: never the
disk. Bytes that the system has in memory are read at once; for others a thread reads first, so that the
system has them then. A sending is a generator that yields where it has to wait, and closes its files when it
ends or is closed.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

from aioserve.http.messages import FileSlice

if TYPE_CHECKING:
    from collections.abc import Generator

    from aioserve.http.messages import OpenFile

    Pieces = tuple[bytes | FileSlice, ...]

# One block is in memory at a time for each file being read, however slow its client. Larger ones take less
# processor time (0.48 s for a GiB with 64 KiB, 0.37 with 256 KiB, 0.30 with 1 MiB), but more memory.
_BLOCK = 262_144

# Linux tells whether it has something in memory by reading it, if it need not wait. Others are believed.
_NO_WAIT = getattr(os, "RWF_NOWAIT", None)


class Wait(Enum):
    """What a sending waits for."""

    TURN = "for other connections to have theirs"
    ROOM = "for the system to take more"
    DELIVERY = "for the client's system to have what was sent"


class Fetch:
    """Wait for bytes of a file to be read into the system's memory; call it in a thread.

    It has a descriptor of its own, since the file may be closed meanwhile.
    """

    __slots__ = "descriptor", "length", "offset"

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.length = length

    @classmethod
    def of(cls, file: OpenFile, offset: int, length: int) -> Fetch:
        """Make one for a run of bytes of a file.

        Raises:
            OSError: there are no descriptors left.
        """
        return cls(os.dup(file.fileno()), offset, length)

    def __call__(self) -> None:
        """Read, and forget what was read; what is wrong shows when it is sent."""
        try:
            os.pread(self.descriptor, self.length, self.offset)
        except OSError:
            pass
        finally:
            os.close(self.descriptor)


if TYPE_CHECKING:
    Sending = Generator[bytes | Wait | Fetch, None, None]


def pieces_of(body: bytes | FileSlice | Pieces) -> Pieces:
    """Return a body as what it is made of."""
    return body if isinstance(body, tuple) and not isinstance(body, FileSlice) else (body,)


def length_of(pieces: Pieces) -> int:
    """Return how many bytes there are in all."""
    return sum(piece.length if isinstance(piece, FileSlice) else len(piece) for piece in pieces)


def close_files(pieces: Pieces) -> None:
    """Close all files of a body that is not sent."""
    for piece in pieces:
        if isinstance(piece, FileSlice):
            piece.file.close()


def read_blocks(pieces: Pieces) -> Sending:
    """Return a generator of the bytes themselves.

    Raises:
        OSError: while it yields: a file cannot be read, or was changed.
    """
    return started(_read_blocks(pieces))


def started(sending: Sending) -> Sending:
    """Return a generator that has come into its `try`: it closes its files also when nobody asks for more."""
    next(sending)
    return sending


def _read_blocks(pieces: Pieces) -> Sending:
    try:
        yield Wait.TURN
        for piece in pieces:
            if isinstance(piece, bytes):
                yield piece
                continue
            offset, end = piece.offset, piece.offset + piece.length
            while offset < end:
                size = min(end - offset, _BLOCK)
                if not is_in_memory(piece.file, offset, size):
                    yield Fetch.of(piece.file, offset, size)
                block = _read(piece, offset, size)
                offset += len(block)
                yield block
    finally:
        close_files(pieces)


def _read(piece: FileSlice, offset: int, length: int) -> bytes:
    block = os.pread(piece.file.fileno(), length, offset)
    if not block:
        raise too_short()
    must_be_unchanged(piece)
    return block


def is_in_memory(file: OpenFile, offset: int, length: int) -> bool:
    """Whether reading would not wait for a disk, judged by both ends of the run."""
    return not length or (is_there(file, offset) and is_there(file, offset + length - 1))


def is_there(file: OpenFile, offset: int) -> bool:
    """Whether one byte can be read without waiting for a disk."""
    if _NO_WAIT is None:
        return True
    try:
        os.preadv(file.fileno(), [bytearray(1)], offset, _NO_WAIT)
    except BlockingIOError:
        return False
    except OSError:  # a file system that cannot tell
        return True
    return True


def must_be_unchanged(piece: FileSlice) -> None:
    """Look whether a file is still the version that was promised.

    Raises:
        OSError: it is not.
    """
    if piece.is_unchanged is not None and not piece.is_unchanged():
        raise OSError("the file was changed while it was sent")


def too_short() -> OSError:
    """Return what is wrong where a file has fewer bytes than were promised."""
    return OSError("the file ends too early")
