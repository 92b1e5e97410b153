"""What the operating system holds of what was sent, and what becomes of it.

This file decides how much of an answer may wait there. By default that is megabytes for each connection
(3.9 MB were measured with Linux's defaults), which no limit of ours sees, and which stay for as long as a
client is there that reads nothing.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_UNSENT = 262_144  # bytes; an unread answer held 3.9 MB without, and half of this made fast clients slower

QUICK = 1_048_576  # bytes sent before it is asked how quick a client is
_QUICK_RATE = 16 * QUICK  # bytes a second
_WIDE = 2_097_152  # bytes; of each 10 MB file it saves XXX

_BYTES_ACKED = 120  # where Linux has `tcpi_bytes_acked`, of 64 bits, in `struct tcp_info`


def bound(sock: socket.socket) -> None:
    """Let the system take little more than it can send; connections inherit that from a listening socket."""
    _limit_unsent(sock, _UNSENT)


def widen(sock: socket.socket, sent: int, seconds: float) -> bool:
    """Let the system take much more for a client that is quick: then it has to be asked less often.

    Args:
        sock: of the client.
        sent: bytes that it took.
        seconds: in which it took them.

    Returns:
        Whether it was quick, and `narrow` has to be called in the end.
    """
    if sent < seconds * _QUICK_RATE:
        return False
    _limit_unsent(sock, _WIDE)
    return True


def narrow(sock: socket.socket) -> None:
    """Take back what `widen` allowed."""
    _limit_unsent(sock, _UNSENT)


def _limit_unsent(sock: socket.socket, size: int) -> None:
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        with suppress(OSError):  # no TCP socket
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)


def unacknowledged(transport: asyncio.BaseTransport) -> int:
    """Return how many bytes the system holds that the peer's has not taken; 0 where it cannot tell."""
    sock = transport.get_extra_info("socket")
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
