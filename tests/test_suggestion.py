from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.suggestion import did_you_mean


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("Handlr", ["Handler", "Other"], " (did you mean 'Handler'?)"),
        ("keepalive", {"keep-alive": 1, "port": 2}, " (did you mean 'keep-alive'?)"),
        ("PORT", ["port", "ports"], " (did you mean 'port'?)"),
        ("Keep-Alive", ["KEEPER", "keep-alive"], " (did you mean 'keep-alive'?)"),
        ("HANDLr", ["handler", "Handler", "HANDLER"], " (did you mean 'HANDLER'?)"),
        ("zzz", ["Handler"], ""),
        ("Handler", [], ""),
    ],
    ids=[
        "a letter left out",
        "a hyphen left out",
        "capitals",
        "some capitals",
        "which capitals",
        "nothing is near",
        "nothing is known",
    ],
)
def test_nearest_known_word_is_suggested(word, known, said):
    assert did_you_mean(word, known) == said


@given(st.text(), st.lists(st.text(), max_size=5))
def test_only_known_words_are_suggested(word, known):
    said = did_you_mean(word, known)

    assert not said or any(repr(one) in said for one in known)
