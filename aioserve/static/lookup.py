"""What the path of a URL names: a file, a folder, the same path with a slash, or nothing.

This file alone decides which file stands for a URL that is not simply its path: the index of a folder, and
``about.html`` for ``/about``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError
from aioserve.static.tree import FileTree, Folder, Found

if TYPE_CHECKING:
    from collections.abc import Sequence


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


class Lookup:
    """Finds what stands for a path.

    Args:
        tree: where the files are.
        index: the names of files that stand for their folder, the first that exists.
        clean_urls: ``about.html`` stands for ``/about`` where there is no such file.

    Raises:
        ConfigurationError: a name in ``index`` could not be served.
    """

    def __init__(self, tree: FileTree, index: Sequence[str], *, clean_urls: bool = False) -> None:
        self._index = [os.fsencode(name) for name in index]
        for name in self._index:
            if not tree.may_see([name]):
                raise ConfigurationError(
                    f"{os.fsdecode(name)!r} cannot be an index: it is not the plain name of a visible file"
                )
        self._tree = tree
        self._clean_urls = clean_urls

    def find(self, path: str) -> Found | Folder | Redirect | Missing:
        """Find what a path names.

        Args:
            path: as it stands in the request target, percent-encoded, without the query; empty for the root
                asked for without its slash.

        Returns:
            A folder only where it was asked for with its slash, and has no index.

        Raises:
            OSError: not the path is at fault but the machine: no descriptors or memory left, a broken disk.
        """
        if not path:
            return Redirect("/")
        names = self._tree.parse(path)
        if names is None:
            return Missing()
        if not names[-1]:
            return self._find_index(names[:-1])
        outcome = self._tree.open(names)
        if isinstance(outcome, Found):
            return outcome
        if self._clean_urls:
            page = self._tree.open((*names[:-1], names[-1] + b".html"))
            if isinstance(page, Found):
                return page
        return Missing() if outcome is None else Redirect(f"{path}/")

    def _find_index(self, names: tuple[bytes, ...]) -> Found | Folder | Missing:
        for index in self._index:
            outcome = self._tree.open((*names, index))
            if isinstance(outcome, Found):
                return outcome
        folder = self._tree.open(names) if names else Folder(())
        if isinstance(folder, Found):  # a file asked for with a slash
            folder.file.close()
        return folder if isinstance(folder, Folder) else Missing()
