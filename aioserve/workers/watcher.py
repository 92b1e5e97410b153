"""The process that looks for changed files, and does nothing else.

This file decides how changes are found, which of them count as one, and how the parent is told. It is a
process of its own since the library that finds them has threads, and the parent, which forks, may have none.
It ends when the parent has gone.
"""

from __future__ import annotations

import json
import os
import select
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator

    from aioserve.workers.sources import Sources

# Milliseconds. Changes belong together until there is none in a step, but not for longer than that: what an
# editor writes in several goes, and what git does to 500 files, is one change.
_STEP = 50
_LONGEST = 1600
_PAUSE = 100  # from one look at the parent, the folders and the configuration file to the next
_MOST_NAMED = 3  # files


def watch(sources: Sources, parent: socket.socket) -> int:
    """Tell the parent of changes until it has gone, and return the exit code.

    Each is a line of JSON: how many files there are, and the names of the first; or what is in the way of
    finding any, then this is the end.

    Args:
        sources: the files that matter.
        parent: that is told, and not heard: when something can be read, it has gone.
    """
    try:
        for changed in _changes(sources, parent):
            names = [os.path.relpath(each) for each in sorted(changed)[:_MOST_NAMED]]
            _say(parent, len(changed), names)
    except BrokenPipeError:
        pass
    except (ImportError, OSError, RuntimeError) as error:  # RuntimeError: of the library's own kind
        _say(parent, str(error))
        return 1
    return 0


def _say(parent: socket.socket, *what: int | str | list[str]) -> None:
    parent.sendall(json.dumps(what).encode() + b"\n")


def _changes(sources: Sources, parent: socket.socket) -> Iterator[set[str]]:
    """Yield the paths of what has changed, together what belongs together, as long as there is a parent."""
    config = _Config(sources.config)
    ground = _look(sources.folders)
    come: set[str] = set()
    while True:
        for found in _batches([each for each, mark in ground.items() if mark]):
            if select.select([parent], [], [], 0)[0]:
                return
            # A folder that has come is told of when it is looked at, so that nothing is missed in between.
            changed = come | {each for each in found if sources.matter(each)} | config.changed()
            if changed:
                yield changed
            before, ground = ground, _look(sources.folders)
            come = {each for each, mark in ground.items() if mark and mark != before[each]}
            if before != ground:
                break  # the system looks at a folder and not at its name, behind which there is another now


def _batches(folders: list[str]) -> Iterator[Iterable[str]]:
    """Yield the paths that have changed; none, again and again, while nothing does."""
    from watchfiles import Change  # noqa: PLC0415 - as below
    from watchfiles import watch as look  # noqa: PLC0415 - with its threads, and only where it is needed

    for found in look(
        *folders,
        watch_filter=None,
        debounce=_LONGEST,
        step=_STEP,
        rust_timeout=_PAUSE,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        yield chain.from_iterable(_files(path) if what == Change.added else [path] for what, path in found)


def _files(path: str) -> Iterable[str]:
    """Return what is in a folder that has come, whose files may have come before it was looked at."""
    inner = (os.path.join(above, name) for above, _, names in os.walk(path) for name in names)  # noqa: PTH118
    return (path, *inner)


class _Config:
    """The configuration file.

    It may be anywhere, in a folder with many others, and be a link to a link: it is looked at itself.
    """

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._mark = self._look()

    def changed(self) -> set[str]:
        """Return its path if it is not what it was the last time; that it is not there is no change."""
        before, self._mark = self._mark, self._look() or self._mark
        return {self._path} if self._path and self._mark != before else set()

    def _look(self) -> tuple[int, ...]:
        try:
            found = os.stat(self._path or "")  # noqa: PTH116 - may be no path at all
        except (OSError, ValueError):
            return ()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _look(folders: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Return what tells each folder from another of its name; nothing of one that is not there."""
    marks: dict[str, tuple[int, ...]] = {}
    for each in folders:
        try:
            found = os.stat(each)  # noqa: PTH116 - as above
            marks[each] = found.st_dev, found.st_ino
        except OSError:
            marks[each] = ()
    return marks
