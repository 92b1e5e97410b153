"""Counts the steps of matching a pattern, so that a test can say "linear" without a clock.

The matcher walks the tree that `re` compiles and tries what `re` tries, in its order: it is slow, and its
count grows as the time of the real one does. `test_steps.py` compares the two.
"""

from __future__ import annotations

from re import _constants as code
from re import _parser


class Steps:
    """Matches one pattern at the beginning of one input, and counts.

    Attributes:
        end: where the match ends, or None.
        count: how many characters, sets and repeats were tried.
    """

    def __init__(self, pattern, data):
        self._data = data
        self.count = 0
        self.end = next(self._all(tuple(_parser.parse(pattern.pattern, pattern.flags)), 0), None)

    def _all(self, items, at):
        """Yield where a sequence may end, the best first."""
        if not items:
            yield at
            return
        (name, detail), *rest = items
        for middle in self._one(name, detail, at):
            yield from self._all(rest, middle)

    def _one(self, name, detail, at):
        self.count += 1
        if name is code.SUBPATTERN:
            yield from self._all(tuple(detail[-1]), at)
        elif name is code.BRANCH:
            for choice in detail[1]:
                yield from self._all(tuple(choice), at)
        elif name is code.POSSESSIVE_REPEAT:
            yield from self._repeat_for_good(*detail, at)
        elif name is code.MAX_REPEAT:
            yield from self._repeat(*detail, at)
        elif at < len(self._data) and _is_among(self._data[at : at + 1], name, detail):
            yield at + 1

    def _repeat(self, least, most, items, at):
        if most:
            for middle in self._all(tuple(items), at):
                yield from self._repeat(max(least - 1, 0), most - 1, items, middle)
        if not least:
            yield at

    def _repeat_for_good(self, least, most, items, at):
        times = 0
        while times < most and (end := next(self._all(tuple(items), at), None)) is not None:
            at = end
            times += 1
        if times >= least:
            yield at


def _is_among(char, name, detail):
    number = ord(char)
    match name:
        case code.LITERAL:
            return number == detail
        case code.NOT_LITERAL:
            return number != detail
        case code.RANGE:
            return detail[0] <= number <= detail[1]
        case code.IN:
            is_negated = detail[0][0] is code.NEGATE
            return is_negated != any(_is_among(char, *part) for part in detail[is_negated:])
    raise NotImplementedError(f"{name} is in no pattern yet")


def repeats_of(pattern):
    """Yield every repeat of a pattern whose number is not fixed, by its name."""
    yield from _repeats(_parser.parse(pattern.pattern, pattern.flags))


def _repeats(tree):
    if isinstance(tree, _parser.SubPattern | list | tuple):
        if len(tree) == 2 and tree[0] in (code.MAX_REPEAT, code.MIN_REPEAT, code.POSSESSIVE_REPEAT):
            least, most, _ = tree[1]
            if least != most:
                yield str(tree[0])
        for part in tree:
            yield from _repeats(part)
