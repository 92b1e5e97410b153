"""Which files an application is made of, where it is to be loaded anew when one of them changes.

This file alone decides that, by their names. What is imported from anywhere else, such as an installed
package, is not looked at unless `--reload-dir` names its folder: all of an environment would be too much to
look at, and it changes seldom.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aioserve.settings import Application, Settings

_ALWAYS = ("*.py",)
# Environments are known by what they all have inside, whatever their own name is; hidden folders are those of
# git, of tools and of caches.
_FOREIGN_FOLDERS = (".*", "__pycache__", "site-packages", "node_modules")
# Those of vim, Emacs, its flycheck, JetBrains, and of others who write a file beside another.
_SCRATCH_FILES = ("*.sw?", "*~", ".#*", "#*#", "flycheck_*", "*___jb_*___", "4913", "*.pyc", "*.tmp")


@value
class Sources:
    """The files that matter.

    Attributes:
        folders: the full paths of those in which they are, at any depth; none is beneath another.
        include: globs of those that matter.
        exclude: globs of those that do not, though they are included.
        config: the configuration file, wherever it is.
    """

    folders: tuple[str, ...]
    include: tuple[str, ...] = _ALWAYS
    exclude: tuple[str, ...] = ()
    config: str | None = None

    def matter(self, path: str) -> bool:
        """Whether a file in one of the folders, given by its full path, is one of them."""
        inner = next(self._inner(path), None)
        if inner is None:
            return False
        *above, name = inner.split("/")
        return not (
            any(fnmatchcase(each, glob) for each in above for glob in _FOREIGN_FOLDERS)
            or any(fnmatchcase(name, glob) for glob in _SCRATCH_FILES)
            or any(_is_meant(inner, glob) for glob in self.exclude)
        ) and any(_is_meant(inner, glob) for glob in self.include)

    def _inner(self, path: str) -> Iterator[str]:
        for folder in self.folders:
            above = folder.rstrip("/") + "/"
            if path.startswith(above):
                yield path.removeprefix(above)


def _is_meant(inner: str, glob: str) -> bool:
    """Compare a glob with a slash in it with the path in the folder, others with each name of that."""
    glob = glob.removeprefix("./").rstrip("/")
    return any(fnmatchcase(each, glob) for each in ([inner] if "/" in glob else inner.split("/")))


def sources_of(settings: Settings) -> Sources | None:
    """Say which files they are; None where nothing is to be loaded anew by itself."""
    process = settings.process
    if not process.reload:
        return None
    folders = process.reload_dirs or _folders_of(settings.application)
    return Sources(
        tuple(_outermost(map(os.path.abspath, folders))),  # links stay, so that another end of one is seen
        (*_ALWAYS, *process.reload_include),
        process.reload_exclude,
        settings.look.config,
    )


def _folders_of(application: Application) -> Iterator[str]:
    """Name the folder that an application imports from, and that of its file."""
    if application.app:
        yield application.app_dir
        place = application.app.rpartition(":")[0]
        if place.endswith(".py") or "/" in place:
            yield str(Path(application.app_dir, place).parent)


def _outermost(folders: Iterable[str]) -> Iterator[str]:
    found: list[Path] = []
    for folder in sorted({Path(each) for each in folders}):  # one that is above others comes before them
        if not any(folder.is_relative_to(each) for each in found):
            found.append(folder)
            yield str(folder)
