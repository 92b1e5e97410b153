"""What the client would like best: Accept and Accept-Encoding (RFC 9110 §12.4 and §12.5).

This file decides how a list of weighted wishes is read and which offer wins. An element that is malformed is
passed over as if it had not been sent: negotiation is advice, and no request fails for bad advice. Every
quantifier that could be retried is possessive, so that reading takes linear time whatever is sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # RFC 9110 §5.6.2  # noqa: S105 - the grammar's word
_QUOTED = r'"(?:[^"\\]++|\\.)*+"'  # §5.6.4
_PARAMETER = re.compile(rf"({_TOKEN})=({_TOKEN}|{_QUOTED})", re.ASCII | re.DOTALL)

# What stands between the commas that are not inside of quotes (§5.6.1). A quote left open takes all the rest.
_ELEMENT = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)
_WISH = re.compile(
    rf"({_TOKEN}(?:/{_TOKEN})?+)((?:[ \t]*+;[ \t]*+(?:{_PARAMETER.pattern})?+)*+)", re.ASCII | re.DOTALL
)
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?", re.ASCII)  # §12.4.2

_MOST = 64  # elements that are read; nobody has so many wishes, and 8 KiB of them cost 4 ms

_CODING_ALIASES = {"x-gzip": "gzip", "x-compress": "compress"}  # §8.4.1.1 and §8.4.1.3


@dataclass(frozen=True, slots=True)
class Wish:
    """One element of Accept or Accept-Encoding.

    Attributes:
        name: a media range or a content coding, in lower case.
        parameters: its parameters without the weight, in lower case and without quotes.
        weight: from 0, not acceptable, to 1 (RFC 9110 §12.4.2).
    """

    name: str
    parameters: frozenset[tuple[str, str]]
    weight: float


def parse_wishes(value: str) -> list[Wish]:
    """Read a list of names with parameters and weights; malformed elements and those over 64 are left out."""
    return [
        wish
        for element in islice(_ELEMENT.finditer(value), _MOST)
        if (wish := _parse_wish(element[0].strip(" \t"))) is not None
    ]


def preferred_media_type(accept: str | None, offers: Sequence[str]) -> str | None:
    """Choose among media types by Accept (RFC 9110 §12.5.1).

    For each offer the most specific range that matches it gives the weight; the offer of the greatest weight
    wins, and the first of equal ones.

    Args:
        accept: the value of the field, or None where the request has none.
        offers: media types, with or without parameters, the server's favourite first.

    Returns:
        One of the offers, or None where none is acceptable. A field that is absent, or without one usable
        element, accepts everything.
    """
    ranges = parse_wishes(accept or "")
    if not ranges:
        return offers[0] if offers else None
    return _heaviest([(offer, _media_weight(offer, ranges)) for offer in offers])


def preferred_coding(accept_encoding: str | None, offers: Sequence[str]) -> str | None:
    """Choose among content codings by Accept-Encoding (RFC 9110 §12.5.3).

    ``identity`` is acceptable unless it is refused, but comes after every coding that is asked for. Without
    the field any coding would be allowed; only identity is chosen for a client that did not ask.

    Args:
        accept_encoding: the value of the field, or None where the request has none.
        offers: codings by their registered names, in lower case, the server's favourite first.

    Returns:
        One of the offers, or None where none is acceptable.
    """
    weights = {
        _CODING_ALIASES.get(wish.name, wish.name): wish.weight for wish in parse_wishes(accept_encoding or "")
    }
    everything_else = weights.get("*", 0.0)
    chosen = _heaviest([(offer, weights.get(offer, everything_else)) for offer in offers])
    if chosen is None and "identity" in offers and weights.keys().isdisjoint(("identity", "*")):
        return "identity"
    return chosen


def _parse_wish(element: str) -> Wish | None:
    match = _WISH.fullmatch(element)
    if match is None:
        return None
    weight = "1"
    parameters = []
    for name, value in _PARAMETER.findall(match[2]):
        if name in ("q", "Q"):  # wherever it stands among the parameters, §12.5.1
            weight = value
        else:
            parameters.append((name.lower(), _unquote(value).lower()))
    if _WEIGHT.fullmatch(weight) is None:
        return None
    return Wish(match[1].lower(), frozenset(parameters), float(weight))


def _unquote(value: str) -> str:
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
    return value


def _media_weight(offer: str, ranges: list[Wish]) -> float:
    (offered,) = parse_wishes(offer)
    names = ("*/*", f"{offered.name.partition('/')[0]}/*", offered.name)  # from the least specific
    matching = [
        (names.index(wish.name), len(wish.parameters), wish.weight)
        for wish in ranges
        if wish.name in names and wish.parameters <= offered.parameters
    ]
    return max(matching)[2] if matching else 0.0


def _heaviest(weighed: list[tuple[str, float]]) -> str | None:
    offer, weight = max(weighed, key=lambda pair: pair[1], default=("", 0.0))  # the first of equal ones
    return offer if weight > 0 else None
