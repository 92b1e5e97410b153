"""What a client of files is told: one row for each rule, the request, and the answers that are right.

A row's name begins with the clause that it is about: "9110 13.1.2" is RFC 9110, section 13.1.2. Others begin
with the option, or the matter, that they are about; those are rules of our own. Of several answers that the
RFCs leave, the first is ours.
"""

from __future__ import annotations

from tests.semantics.rows.choices import CACHE, CLEAN, CORS, ERROR_PAGE, HEADERS, LISTING, OTHERS, SPA
from tests.semantics.rows.codings import ON_THE_FLY, TWINS_ROWS, WISHES, WITHOUT
from tests.semantics.rows.conditions import (
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
    ORDER,
)
from tests.semantics.rows.kinds import MEDIA_TYPES, VALIDATORS
from tests.semantics.rows.methods import ERRORS, METHODS
from tests.semantics.rows.mounts import MOUNTS, RULES
from tests.semantics.rows.parts import IF_RANGE, RANGES, SEVERAL_RANGES
from tests.semantics.rows.places import FOLDERS, LINKS, PATHS
from tests.semantics.rows.row import Request, Row, Want

GROUPS: dict[str, dict[str, Row]] = {
    "Methods": METHODS,
    "Errors": ERRORS,
    "Media types": MEDIA_TYPES,
    "Validators": VALIDATORS,
    "If-None-Match": IF_NONE_MATCH,
    "If-Modified-Since": IF_MODIFIED_SINCE,
    "If-Match": IF_MATCH,
    "If-Unmodified-Since": IF_UNMODIFIED_SINCE,
    "Order of conditions": ORDER,
    "One range": RANGES,
    "Several ranges": SEVERAL_RANGES,
    "If-Range": IF_RANGE,
    "Accept-Encoding": WISHES,
    "Twins": TWINS_ROWS,
    "Compression": {**ON_THE_FLY, **WITHOUT},
    "Folders": FOLDERS,
    "Paths": PATHS,
    "Links and special files": LINKS,
    "Single-page applications": SPA,
    "Clean URLs": CLEAN,
    "Listing": LISTING,
    "Error pages": ERROR_PAGE,
    "Header fields": HEADERS,
    "CORS": CORS,
    "Cache-Control": CACHE,
    "Other options": OTHERS,
    "Several folders": MOUNTS,
    "_headers and _redirects": RULES,
}

ROWS = {(group, name): row for group, its in GROUPS.items() for name, row in its.items()}

__all__ = ["GROUPS", "ROWS", "Request", "Row", "Want"]
