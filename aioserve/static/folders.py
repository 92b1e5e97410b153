"""The answer that lists a folder, made in a thread: a folder may be large.

This file decides in which form a listing is sent, and that it is sent only to who has not got the same.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING

from aioserve.errors import HttpProcessingError
from aioserve.http.conditional import NotModified, PreconditionFailed, Validators, evaluate_preconditions
from aioserve.http.messages import Answer
from aioserve.http.negotiation import preferred_coding, preferred_media_type
from aioserve.static.compression import LARGEST, SMALLEST, codings, compress
from aioserve.static.entries import read_entries, sort_entries
from aioserve.static.header_fields import merge_fields
from aioserve.static.listing import CONTENT_SECURITY_POLICY, order_of, render_json, render_listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aioserve.http.messages import RequestMessage
    from aioserve.static.entries import Entry
    from aioserve.static.header_fields import Fields
    from aioserve.static.tree import FileTree, Folder

_OFFERS = ("text/html", "application/json")

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
        hidden: hidden files are listed.
        compress: it may be compressed.
        site: fields that are added.
    """

    tree: FileTree
    folder: Folder
    path: str
    mount: str
    hidden: bool
    compress: bool
    site: Fields

    def answer(self, message: RequestMessage, now: int) -> Answer:
        """Read the folder and answer.

        Raises:
            HttpProcessingError: 404 where it cannot be read; 412.
            OSError: the machine is out of descriptors or memory, or the disk is broken.
        """
        media_type = preferred_media_type(message.field("accept"), _OFFERS) or _OFFERS[0]
        pieces = tuple(self._render(message, media_type))
        coding = self._coding_of(message, sum(map(len, pieces)))
        etag = _etag_of(pieces, coding)
        fields: Fields = (
            ("Content-Type", "text/html; charset=utf-8" if media_type == "text/html" else media_type),
            ("ETag", etag),
            ("Vary", "Accept, Accept-Encoding" if self.compress else "Accept"),
            ("X-Content-Type-Options", "nosniff"),
            *((("Content-Security-Policy", CONTENT_SECURITY_POLICY),) if media_type == "text/html" else ()),
        )
        fields = merge_fields(fields, self.site)
        match evaluate_preconditions(message, Validators(etag, None), now):
            case NotModified():
                return Answer(304, tuple(field for field in fields if field[0].lower() != "content-type"))
            case PreconditionFailed():
                raise HttpProcessingError(412)
            case _ if coding != "identity" and (body := compress(b"".join(pieces), coding)) is not None:
                return Answer(200, (*fields, ("Content-Encoding", coding)), body)
            case _:
                return Answer(200, fields, pieces)

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
            hidden=self.hidden,
            follow=lambda name: self.tree.status_of((*names, os.fsencode(name))),
            is_root=not names,
        )

    def _coding_of(self, message: RequestMessage, size: int) -> str:
        if not (self.compress and SMALLEST <= size <= LARGEST):
            return "identity"
        return preferred_coding(message.field("accept-encoding"), (*codings(), "identity")) or "identity"


def _etag_of(pieces: tuple[bytes, ...], coding: str) -> str:
    digest = blake2b(digest_size=12)
    for piece in chain(pieces, [coding.encode("ascii")]):
        digest.update(piece)
    return f'"{digest.hexdigest()}"'
