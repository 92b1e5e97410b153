"""From the path of a URL to an open file: what may be seen of a folder, and nothing beside it.

This file alone opens files, and decides which. A path is decoded once and judged segment by segment. Then
every folder on the way is opened through the one before it and none may be a symbolic link, so that there is
no moment at which a folder could be exchanged for a link to somewhere else. What is opened is judged by its
open descriptor: only regular files are ever read, and a FIFO blocks nobody.

Symbolic links beneath the root are not followed, not even those that would stay inside. The root itself may
be one, and is looked up by its path each time: a folder that was built anew, or a link to the current release
that was turned to the next one, is what the next request sees.

``openat2`` with RESOLVE_BENEATH was measured. Through ctypes, and with the root to be opened for it, it costs
what the walk costs for a file one folder down (6 us), and saves 2.5 us for each folder more: not enough for a
second way in, which some kernels refuse.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote_to_bytes

from aioserve.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# What a path may be made of (RFC 3986 §3.3, and what browsers leave as it is): printable ASCII without what
# begins the query and the fragment, without backslashes, and with "%" only before two hexadecimal digits.
_PATH = re.compile(r"/(?:[!-\"$&->@-\[\]-~]++|%[0-9A-Fa-f]{2})*+")

# A decoded segment that may name something. Not: an empty one, "." and "..", hidden files but for the folder
# of RFC 8615, and whatever holds an encoded separator or a NUL.
_NAME = re.compile(rb"\.well-known|[^./\\\0][^/\\\0]*+")

# O_PATH, where there is one, asks for no right to read the folder, only for that to pass through it.
_DEEPEST = 256  # slashes in a path; each costs a name to be judged, and a folder to be opened
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC

# Errors that say nothing about the path: the machine is out of something, or broken.
_NOT_THE_PATH = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file, open for reading without a buffer. Whoever receives it closes it.

    Attributes:
        file: the open file.
        status: what ``fstat`` said of it.
        name: its own name, without folders; bytes that do not decode are surrogate escapes.
    """

    file: BinaryIO
    status: os.stat_result
    name: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """A folder that was asked for without its slash.

    Attributes:
        path: the path that was asked for, with the slash; it begins with exactly one.
    """

    path: str


@dataclass(frozen=True, slots=True)
class Missing:
    """There is nothing to be seen, for whichever reason: the client does not learn which."""


class FileTree:
    """The files beneath a folder, by URL path.

    Args:
        root: the folder.
        index: the names of files that stand for their folder, the first that exists.

    Raises:
        ConfigurationError: the root is no folder, or a name in ``index`` could not be served.
    """

    def __init__(self, root: Path, index: Sequence[str]) -> None:
        try:
            is_folder = stat.S_ISDIR(root.stat().st_mode)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise ConfigurationError(
                f"cannot serve {str(root)!r}: {getattr(error, 'strerror', error)}"
            ) from error
        if not is_folder:
            raise ConfigurationError(f"cannot serve {str(root)!r}: it is not a folder")
        for name in index:
            if not _NAME.fullmatch(os.fsencode(name)):
                raise ConfigurationError(
                    f"{name!r} cannot be an index: it is not the plain name of a visible file"
                )
        self._root = os.fsencode(root.absolute())
        self._index = [os.fsencode(name) for name in index]

    def lookup(self, path: str) -> Found | Redirect | Missing:
        """Find what a path names.

        Args:
            path: as it stands in the request target, percent-encoded, without the query; empty for the root
                asked for without its slash.

        Raises:
            OSError: not the path is at fault but the machine: no descriptors or memory left, a broken disk.
        """
        if not path:
            return Redirect("/")
        names = parse_path(path)
        if names is None:
            return Missing()
        if names[-1]:
            return self._open(names, path)
        for index in self._index:
            match self._open([*names[:-1], index], path):
                case Found() as found:
                    return found
        return Missing()

    def _open(self, names: list[bytes], path: str) -> Found | Redirect | Missing:
        try:
            file = open(  # noqa: SIM115 - the file is what is returned
                names[-1], "rb", buffering=0, opener=lambda *_: self._open_beneath(names)
            )
            status = os.fstat(file.fileno())
        except IsADirectoryError:
            return Redirect(f"{path}/")
        except OSError as error:
            if error.errno in _NOT_THE_PATH:
                raise
            return Missing()
        if stat.S_ISREG(status.st_mode):
            return Found(file, status, os.fsdecode(names[-1]))
        file.close()
        return Missing()

    def _open_beneath(self, names: list[bytes]) -> int:
        """Open the last of the names, walking down from the root through descriptors of the others."""
        names = [self._root + b"/" + names[0], *names[1:]]
        folder = None
        try:
            for name in names[:-1]:
                inner = os.open(name, _FOLDER, dir_fd=folder)
                if folder is not None:
                    os.close(folder)
                folder = inner
            return os.open(names[-1], _FILE, dir_fd=folder)
        finally:
            if folder is not None:
                os.close(folder)


def parse_path(path: str) -> list[bytes] | None:
    """Split a path at its slashes and decode it, once.

    Args:
        path: as it stands in the request target.

    Returns:
        The names on the way, the last one empty where the path ends in a slash; or None where the path is not
        one, or a name in it is never to be seen.
    """
    if not _PATH.fullmatch(path):
        return None
    names = [unquote_to_bytes(segment) for segment in path[1:].split("/", _DEEPEST)]
    visible = names if names[-1] else names[:-1]
    return names if all(map(_NAME.fullmatch, visible)) else None
