"""The word that somebody probably meant.

This file alone decides how near is near enough, for keys, attributes and modules alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Format the nearest known word as `` (did you mean 'this'?)``; empty where nothing is near.

    Capitals make no word another one, but of words that differ in them alone the nearest is meant.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - most words are right

    folded: dict[str, list[str]] = {}
    for each in sorted(known):
        folded.setdefault(each.casefold(), []).append(each)
    nearest = get_close_matches(word.casefold(), folded, n=1)
    if not nearest:
        return ""
    (meant,) = get_close_matches(word, folded[nearest[0]], n=1, cutoff=0.0)
    return f" (did you mean {meant!r}?)"
