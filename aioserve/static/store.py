"""The files that are kept ready, by URL path.

This file decides how much is kept, in bytes and in open files, and what gives way: what was used longest ago.
Whether something kept may still be used is the resource's own to say. Files are not held open for longer than
that: the space of one that was deleted is not free while somebody has it open.
"""

from __future__ import annotations

import resource as system
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aioserve.observe.access import CallLater
    from aioserve.static.resource import Resource

_MOST_FILES = 256
_SHARE_OF_FILES = 8  # one of so many that the process may have open
_REST = 2.0  # seconds; twice what is believed of a file


class Store:
    """Resources by their paths; it is a user of each.

    Args:
        limit: bytes that they may take in all.
        call_later: calls a function in so many seconds, as an event loop's does.

    Attributes:
        size: bytes that they take.
    """

    def __init__(self, limit: int, call_later: CallLater) -> None:
        self._limit = limit
        self._call_later = call_later
        self._rest_is_due = False
        soft, _ = system.getrlimit(system.RLIMIT_NOFILE)
        self._most_files = min(_MOST_FILES, soft // _SHARE_OF_FILES) if soft > 0 else _MOST_FILES
        self._kept: dict[str, tuple[Resource, int]] = {}
        self._files = 0
        self.size = 0

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, path: str) -> Resource | None:
        """Return what is kept for a path, which becomes the one used last."""
        kept = self._kept.pop(path, None)
        if kept is None:
            return None
        self._kept[path] = kept
        return kept[0]

    def keep(self, resource: Resource) -> None:
        """Keep a resource, in the place of an older one, or with the memory that it takes now."""
        size = resource.memory
        if size > self._limit:
            self.forget(resource.path)
            return
        resource.share()
        self.forget(resource.path)
        self._kept[resource.path] = resource, size
        self.size += size
        self._files += resource.descriptors
        self._have_rest()
        while self.size > self._limit or self._files > self._most_files:
            self.forget(next(iter(self._kept)))

    def forget(self, path: str) -> None:
        """Keep nothing for a path."""
        kept = self._kept.pop(path, None)
        if kept is not None:
            resource, size = kept
            self.size -= size
            self._files -= resource.descriptors
            resource.close()

    def _have_rest(self) -> None:
        if self._files and not self._rest_is_due:
            self._rest_is_due = True
            self._call_later(_REST, self._rest)

    def _rest(self) -> None:
        """Close the files of what must be looked up anew in any case."""
        self._rest_is_due = False
        for resource, _ in self._kept.values():
            files = resource.descriptors
            if files and resource.rest():
                self._files -= files
        self._have_rest()

    def close(self) -> None:
        """Keep nothing."""
        for path in tuple(self._kept):
            self.forget(path)
