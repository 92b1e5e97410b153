"""In which encoding a body is text.

This file alone decides which names a client may give (``Content-Type: text/plain; charset=koi8-r``). Python
has codecs that are no charsets: by one of them a client could choose quadratic time, by others escapes. And
it remembers each name that it was asked for and did not know, so it is only asked for those that it has.
"""

from __future__ import annotations

import encodings
import pkgutil
import re
from encodings.aliases import aliases
from functools import cache

from aioserve.errors import BadHttpMessage

_CHARSET = re.compile(r';[ \t]*charset="?([A-Za-z0-9_.:\-]+)', re.ASCII | re.IGNORECASE)
_NO_CHARSETS = {"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined"}


def decode_text(body: bytes, content_type: str | None, encoding: str | None = None) -> str:
    """Return a body as text: in ``encoding``, which may be any codec, else in its charset, else in UTF-8.

    Raises:
        BadHttpMessage: it is not text in that encoding, or nobody knows it.
    """
    name = encoding or _charset_of(content_type) or "utf-8"
    try:
        return body.decode(name)
    except (LookupError, UnicodeError):
        raise BadHttpMessage(f"The body is not text in {name!r}.") from None


def _charset_of(content_type: str | None) -> str | None:
    match = _CHARSET.search(content_type or "")
    if match is None:
        return None
    if encodings.normalize_encoding(match[1]).lower() not in _charsets():
        raise BadHttpMessage(f"The body is not text in {match[1]!r}.")
    return match[1]


@cache
def _charsets() -> set[str]:
    """Return the names that Python's charsets have, with underscores and in lower case."""
    names = {module.name for module in pkgutil.iter_modules(encodings.__path__)} | {*aliases}
    return {name for name in names if aliases.get(name, name) not in _NO_CHARSETS}
