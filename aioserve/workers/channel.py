"""What a worker and its parent say to each other, over a pair of sockets.

This file decides the words: each is a line. The parent says what is to be done, a worker how it is. When one
of them is gone, the other learns of it by the end of the stream.

Nobody waits for the other to listen, who may be stopped or blocked. What is said again and again takes half
of the room that the system has for what was not heard yet: the rest is for what is said once, such as an
order to stop, and more than a hundred words fit there.
"""

from __future__ import annotations

import socket
from enum import Enum
from typing import TYPE_CHECKING

from aioserve.send_buffer import unacknowledged

if TYPE_CHECKING:
    from collections.abc import Iterator

GRACE = 2.0
"""Seconds that a worker has beyond its limit, for what comes after the last answer: cancelling handlers,
closing the loop. Then it is ended: by its parent, or by its own timer where that is gone."""

_MOST = 65_536  # bytes read at once; a worker says some ten bytes every few seconds


class Order(Enum):
    """What the parent says."""

    DRAIN = b"drain"  # go on, but say that no more requests are wanted
    RETIRE = b"retire"  # another worker serves in your place
    STOP = b"stop"  # nobody will
    FORCE = b"force"
    REOPEN = b"reopen"  # logs and certificates
    DESCRIBE = b"describe"  # your state, on the standard error
    SPEAK = b"speak"  # for all workers, from now on, of what all of them find
    TELL = b"tell"  # how that is
    PUBLISH = b"publish"  # your numbers, on the board


class News(Enum):
    """What a worker says."""

    SERVES = b"serves"
    ALIVE = b"alive"
    TIRED = b"tired"  # with the requests that were too many, and the bytes, or without a number by SIGTERM
    REFUSED = b"refused"  # it cannot serve, has said why, and ends with this exit code
    ASKED = b"asked"  # somebody wants the numbers of all
    ENDED = b"ended"  # with how many connections there were, and how many of them were cut


# Whoever has not heard many of one of these needs no more of them.
_REPEATED = (Order.REOPEN, Order.DESCRIBE, Order.PUBLISH, News.ALIVE, News.ASKED)

_WORDS = frozenset(each.value for each in (*Order, *News))


class Channel:
    """One end of the pair.

    Args:
        sock: connected; it does not block from now on.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._rest = b""  # of what is heard
        self._unsaid = b""  # for which there was no room

    @classmethod
    def pair(cls) -> tuple[Channel, Channel]:
        """Make both ends.

        Raises:
            OSError: there are no descriptors left.
        """
        one, other = socket.socketpair()
        return cls(one), cls(other)

    def fileno(self) -> int:
        """Return its descriptor, to be waited for."""
        return self._sock.fileno()

    def say(self, word: Order | News, *numbers: int) -> None:
        """Say something; one who is gone misses it, and who does not listen may miss what is said repeatedly.

        What the system has no room for is said before the next word, and so no line is torn.
        """
        line = b" ".join((word.value, *(b"%d" % number for number in numbers))) + b"\n"
        self._send()
        if word in _REPEATED and (self._unsaid or not self._has_room()):
            return
        self._unsaid += line
        self._send()

    def _send(self) -> None:
        try:
            if self._unsaid:
                self._unsaid = self._unsaid[self._sock.send(self._unsaid) :]
        except BlockingIOError:
            pass
        except OSError:  # the other end is gone
            self._unsaid = b""

    def _has_room(self) -> bool:
        """Whether more than half of it is left, or the system does not tell."""
        try:
            room = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        except OSError:  # closed
            return False
        return unacknowledged(self._sock) * 2 < room

    def heard(self) -> Iterator[tuple[bytes, list[int]] | None]:
        """Read what was said since the last time: words with their numbers; None at the end of it all."""
        try:
            while data := self._sock.recv(_MOST):
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    word, *numbers = line.split(b" ")
                    if word in _WORDS:
                        yield word, [int(number) for number in numbers]
        except BlockingIOError:
            return
        except OSError:  # reset
            pass
        yield None

    def close(self) -> None:
        """Be gone."""
        self._sock.close()
