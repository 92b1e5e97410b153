"""Files that we have made where others may make one, too.

This file alone decides by what such a file is known, so that it goes in the end only while it is still ours.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve.values import value

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


@value
class OwnFile:
    """A file that we have made.

    Attributes:
        path: where it is.
        identity: device, inode, and the time of the last change of contents. The number of an inode alone is
            given again as soon as a file is gone, and the file that another server puts there has it often.
    """

    path: Path
    identity: tuple[int, int, int]

    @classmethod
    def at(cls, path: Path) -> Self:
        """Take note of the file that is there now.

        Raises:
            OSError: there is none, or nobody can tell.
        """
        return cls(path, _identity(path))

    @property
    def is_ours(self) -> bool:
        """Whether the file that is there is still the one that we have made."""
        try:
            return _identity(self.path) == self.identity
        except OSError:
            return False

    def remove(self) -> None:
        """Remove the file if it is still ours."""
        if self.is_ours:
            with suppress(OSError):  # nothing is lost: the next server replaces it
                self.path.unlink()


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino, found.st_mtime_ns
