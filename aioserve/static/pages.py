"""Which pages stand for what is not there: those of errors, and that of an application in the browser."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from aioserve.http.negotiation import parse_wishes
from aioserve.static.media_types import MEDIA_TYPES

if TYPE_CHECKING:
    from aioserve.http.messages import RequestMessage

# Where what is fetched is shown as a page (Fetch §2.2.5 "destination"); empty is what a script fetches.
_PAGES = {"", "empty", "document", "iframe", "frame", "object", "embed"}

VARY_OF_PAGES = ("Vary", "Accept, Sec-Fetch-Dest")


def is_page_request(message: RequestMessage, path: str, *, explicitly: bool) -> bool:
    """Tell whether a request is for a page, which an application in the browser may know how to show.

    It is not where the path ends in the name of a file with a known extension, where the browser says that it
    wants something else, or where HTML is not accepted.

    Args:
        message: the request.
        path: its path.
        explicitly: HTML must be asked for by name, as browsers do when they go to a page, and scripts that
            call an application's interface do not.
    """
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    if dot and len(extension) > 1 and extension.lower() in MEDIA_TYPES:  # `.c` is an initial as well
        return False
    if (message.field("sec-fetch-dest") or "").lower() not in _PAGES:
        return False
    ranges = parse_wishes(message.field("accept") or "")
    names = {wish.name for wish in ranges if wish.weight > 0}
    if explicitly:
        return "text/html" in names
    return not ranges or not names.isdisjoint(("text/html", "text/*", "*/*"))


def path_of(file_name: str) -> str:
    """Return the URL path of a file beneath the root, percent-encoded."""
    return "/" + quote_from_bytes(os.fsencode(file_name))
