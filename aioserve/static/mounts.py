"""Several folders, each at its place among the URLs.

This file decides which folder a URL belongs to: the one with the longest place above it, and no other. What
is not there, a folder further up does not have either, whether or not an application stands behind. Places
are names, however they are spelled: the longest is that of the most names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aioserve.http.messages import RequestMessage
    from aioserve.static.responder import Outcome, StaticFiles
    from aioserve.static.store import Store


class Mounts:
    """A responder made of those of the folders.

    Args:
        folders: in any order; of two at the same place the first has it.
    """

    def __init__(self, folders: Iterable[StaticFiles]) -> None:
        self._folders = sorted(folders, key=lambda each: len(each.place), reverse=True)

    def tell_found(self, on_found: Callable[[bool], object]) -> None:
        """Have a function called for each file that is found, with whether it was kept from before."""
        for each in self._folders:
            each.tell_found(on_found)

    @property
    def stores(self) -> list[Store]:
        """What is kept of the files of each folder."""
        return [each.store for each in self._folders]

    def __call__(self, message: RequestMessage) -> Outcome:
        """Answer a request as the folder does that it belongs to; None where that is none, or has nothing."""
        path = message.raw_path
        for each in self._folders:
            if (beneath := each.beneath(path)) is not None:
                return each.respond(message, beneath)
        return None
