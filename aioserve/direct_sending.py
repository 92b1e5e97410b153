"""Runs of bytes of files, given to the system's socket beside the transport.

This file decides which bytes the system sends by itself (sendfile), and which are copied to it. What sendfile
takes is not copied but referred to: a file that is written in place meanwhile changes what is still on its
way, and a client would get parts of two versions in one whole answer. So a run is copied, and the file looked
at after it was read, unless it is long. Of a long one the end is held back until the client's system has all
that was referred to, and then the file is looked at once more: a mixed answer has no end.

That is not so for a client on the same machine. What it has received and not yet read is still the file's: as
much as its receive buffer holds, for as long as it does not read. A run that is copied is as long as such a
buffer gets where nobody has asked for more.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from aioserve.file_body import (
    Fetch,
    Wait,
    close_files,
    is_in_memory,
    is_there,
    must_be_unchanged,
    started,
    too_short,
)
from aioserve.send_buffer import unacknowledged

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.file_body import Pieces, Sending
    from aioserve.http.messages import FileSlice, OpenFile
    from aioserve.send_buffer import Pace

# Bytes; longer runs go by sendfile. It is what Linux lets a receive buffer grow to by default (tcp_rmem).
# Measured, in ms of processor time: 1 MB copied 0.53, by sendfile 0.31; 10 MB 3.7 and 1.6.
_COPIED = 6_291_456
_BLOCK = 131_072  # copied at once; with 256 KiB, which no cache near a core holds, it takes twice as long
_TAIL = 262_144  # of a longer run, copied as well: so that something follows what was referred to, and the
_LAST = 65_536  # client's system need not wait before it acknowledges that; and the end, which is held back

_DIRECT_BLOCK = 16_777_216  # given to the system at once, which takes as much as it has room for
_PROBED = 4_194_304  # of which the first byte must be in memory
_FETCHED = 1_048_576  # read at once by a thread

_MORE = getattr(socket, "MSG_MORE", 0)  # the packet waits for what follows

_spare: list[bytearray] = []  # buffers for one block each, which nobody uses between two turns


def send_directly(pace: Pace, head: bytes, pieces: Pieces, count: Callable[[int], None]) -> Sending:
    """Return a generator that sends, and yields only where it has to wait.

    Args:
        pace: of the client; its socket does not block, and nothing else is written to it meanwhile.
        head: sent first, in one packet with what follows.
        pieces: the body.
        count: called with the number of bytes of each part of the body that was sent.

    Raises:
        OSError: while it yields: a file cannot be read, or was changed, or the client has gone.
    """
    return started(_send_directly(pace, head, pieces, count))


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
    end = piece.offset + piece.length
    if piece.is_unchanged is None:  # nobody knows of versions
        yield from _refer(pace, piece, end, count)
        return
    start = piece.offset
    if piece.length > _COPIED:
        start = end - _TAIL
        yield from _refer(pace, piece, start, count)
        yield from _copy(pace, piece, start, end - _LAST, count)
        start = end - _LAST
        while unacknowledged(pace.sock) > _TAIL - _LAST:
            yield Wait.DELIVERY
    yield from _copy(pace, piece, start, end, count)


def _refer(pace: Pace, piece: FileSlice, end: int, count: Callable[[int], None]) -> Sending:
    """Send the beginning of a run, to a place in the file, by sendfile."""
    offset = known = piece.offset  # up to `known` it is in memory
    while offset < end:
        if offset == known:
            size = min(end - offset, _DIRECT_BLOCK)
            known += _length_in_memory(piece.file, offset, size)
            if known == offset:
                yield Fetch.of(piece.file, offset, min(size, _FETCHED))
                known += min(size, _FETCHED)
        must_be_unchanged(piece)
        try:
            length = os.sendfile(pace.sock.fileno(), piece.file.fileno(), offset, known - offset)
        except BlockingIOError:
            yield Wait.ROOM
            continue
        if not length:
            raise too_short()
        offset += length
        count(length)
        pace.add(length)
        yield Wait.TURN if offset == known else Wait.ROOM


def _copy(pace: Pace, piece: FileSlice, offset: int, end: int, count: Callable[[int], None]) -> Sending:
    """Send what is between two places in a file by reading it."""
    known = offset
    while offset < end:
        if offset == known:
            known += min(end - offset, _BLOCK)
            if not is_in_memory(piece.file, offset, known - offset):
                yield Fetch.of(piece.file, offset, known - offset)
        try:
            length = _copy_block(pace.sock, piece, offset, known - offset)
        except BlockingIOError:
            yield Wait.ROOM
            continue
        offset += length
        count(length)
        pace.add(length)
        if offset < end:
            yield Wait.TURN if offset == known else Wait.ROOM


def _copy_block(sock: socket.socket, piece: FileSlice, offset: int, length: int) -> int:
    """Send what the system takes of a block; what it does not take is read again, and not kept meanwhile."""
    try:
        buffer = _spare.pop()  # at once: there may be other loops in other threads
    except IndexError:
        buffer = bytearray(_BLOCK)
    try:
        with memoryview(buffer)[:length] as block:
            got = os.preadv(piece.file.fileno(), [block], offset)
            if not got:
                raise too_short()
            must_be_unchanged(piece)
            with block[:got] as read:
                return sock.send(read)
    finally:
        _spare.append(buffer)


def _send_bytes(sock: socket.socket, data: bytes, flags: int = 0) -> Sending:
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view, flags) :]
        except BlockingIOError:
            yield Wait.ROOM


def _length_in_memory(file: OpenFile, offset: int, length: int) -> int:
    """Return how much of a run could be read without waiting for a disk, judged by one byte in each piece."""
    for place in range(offset, offset + length, _PROBED):
        if not is_there(file, place):
            return place - offset
    return length
