"""A body that is made piece by piece before it is sent.

This file decides where it waits for its client: in memory if it is small, and otherwise in a file without a
name, so that clients who read slowly, or not at all, take no memory for a body that was made for them alone.
"""

from __future__ import annotations

import tempfile
from typing import IO

from aioserve.http.messages import FileSlice

_HELD = 1_048_576  # bytes


class Spool:
    """The bytes of a body.

    Attributes:
        size: how many there are so far.
    """

    def __init__(self) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._file: IO[bytes] | None = None

    def add(self, piece: bytes) -> None:
        """Put bytes behind the others.

        Raises:
            OSError: they cannot be written. Where files cannot be made at all, memory has to do.
        """
        self._pieces.append(piece)
        self.size += len(piece)
        if self._file is None and self.size > _HELD:
            try:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is sent, and closed then
            except OSError:
                return
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

        Raises:
            OSError: they cannot be written.
        """
        if self._file is None:
            return self.read()
        self._file.flush()
        return FileSlice(self._file, 0, self.size)

    def close(self) -> None:
        """Need them no more."""
        if self._file is not None:
            self._file.close()
