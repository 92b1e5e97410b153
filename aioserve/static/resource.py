"""A file under its URL, in all the forms it can be sent in.

This file decides which forms there are: the file as it is, files beside it that somebody compressed before,
and those that are compressed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.static.compression import codings, compress, is_worth_compressing
from aioserve.static.media_types import media_type_of
from aioserve.static.representation import Representation
from aioserve.static.tree import Found
from aioserve.static.watch import Watch

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from aioserve.static.tree import FileTree

# The server's favourite first.
_TWINS = {"br": b".br", "zstd": b".zst", "gzip": b".gz"}

_INLINE = 65_536  # bytes that are compressed at once, in 2 ms; a thread does it with more
_OVERHEAD = 1_024  # bytes that a resource takes beside the content of its forms, roughly


class Resource:
    """A file and its forms. It is made with one user, whoever made it.

    Attributes:
        path: of the URL that names it, percent-encoded.
        name: of the file; bytes that do not decode are surrogate escapes.
        identity: the file as it is.
        watch: tells whether it still is.
        is_compressible: it may be compressed here.
    """

    __slots__ = (
        "_has_rested",
        "_made",
        "_twins",
        "_users",
        "identity",
        "is_compressible",
        "name",
        "path",
        "watch",
    )

    def __init__(
        self,
        path: str,
        name: str,
        identity: Representation,
        twins: dict[str, Representation],
        watch: Watch,
        *,
        is_compressible: bool,
    ) -> None:
        self.path = path
        self.name = name
        self.identity = identity
        self.watch = watch
        self.is_compressible = is_compressible
        self._twins = twins
        self._made: dict[str, Representation | None] = {}  # None where it saves too little
        self._users = 1
        self._has_rested = False

    @property
    def memory(self) -> int:
        """How many bytes it takes."""
        forms = (self.identity, *self._twins.values(), *self._made.values())
        return (
            _OVERHEAD + len(self.path) + sum(len(form.content or b"") for form in forms if form is not None)
        )

    @property
    def descriptors(self) -> int:
        """How many open files it has."""
        return (
            0
            if self._has_rested
            else sum(form.file is not None for form in (self.identity, *self._twins.values()))
        )

    @property
    def is_current(self) -> Callable[[], bool] | None:
        """What tells whether an answer made of it still holds; None where that could not be noticed."""
        return self.watch.holds if self.watch.is_settled else None

    @property
    def varies(self) -> bool:
        """Whether another Accept-Encoding could get another form (RFC 9110 §12.5.5).

        That compressing it turned out to be worth nothing does not matter: what is said must not change.
        """
        return bool(self._twins) or self.is_compressible

    def offers(self, *, in_parts: bool, made: bool) -> tuple[str, ...]:
        """Return the codings it can be had in, the favourite first.

        Args:
            in_parts: parts are wanted, so that forms without ranges are none.
            made: only what is there already.
        """
        ours: Iterable[str] = ()
        if self.is_compressible and not in_parts:
            ours = (one for one in codings() if self._may_make(one) and (one in self._made or not made))
        return (*self._twins, *(one for one in ours if one not in self._twins), "identity")

    def _may_make(self, coding: str) -> bool:
        """Whether it was compressed so, or it is not known yet whether that is worth it."""
        return coding not in self._made or self._made[coding] is not None

    def form(self, coding: str) -> Representation | None:
        """Return it in one of the codings offered; None where it has to be made."""
        if coding == "identity":
            return self.identity
        return self._twins.get(coding) or self._made.get(coding)

    @property
    def is_made_at_once(self) -> bool:
        """Whether it is so small that nobody is kept waiting when it is compressed."""
        return self.identity.size <= _INLINE

    def make(self, coding: str) -> None:
        """Compress it, once. May be called in a thread, by one who is a user.

        Raises:
            ChangedMeanwhileError: the file was written since it was found.
            OSError: it cannot be read.
        """
        content = compress(self.identity.read(), coding)
        self._made[coding] = None if content is None else self.identity.compressed(content, coding)

    def adopt(self, older: Resource) -> None:
        """Take over what was made of the same content before.

        What is in the making goes into the same place, and so it is had here as well.
        """
        if older.identity.validators.etag == self.identity.validators.etag:
            self._made = older._made

    def share(self) -> Resource:
        """Use it as well; `close` it in the end."""
        self._users += 1
        return self

    def rest(self) -> bool:
        """Close its files, if it has but one user and its watch has run out: nobody can be sent them.

        What was made of them stays, for the one that is loaded next.
        """
        if self._users > 1 or not self.watch.has_run_out:
            return False
        self._close_files()
        return True

    def close(self) -> None:
        """Use it no more; the last one closes its files."""
        self._users -= 1
        if not self._users:
            self._close_files()

    def _close_files(self) -> None:
        if not self._has_rested:
            self._has_rested = True
            for form in (self.identity, *self._twins.values()):
                form.close()


class Loader:
    """Makes resources of files.

    Args:
        tree: where files and their compressed twins are.
        precompressed: look for those.
        compress: compress here as well.
    """

    def __init__(self, tree: FileTree, *, precompressed: bool, compress: bool) -> None:
        self._tree = tree
        self._precompressed = precompressed
        self._compress = compress

    def load(self, path: str, found: Found, now: int, more: Iterable[bytes]) -> Resource:
        """Make one; the file is closed, or belongs to it.

        Args:
            path: of the URL that names it.
            found: the file.
            now: the present, in seconds since the epoch.
            more: paths of files and folders on which the answer depends as well.

        Raises:
            ChangedMeanwhileError: it was written while it was read.
            OSError: it cannot be read.
        """
        names = found.names
        seen = [(self._tree.place_of(names), found.status)]
        media_type = media_type_of(found.name)
        identity = Representation.of(found, media_type, now)
        twins: dict[str, Representation] = {}
        try:
            for coding, twin in self._open_twins(names):
                seen.append((self._tree.place_of(twin.names), twin.status))
                if _is_older(twin.status, found.status):  # the file was changed, and the twin forgotten
                    twin.file.close()
                else:
                    twins[coding] = Representation.of(twin, media_type, now, coding)
            watch = Watch(seen, {*map(self._tree.place_of, _folders_of(names)), *more})
        except BaseException:
            for form in (identity, *twins.values()):
                form.close()
            raise
        is_compressible = self._compress and is_worth_compressing(media_type, identity.size)
        return Resource(path, found.name, identity, twins, watch, is_compressible=is_compressible)

    def _open_twins(self, names: tuple[bytes, ...]) -> Iterator[tuple[str, Found]]:
        """Open the files beside one that are called as if they were the same compressed.

        Each is opened when it is asked for, so that none is left to be closed where another cannot be read.
        """
        if not self._precompressed:
            return
        *folders, name = names
        for coding, suffix in _TWINS.items():
            twin = self._tree.open((*folders, name + suffix))
            if isinstance(twin, Found):
                yield coding, twin


def _is_older(one: os.stat_result, other: os.stat_result) -> bool:
    return one.st_mtime_ns < other.st_mtime_ns


def _folders_of(names: tuple[bytes, ...]) -> Iterable[tuple[bytes, ...]]:
    """List the folders on the way to a file: one may be moved out, and a link to it take its place."""
    return (names[:length] for length in range(len(names)))
