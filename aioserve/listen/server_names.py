"""Which certificate belongs to the name that a client asks for.

This file decides how names are compared (RFC 6066 §3, RFC 9525 §6.3): without regard to case, and a ``*`` is
the whole left-most label of exactly one name. A name that is no text is nobody's, and is not worth a line in
the log for each client that sends one.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    T = TypeVar("T")

logger = logging.getLogger(__name__)


def index_names(entries: Iterable[tuple[Iterable[str], T]]) -> dict[str, T]:
    """Make the table of names; of two entries with the same one the first has it.

    Args:
        entries: names in lower case, and what they stand for.
    """
    table: dict[str, T] = {}
    for names, value in entries:
        for name in names:
            table.setdefault(name, value)
    return table


def find_name(table: dict[str, T], name: str) -> T | None:
    """Look up the name that a client sent: first as it is, then with a ``*`` for its first label."""
    name = name.lower().removesuffix(".")  # some send the dot, which RFC 6066 §3 leaves out
    found = table.get(name)
    if found is None:
        # An A-label is compared as a whole, so that *.example stands for xn--caf-dma.example too.
        first, _, rest = name.partition(".")
        if first and rest:
            found = table.get(f"*.{rest}")
    return found


class BadNamesHook:
    """Keeps names that are not ASCII from the standard error, in place of ``sys.unraisablehook``.

    Python decodes a name before it calls us, and where that fails it writes four lines for each handshake,
    which then fails. Whoever sends such names could fill the disk of the log.
    """

    def __init__(self) -> None:
        self._before = sys.unraisablehook

    def install(self) -> None:
        """Hear of exceptions that nobody can catch, in place of whoever does."""
        self._before, sys.unraisablehook = sys.unraisablehook, self

    def remove(self) -> None:
        """Leave things as they were, unless somebody has come after us."""
        if sys.unraisablehook is self:
            sys.unraisablehook = self._before

    def __call__(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Hear of one; what is reported of a name is the bytes that could not be decoded."""
        error = unraisable.exc_value
        if isinstance(error, UnicodeDecodeError) and error.object == unraisable.object:
            logger.debug("a client asks for a name that is none: %r", unraisable.object)
        else:
            self._before(unraisable)
