"""Where a redirect may lead: the target of a rule, filled in with what was captured of a request.

This file alone decides what a Location of a rule looks like. Scheme and host are those that the rule says, to
the letter; a path of this site begins with exactly one slash, so that no client takes it for a host
(RFC 3986 §4.2); and what came from the request stays in the component that it was put into.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from aioserve.http1.grammar import HOST
from aioserve.static.patterns import encode_path

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_LONGEST = 2_048  # characters

_ORIGIN = re.compile(r"(https?+://)([^/]*+)", re.ASCII | re.IGNORECASE)
_PLACEHOLDER = re.compile(r":([A-Za-z_][A-Za-z0-9_]*+)")

# Browsers leave more punctuation as it is than RFC 3986 §3.4 allows, and what a client sent is sent back.
_IN_QUERY = re.escape(
    "".join(sorted({*string.ascii_letters, *string.digits, *string.punctuation} - {*"%#\\"}))
)
_NOT_IN_QUERY = re.compile(rf"%(?![0-9A-Fa-f]{{2}})|[^%{_IN_QUERY}]")

# What a value that is put into a query keeps unencoded, beside letters, digits and "-._~". Not what separates
# one parameter from the next.
_IN_VALUE = "%/:@"


def is_target(text: str) -> bool:
    """Whether a text is meant as a target: a path, or an absolute http URL."""
    return text.startswith("/") or _ORIGIN.match(text) is not None


def encode_query(query: str) -> str:
    """Percent-encode control characters, blanks, backslashes, ``#`` and whatever is not ASCII."""
    return _NOT_IN_QUERY.sub(lambda match: quote(match[0], safe="", errors="replace"), query)


@dataclass(frozen=True, slots=True)
class Target:
    """The URL that a rule leads to, with its placeholders.

    Attributes:
        origin: scheme and host of another site, or empty for this one.
        path: begins with one slash.
        query: with its question mark, or empty.
        fragment: with its number sign, or empty.
    """

    origin: str
    path: str
    query: str
    fragment: str

    @classmethod
    def parse(cls, text: str, names: Collection[str]) -> Target:
        """Read a target.

        Args:
            text: a path that begins with ``/``, or a URL with ``http`` or ``https``.
            names: what can be filled in; ``:name`` with another name, inside of a word, is plain text.

        Raises:
            ValueError: it is none; the message is a sentence for whoever wrote it.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"the target is longer than {_LONGEST:,} characters")
        rest, sign, fragment = text.partition("#")
        rest, mark, query = rest.partition("?")
        origin = _read_origin(rest)
        path = rest.removeprefix(origin)
        if not (origin or path.startswith("/")):
            raise ValueError(f"the target {text!r} is neither a path of this site nor an http URL")
        if not origin and path.startswith("//"):
            raise ValueError(
                f"the target {text!r} begins with '//', which names another host: write https:// before it"
            )
        _must_be_known(f"{path}{mark}{query}{sign}{fragment}", names)
        return cls(
            origin,
            encode_path(path or "/"),
            f"{mark}{encode_query(query)}",
            f"{sign}{encode_query(fragment)}",
        )

    def format_path(self, captured: Mapping[str, str]) -> str:
        """Fill in the path; it begins with exactly one slash."""
        filled = _PLACEHOLDER.sub(lambda match: captured.get(match[1], match[0]), self.path)
        return "/" + filled.lstrip("/")

    def format_location(self, captured: Mapping[str, str], query: str) -> str:
        """Fill in all of it, for a Location (RFC 9110 §10.2.2).

        Args:
            captured: what each name stands for, in a form that a path may hold.
            query: that of the request; it is kept where the target has none of its own.
        """
        kept = f"?{encode_query(query)}" if query else ""
        own = _fill_values(self.query, captured)
        return (
            f"{self.origin}{self.format_path(captured)}{own or kept}{_fill_values(self.fragment, captured)}"
        )


def _read_origin(text: str) -> str:
    """Return the scheme and the host that a URL begins with; nothing of a path."""
    match = _ORIGIN.match(text)
    if match is None:
        return ""
    if not HOST.fullmatch(match[2].encode(errors="replace")):
        raise ValueError(
            f"{match[2]!r} in the target {text!r} is not a plain host, with or without a port: neither a"
            " placeholder nor a user name may stand there, and only ASCII"
        )
    return match[0]


def _must_be_known(text: str, names: Collection[str]) -> None:
    """Refuse placeholders that nothing fills in; in the middle of a word a colon is a colon."""
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in names and (match[1] == "splat" or text[match.start() - 1] in "/="):
            star = " (a '*' at the end of the path)" if match[1] == "splat" else ""
            raise ValueError(f"the target uses {match[0]}, which nothing in the rule stands for{star}")


def _fill_values(text: str, captured: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(
        lambda match: quote(captured[match[1]], safe=_IN_VALUE) if match[1] in captured else match[0], text
    )
