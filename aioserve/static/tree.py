"""The jail: names beneath a folder to open files, and nothing beside it.

This file alone opens files, and decides which may be. Every folder on the way is opened through the one
before it and without following a symbolic link, so that there is no moment at which a folder could be
exchanged for a link to somewhere else. Where a link is met, it is read, and its target takes its place among
the names, if it stays beneath the root and may be seen; then the walk begins anew. What is opened is judged
by its open descriptor: only regular files are ever read, and a FIFO blocks nobody.

With ``--follow-symlinks`` the system follows links by itself, wherever they lead. Only the names that a
client asks for are judged then, and no target is: a link shows hidden names and rules, too.

The root itself may be a link, and is looked up by its path each time: a folder that was built anew, or a link
to the current release that was turned to the next one, is what the next request sees.

``openat2`` with RESOLVE_BENEATH was measured. Through ctypes, and with the root to be opened for it, it costs
what the walk costs for a file one folder down (6 us), and saves 2.5 us for each folder more: not enough for a
second way in, which some kernels refuse, and which refuses links that are absolute.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote_to_bytes

from aioserve.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

# What a path may be made of (RFC 3986 §3.3, and what browsers leave as it is): printable ASCII without what
# begins the query and the fragment, without backslashes, and with "%" only before two hexadecimal digits.
_PATH = re.compile(r"/(?:[!-\"$&->@-\[\]-~]++|%[0-9A-Fa-f]{2})*+")

# A decoded segment that may name something. Not: an empty one, "." and "..", and whatever holds an encoded
# separator or a NUL. Hidden ones may, where they are asked for; the folder of RFC 8615 always may.
_NAME = re.compile(rb"\.well-known|[^./\\\0][^/\\\0]*+")
_HIDDEN = re.compile(rb"\.(?!\.?\Z)[^/\\\0]++")
# The same rules for text, which is what `os.scandir` gives: to encode 100,000 names only to judge them takes
# 50 ms more. No rule is about bytes beyond ASCII, so that it does not matter what they decode to.
_NAME_TEXT, _HIDDEN_TEXT = (re.compile(each.pattern.decode()) for each in (_NAME, _HIDDEN))
_RULES = (b"_headers", b"_redirects")  # in the root: for the server, and not for its clients

_DEEPEST = 256  # slashes in a path; each costs a name to be judged, and a folder to be opened
_MOST_LINKS = 40  # on the way to one file, as Linux has it

# O_PATH, where there is one, asks for no right to read the folder, only for that to pass through it.
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_LISTED = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC

# Errors that say nothing about the path: the machine is out of something, or broken.
_NOT_THE_PATH = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO}


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file, open for reading without a buffer. Whoever receives it closes it.

    Attributes:
        file: the open file.
        status: what ``fstat`` said of it.
        names: the way to it from the root, its own name last, before links were followed.
    """

    file: BinaryIO
    status: os.stat_result
    names: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """Its own name; bytes that do not decode are surrogate escapes."""
        return os.fsdecode(self.names[-1])


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder.

    Attributes:
        names: the way to it from the root.
    """

    names: tuple[bytes, ...]


class FileTree:
    """The files beneath a folder.

    Args:
        root: the folder.
        hidden: names that begin with a dot may be seen.
        follow_symlinks: symbolic links may lead out of the folder.

    Raises:
        ConfigurationError: the root is no folder.
    """

    def __init__(self, root: Path, *, hidden: bool = False, follow_symlinks: bool = False) -> None:
        try:
            is_folder = stat.S_ISDIR(root.stat().st_mode)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise ConfigurationError(
                f"cannot serve {str(root)!r}: {getattr(error, 'strerror', error)}"
            ) from error
        if not is_folder:
            raise ConfigurationError(f"cannot serve {str(root)!r}: it is not a folder")
        self._root = os.fsencode(root.absolute())
        self._hidden = hidden
        self._follow_symlinks = follow_symlinks

    def parse(self, path: str) -> tuple[bytes, ...] | None:
        """Split a path at its slashes and decode it, once; None where it is none, or holds a hidden name.

        Args:
            path: as it stands in a request target, percent-encoded, without the query.

        Returns:
            The names on the way, the last one empty where the path ends in a slash.
        """
        names = parse_path(path)
        return names if names is not None and self.may_see(names if names[-1] else names[:-1]) else None

    def may_see(self, names: Sequence[bytes]) -> bool:
        """Whether all of these are names, none is hidden, and they lead to no rules for the server.

        Where links are followed out of the folder, this is asked of what a client names, and of no target.
        """
        are_visible = all(
            _NAME.fullmatch(name) or (self._hidden and _HIDDEN.fullmatch(name)) for name in names
        )
        return are_visible and not (len(names) == 1 and names[0] in _RULES)

    def sight_of(self, folder: tuple[bytes, ...]) -> Callable[[str], bool]:
        """Return what tells whether an entry of a folder may be seen, by its name."""
        rules = () if folder else tuple(map(os.fsdecode, _RULES))

        def may_see(name: str) -> bool:
            is_visible = _NAME_TEXT.fullmatch(name) or (self._hidden and _HIDDEN_TEXT.fullmatch(name))
            return bool(is_visible) and name not in rules

        return may_see

    def place_of(self, names: Sequence[bytes]) -> bytes:
        """Return the path of names for the system, to look whether there is something else now."""
        return b"/".join((self._root, *names))

    def open(self, names: tuple[bytes, ...]) -> Found | Folder | None:
        """Open the file that names lead to; None where there is nothing to be seen.

        Raises:
            OSError: not the names are at fault but the machine: no descriptors or memory left, a broken disk.
        """
        try:
            file = open(  # noqa: SIM115 - the file is what is returned
                names[-1], "rb", buffering=0, opener=lambda *_: self._open_beneath(names, _FILE)
            )
            status = os.fstat(file.fileno())
        except IsADirectoryError:
            return Folder(names)
        except OSError as error:
            if error.errno in _NOT_THE_PATH:
                raise
            return None
        if stat.S_ISREG(status.st_mode):
            return Found(file, status, names)
        file.close()
        return None

    @contextmanager
    def open_folder(self, names: tuple[bytes, ...]) -> Iterator[int]:
        """Open a folder for reading which entries it has.

        Raises:
            OSError: it cannot be read, or is none.
        """
        descriptor = self._open_beneath(names, _LISTED)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def status_of(self, names: tuple[bytes, ...]) -> os.stat_result | None:
        """Return what the system says of what names lead to; None where that may not be seen.

        Raises:
            OSError: not the names are at fault but the machine.
        """
        try:
            descriptor = self._open_beneath(names, _FILE)
        except OSError as error:
            if error.errno in _NOT_THE_PATH:
                raise
            return None
        try:
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    # The walk

    def _open_beneath(self, names: Sequence[bytes], flags: int) -> int:
        """Open the last of the names."""
        if self._follow_symlinks:
            return os.open(self.place_of(names), flags)
        for _ in range(_MOST_LINKS + 1):
            outcome = self._walk(names, flags)
            if isinstance(outcome, int):
                return outcome
            names = outcome
            if not self.may_see([name for name in names if name not in (b".", b"..")]):
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

    def _walk(self, names: Sequence[bytes], flags: int) -> int | list[bytes]:
        """Go down from the root through descriptors of folders; return other names where a link was met."""
        folder: int | None = None
        try:
            folder = os.open(self._root, _FOLDER)
            for position, name in enumerate(names):
                if name == b"..":  # of a link: the folder above those that were gone through just now
                    return [*_above(names[:position]), *names[position + 1 :]]
                is_last = position == len(names) - 1
                try:
                    inner = os.open(name, (flags if is_last else _FOLDER) | os.O_NOFOLLOW, dir_fd=folder)
                except OSError as error:
                    if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                        raise
                    target = _read_link(name, folder)
                    if target is not None:
                        return self._redirected(names[:position], target, names[position + 1 :])
                    if error.errno == errno.ENOTDIR:
                        raise
                    return [*names]  # a file has taken the place of the link in this moment
                os.close(folder)
                folder = inner
            inner, folder = (folder, None) if names else (os.open(self._root, flags), folder)
            return inner
        finally:
            if folder is not None:
                os.close(folder)

    def _redirected(self, before: Sequence[bytes], target: bytes, rest: Sequence[bytes]) -> list[bytes]:
        """Return the names that a link leads to. ".." behind a name stays: that may be the name of a link.

        Raises:
            OSError: it leads out.
        """
        if target.startswith(b"/"):
            before = ()
            for root in (self._root, os.path.realpath(self._root)):
                if target == root or target.startswith(root.rstrip(b"/") + b"/"):
                    target = target[len(root) :]
                    break
            else:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        steps = [step for step in target.split(b"/") if step not in (b"", b".")]
        while steps[:1] == [b".."]:
            before, steps = _above(before), steps[1:]
        if not rest and target.endswith((b"/", b"/.")):
            steps.append(b".")  # only a folder holds that
        return [*before, *steps, *rest]


def _above(names: Sequence[bytes]) -> Sequence[bytes]:
    """Return the way to the folder above.

    Raises:
        OSError: that is outside.
    """
    if not names:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
    return names[:-1]


def _read_link(name: bytes, folder: int) -> bytes | None:
    """Return where a link leads; None where it is none."""
    try:
        return os.readlink(name, dir_fd=folder)
    except OSError:
        return None


def parse_path(path: str) -> tuple[bytes, ...] | None:
    """Split a path at its slashes and decode it, once; None where no name can be, or too many are."""
    if not _PATH.fullmatch(path):
        return None
    names = tuple(unquote_to_bytes(segment) for segment in path[1:].split("/", _DEEPEST))
    visible = names if names[-1] else names[:-1]
    return names if all(_NAME.fullmatch(name) or _HIDDEN.fullmatch(name) for name in visible) else None
