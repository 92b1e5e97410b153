"""The answer that lists a folder, made in a thread: a folder may be large.

This file decides in which form a listing is sent, that it is sent only to who has not got the same, and which
requests have the same answer.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

from aioserve.errors import HttpProcessingError
from aioserve.http.conditional import PreconditionFailed, Proceed, Validators, evaluate_preconditions
from aioserve.http.messages import Answer
from aioserve.http.negotiation import preferred_coding, preferred_media_type
from aioserve.static.compression import LARGEST, SMALLEST, codings, compress
from aioserve.static.entries import read_entries, sort_entries
from aioserve.static.header_fields import merge_fields
from aioserve.static.listing import CONTENT_SECURITY_POLICY, order_of, render_json, render_listing
from aioserve.static.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from aioserve.http.messages import RequestMessage
    from aioserve.static.entries import Entry
    from aioserve.static.header_fields import Fields
    from aioserve.static.tree import FileTree, Folder

_OFFERS = ("text/html", "application/json")

# The fields of a request that are asked for on the way to an answer.
_FIELDS = (
    "accept",
    "accept-encoding",
    "if-match",
    "if-unmodified-since",
    "if-none-match",
    "if-modified-since",
    "range",
    "if-range",
)

# What is wrong with a folder that has gone since it was found, or been exchanged for a file or a link.
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.EXDEV}


@dataclass(frozen=True, slots=True)
class Listing:
    """One folder that was asked for.

    Attributes:
        tree: where it is.
        folder: it.
        path: of the URL as it was asked for, the mount included.
        mount: where the tree begins in URLs, with the slash at its end.
        compress: it may be compressed.
        site: fields that are added.
    """

    tree: FileTree
    folder: Folder
    path: str
    mount: str
    compress: bool
    site: Fields

    def key_of(self, message: RequestMessage) -> Hashable:
        """Return all that the answer depends on, but for what is in the folder."""
        query = message.path.partition("?")[2]
        return (self.path, query, self.site, *map(message.field, _FIELDS))

    def answer(self, message: RequestMessage, now: int) -> Answer:
        """Read the folder and answer.

        Raises:
            HttpProcessingError: 404 where it cannot be read; 412.
            OSError: the machine is out of descriptors or memory, or the disk is broken.
        """
        media_type = preferred_media_type(message.field("accept"), _OFFERS) or _OFFERS[0]
        spool = Spool()
        try:
            digest = blake2b(digest_size=12)
            for piece in self._render(message, media_type):
                digest.update(piece)
                spool.add(piece)
            coding = self._coding_of(message, spool.size)
            digest.update(coding.encode("ascii"))
            etag = f'"{digest.hexdigest()}"'
            outcome = evaluate_preconditions(message, Validators(etag, None), now)
            if isinstance(outcome, Proceed):
                return _whole(spool, self._fields(media_type, etag), coding)
        except BaseException:
            spool.close()
            raise
        spool.close()
        if isinstance(outcome, PreconditionFailed):
            raise HttpProcessingError(412)
        fields = self._fields(media_type, etag)
        return Answer(304, tuple(field for field in fields if field[0].lower() != "content-type"))

    def _fields(self, media_type: str, etag: str) -> Fields:
        own = (
            ("Content-Type", "text/html; charset=utf-8" if media_type == "text/html" else media_type),
            ("ETag", etag),
            ("Vary", "Accept, Accept-Encoding" if self.compress else "Accept"),
            ("X-Content-Type-Options", "nosniff"),
            *((("Content-Security-Policy", CONTENT_SECURITY_POLICY),) if media_type == "text/html" else ()),
        )
        return merge_fields(own, self.site)

    def _render(self, message: RequestMessage, media_type: str) -> Iterator[bytes]:
        by, descending = order_of(message.path.partition("?")[2])
        try:
            with self.tree.open_folder(self.folder.names) as descriptor:
                entries = sort_entries(self._read(descriptor), by, descending=descending)
        except OSError as error:
            if error.errno not in _GONE:
                raise
            raise HttpProcessingError(404) from error
        if media_type == "application/json":
            return render_json(self.path, entries)
        return render_listing(self.path, entries, by=by, descending=descending, mount=self.mount)

    def _read(self, descriptor: int) -> list[Entry]:
        names = self.folder.names
        return read_entries(
            descriptor,
            may_see=self.tree.sight_of(names),
            follow=lambda name: self.tree.status_of((*names, os.fsencode(name))),
        )

    def _coding_of(self, message: RequestMessage, size: int) -> str:
        if not (self.compress and SMALLEST <= size <= LARGEST):
            return "identity"
        return preferred_coding(message.field("accept-encoding"), (*codings(), "identity")) or "identity"


def _whole(spool: Spool, fields: Fields, coding: str) -> Answer:
    """Answer with all of a listing, compressed where that is worth it."""
    if coding == "identity":
        return Answer(200, fields, spool.body())
    content = spool.read()
    body = compress(content, coding)
    if body is None:
        return Answer(200, fields, content)
    return Answer(200, (*fields, ("Content-Encoding", coding)), body)
