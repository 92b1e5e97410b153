"""Files by which scripts and other programs find a running server.

This file decides that such a file appears at once and whole, and goes only while it is still ours.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from aioserve.errors import ConfigurationError


class MarkerFile:
    """One such file.

    Args:
        flag: asks for it.
        name: its path; None where none is wanted.
    """

    def __init__(self, flag: str, name: str | None) -> None:
        self._flag = flag
        self._path = None if name is None else Path(name)
        self._inode: tuple[int, int] | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be written at all."""
        return self._path is not None

    def write(self, text: str) -> None:
        """Write it, in the place of what was there; a pipe or a device is written to, and not replaced.

        Raises:
            ConfigurationError: it cannot be written.
        """
        if self._path is None:
            return
        try:
            if self._path.exists() and not self._path.is_file():
                self._path.write_text(text, encoding="utf-8")
            else:
                self._replace(self._path, text)
        except OSError as error:
            name = str(self._path)
            raise ConfigurationError(f"{self._flag}: {name!r} cannot be written: {error.strerror}") from error

    def _replace(self, path: Path, text: str) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)  # of a process that had this number before
        try:
            # It follows no link that others have put there.
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
            self._inode = _inode_of(temporary)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Remove it, if it is there and nobody has put another in its place."""
        if self._path is not None and self._inode is not None:
            with suppress(OSError):
                if _inode_of(self._path) == self._inode:
                    self._path.unlink()
        self._inode = None


def _inode_of(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
