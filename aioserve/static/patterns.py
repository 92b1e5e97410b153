"""The paths that rules are about: patterns with ``*`` and ``:name``, and how a request's path meets them.

This file alone decides whether a path falls under a rule, and which lines of a file with rules say something.
Paths are compared by what they mean: two spellings that name the same file fall under the same rules, and an
encoded slash is no slash. A slash at the end makes no difference, neither in the path nor in the pattern.

A pattern is taken apart at its stars, and each part is looked for once, from left to right. What was found is
never given up for something further right, so the time is bounded by the length of the path times that of
the pattern. A regular expression was rejected: 10,000 of them take a second to compile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CHARACTERS = 1_048_576  # of a file with rules
MAX_LINES = 10_000  # of it that say something

_LONGEST = 1_024  # characters of a pattern
_MOST = 16  # stars and placeholders in it

# What a path may hold unencoded: `pchar` and the slash (RFC 3986 §3.3), here without "%".
_PLAIN = r"A-Za-z0-9\-._~!$&'()*+,;=:@/"
_ALL_PLAIN = re.compile(rf"[{_PLAIN}]*+")
_NOT_PLAIN = re.compile(rf"%(?![0-9A-Fa-f]{{2}})|[^%{_PLAIN}]")
_UNIT = re.compile(r"%..|.")

# Stands for "%2F" in what is compared; no other byte becomes it.
_ENCODED_SLASH = "\u2215"

_VARIABLE = re.compile(r"(\*++|(?<=/):[^/]*+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
_SAYS_SOMETHING = re.compile(r"[ \t]*+[^# \t]")


@dataclass(frozen=True, slots=True)
class Problem:
    """A line of a file with rules that is not used, and why.

    Attributes:
        line: its number, from 1.
        sentence: what is wrong with it, for whoever wrote the file; without a full stop.
    """

    line: int
    sentence: str


def split_rule_lines(text: str) -> tuple[list[tuple[int, str]], list[Problem]]:
    """Return the lines that are neither blank nor a comment, with their numbers and without blanks behind.

    Of a file with too many lines the first are returned, of one that is too long none, with a problem.
    """
    if len(text) > MAX_CHARACTERS:
        return [], [Problem(1, f"the file has more than {MAX_CHARACTERS:,} characters: no rule is used")]
    lines = enumerate(text.removeprefix("\ufeff").split("\n"), 1)
    stripped = ((number, line.rstrip(" \t\r")) for number, line in lines)
    rules = [(number, line) for number, line in stripped if _SAYS_SOMETHING.match(line)]
    if len(rules) <= MAX_LINES:
        return rules, []
    sentence = f"there are more than {MAX_LINES:,} lines with rules: this one and those below are not used"
    return rules[:MAX_LINES], [Problem(rules[MAX_LINES][0], sentence)]


def encode_path(path: str) -> str:
    """Percent-encode whatever a path may not hold as it is (RFC 3986 §3.3); encodings in it are kept.

    The result has no control characters, no backslashes, no ``?`` and no ``#``, and is ASCII.
    """
    return _NOT_PLAIN.sub(lambda match: quote(match[0], safe="", errors="replace"), path)


@dataclass(frozen=True, slots=True)
class RequestPath:
    """The path of a request, ready to be compared with any number of patterns.

    Attributes:
        key: what it means, a character for each byte.
        units: how each of these characters was written.
    """

    key: str
    units: Sequence[str]

    @classmethod
    def of(cls, path: str) -> RequestPath:
        """Read a path as it stands in a request target, percent-encoded and without the query."""
        if _ALL_PLAIN.fullmatch(path):
            return cls(path, path)
        units = tuple(_UNIT.findall(encode_path(path)))
        return cls("".join(map(_meaning_of, units)), units)

    @property
    def stem(self) -> str:
        """What is compared where nothing in a pattern is variable: the key without a slash at its end."""
        return self.key.removesuffix("/")


def _meaning_of(unit: str) -> str:
    if len(unit) == 1:
        return unit
    return chr(int(unit[1:], 16)).replace("/", _ENCODED_SLASH)


_Spans = dict[str, slice]


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two stars: fixed text, each piece but the last with a placeholder behind it.

    A placeholder goes on until the next slash, so a part that begins further left also ends no further right:
    the first that is found leaves the most for the parts behind.
    """

    pieces: tuple[tuple[str, str], ...]  # text, and the name of the placeholder behind it or ""
    is_last: bool

    def match(self, key: str, start: int) -> _Spans | None:
        """Return where the placeholders lie, and under "" the whole, of this part at ``start``."""
        spans, at = {}, start
        for text, name in self.pieces:
            if not key.startswith(text, at):
                return None
            at += len(text)
            if name:
                slash = key.find("/", at)
                end = len(key) if slash < 0 else slash
                if end == at:
                    return None
                spans[name] = slice(at, end)
                at = end
        spans[""] = slice(start, at)
        return None if self.is_last and at < len(key) else spans

    def search(self, key: str, start: int) -> _Spans | None:
        """Look for the part from ``start`` on."""
        text = self.pieces[0][0]
        if self.is_last and len(self.pieces) == 1:
            start = max(start, len(key) - len(text))
        while (start := key.find(text, start)) >= 0:
            if (spans := self.match(key, start)) is not None:
                return spans
            start += 1
        return None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path in which ``*`` stands for anything, also nothing, and ``:name`` for a segment that is not empty.

    Attributes:
        text: the pattern as it was written.
        stem: how every path that matches begins; all of it where nothing is variable.
        names: what can be captured: the names of the placeholders, and ``splat`` where there is a star.
    """

    text: str
    stem: str
    names: frozenset[str]
    _parts: tuple[_Part, ...]

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern.

        Raises:
            ValueError: it is none; the message is a sentence for whoever wrote it.
        """
        _must_be_path(text)
        pieces = _VARIABLE.split(text.removesuffix("/"))
        variables = pieces[1::2]
        parts: list[list[tuple[str, str]]] = [[]]
        for piece, variable in zip_longest(pieces[::2], variables, fillvalue=""):
            parts[-1].append((RequestPath.of(piece).key, variable[1:] if variable.startswith(":") else ""))
            if variable.startswith("*"):
                parts.append([])
        return cls(
            text,
            RequestPath.of(pieces[0]).stem,
            _read_names(text, variables),
            tuple(_Part(tuple(part), part is parts[-1]) for part in parts),
        )

    @property
    def is_exact(self) -> bool:
        """Whether nothing in it is variable, so that it matches just the paths with the same stem."""
        return not self.names

    def match(self, path: RequestPath) -> dict[str, str] | None:
        """Return what placeholders and the last star stand for, as it was written; None for another path."""
        if not path.key.startswith(self.stem):
            return None
        spans = self._match(path.key)
        if spans is None:
            spans = self._match(path.stem if path.key.endswith("/") else f"{path.key}/")
        if spans is None:
            return None
        return {name: "".join(path.units[span]) for name, span in spans.items()}

    def _match(self, key: str) -> _Spans | None:
        spans, end = {}, 0
        for part in self._parts:
            found = part.match(key, 0) if part is self._parts[0] else part.search(key, end)
            if found is None:
                return None
            whole = found.pop("")
            if part is not self._parts[0]:
                spans["splat"] = slice(end, whole.start)
            spans |= found
            end = whole.stop
        return spans


def _must_be_path(text: str) -> None:
    if not text.startswith("/"):
        raise ValueError(f"{text!r} is not a path of this site: it does not begin with '/'")
    if len(text) > _LONGEST:
        raise ValueError(f"the path is longer than {_LONGEST:,} characters")
    if "//" in text:
        raise ValueError(f"{text!r} has an empty segment, and no file has such a path")
    if "?" in text or "#" in text:
        raise ValueError(f"{text!r} is more than a path: it holds a query or a fragment")


def _read_names(text: str, variables: list[str]) -> frozenset[str]:
    """Check the stars and placeholders of a pattern, and name what they capture."""
    names = [variable[1:] for variable in variables if variable.startswith(":")]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"':{name}' in {text!r} is no placeholder: that is a colon and a name of letters, digits and"
                " '_', from one slash to the next (a colon itself is written %3A)"
            )
    if len(variables) > _MOST:
        raise ValueError(f"{text!r} has more than {_MOST} stars and placeholders")
    if len(names) < len(variables):
        names.append("splat")
    if len(set(names)) < len(names):
        raise ValueError(f"{text!r} uses the same name twice")
    return frozenset(names)
