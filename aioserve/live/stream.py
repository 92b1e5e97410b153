"""The lines that a view is fed with.

This file decides what stands on them: a snapshot, which is an object of JSON, or a message for people, which
is a string. A line that is too long or something else is left out: the next one comes within a second.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aioserve.observe.snapshot import Snapshot

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

_AT_ONCE = 1 << 16  # bytes read
_LONGEST = 1 << 20  # bytes of a line


def message_line(text: str) -> bytes:
    """Write a message as a line."""
    return json.dumps(text).encode("ascii") + b"\n"


class Stream:
    """The end of a socket that is read.

    Args:
        sock: connected.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._rest = b""

    def fileno(self) -> int:
        """Return its descriptor, to be waited for."""
        return self._sock.fileno()

    def read(self) -> Iterator[Snapshot | str] | None:
        """Read what has come, waiting for something if nothing has; None at the end of it all."""
        try:
            data = self._sock.recv(_AT_ONCE)
        except ConnectionResetError:
            return None
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST:
            self._rest = b""  # what follows of it up to its end is not JSON
        return (said for line in lines if (said := _read(line)) is not None)

    def say(self, data: bytes) -> None:
        """Say something to the other side.

        Raises:
            OSError: it is gone.
        """
        self._sock.sendall(data)

    def close(self) -> None:
        """Be gone."""
        self._sock.close()


def _read(line: bytes) -> Snapshot | str | None:
    try:
        if line.startswith(b"{"):
            return Snapshot.from_line(line)
        text = json.loads(line)
    except ValueError:
        return None
    return text if isinstance(text, str) else None
