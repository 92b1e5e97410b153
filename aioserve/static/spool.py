"""A body that is made piece by piece before it is sent.

This file decides where it waits for its client: in memory if it is small, and otherwise in a file without a
name, so that clients who read slowly, or not at all, take no memory for a body that was made for them alone.
The file is in the folder for temporary files (``TMPDIR``, ``/tmp``). Where that one is in memory (tmpfs), it
is memory after all, if memory that can be swapped out.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from aioserve.http.messages import FileSlice
from aioserve.static.shared_file import SharedFile

_HELD = 1_048_576  # bytes


class Spool:
    """The bytes of a body.

    Attributes:
        size: how many there are so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._file: BinaryIO | None = None
        self._limit: float = _HELD

    def add(self, piece: bytes) -> None:
        """Put bytes behind the others.

        Raises:
            OSError: they cannot be written. Where files cannot be made at all, memory has to do.
        """
        self._pieces.append(piece)
        self.size += len(piece)
        if self._file is None and self.size > self._limit:
            try:
                self._file = _make_file()
            except OSError:
                self._limit = float("inf")
        if self._file is not None:
            self._file.writelines(self._pieces)
            self._pieces.clear()

    def read(self) -> bytes:
        """Return all of them, and need them no more.

        Raises:
            OSError: they cannot be read.
        """
        if self._file is None:
            return b"".join(self._pieces)
        with self._file as file:
            file.seek(0)
            return file.read()

    def body(self) -> bytes | FileSlice:
        """Return them as the body of an answer, which closes the file.

        Several may send it, if each of them but one shares the file before.

        Raises:
            OSError: they cannot be written.
        """
        if self._file is None:
            return self.read()
        self._file.flush()
        return FileSlice(SharedFile(self._file, os.fstat(self._file.fileno())), 0, self.size)

    def close(self) -> None:
        """Need them no more."""
        if self._file is not None:
            with suppress(OSError):  # the last of them cannot be written, and need not be
                self._file.close()


def _make_file() -> BinaryIO:
    """Make a file without a name.

    Where no folder for temporary files can be written to, `tempfile` takes the current one without a word.
    That may be the one that is served: its names and its time would change with each long listing of it.

    Raises:
        OSError: there can be none.
    """
    folder = tempfile.gettempdir()
    if Path(folder).samefile(os.curdir):
        raise FileNotFoundError(f"there is no folder for temporary files but the current one, {folder!r}")
    return tempfile.TemporaryFile(dir=folder)
