"""What proxies say of a request that they pass on: X-Forwarded-*, and Forwarded (RFC 7239).

This file alone decides what of it is believed. Each proxy adds to the right of what it was sent, so a list
is read from there: over the addresses of trusted proxies to the first address that is not one, the client's.
Further left stands what that client sent, which may be anything and is not looked at. What is malformed ends
the walk; it takes the word of nobody to its right away.

The caller has seen to it that the connection itself is a trusted proxy's.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from aioserve.http1.grammar import HOST
from aioserve.trusted import read_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import RequestMessage

    IsTrusted = Callable[[str], bool]

# A node: an address and perhaps a port, IPv6 in brackets (RFC 7239 §6). X-Forwarded-For has IPv6 bare, too.
_NODE = re.compile(
    r"(?:\[(?=[0-9A-Fa-f]*+:)([0-9A-Fa-f:.]++)\]|([0-9.]++))(?::(?:([0-9]{1,5})|_[A-Za-z0-9._-]++))?+",
    re.ASCII,
)
_BARE = re.compile(r"[0-9A-Fa-f:.]++", re.ASCII)
_HIDDEN = re.compile(
    r"(?:unknown|_[A-Za-z0-9._-]++)(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]++))?+", re.ASCII | re.IGNORECASE
)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_HIGHEST_PORT = 65_535
_MOST_STEPS = 64  # of the walk: nobody has so many proxies, and a client may send thousands of addresses
_DEFAULT_PORTS = {"http": 80, "https": 443}

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
_PAIR = re.compile(rf"({_WORD})=(?:({_WORD})|({_QUOTED}))")
_SEPARATOR = re.compile(r"[\t ]*+;[\t ]*+")
_ELEMENT = re.compile(rf'(?:[^",]|{_QUOTED})++')
_EVEN = re.compile(rf'(?:[^"]|{_QUOTED})*+')
_ESCAPED = re.compile(r"\\(.)")


class Origin(NamedTuple):
    """What is believed of where a request came from.

    Attributes:
        knows_client: whether ``client`` says more than the connection does.
        client: address and port of the client, 0 where no port was told; None where a proxy hides it.
        scheme: ``http`` or ``https``, as the client spoke; empty where nothing was told.
        host: the authority that it asked for; empty where nothing was told.
    """

    knows_client: bool = False
    client: tuple[str, int] | None = None
    scheme: str = ""
    host: str = ""


NOTHING = Origin()


def read_x_forwarded(message: RequestMessage, is_trusted: IsTrusted) -> Origin:
    """Read X-Forwarded-For, -Proto, -Host and -Port.

    Of a list in one of the latter three the element counts that stands as far from the right as the client
    does in X-Forwarded-For, as who adds to one adds to all; of a shorter list the first one.

    Args:
        message: the request, with its own scheme and host.
        is_trusted: whether a proxy at that address is believed.
    """
    client, steps = None, 0
    for text in islice(reversed(_elements(message.field("x-forwarded-for"))), _MOST_STEPS):
        node = _read_node(text) or _read_bare(text)
        if node is None:
            break
        client = node
        steps += 1
        if not is_trusted(node[0]):
            break
    proto, authority, number = (
        _element_at(_elements(message.field(name)), steps)
        for name in ("x-forwarded-proto", "x-forwarded-host", "x-forwarded-port")
    )
    scheme, host = _read_scheme(proto), _read_host(authority)
    if port := _read_port(number):
        host = _with_port(host or message.host, port, scheme or message.scheme)
    return Origin(client is not None, client, scheme, host)


def read_forwarded(message: RequestMessage, is_trusted: IsTrusted) -> Origin:
    """Read Forwarded (RFC 7239): the client, and the scheme and the host of the same element.

    An element whose proxy does not tell an address, or hides it (§6.2, §6.3), is the last that is looked at:
    nobody can say whether a trusted proxy stands there.

    Args:
        message: the request.
        is_trusted: whether a proxy at that address is believed.
    """
    found = NOTHING
    for text in islice(reversed(_split(message.field("forwarded") or "")), _MOST_STEPS):
        pairs = _read_pairs(text.strip("\t "))
        if pairs is None:
            break
        scheme, host = _read_scheme(pairs.get("proto", "")), _read_host(pairs.get("host", ""))
        name = pairs.get("for")
        if name is None:
            found = Origin(found.knows_client, found.client, scheme, host)
            break
        node = _read_node(name)
        if node is None and not _HIDDEN.fullmatch(name):
            break
        found = Origin(knows_client=True, client=node, scheme=scheme, host=host)
        if node is None or not is_trusted(node[0]):
            break
    return found


# Lists


def _elements(value: str | None) -> list[str]:
    """Take a list apart; empty elements do not count (RFC 9110 §5.6.1.2)."""
    return [stripped for part in (value or "").split(",") if (stripped := part.strip("\t "))]


def _element_at(elements: list[str], steps: int) -> str:
    return elements[max(len(elements) - max(steps, 1), 0)] if elements else ""


def _split(value: str) -> list[str]:
    """Take a list apart in which commas may stand in quoted strings (RFC 9110 §5.6.4).

    A client may send a quote that never ends, or that ends in what a proxy added. Quotes are uneven then, and
    every comma separates: what the proxy added is an element of its own still, and the client's is none.
    """
    if not _EVEN.fullmatch(value):
        return _elements(value)
    return [each for each in _ELEMENT.findall(value) if each.strip("\t ")]


def _read_pairs(element: str) -> dict[str, str] | None:
    """Return the parameters of an element, some of which may be empty (RFC 7239 §4).

    None where it is malformed, or says one twice.
    """
    pairs: dict[str, str] = {}
    at = 0
    while at < len(element):
        if found := _PAIR.match(element, at):
            name, token, quoted = found.groups()
            if name.lower() in pairs:
                return None
            pairs[name.lower()] = token or _ESCAPED.sub(r"\1", quoted[1:-1])
            at = found.end()
        separator = _SEPARATOR.match(element, at)
        if separator is None:
            return pairs if at == len(element) else None
        at = separator.end()
    return pairs


# Values


def _read_node(text: str) -> tuple[str, int] | None:
    found = _NODE.fullmatch(text)
    if found is None:
        return None
    address, port = read_address(found[1] or found[2]), _read_port(found[3] or "0")
    return None if address is None or port is None else (str(address), port)


def _read_bare(text: str) -> tuple[str, int] | None:
    address = read_address(text) if _BARE.fullmatch(text) else None
    return None if address is None else (str(address), 0)


def _read_port(text: str) -> int | None:
    return int(text) if _PORT.fullmatch(text) and int(text) <= _HIGHEST_PORT else None


def _read_scheme(text: str) -> str:
    """Schemes have no case (RFC 3986 §3.1); one that is not HTTP's is not believed."""
    scheme = text.lower()
    return scheme if scheme in _DEFAULT_PORTS else ""


def _read_host(text: str) -> str:
    """A host is believed where a Host field could say it (RFC 9112 §3.2)."""
    return text if HOST.fullmatch(text.encode("utf-8", "surrogateescape")) else ""


def _with_port(host: str, port: int, scheme: str) -> str:
    """Add a port that the scheme does not imply to a host that has none."""
    if not host or port == _DEFAULT_PORTS[scheme] or ":" in host.rpartition("]")[2]:
        return host
    return f"{host}:{port}"
