"""The counting matcher matches what `re` does, and tells a linear pattern from one that is not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.steps import Steps, repeats_of

PATTERNS = [
    r"abc",
    r"a*b",
    r"(?:ab|a)(?:c|bc)*+",
    r"a{2}b{1,2}+",
    r"[^a]++[a-b]?c",
    r"(a*+b|a)*+c?+",
    r"[^ab]",
    r"(?:ab?)*b",
]


@pytest.mark.parametrize("pattern", [re.compile(pattern) for pattern in PATTERNS])
@given(st.text("abc", max_size=8))
def test_it_matches_what_re_matches(pattern, text):
    match = pattern.match(text)

    assert Steps(pattern, text).end == (match.end() if match else None)
    assert Steps(re.compile(pattern.pattern.encode()), text.encode()).end == Steps(pattern, text).end


@pytest.mark.parametrize(
    ("reason", "pattern", "is_linear"),
    [
        ("nothing is tried again", r"a*+b", True),
        ("each length is tried, and seen to be wrong at once", r"a*b", True),
        ("each length of the first is tried with each of the second", r"a*a*b", False),
        ("possessive, but what one choice has seen the other sees again", r"(?:a*+b|a)*+", False),
    ],
)
def test_it_tells_what_is_linear(reason, pattern, is_linear):
    few, many = (Steps(re.compile(pattern), "a" * size).count for size in (50, 100))

    assert (many < 2.2 * few) is is_linear, reason


def test_it_knows_the_repeats():
    assert list(repeats_of(re.compile(r"(?:a*|b+?)c{2}(d?+)"))) == [
        "MAX_REPEAT",
        "MIN_REPEAT",
        "POSSESSIVE_REPEAT",
    ]


def test_it_refuses_what_it_does_not_know():
    with pytest.raises(NotImplementedError, match=r"^CATEGORY is in no pattern yet$"):
        Steps(re.compile(r"\d"), "1")
