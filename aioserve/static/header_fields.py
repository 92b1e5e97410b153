"""Header fields that somebody adds to the answers: the rules of a ``_headers`` file, and ``--header``.

This file alone decides which fields may be given, which of several rules wins, and what becomes of the fields
that the server has of its own. The form of the file is Netlify's::

    # a path, and indented below it what its answers carry
    /assets/*
      X-Robots-Tag: noindex
      Link: </style.css>; rel=preload

All rules that match count, in their order. What they say of the same name is joined to one list (RFC 9110
§5.3); of a field that is no list the last word counts, and Set-Cookie stays in as many lines as were given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.http1.framing import must_be_valid_field
from aioserve.static.kinds import SERVER_FIELDS
from aioserve.static.patterns import Pattern, Problem, RequestPath, split_rule_lines

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    Fields = tuple[tuple[str, str], ...]

# Fields with one value, which a list would break (RFC 9110 §5.3).
_SINGLE = {
    "access-control-allow-credentials",
    "access-control-allow-origin",
    "access-control-max-age",
    "content-disposition",
    "content-location",
    "content-type",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "expires",
    "origin-agent-cluster",
    "refresh",
    "retry-after",
    "server",
    "sourcemap",
    "strict-transport-security",
    "x-content-type-options",
    "x-frame-options",
}

# Two rules that differ about caching would make a list that contradicts itself (RFC 9111 §4.2.1).
_REPLACED = _SINGLE | {"cache-control", "cdn-cache-control", "surrogate-control"}

# What is said of a file and would be untrue of the page that tells of an error.
_ABOUT_THE_FILE = {
    "accept-ranges",
    "cache-control",
    "cdn-cache-control",
    "content-digest",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "etag",
    "expires",
    "last-modified",
    "pragma",
    "refresh",
    "repr-digest",
    "sourcemap",
    "surrogate-control",
}


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Fields for the answers to some paths.

    Attributes:
        pattern: the paths.
        fields: names and values, both valid.
    """

    pattern: Pattern
    fields: Fields

    @classmethod
    def parse(cls, pattern: str, name: str, value: str) -> HeaderRule:
        """Read a rule with one field.

        Raises:
            ValueError: the pattern is none, or the field may not be given; the message is a sentence for
                whoever wrote it.
        """
        must_be_givable(name, value)
        return cls(Pattern.parse(pattern), ((name, value),))


def must_be_givable(name: str, value: str) -> None:
    """Refuse a field that is not valid (RFC 9110 §5.5), or not for others to give.

    Raises:
        ValueError: the message is a sentence for whoever wrote it.
    """
    if name.lower() == "basic-auth":  # before all else: whatever is wrong with it, this must be said
        raise ValueError(
            "Basic-Auth is not supported: these paths are NOT PROTECTED, everybody can read them"
        )
    must_be_valid_field(name, value)
    if name.lower() in SERVER_FIELDS:
        raise ValueError(f"{name} cannot be given: the server writes it, or leaves it out, by itself")


def parse_header_file(text: str) -> tuple[tuple[HeaderRule, ...], tuple[Problem, ...]]:
    """Read a ``_headers`` file.

    Returns:
        The rules that can be used, in their order, and what is wrong with the other lines. Fields below what
        is no path are not used.
    """
    lines, problems = split_rule_lines(text)
    blocks: list[tuple[Pattern, list[tuple[str, str]]]] = []
    fields: list[tuple[str, str]] | None = None
    for number, line in lines:
        try:
            if not line.startswith((" ", "\t")):
                fields = []
                blocks.append((Pattern.parse(line), fields))
            elif fields is None:
                problems.append(Problem(number, "there is no path above this header field"))
            else:
                fields.append(_parse_field(line))
        except ValueError as error:
            problems.append(Problem(number, str(error)))
    rules = tuple(HeaderRule(pattern, _combine(fields, _SINGLE)) for pattern, fields in blocks if fields)
    return rules, tuple(problems)


def fields_for(rules: Iterable[HeaderRule], path: str) -> Fields:
    """Collect the fields that the rules give to the answers for a path.

    Args:
        rules: in the order in which they count.
        path: as it stands in the request target, percent-encoded and without the query.
    """
    asked = RequestPath.of(path)
    given = [field for rule in rules if rule.pattern.match(asked) is not None for field in rule.fields]
    return _combine(given, _REPLACED)


def merge_fields(own: Fields, given: Fields) -> Fields:
    """Put fields that were given in the place of the server's own of the same name.

    To Vary they add (RFC 9110 §12.5.5), and what only the server knows stays as it is, whoever gave it.
    """
    allowed = [field for field in given if field[0].lower() not in SERVER_FIELDS]
    if not allowed:
        return own
    replaced = {name.lower() for name, _ in allowed} - {"vary"}
    fields = (*(field for field in own if field[0].lower() not in replaced), *allowed)
    varying = [value for name, value in fields if name.lower() == "vary"]
    if not varying:
        return fields
    return (*(field for field in fields if field[0].lower() != "vary"), ("Vary", _join_names(varying)))


def without_file_fields(fields: Fields) -> Fields:
    """Return what may be said of an error as well: nothing of the type, the time or the caching of a file."""
    return tuple(field for field in fields if field[0].lower() not in _ABOUT_THE_FILE)


def _parse_field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"{line.strip()!r} is no header field: it has no ':'")
    field = name.strip(" \t"), value.strip(" \t")
    if not field[1]:
        raise ValueError(f"the header field {field[0]!r} has no value")
    must_be_givable(*field)
    return field


def _combine(fields: Iterable[tuple[str, str]], replaced: Container[str]) -> Fields:
    """Bring the fields of one name together, in the place of the first; of some the last word counts."""
    combined: dict[str, list[tuple[str, str]]] = {}
    for name, value in fields:
        key = name.lower()
        before = combined.setdefault(key, [])
        if not before or key == "set-cookie":
            before.append((name, value))
        elif key in replaced:
            before[0] = (name, value)
        else:
            before[0] = (before[0][0], f"{before[0][1]}, {value}")
    return tuple(field for same in combined.values() for field in same)


def _join_names(values: Iterable[str]) -> str:
    """Join lists of names, each name once."""
    names: dict[str, str] = {}
    for name in ",".join(values).split(","):
        names.setdefault(name.strip(" \t").lower(), name.strip(" \t"))
    return ", ".join(name for name in names.values() if name)
