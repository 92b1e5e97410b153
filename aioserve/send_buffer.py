"""What the operating system holds of what was sent, and what becomes of it.

This file decides how much of an answer may wait there. By default that is megabytes for each connection
(3.9 MB were measured with Linux's defaults), which no limit of ours sees, and which stay for as long as a
client is there that reads nothing.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_UNSENT = 262_144  # bytes; an unread answer held 3.9 MB without, and half of this made fast clients slower

# A client that takes so many bytes as quickly as this gets more room, so that the system has to be asked less
# often, and sends while it hears of what was received. In a sender that did nothing else, 10 MB took 1.4 ms
# with the bound above, 0.95 ms with Linux's own choice, and 0.72 ms with this room; nginx took 0.85 ms.
_QUICK_BYTES = 1_048_576
_QUICK_RATE = 4_194_304  # bytes a second
_WIDE = 4_194_304  # bytes; Linux takes twice that
_MOST_WIDE = 64  # connections at once: what they hold is memory of the system that all share
_NO_BOUND = 0x7FFFFFFF
_SHARE_OF_FILES = 8  # one of so many that the process may have open is for sending files
_WMEM_MAX = Path("/proc/sys/net/core/wmem_max")

_BYTES_ACKED = 120  # where Linux has `tcpi_bytes_acked`, of 64 bits, in `struct tcp_info`


def bound(sock: socket.socket) -> None:
    """Let the system take little more than it can send; connections inherit that from a listening socket."""
    _limit_unsent(sock, _UNSENT)


class Pace:
    """How much the system may take of a file that one client gets.

    Args:
        sock: of the client; `close` closes it.
        is_quick: the client was quick the last time.

    Attributes:
        sock: as given.
        is_quick: whether it was this time.
    """

    __slots__ = ("_began", "_is_wide", "_sent", "is_quick", "sock")

    open_ones = 0
    _wide_ones = 0

    def __init__(self, sock: socket.socket, *, is_quick: bool = False) -> None:
        Pace.open_ones += 1
        self.sock = sock
        self.is_quick = is_quick
        self._began = 0.0
        self._sent = 0
        self._is_wide = False

    @classmethod
    def of(cls, transport: asyncio.BaseTransport, *, is_quick: bool) -> Pace | None:
        """Make one for the socket of a transport, by a descriptor of its own, which the loop lets us watch.

        None where there is TLS, or no socket, or where too many descriptors are taken by this: they are
        there for connections.
        """
        sock = transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0 or transport.get_extra_info("sslcontext"):
            return None
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if 0 <= soft <= cls.open_ones * _SHARE_OF_FILES:
            return None
        try:
            return cls(socket.socket(fileno=os.dup(sock.fileno())), is_quick=is_quick)
        except OSError:  # no descriptors left
            return None

    def close(self) -> None:
        """Need the descriptor no more."""
        if self.sock.fileno() >= 0:
            Pace.open_ones -= 1
            self.sock.close()

    def begin(self) -> None:
        """A file is about to be sent: whoever was quick last time has more room at once."""
        self._began, self._sent = time.monotonic(), 0
        if self.is_quick:
            self._widen()

    def add(self, length: int) -> None:
        """So many bytes were taken."""
        self._sent += length
        if self._sent < _QUICK_BYTES:
            return
        self.is_quick = self._sent >= (time.monotonic() - self._began) * _QUICK_RATE
        if self.is_quick and not self._is_wide:
            self._widen()

    def end(self) -> None:
        """It was sent, or will not be sent any further."""
        if self._is_wide:
            self._is_wide = False
            Pace._wide_ones -= 1
            _limit_unsent(self.sock, _UNSENT)

    def _widen(self) -> None:
        if Pace._wide_ones >= _MOST_WIDE:
            return
        self._is_wide = True
        Pace._wide_ones += 1
        _limit_unsent(self.sock, _NO_BOUND)
        if _may_be_wide():
            with suppress(OSError):  # a closed socket
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WIDE)


def _may_be_wide() -> bool:
    """Whether the system would give as much as is asked for; with less its own choice is better."""
    try:
        return int(_WMEM_MAX.read_text(encoding="ascii")) >= _WIDE
    except (OSError, ValueError):  # another system
        return False


def _limit_unsent(sock: socket.socket, size: int) -> None:
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        with suppress(OSError):  # no TCP socket
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)


def unacknowledged(sock: socket.socket | None) -> int:
    """Return how many bytes the system holds that the peer's has not taken; 0 where it cannot tell."""
    if sock is None:
        return 0
    try:
        held = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, ValueError):  # closed meanwhile, or none that can tell
        return 0
    return int.from_bytes(held, sys.byteorder)


def acknowledged(transport: asyncio.BaseTransport) -> int | None:
    """Return how many bytes the peer's system has taken so far; None where ours cannot tell."""
    sock = transport.get_extra_info("socket")
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED + 8)
    except (AttributeError, OSError):  # no socket, or none of TCP, or another system's
        return None
    if len(info) < _BYTES_ACKED + 8:  # before Linux 4.1
        return None
    return int.from_bytes(info[_BYTES_ACKED:], sys.byteorder)


def forget(transport: asyncio.BaseTransport) -> None:
    """Let the system throw away what it holds once the socket is closed."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
