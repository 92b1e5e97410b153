"""The kinds of values that only the options of static files take.

This file alone decides which texts are a header field to add, a page for an error, the directives of
Cache-Control and an origin, and how each is written back.
"""

from __future__ import annotations

import re

from aioserve.http.statuses import REASONS
from aioserve.kinds import Kind

Header = tuple[str, str, str]
ErrorPage = tuple[int, str]

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # RFC 9110 §5.6.2
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*+"'  # RFC 9110 §5.6.4, ASCII alone
_DIRECTIVE = rf"{_WORD}(?:=(?:{_WORD}|{_QUOTED}))?+"  # RFC 9111 §5.2

_VALUE = r"[\t -~]*+"  # RFC 9110 §5.5: of new fields ASCII is expected
_DIRECTIVES = rf"{_DIRECTIVE}(?:[ \t]*+,[ \t]*+{_DIRECTIVE})*+"
_ERROR_PAGE = r"(?s)([45][0-9]{2})=(.*+)"
_FILE = r"(?!\.\.?(?:/|\Z))[^/\\\0]++(?:/(?!\.\.?(?:/|\Z))[^/\\\0]++)*+"
_ORIGIN = (  # RFC 6454 §6.2
    r"(?ai)([a-z][a-z0-9+.-]*+)://([a-z0-9_-]++(?:\.[a-z0-9_-]++)*+|\[[0-9a-f:.]++\])(?::([0-9]{1,5}))?+"
)

_EVERYWHERE = "/*"
_DEFAULT_PORTS = {"http": 80, "https": 443}

# Fields that tell how the message is framed, which bytes of which version of a file it holds and when it was
# made: only the server knows.
SERVER_FIELDS = frozenset(
    {
        "accept-ranges",
        "age",
        "allow",
        "connection",
        "content-encoding",
        "content-length",
        "content-range",
        "date",
        "etag",
        "keep-alive",
        "last-modified",
        "location",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def parse_field(text: str) -> tuple[str, str]:
    """Take a header field apart: its name as written, and its value without the blanks around it.

    Raises:
        ValueError: the text is no field (RFC 9110 §5.1, §5.5), says nothing, or is a field that the server
            writes itself; with a sentence for whoever wrote the text.
    """
    name, colon, value = text.partition(":")
    if not (colon and re.fullmatch(_WORD, name) and value.strip(" \t")):
        raise ValueError(f"{text!r} is not {HEADER.expected}")
    if not re.fullmatch(_VALUE, value):
        raise ValueError(f"the value of {name} has a character in it that is not printable ASCII")
    if name.lower() in SERVER_FIELDS:
        raise ValueError(f"{name} is written by the server alone")
    return name, value.strip(" \t")


def _parse_header(text: str) -> Header:
    glob, field = _EVERYWHERE, text
    if text.startswith("/"):
        glob, *rest = text.split(maxsplit=1)
        field = rest[0] if rest else ""
    return glob, *parse_field(field)


def _format_header(header: Header) -> str:
    glob, name, value = header
    return f"{name}: {value}" if glob == _EVERYWHERE else f"{glob} {name}: {value}"


def _parse_error_page(text: str) -> ErrorPage:
    found = re.fullmatch(_ERROR_PAGE, text)
    if not found or int(found[1]) not in REASONS:
        raise ValueError(f"{text!r} is not {ERROR_PAGE.expected}")
    if not re.fullmatch(_FILE, found[2]):
        raise ValueError(f"{found[2]!r} is not the path of a file beneath the folder, such as 404.html")
    return int(found[1]), found[2]


def _format_error_page(page: ErrorPage) -> str:
    status, file = page
    return f"{status}={file}"


def _parse_cache_control(text: str) -> str:
    if not re.fullmatch(_DIRECTIVES, text):
        raise ValueError(f"{text!r} is not {CACHE_CONTROL.expected}")
    return text


def _parse_origin(text: str) -> str:
    """Write an origin as browsers do, which compare theirs with ours byte by byte (RFC 6454 §6.2).

    That is in lower case, and without the port that goes without saying.
    """
    if text == "*":
        return text
    found = re.fullmatch(_ORIGIN, text)
    if not found or int(found[3] or 0) > 65535:
        raise ValueError(f"{text!r} is not {ORIGIN.expected}")
    scheme, host = found[1].lower(), found[2].lower()
    port = int(found[3]) if found[3] else _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" if port == _DEFAULT_PORTS.get(scheme) else f"{scheme}://{host}:{port}"


HEADER = Kind(
    "FIELD",
    "a header field, as in 'Name: value' or '/assets/* Name: value'",
    _parse_header,
    _format_header,
)
ERROR_PAGE = Kind(
    "STATUS=FILE",
    "the status of an error and a file, as in 404=404.html",
    _parse_error_page,
    _format_error_page,
)
CACHE_CONTROL = Kind(
    "DIRECTIVES",
    "a list of directives, as in max-age=3600 or 'public, max-age=3600'",
    _parse_cache_control,
    str,
)
ORIGIN = Kind(
    "ORIGIN",
    "an origin: * or scheme://host[:port] without a path, as in https://a.example",
    _parse_origin,
    str,
    mark="://",
)
