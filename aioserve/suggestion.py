"""The word that somebody probably meant.

This file alone decides how near is near enough, for keys, attributes and modules alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Format the nearest known word as `` (did you mean 'this'?)``; empty where nothing is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - most words are right

    nearest = get_close_matches(word, sorted(known), n=1)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""
