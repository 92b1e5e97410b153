"""HTML forms: which encoding a body announces, and the urlencoded one (WHATWG URL §5.1).

This file alone decides what is taken for a form and how a urlencoded body becomes names and values;
`aioserve.multipart` reads the other encoding. Text is UTF-8 in both. Bytes that are not become U+FFFD, so
that every value can be printed and encoded again. Whoever reads a body limits its length.
"""

from __future__ import annotations

import re
from binascii import a2b_qp
from dataclasses import dataclass

from aioserve.errors import BadHttpMessage, HttpProcessingError
from aioserve.multidict import MultiDict

_NAME = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*(?:({_NAME})=(?:({_NAME})|"((?:[^"\\]|\\.)*+)"))?', re.DOTALL)
_QUOTED_PAIR = re.compile(r'\\(["\\])')
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")  # RFC 2046 §5.1.1
_BARE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_SLICE = 65_536  # bytes in which bare percents are escaped at once; `sub` keeps an object for each


@dataclass(frozen=True, slots=True)
class Urlencoded:
    """The body is ``application/x-www-form-urlencoded``, for `parse_urlencoded`."""


@dataclass(frozen=True, slots=True)
class Multipart:
    """The body is ``multipart/form-data``, for `aioserve.multipart.MultipartForm`."""

    boundary: str


def parse_form_content_type(value: str | None) -> Urlencoded | Multipart | None:
    """Return which form a ``Content-Type`` announces, or None where it announces something else.

    The type of a urlencoded body has no parameters; any that are sent are ignored, ``charset`` too.

    Raises:
        BadHttpMessage: ``multipart/form-data`` with malformed parameters or no boundary.
    """
    match (value or "").partition(";")[0].strip(" \t").lower():
        case "application/x-www-form-urlencoded":
            return Urlencoded()
        case "multipart/form-data":
            boundary = parse_parameters(value or "")[1].get("boundary", "")
            if not _BOUNDARY.fullmatch(boundary):
                raise BadHttpMessage("A multipart form needs a boundary of 1 to 70 characters.")
            return Multipart(boundary)
        case _:
            return None


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    r"""Return the beginning of a field value, in lower case, and its parameters (RFC 9110 §5.6.6).

    Of the escapes in quoted strings only ``\"`` and ``\\`` are undone: browsers have sent the backslashes of
    file names unescaped.

    Raises:
        BadHttpMessage: a parameter is malformed or comes twice.
    """
    head, semicolon, rest = value.partition(";")
    rest = semicolon + rest
    parameters: dict[str, str] = {}
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None:
            raise BadHttpMessage("A header field of the form has a malformed parameter.")
        at = match.end()
        name, token, quoted = match.groups()
        if name is not None:
            if name.lower() in parameters:
                raise BadHttpMessage("A header field of the form has a parameter twice.")
            parameters[name.lower()] = token or _QUOTED_PAIR.sub(r"\1", quoted)
    return head.strip(" \t").lower(), parameters


def parse_urlencoded(body: bytes, *, max_fields: int = 1000) -> MultiDict[str]:
    """Return the fields of a urlencoded body in order; a name without ``=`` has the value ``""``.

    A ``%`` that begins no escape stands for itself (WHATWG URL §1.3), as in ``curl -d 'rate=5%'``.

    Raises:
        HttpProcessingError: 413, there are more than ``max_fields`` fields.
    """
    if body.count(b"&") >= max_fields:
        raise HttpProcessingError(413, f"The form has more than {max_fields} fields.")
    body = _escape_bare_percents(body)
    fields = [field.partition(b"=") for field in body.split(b"&") if field]
    return MultiDict([(_unquote(name), _unquote(value)) for name, _, value in fields])


def _escape_bare_percents(body: bytes) -> bytes:
    if not _BARE_PERCENT.search(body):
        return body
    parts = []
    at = 0
    while at < len(body):
        end = at + _SLICE
        end = next((cut for cut in (end - 2, end - 1) if _ESCAPE.match(body, cut)), end)  # between escapes
        parts.append(_BARE_PERCENT.sub(b"%25", body[at:end]))
        at = end
    return b"".join(parts)


def _unquote(text: bytes) -> str:
    # Percent-encoding is quoted-printable with another escape character, and binascii decodes that in a tenth
    # of the time that urllib's unquote_to_bytes takes, which also needs 231 MB for 3 MiB of escapes.
    quoted = text.replace(b"+", b" ").replace(b"=", b"=3D").replace(b"%", b"=")
    return a2b_qp(quoted).decode("utf-8", "replace")
