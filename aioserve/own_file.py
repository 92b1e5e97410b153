"""Files that we have made where others may make one, too.

This file alone decides by what such a file is known, so that it goes in the end only while it is still ours,
and how others see that who made it is still there: by a lock (flock), which the system takes away with the
process, however that ends. The number of a process in the file would say less: it may be another's by now,
which would keep the file for ever, and in containers every server has the same.
"""

from __future__ import annotations

import fcntl
import os
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


def hold(file: int) -> int:
    """Let others see that we are there.

    Args:
        file: a descriptor of the file.

    Returns:
        Another descriptor; it holds the file until it is closed here and in all processes forked since.
    """
    held = os.dup(file)
    with suppress(OSError):  # a file system without locks; nobody is seen there, and all go on
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return held


def is_held(path: Path) -> bool:
    """Whether who made the file is still there, if only this process itself.

    A file that may not be read, or is none, is held by nobody.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK) if path.is_file() else -1
    except OSError:
        return False
    if descriptor < 0:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two that ask do not see each other
    except BlockingIOError:
        return True
    except OSError:  # as in `hold`
        return False
    finally:
        os.close(descriptor)
    return False


def _identity(path: Path) -> tuple[int, int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino, found.st_mtime_ns
