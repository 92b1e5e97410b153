"""Runs of bytes of files on their way out: sent by the system itself, or read in blocks.

This file decides how much of a file is looked at in one go, and what may keep the event loop waiting: never
the disk. Bytes that the system has in memory are sent at once; for others a thread reads first, so that the
system has them then. Both ways are generators that yield where they have to wait, and close their files when
they end or are closed.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aioserve.http.messages import FileSlice

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from aioserve.http.messages import OpenFile
    from aioserve.send_buffer import Pace

    Pieces = tuple[bytes | FileSlice, ...]

# One block is in memory at a time for each file being read, however slow its client. Larger ones take less
# processor time (0.48 s for a GiB with 64 KiB, 0.37 with 256 KiB, 0.30 with 1 MiB), but more memory.
_BLOCK = 262_144

_DIRECT_BLOCK = 16_777_216  # given to the system at once, which takes as much as it has room for
_PROBED = 4_194_304  # of which the first byte must be in memory
_FETCHED = 1_048_576  # read at once by a thread
_LAST = 65_536  # sent after another look at the file; what is queued before it can still change in place

_MORE = getattr(socket, "MSG_MORE", 0)  # the packet waits for what follows

# Linux tells whether it has something in memory by reading it, if it need not wait. Others are believed.
_NO_WAIT = getattr(os, "RWF_NOWAIT", None)


class Wait(Enum):
    """What a sending waits for."""

    TURN = "for other connections to have theirs"
    ROOM = "for the system to take more"


@dataclass(frozen=True, slots=True)
class Fetch:
    """Wait for bytes of a file to be read into the system's memory; call it in a thread.

    It has a descriptor of its own, since the file may be closed meanwhile.
    """

    descriptor: int
    offset: int
    length: int

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


def pieces_of(body: FileSlice | Pieces) -> Pieces:
    """Return a body as what it is made of."""
    return body if isinstance(body, tuple) else (body,)


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
    return _started(_read_blocks(pieces))


def send_directly(pace: Pace, head: bytes, pieces: Pieces, count: Callable[[int], None]) -> Sending:
    """Return a generator that sends by the system's sendfile, and yields only where it has to wait.

    Args:
        pace: of the client; its socket does not block, and nothing else is written to it meanwhile.
        head: sent first, in one packet with what follows.
        pieces: the body.
        count: called with the number of bytes of each part of the body that was sent.

    Raises:
        OSError: while it yields: a file cannot be read, or was changed, or the client has gone.
    """
    return _started(_send_directly(pace, head, pieces, count))


def _started(sending: Sending) -> Sending:
    next(sending)  # into its `try`: it closes the files also when nobody asks for more
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


def _send_directly(pace: Pace, head: bytes, pieces: Pieces, count: Callable[[int], None]) -> Sending:
    try:
        yield Wait.TURN
        pace.begin()
        yield from _send_bytes(pace.sock, head, _MORE)
        for position, piece in enumerate(pieces):
            if isinstance(piece, bytes):
                count(len(piece))
                yield from _send_bytes(pace.sock, piece, _MORE if position + 1 < len(pieces) else 0)
            else:
                yield from _send_slice(pace, piece, count)
    finally:
        close_files(pieces)
        pace.end()


def _send_slice(pace: Pace, piece: FileSlice, count: Callable[[int], None]) -> Sending:
    """Send all but the end by sendfile, and the end when nothing has changed until it was read."""
    offset, end = piece.offset, piece.offset + piece.length
    known = offset  # up to here it is in memory
    while end - offset > _LAST:
        if offset >= known:
            size = min(end - offset - _LAST, _DIRECT_BLOCK)
            known = offset + _length_in_memory(piece.file, offset, size)
            if known == offset:
                yield Fetch.of(piece.file, offset, min(size, _FETCHED))
                known = offset + min(size, _FETCHED)
        _must_be_unchanged(piece)
        try:
            length = os.sendfile(pace.sock.fileno(), piece.file.fileno(), offset, known - offset)
        except BlockingIOError:
            yield Wait.ROOM
            continue
        if not length:
            raise _too_short()
        offset += length
        count(length)
        pace.add(length)
        yield Wait.TURN if offset == known else Wait.ROOM
    if not is_in_memory(piece.file, offset, end - offset):
        yield Fetch.of(piece.file, offset, end - offset)
    while offset < end:
        block = _read(piece, offset, end - offset)
        offset += len(block)
        count(len(block))
        yield from _send_bytes(pace.sock, block)


def _send_bytes(sock: socket.socket, data: bytes, flags: int = 0) -> Sending:
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view, flags) :]
        except BlockingIOError:
            yield Wait.ROOM


def _read(piece: FileSlice, offset: int, length: int) -> bytes:
    block = os.pread(piece.file.fileno(), length, offset)
    if not block:
        raise _too_short()
    _must_be_unchanged(piece)
    return block


def is_in_memory(file: OpenFile, offset: int, length: int) -> bool:
    """Whether reading would not wait for a disk, judged by both ends of the run."""
    return not length or (_is_there(file, offset) and _is_there(file, offset + length - 1))


def _length_in_memory(file: OpenFile, offset: int, length: int) -> int:
    """Return how much of a run could be read without waiting for a disk, judged by one byte in each piece."""
    for place in range(offset, offset + length, _PROBED):
        if not _is_there(file, place):
            return place - offset
    return length


def _is_there(file: OpenFile, offset: int) -> bool:
    if _NO_WAIT is None:
        return True
    try:
        os.preadv(file.fileno(), [bytearray(1)], offset, _NO_WAIT)
    except BlockingIOError:
        return False
    except OSError:  # a file system that cannot tell
        return True
    return True


def _must_be_unchanged(piece: FileSlice) -> None:
    if piece.is_unchanged is not None and not piece.is_unchanged():
        raise OSError("the file was changed while it was sent")


def _too_short() -> OSError:
    return OSError("the file ends too early")
