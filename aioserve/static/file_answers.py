"""The answer that is made of a file: in which form, and which part of it.

This file decides between what is at hand and what has to be compressed first, and follows RFC 9110 from
there: §12.5.3 for the coding, §13.2.2 for the conditions, §14.2 for ranges.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aioserve.errors import HttpProcessingError
from aioserve.http.conditional import NotModified, PreconditionFailed, evaluate_preconditions
from aioserve.http.negotiation import preferred_coding
from aioserve.http.ranges import Unsatisfiable, parse_range
from aioserve.thread_work import ThreadWork

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import Answer, RequestMessage
    from aioserve.static.header_fields import Fields
    from aioserve.static.representation import Representation
    from aioserve.static.resource import Resource
    from aioserve.static.store import Store


class FileAnswers:
    """Makes answers of resources.

    Args:
        store: where resources are kept with what was compressed of them.
        room: bytes that they may take there.
        clock: the time in seconds since the epoch.
    """

    def __init__(self, store: Store, room: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._room = room
        self._clock = clock
        self._works: dict[tuple[str, str], ThreadWork[None]] = {}

    def answer(
        self, message: RequestMessage, resource: Resource, site: Fields, *, may_wait: bool, is_kept: bool
    ) -> Answer | ThreadWork[None]:
        """Answer with a file, in the form that the client likes best.

        Args:
            message: the request.
            resource: the file.
            site: fields to be added.
            may_wait: a thread may compress it first; otherwise it is sent in a form that is there.
            is_kept: the same request would get the same answer until the file changes.

        Returns:
            The answer; or what to wait for before asking again.

        Raises:
            HttpProcessingError: 412, 416.
            ChangedMeanwhileError, OSError: it cannot be read.
        """
        wants_part = message.method == "GET" and message.field("range") is not None
        wishes = message.field("accept-encoding")
        form = None
        while form is None:
            coding = "identity"
            if wishes is not None:
                made = not (may_wait and self._is_worth_making(resource))
                offers = resource.offers(in_parts=wants_part, made=made)
                coding = preferred_coding(wishes, offers) or "identity"
            form = resource.form(coding)
            if form is None and not resource.is_made_at_once:
                return self._make_later(resource, coding)
            if form is None:
                resource.make(coding)
                self._store.keep(resource)
        if resource.varies:
            site = (*site, ("Vary", "Accept-Encoding"))
        return _select(message, form, site, resource.is_current if is_kept else None, int(self._clock()))

    def _is_worth_making(self, resource: Resource) -> bool:
        """Whether what is compressed can be kept, or is so small that it may be done each time."""
        can_be_kept = resource.watch.is_settled and resource.memory + resource.identity.size <= self._room
        return resource.is_made_at_once or can_be_kept

    def _make_later(self, resource: Resource, coding: str) -> ThreadWork[None]:
        """Have a thread compress a large file, once for all who ask for it meanwhile."""
        key = resource.path, coding
        work = self._works.get(key)
        if work is None:
            done = partial(self._made, resource.share(), coding)
            work = self._works[key] = ThreadWork(partial(resource.make, coding), on_end=done)
        return work

    def _made(self, resource: Resource, coding: str) -> None:
        del self._works[resource.path, coding]
        self._store.keep(resource)
        resource.close()


def _select(
    message: RequestMessage,
    form: Representation,
    site: Fields,
    is_current: Callable[[], bool] | None,
    now: int,
) -> Answer:
    """Choose what is sent of a form of a file."""
    match evaluate_preconditions(message, form.validators, now):
        case NotModified():
            return form.not_modified(site, is_current)
        case PreconditionFailed():
            raise HttpProcessingError(412)
        case proceed:
            match parse_range(proceed.range_header, form.size) if form.has_ranges else None:
                case Unsatisfiable() as outside:
                    raise HttpProcessingError(416, "", (("Content-Range", outside.format_content_range()),))
                case (part,):
                    return form.part(part, site)
                case (_, *_) as several:
                    return form.parts(several, site)
                case _:
                    return form.whole(site, is_current)
