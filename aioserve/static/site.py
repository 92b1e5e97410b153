"""What is added to the answers for files: by options, and by the folder's own ``_headers``.

This file alone decides which of them counts where two say something about the same field: what stands in the
folder, then ``--header``, then the options for one field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError
from aioserve.http.messages import Answer
from aioserve.static.caching import cache_control_for
from aioserve.static.header_fields import HeaderRule, fields_for, merge_fields, without_file_fields

if TYPE_CHECKING:
    from aioserve.http.messages import RequestMessage
    from aioserve.static.header_fields import Fields
    from aioserve.static.rule_files import RuleFiles
    from aioserve.static.settings import Static

ALLOWED = ("GET", "HEAD", "OPTIONS")

# What a script of another site may see besides the fields that the Fetch standard lists as safe.
_EXPOSED = "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag"

# What it may send: conditions and ranges; without a word here they would need no asking only in part.
_MAY_SEND = "If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Range"

_PREFLIGHT_SECONDS = 7200  # for which a browser need not ask again; Chromium's most


class Site:
    """The fields of one folder's answers.

    Args:
        settings: the options.
        rules: of the folder itself.

    Raises:
        ConfigurationError: a rule of the options is none.
    """

    def __init__(self, settings: Static, rules: RuleFiles) -> None:
        try:
            self._given = tuple(HeaderRule.parse(*header) for header in settings.headers)
        except ValueError as error:
            raise ConfigurationError(f"--header: {error}") from error
        self._rules = rules
        self._cache_control = settings.cache_control
        self._cors: Fields = ()
        if settings.cors is not None:
            self._cors = (
                ("Access-Control-Allow-Origin", settings.cors),
                ("Access-Control-Expose-Headers", _EXPOSED),
            )

    def fields(self, path: str, file_name: str | None) -> Fields:
        """Return the fields for the answers that are a file or a listing.

        Args:
            path: as it was asked for, percent-encoded.
            file_name: of the file; None for the listing of a folder, which may have changed whenever it is
                asked for.
        """
        caching = "no-cache" if file_name is None else cache_control_for(file_name, self._cache_control)
        own = (*self._cors, ("Cache-Control", caching))
        return merge_fields(own, self._fields_by_rule(path))

    def other_fields(self, path: str) -> Fields:
        """Return the fields for the answers that are none: redirects and errors."""
        return merge_fields(self._cors, without_file_fields(self._fields_by_rule(path)))

    def is_preflight(self, message: RequestMessage) -> bool:
        """Tell whether a browser asks if a page of another site may ask, and that has an answer here."""
        is_asking = message.method == "OPTIONS" and message.field("origin") is not None
        return is_asking and bool(self._cors) and message.field("access-control-request-method") is not None

    def answer_options(self, message: RequestMessage, path: str) -> Answer:
        """Answer OPTIONS (RFC 9110 §9.3.7), and the question of a browser whether another site may ask."""
        fields: Fields = (("Allow", ", ".join(ALLOWED)),)
        if self.is_preflight(message):
            fields = (
                *fields,
                ("Access-Control-Allow-Methods", ", ".join(ALLOWED)),
                ("Access-Control-Allow-Headers", _MAY_SEND),
                ("Access-Control-Max-Age", str(_PREFLIGHT_SECONDS)),
            )
        return Answer(204, (*self.other_fields(path), *fields))

    def _fields_by_rule(self, path: str) -> Fields:
        rules = (*self._given, *self._rules.headers())
        return fields_for(rules, path) if rules else ()
