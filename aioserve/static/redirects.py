"""The rules of a ``_redirects`` file: which request is answered with another URL, or with another file.

This file alone decides how a rule is written and which of several applies. The form is Netlify's::

    # from        query       to                  status
    /old          /new                                      301 where nothing is said
    /news/*       /blog/:splat                    302
    /store        id=:id      /products/:id
    /*            /index.html                     200       the file in its place, under the same URL
    /shop/*       /closed.html                    404!      also where there is a file

The first rule that matches is the one. What a rule asks for that is not done here is a problem, and the rule
is not used: half a rule would lead somewhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from heapq import merge
from itertools import takewhile
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from aioserve.static.patterns import Pattern, Problem, RequestPath, split_rule_lines
from aioserve.static.targets import Target, encode_query, is_target

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[^ \t]++")
_STATUS = re.compile(r"([0-9]{3})(!?+)")
_CAPTURE = re.compile(r":([A-Za-z_][A-Za-z0-9_]*+)")

_REDIRECTIONS = {301, 302, 303, 307, 308}
_REWRITES = {200, 404}

_MOST_PARAMETERS = 256  # of a request's query that are looked at


@dataclass(frozen=True, slots=True)
class Redirection:
    """The answer is this status with this Location (RFC 9110 §15.4)."""

    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """The answer is the file at this path of the same site, with this status.

    Attributes:
        status: 200 or 404.
        path: percent-encoded, as in a request target.
    """

    status: int
    path: str


@dataclass(frozen=True, slots=True)
class QueryTest:
    """A parameter that the query of a request must have.

    Attributes:
        name: decoded.
        value: what it must be, decoded; None for anything.
        placeholder: the name by which the target gets the value, or empty.
    """

    name: bytes
    value: bytes | None
    placeholder: str


@dataclass(frozen=True, slots=True)
class RedirectRule:
    """One line of the file.

    Attributes:
        line: its number, from 1.
        pattern: the paths that it is about.
        query: the parameters that it asks for.
        target: where it leads.
        status: a redirection, or 200 or 404 for a file of the site.
        is_forced: it applies also where a file exists.
    """

    line: int
    pattern: Pattern
    query: tuple[QueryTest, ...]
    target: Target
    status: int
    is_forced: bool

    @classmethod
    def parse(cls, line: int, text: str) -> RedirectRule:
        """Read a rule.

        Raises:
            ValueError: it is none; the message is a sentence for whoever wrote it.
        """
        words = list(takewhile(lambda word: not word.startswith("#"), _WORD.findall(text)))
        pattern = _parse_source(words[0])
        at = next((at for at, word in enumerate(words[1:], 1) if is_target(word)), 0)
        if not at:
            raise ValueError("the rule has no target: a path of this site, or a URL with http:// or https://")
        query = tuple(map(_parse_query_test, words[1:at]))
        captures = [test.placeholder for test in query if test.placeholder]
        names = {*pattern.names, *captures}
        if len(names) < len(pattern.names) + len(captures):
            raise ValueError("the rule uses the same name twice")
        target = Target.parse(words[at], names)
        status, is_forced = _parse_status(words[at + 1 :])
        if target.origin and status in _REWRITES:
            raise ValueError(
                f"with {status} the target must be a path of this site: nothing is passed on to other hosts"
            )
        return cls(line, pattern, query, target, status, is_forced)

    def apply(self, path: RequestPath, query: str) -> Redirection | Rewrite | None:
        """Say where a request leads; None where the rule is not about it, or leads to where it is.

        Args:
            path: of the request.
            query: of the request, encoded.
        """
        if (captured := self.pattern.match(path)) is None:
            return None
        if (found := _match_query(self.query, query)) is None:
            return None
        values, rest = found
        captured |= values
        if self.status in _REWRITES:
            return Rewrite(self.status, self.target.format_path(captured))
        location = self.target.format_location(captured, rest)
        return None if _is_same(location, path, query) else Redirection(self.status, location)


class Redirects:
    """The rules of a file, in its order.

    Rules whose path is fixed are found by it; only those with something variable are tried one by one.

    Args:
        rules: each with a line of its own, in the order of the lines.
    """

    def __init__(self, rules: Iterable[RedirectRule] = ()) -> None:
        self.rules = tuple(rules)
        self._variable = [rule for rule in self.rules if not rule.pattern.is_exact]
        self._exact: dict[str, list[RedirectRule]] = {}
        for rule in self.rules:
            if rule.pattern.is_exact:
                self._exact.setdefault(rule.pattern.stem, []).append(rule)

    def match(self, path: str, query: str, *, exists: bool) -> Redirection | Rewrite | None:
        """Find the first rule that applies to a request, and say where it leads.

        Args:
            path: as it stands in the request target, percent-encoded.
            query: what stands behind the question mark, or empty.
            exists: there is a file for the path; only rules with ``!`` apply then.
        """
        asked, encoded = RequestPath.of(path), encode_query(query)
        exact = self._exact.get(asked.stem, ())
        for rule in merge(exact, self._variable, key=lambda rule: rule.line):
            if rule.is_forced or not exists:
                outcome = rule.apply(asked, encoded)
                if outcome is not None:
                    return outcome
        return None


def parse_redirects(text: str) -> tuple[Redirects, tuple[Problem, ...]]:
    """Read a ``_redirects`` file.

    Returns:
        The rules that can be used, and what is wrong with the other lines.
    """
    lines, problems = split_rule_lines(text)
    rules = []
    for number, line in lines:
        try:
            rules.append(RedirectRule.parse(number, line))
        except ValueError as error:
            problems.append(Problem(number, str(error)))
    return Redirects(rules), tuple(problems)


def _parse_source(word: str) -> Pattern:
    pattern = Pattern.parse(word)
    if "*" in word[:-1]:
        raise ValueError(f"in {word!r} a '*' stands before the end (a star itself is written %2A)")
    return pattern


def _parse_query_test(word: str) -> QueryTest:
    """Read ``name=value`` or ``name=:placeholder``."""
    name, equals, value = encode_query(word).partition("=")
    if not (name and equals):
        raise ValueError(f"{word!r} is neither a parameter, name=value, nor a target")
    capture = _CAPTURE.fullmatch(value)
    if capture:
        return QueryTest(_decode(name), None, capture[1])
    return QueryTest(_decode(name), _decode(value), "")


def _parse_status(words: list[str]) -> tuple[int, bool]:
    """Read what follows the target."""
    if not words:
        return 301, False
    match = _STATUS.fullmatch(words[0])
    foreign = words[1:] if match else words
    if foreign:
        what = "a condition that is not supported" if "=" in foreign[0] else "not expected there"
        raise ValueError(f"{foreign[0]!r} is {what}: behind the target only a status may stand")
    status = int(words[0].rstrip("!"))
    if status not in _REDIRECTIONS | _REWRITES:
        raise ValueError(
            f"{status} is not a status of a rule: those are 301, 302, 303, 307, 308, 200 and 404"
        )
    return status, words[0].endswith("!")


def _match_query(tests: tuple[QueryTest, ...], query: str) -> tuple[dict[str, str], str] | None:
    """Return what was captured of a query, and the rest of it; None where it is not what was asked for.

    A value comes back encoded as a part of one segment of a path.
    """
    if not tests:
        return {}, query
    parameters = [(pair, *pair.partition("=")[::2]) for pair in query.split("&", _MOST_PARAMETERS)]
    values = {_decode(name): _decode(value) for _, name, value in reversed(parameters)}
    for test in tests:
        if test.name not in values or test.value not in (None, values[test.name]):
            return None
    asked = {test.name for test in tests}
    rest = "&".join(pair for pair, name, _ in parameters if _decode(name) not in asked)
    return {test.placeholder: quote(values[test.name], safe="") for test in tests if test.placeholder}, rest


def _decode(text: str) -> bytes:
    """Decode a name or a value of a query, in which a plus is a blank."""
    return unquote_to_bytes(text.replace("+", " "))


def _is_same(location: str, path: RequestPath, query: str) -> bool:
    """Whether a client that follows the location asks for the same again; a fragment it does not send."""
    there, _, there_query = location.partition("#")[0].partition("?")
    return RequestPath.of(there).key == path.key and there_query == query
