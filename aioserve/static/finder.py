"""What stands for a path: kept from before, or looked up and loaded now.

This file decides whether what is kept is still right, how often a file that is being written is opened again,
and what is waited for: the disk, for a small file whose bytes are not in the system's memory; and the time,
for a large one that was changed just now, since its entity tag would be good for nothing.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.errors import HttpProcessingError
from aioserve.file_body import Fetch, is_in_memory
from aioserve.static.representation import SMALL, ChangedMeanwhileError
from aioserve.static.store import Store
from aioserve.static.tree import Found
from aioserve.static.watch import signature_of, time_to_settle

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.observe.access import CallLater
    from aioserve.static.lookup import Lookup, Missing, Redirect
    from aioserve.static.resource import Loader, Resource
    from aioserve.static.tree import Folder
    from aioserve.static.watch import Signature

# How often a file that is being written is opened again before the client is asked to come back.
_ATTEMPTS = 5

_MOST_FETCHED = 1_000  # versions of files; beyond that, clients went away before their files were read


@dataclass(frozen=True, slots=True)
class Cold:
    """A small file that the disk has to be waited for.

    Attributes:
        fetch: what a thread calls to have it in memory; then it is found.
    """

    fetch: Fetch


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A large file that was changed so shortly before that another change could go unnoticed.

    Attributes:
        delay: seconds after which it could not, if it is not changed again.
    """

    delay: float


class Finder:
    """Finds resources.

    Args:
        lookup: says which file stands for a path.
        loader: makes a resource of it.
        watched: paths of files on which all resources depend.
        room: bytes that resources may take that are kept.
        clock: the time in seconds since the epoch.
        call_later: as an event loop's.

    Attributes:
        store: what is kept.
        on_found: called with whether what was found was kept, or had to be read.
    """

    def __init__(
        self,
        lookup: Lookup,
        loader: Loader,
        watched: tuple[bytes, ...],
        room: int,
        clock: Callable[[], float],
        call_later: CallLater,
    ) -> None:
        self._lookup = lookup
        self._loader = loader
        self._watched = watched
        self._clock = clock
        self._fetched: set[Signature] = set()  # what was to be fetched and has not been read since
        self.store = Store(room, call_later)
        self.on_found: Callable[[bool], object] | None = None

    def find(self, path: str, *, may_wait: bool) -> Resource | Folder | Redirect | Missing | Cold | Unsettled:
        """Find what stands for a path; whoever receives a resource closes it.

        Args:
            path: percent-encoded, beneath the mount.
            may_wait: what is cold can be fetched, and what has not settled can settle; otherwise it is taken
                as it is.

        Raises:
            HttpProcessingError: 503 where the file was changed as often as it was read.
            OSError: the machine is out of descriptors or memory, or the disk is broken.
        """
        kept = self.store.find(path)
        if kept is not None and kept.watch.is_settled and kept.watch.holds():
            if self.on_found is not None:
                self.on_found(True)
            return kept.share()
        for _ in range(_ATTEMPTS):
            found = self._lookup.find(path)
            if not isinstance(found, Found):
                self.store.forget(path)
                return found
            if may_wait and (what_for := self._waits_for(found)):
                with found.file:
                    return what_for
            with suppress(ChangedMeanwhileError):
                resource = self._loader.load(path, found, int(self._clock()), self._watched)
                if kept is not None:
                    resource.adopt(kept)
                self.store.keep(resource)
                if self.on_found is not None:
                    self.on_found(False)
                return resource
        raise HttpProcessingError(503, "The file is being changed.", (("Retry-After", "1"),))

    def _waits_for(self, found: Found) -> Cold | Unsettled | None:
        if found.status.st_size > SMALL:
            delay = time_to_settle(found.status, time.time_ns())
            return Unsettled(delay) if delay else None
        return Cold(Fetch.of(found.file, 0, found.status.st_size)) if self._must_be_fetched(found) else None

    def _must_be_fetched(self, found: Found) -> bool:
        """Whether reading it would wait for a disk, and it was not fetched just now.

        What was fetched is not asked about again: memory may be so short that it is gone already, and some
        file systems always say that they would have to wait.
        """
        if is_in_memory(found.file, 0, found.status.st_size):
            return False
        signature = signature_of(found.status)
        if signature in self._fetched:
            self._fetched.discard(signature)
            return False
        if len(self._fetched) >= _MOST_FETCHED:
            self._fetched.clear()
        self._fetched.add(signature)
        return True
