"""An open file that several answers are made of at once.

This file decides by what a change is noticed while it is being sent: by its size and the time of its content.
Another file that takes its name changes neither, and what is being sent stays whole.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO


class SharedFile:
    """A file that is closed when the last one of those who share it needs it no more.

    Args:
        file: open; whoever makes this is the first to share it.
        status: what ``fstat`` said of it.
    """

    __slots__ = ("_file", "_users", "_version")

    def __init__(self, file: BinaryIO, status: os.stat_result) -> None:
        self._file = file
        self._version = status.st_size, status.st_mtime_ns
        self._users = 1

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._file.fileno()

    def is_unchanged(self) -> bool:
        """Whether nobody has written to it."""
        status = os.fstat(self._file.fileno())
        return (status.st_size, status.st_mtime_ns) == self._version

    def share(self) -> SharedFile:
        """Need it as well; `close` it in the end."""
        self._users += 1
        return self

    def close(self) -> None:
        """Need it no more."""
        self._users -= 1
        if not self._users:
            self._file.close()
