"""How long a file may be kept: the value of ``--cache-control``, for each file by its name.

This file alone decides which names have a hash in them. Build tools put one there so that the name changes
with the content, and such a file never needs to be asked for again (RFC 8246). A name that only looks like it
is the worse mistake: clients would keep an old file for a year. So a date, a version and a word with a number
are no hash::

    app.3f2a9c1d.js          eight or more hexadecimal digits
    main.55e7cbb9ba48.css    ... as Django, webpack and Parcel write them
    logo-BkX3f9aQ.svg        eight or more letters and digits that are no word with a number
    index-DiwrgTda.js        just eight characters behind the last "-" of a script or a style sheet, one
    chunk-ABCD1234.js        of them, but not the first, a capital: as Vite, Rollup and esbuild write them
"""

from __future__ import annotations

import re

# What stands between "-", "." and "_", neither at the beginning nor as the extension.
_SEPARATOR = re.compile(r"[-._]")
_HEXADECIMAL = re.compile(r"(?=[a-f]*+[0-9])(?=[0-9]*+[a-f])[0-9a-f]{8,}+", re.ASCII | re.IGNORECASE)
_MIXED = re.compile(r"(?=[a-z]*+[0-9])[0-9a-z]{8,}+", re.ASCII | re.IGNORECASE)

# "version2", "2024report", "3dmodel4", "Covid19data".
_WORD_WITH_NUMBER = re.compile(r"[0-9]*+[A-Za-z]++[0-9]*+|[A-Z]?+[a-z]++[0-9]++[a-z]++|[0-9]++")

_BUNDLED = re.compile(r".+-([A-Za-z0-9_-]{8})\.(?:js|mjs|css)(?:\.map)?+", re.DOTALL)

# A directive, which may have a comma in its quoted argument (RFC 9111 §5.2).
_DIRECTIVE = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)

_YEAR = 31_536_000


def cache_control_for(file_name: str, value: str) -> str:
    """Return the Cache-Control of a file.

    Args:
        file_name: its name, without folders.
        value: what was asked for. With ``immutable`` in it, files with a hash in the name are kept for a year
            and never asked for again, ``private`` if that was said; the others get the rest of the value, or
            ``no-cache`` where nothing is left.
    """
    directives = [each.strip(" \t") for each in _DIRECTIVE.findall(value)]
    names = {each.lower() for each in directives}
    if "immutable" not in names:
        return value
    if has_hash(file_name):
        return f"{'private' if 'private' in names else 'public'}, max-age={_YEAR}, immutable"
    rest = [each for each in directives if each and each.lower() != "immutable"]
    return ", ".join(rest) or "no-cache"


def has_hash(file_name: str) -> bool:
    """Whether a name changes with the content of its file, by all appearances."""
    words = _SEPARATOR.split(file_name)[1:-1]
    if any(map(_is_hash, words)):
        return True
    bundled = _BUNDLED.fullmatch(file_name)
    return bundled is not None and _is_bundlers_hash(bundled[1])


def _is_hash(word: str) -> bool:
    if _HEXADECIMAL.fullmatch(word):
        return True
    return _MIXED.fullmatch(word) is not None and _WORD_WITH_NUMBER.fullmatch(word) is None


def _is_bundlers_hash(tail: str) -> bool:
    """Whether eight characters of base64url were chosen by nobody.

    "-" and "_" are among them; then only a digit tells a hash from words that are joined.
    """
    return tail[1:] != tail[1:].lower() and (tail.isalnum() or any(map(str.isdigit, tail)))
