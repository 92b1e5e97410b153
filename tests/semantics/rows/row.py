"""What a row says, and the pieces that rows are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.semantics.site import LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

Fields = tuple[tuple[str, str], ...]


class Request(NamedTuple):
    """What is asked.

    Attributes:
        method: as it is sent.
        target: as it is sent, each character a byte.
        fields: header fields beside Host. In their values ``{etag /a}`` is the entity tag that the server
            gives that path, ``{etag gzip /a}`` that of its representation for this Accept-Encoding,
            ``{weak /a}`` the same tag as a weak one, and ``{opaque /a}`` what stands between the quotes.
        body: what is sent behind the head.
    """

    method: str
    target: str
    fields: Fields = ()
    body: bytes = b""


# What a header field must be: text, the same; None, absent; a pattern, matched by the whole; or one of these.


class Lists(NamedTuple):
    """A list with these members among others, in any case."""

    members: tuple[str, ...]


class Unlike(NamedTuple):
    """There, and another text than this, in which placeholders may stand."""

    text: str


class NotAfterDate(NamedTuple):
    """A date no later than that of the answer."""


Expected = str | re.Pattern[str] | Lists | Unlike | NotAfterDate | None


# What a body must be: bytes, the same; None, anything; a pattern, found in it; or one of these.


class Coded(NamedTuple):
    """Bytes whose coding undone gives this."""

    coding: str
    content: bytes


class Lacks(NamedTuple):
    """Bytes in which none of these is found."""

    unwanted: tuple[bytes, ...]


class Parts(NamedTuple):
    """Several ranges of one content, first and last position of each, as multipart/byteranges."""

    ranges: tuple[tuple[int, int], ...]
    content: bytes
    media_type: str


class Json(NamedTuple):
    """A JSON text in which these are found as texts, and the others are not."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


Content = bytes | re.Pattern[bytes] | Coded | Lacks | Parts | Json | None


class Want(NamedTuple):
    """One answer that is right."""

    status: int
    fields: Mapping[str, Expected]
    content: Content = None


class Row(NamedTuple):
    """One rule.

    Attributes:
        request: what is asked.
        wants: the answers that are right; the first is ours, others are what the RFCs leave, too.
        setup: how the server was started, by its name in the setups.
        needs_user: holds only for who is not root.
    """

    request: Request
    wants: tuple[Want, ...]
    setup: str = "plain"
    needs_user: bool = False


def _name_of(keyword: str) -> str:
    """Write a keyword as the name of a header field."""
    return keyword.strip("_").replace("_", "-").title().replace("Etag", "ETag")


def _pairs(fields: Mapping[str, object]) -> Fields:
    """Write ``if_none_match=...`` as a header field; a list of values becomes several fields."""
    return tuple(
        (_name_of(name), str(one))
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    )


def get(target: str, **fields: object) -> Request:
    """Ask for something."""
    return Request("GET", target, _pairs(fields))


def head(target: str, **fields: object) -> Request:
    """Ask for the head alone."""
    return Request("HEAD", target, _pairs(fields))


def ask(method: str, target: str, body: bytes = b"", **fields: object) -> Request:
    """Ask with another method."""
    length = {"content_length": len(body)} if body else {}
    return Request(method, target, _pairs({**fields, **length}), body)


def want(status: int, content: Content = None, **fields: Expected) -> Want:
    """Describe an answer."""
    return Want(status, {_name_of(name): value for name, value in fields.items()}, content)


def row(request: Request, *wants: Want | int, **more: object) -> Row:
    """Make a row; a bare number is an answer of which only the status matters."""
    return Row(request, tuple(one if isinstance(one, Want) else want(one) for one in wants), **more)


def etag(path: str, coding: str = "") -> str:
    """Stand for the entity tag of a path."""
    return f"{{etag {coding + ' ' if coding else ''}{path}}}"


def weak(path: str) -> str:
    """Stand for the same tag as a weak one."""
    return f"{{weak {path}}}"


def opaque(path: str) -> str:
    """Stand for what is between the quotes of a tag."""
    return f"{{opaque {path}}}"


SOME = re.compile(r".+")
STRONG = re.compile(r'"[^"]+"')
TAG = re.compile(r'(W/)?"[^"]+"')
VARIES = Lists(("Accept-Encoding",))
NO_COMPRESSION = {"content_encoding": None}
TEXT_PLAIN = "text/plain; charset=utf-8"
LM = "Tue, 02 Jan 2024 03:04:05 GMT"
AT = "/letters.txt"
OURS = etag(AT)

WHOLE = want(200, LETTERS, content_range=None, content_length="26")
NOT_MODIFIED = want(304, b"", etag=OURS, content_type=None)
FAILED = want(412)
MISSING = want(404)


def part(first: int, last: int, content: bytes = LETTERS, **fields: Expected) -> Want:
    """Describe an answer with one part of a file."""
    return want(
        206,
        content[first : last + 1],
        content_range=f"bytes {first}-{last}/{len(content)}",
        content_length=str(last + 1 - first),
        **fields,
    )


def unsatisfiable(size: int = len(LETTERS)) -> Want:
    """Describe the answer to ranges that are not there."""
    return want(416, content_range=f"bytes */{size}")
