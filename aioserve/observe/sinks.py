"""How bytes reach a descriptor without anybody waiting for it.

This file decides what happens when the other end does not read: the lines wait here, up to a limit, and those
beyond it are lost and counted. A terminal held by Ctrl+S or a log collector that hangs must not hold up the
event loop, and what is asked of the descriptor must not be changed for the others who share it, as
``O_NONBLOCK`` would be: a shell with it fails at its next prompt.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import time
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Send = Callable[[bytes | bytearray], int]

PIPE_BUF = 4096
"""Bytes that a pipe takes whole or not at all, so that the lines of several workers never mix (pipe(7))."""

LIMIT = 1 << 20
"""Bytes that may wait: five seconds of 1,000 requests a second."""

_NO_READER = "nobody reads it"
_JOINED = b"\0"  # stands here for the line ends inside of a block, which thereby is one line
_STEP = 0.2  # seconds without any progress, after which nobody is waited for in the end
_PATIENCE = 2.0  # seconds for all of it


class Sink:
    """Writes lines to a descriptor, now or later.

    Args:
        descriptor: stays open, and as it is.
        limit: bytes that may wait.

    Attributes:
        lost: lines that could not be written, so far.
        sent: bytes that have been taken, so far.
    """

    __slots__ = (
        "_broke_off",
        "_descriptor",
        "_is_inside",
        "_joins",
        "_limit",
        "_lock",
        "_route",
        "_waiting",
        "lost",
        "sent",
    )

    def __init__(self, descriptor: int, limit: int = LIMIT) -> None:
        self.lost = self.sent = 0
        self._descriptor = descriptor
        self._limit = limit
        self._lock = Lock()  # messages come from any thread
        self._route: _Route | None = None
        self._waiting = bytearray()
        self._joins = False  # there have been blocks
        self._is_inside = False  # what was taken last is the beginning of a line
        self._broke_off = False  # and the rest of it is lost

    def open(self) -> None:
        """Take a descriptor of our own now, and not with the first line, when there may be none left.

        Raises:
            OSError: there is none left now.
        """
        self._opened()

    @property
    def waiting(self) -> int:
        """Bytes that have not been taken yet."""
        return len(self._waiting)

    def write(self, lines: bytes, *, is_block: bool = False) -> None:
        """Write whole lines, or keep them until `push`.

        A block of lines counts as one line, and nobody else's come between them: it is written by one call.
        A pipe takes more than `PIPE_BUF` in one piece only where it has room for all of it.

        Raises:
            OSError: the descriptor takes nothing any more, or too much waits already. What could not be
                written is lost; a line that broke off is ended before the next, so that it does not swallow
                a whole one.
        """
        with self._lock:
            if is_block and _JOINED not in lines:  # it is in wide encodings, whose blocks are single lines
                lines = lines[:-1].replace(b"\n", _JOINED) + lines[-1:]
                self._joins = True
            try:
                self._push()
                if self._waiting and len(self._waiting) + len(lines) > self._limit:
                    raise BlockingIOError(errno.EAGAIN, _NO_READER)
            except OSError:
                self.lost += lines.count(b"\n")
                raise
            self._waiting += lines
            self._push()

    def push(self) -> None:
        """Write what waits, as far as the descriptor takes it.

        Raises:
            OSError: as `write`.
        """
        with self._lock:
            self._push()

    def close(self, *, is_copy: bool = False) -> None:
        """Write what waits, as long as somebody reads; in the copy of a forked process, only let go."""
        if not is_copy:
            self._drain()
            self.lost += self._waiting.count(b"\n")
        self._waiting.clear()
        if self._route is not None:
            self._route.close()
            self._route = None

    def _opened(self) -> _Route:
        if self._route is None:
            self._route = _choose_route(self._descriptor)
        return self._route

    def _push(self) -> None:
        if not self._waiting:
            return
        try:
            self._send(self._opened())
        except BlockingIOError:
            pass
        except OSError:
            self.lost += self._waiting.count(b"\n")
            self._waiting.clear()
            self._broke_off |= self._is_inside
            raise

    def _send(self, route: _Route) -> None:
        if self._broke_off:
            route.send(b"\n")
            self._broke_off = False
        while self._waiting:
            piece = self._waiting[: self._end_of_piece(route)]
            taken = route.send(piece.replace(_JOINED, b"\n") if self._joins else piece)
            self._is_inside = piece[taken - 1] != ord("\n")
            del self._waiting[:taken]
            self.sent += taken

    def _end_of_piece(self, route: _Route) -> int:
        """Return where the next write ends: behind whole lines that are taken together, or a longer one."""
        if route.is_shared and len(self._waiting) > PIPE_BUF:
            return self._waiting.rfind(b"\n", 0, PIPE_BUF) + 1 or self._waiting.find(b"\n") + 1
        return len(self._waiting)

    def _drain(self) -> None:
        end = time.monotonic() + _PATIENCE
        try:
            self.push()
            while self._waiting and self._route is not None and time.monotonic() < end:
                if not _is_free(self._route.descriptor, _STEP):
                    break
                self.push()
        except OSError:
            pass


class _Route(NamedTuple):
    """A way to a descriptor, by one of our own: the other may be closed, and its number taken.

    Attributes:
        descriptor: our own.
        send: takes some of the bytes, and returns how many; BlockingIOError where it would have to wait.
        close: lets go of the descriptor.
        is_shared: other processes may write between one call and the next.
    """

    descriptor: int
    send: Send
    close: Callable[[], None]
    is_shared: bool


def _choose_route(descriptor: int) -> _Route:
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return _route_to_socket(os.dup(descriptor))
    if stat.S_ISFIFO(mode) or os.isatty(descriptor):
        return _route_to_reader(descriptor)
    own = os.dup(descriptor)
    return _Route(own, partial(os.write, own), partial(os.close, own), is_shared=False)


def _route_to_socket(own: int) -> _Route:
    """Go to a socket, as the journal is one: a single call can be told not to wait."""
    connected = socket.socket(fileno=own)
    flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
    return _Route(own, lambda data: connected.send(data, flags), connected.close, is_shared=True)


def _route_to_reader(descriptor: int) -> _Route:
    """Go to a pipe or a terminal, opened anew so that it never waits."""
    try:
        own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        send = partial(os.write, own)
    except OSError:  # not Linux, no /proc, another user's terminal, or nobody has it open
        own = os.dup(descriptor)
        send = partial(_write_if_free, own)
    return _Route(own, send, partial(os.close, own), is_shared=True)


def _write_if_free(descriptor: int, data: bytes | bytearray) -> int:
    """Write what has room; only another process that fills it between the two calls is waited for."""
    if not _is_free(descriptor, 0):
        raise BlockingIOError(errno.EAGAIN, _NO_READER)
    return os.write(descriptor, data[:PIPE_BUF])


def _is_free(descriptor: int, seconds: float) -> bool:
    """Wait until something can be written, or has gone wrong, and return whether that came."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(seconds * 1000))
