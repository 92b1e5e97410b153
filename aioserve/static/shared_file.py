"""An open file that several answers are made of at once.

It is whole as long as nobody writes to it; another file may take its name meanwhile.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aioserve.static.watch import version_of

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
        self._version = version_of(status)
        self._users = 1

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._file.fileno()

    def is_unchanged(self) -> bool:
        """Whether nobody has written to it."""
        return version_of(os.fstat(self._file.fileno())) == self._version

    def share(self) -> SharedFile:
        """Need it as well; `close` it in the end."""
        self._users += 1
        return self

    def close(self) -> None:
        """Need it no more."""
        self._users -= 1
        if not self._users:
            self._file.close()
