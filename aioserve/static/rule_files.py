"""The rules that stand in a folder itself: its files ``_headers`` and ``_redirects``.

This file decides when they are read: when they are first needed, and again as soon as they have changed. As
long as a change is so recent that another one could go unnoticed, they are read each time. A file that cannot
be read as a whole counts as if it were not there, and so does each line that is wrong; either is said once.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from aioserve.static.header_fields import parse_header_file
from aioserve.static.patterns import MAX_CHARACTERS, Problem
from aioserve.static.redirects import Redirects, parse_redirects
from aioserve.static.tree import Found
from aioserve.static.watch import is_settled, signature_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.static.header_fields import HeaderRule
    from aioserve.static.tree import FileTree
    from aioserve.static.watch import Signature

T = TypeVar("T")

_MOST_BYTES = 4 * MAX_CHARACTERS
_SHOWN = 10  # problems of a file that are told

logger = logging.getLogger(__name__)


class RuleFiles:
    """Reads the rules of one folder.

    Args:
        tree: the folder.
        root: its name, for messages.
    """

    def __init__(self, tree: FileTree, root: str) -> None:
        no_rules: tuple[HeaderRule, ...] = ()
        self._headers = _RuleFile(tree, root, b"_headers", parse_header_file, no_rules)
        self._redirects = _RuleFile(tree, root, b"_redirects", parse_redirects, Redirects())
        #: where they are, or would be
        self.paths = tuple(tree.place_of(names) for names in ((b"_headers",), (b"_redirects",)))

    def headers(self) -> tuple[HeaderRule, ...]:
        """Return the rules about header fields, as they are now."""
        return self._headers.read()

    def redirects(self) -> Redirects:
        """Return the rules about redirects, as they are now."""
        return self._redirects.read()

    def problems(self) -> list[str]:
        """Return what is wrong with either file, a sentence each, for whoever says it himself."""
        self._headers.read(is_told=False)
        self._redirects.read(is_told=False)
        return [*self._headers.problems, *self._redirects.problems]


class _RuleFile(Generic[T]):
    def __init__(
        self,
        tree: FileTree,
        root: str,
        name: bytes,
        parse: Callable[[str], tuple[T, tuple[Problem, ...]]],
        nothing: T,
    ) -> None:
        self._tree = tree
        self._names = (name,)
        self._title = f"{root.rstrip('/')}/{name.decode('ascii')}"
        self._parse = parse
        self._nothing = self._rules = nothing
        self._signature: Signature | tuple[()] | None = None  # empty where it says too little
        self.problems: list[str] = []

    def read(self, *, is_told: bool = True) -> T:
        before = self.problems
        self._refresh()
        if is_told and self.problems != before:
            for problem in self.problems[:_SHOWN]:
                logger.warning("%s", problem)
            if len(self.problems) > _SHOWN:
                logger.warning("%s: and %d more", self._title, len(self.problems) - _SHOWN)
        return self._rules

    def _refresh(self) -> None:
        status = status_of(self._tree.place_of(self._names))
        if (None if status is None else signature_of(status)) != self._signature:
            found = self._tree.open(self._names)
            if isinstance(found, Found):
                can_tell = is_settled(found.status, time.time_ns())
                self._signature = signature_of(found.status) if can_tell else ()
                with found.file:
                    self._take(*self._parse_file(found))
            else:
                self._signature = None
                self._take(self._nothing, ())

    def _parse_file(self, found: Found) -> tuple[T, tuple[Problem, ...]]:
        content = found.file.read(_MOST_BYTES + 1)
        is_cut = len(content) > _MOST_BYTES
        try:
            text = content.decode("utf-8", "replace" if is_cut else "strict")
        except UnicodeDecodeError:
            return self._nothing, (Problem(1, "the file is not UTF-8, and is not used"),)
        return self._parse(text)

    def _take(self, rules: T, problems: tuple[Problem, ...]) -> None:
        self._rules = rules
        self.problems = [f"{self._title}, line {one.line}: {one.sentence}" for one in problems]
