"""Which paths are busy or slow, and what went wrong last.

This file decides what a worker remembers of its requests for those who look on, within bounds that clients
cannot move: a table of paths that forgets the rarest, and the last errors. Foreign text is escaped and
shortened before anybody is told. What is reported is counted from the start of the worker.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections import deque
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from aioserve.escaping import escape_controls, escape_line
from aioserve.observe.snapshot import ErrorSnapshot, PathSnapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from aioserve.observe.access import AccessRecord

KEPT = 200
"""Paths that a table keeps; it grows to the double, so that forgetting is for many requests at once."""

_SLOW_KEPT = 20  # paths that stay for how slow they were, however rare they are
_REPORTED = 60  # paths that the parent is told of
_SHOWN = 30  # and those who look on
_ERRORS = 20
_LONGEST = 120  # characters of a path
_LONGEST_TEXT = 200  # of an exception's last line
_UNCLAIMED = 64  # exceptions whose request has not ended yet

_COUNT, _SECONDS, _SLOWEST, _FLOOR = range(4)


class PathTable:
    """Counts, by path, of the most frequent ones.

    A path that is new when others have been forgotten may be one of those: it ranks as if it had been asked
    for as often as they at most, so that it can grow old here, while what is told is what has been counted.
    """

    def __init__(self) -> None:
        self._rows: dict[str, list[float]] = {}
        self._floor = 0.0  # how often one that was forgotten had been asked for, at most

    def add(self, path: str, requests: float, seconds: float, slowest: float) -> None:
        """Count requests for a path."""
        row = self._rows.get(path)
        if row is None:
            if len(self._rows) >= 2 * KEPT:
                self._forget()
            self._rows[path] = [requests, seconds, slowest, self._floor]
            return
        row[_COUNT] += requests
        row[_SECONDS] += seconds
        row[_SLOWEST] = max(row[_SLOWEST], slowest)

    def top(self, number: int) -> list[PathSnapshot]:
        """Return the busiest paths, and behind them those that are slow and not among them."""
        rows = sorted(self._rows.items(), key=lambda item: -item[1][_COUNT])
        slow = sorted(rows[number:], key=lambda item: -item[1][_SLOWEST])[:_SLOW_KEPT]
        return [
            PathSnapshot(path, int(row[_COUNT]), row[_SECONDS], row[_SLOWEST])
            for path, row in rows[:number] + slow
        ]

    def _forget(self) -> None:
        rows = sorted(self._rows.items(), key=lambda item: -(item[1][_COUNT] + item[1][_FLOOR]))
        kept, rest = rows[: KEPT - _SLOW_KEPT], rows[KEPT - _SLOW_KEPT :]
        rest.sort(key=lambda item: -item[1][_SLOWEST])
        self._rows = dict(kept + rest[:_SLOW_KEPT])
        self._floor = max(row[_COUNT] + row[_FLOOR] for _, row in rest[_SLOW_KEPT:])


class Report(NamedTuple):
    """What one worker tells.

    Attributes:
        pid: of its process.
        paths: the busiest and the slowest.
        errors: the last, the newest first.
    """

    pid: int
    paths: tuple[PathSnapshot, ...]
    errors: tuple[ErrorSnapshot, ...]

    def to_line(self) -> bytes:
        """Write it as JSON: 20 KB at most, as texts are short."""
        paths = [[each.path, each.requests, each.seconds, each.slowest] for each in self.paths]
        errors = [[each.time, each.status, each.request, each.text] for each in self.errors]
        return json.dumps([self.pid, paths, errors], separators=(",", ":")).encode("ascii")

    @classmethod
    def from_line(cls, line: bytes) -> Report:
        """Read what `to_line` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            pid, paths, errors = json.loads(line)
            return cls(
                pid,
                tuple(PathSnapshot(*each) for each in paths),
                tuple(ErrorSnapshot(*each) for each in errors),
            )
        except TypeError as error:
            raise ValueError(f"this is no report: {error}") from None


class Tally:
    """Remembers what a worker answers; called with each `AccessRecord`.

    Attributes:
        errors: the log handler by which exceptions come to the errors that they have caused.
    """

    def __init__(self) -> None:
        self.errors = ExceptionTexts()
        self._table = PathTable()
        self._last: deque[ErrorSnapshot] = deque(maxlen=_ERRORS)

    def __call__(self, record: AccessRecord) -> None:
        """Count a request, and keep it if it went wrong."""
        message = record.message
        if message is None:
            return
        path, _, _ = message.path.partition("?")
        # Escaped when it is reported: here that would be for every request.
        self._table.add(path[:_LONGEST], 1, record.duration, record.duration)
        text = self.errors.claim(message) if self.errors.has_any else ""
        if record.status >= 500 or text:
            request = f"{_shorten(escape_line(message.method), 20)} {_escape_path(path)}"
            self._last.append(ErrorSnapshot(record.started + record.duration, record.status, request, text))

    def report(self, pid: int) -> Report:
        """Tell what there is to tell."""
        paths = (replace(each, path=_escape_path(each.path)) for each in self._table.top(_REPORTED))
        return Report(pid, tuple(paths), tuple(reversed(self._last)))


class ExceptionTexts(logging.Handler):
    """Keeps the last lines of exceptions that are logged with their request, until that is over."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._texts: dict[int, tuple[object, str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception, if there is one, of the request, if that is what the message is about."""
        error = record.exc_info[1] if record.exc_info else None
        request = getattr(record, "request", None)
        if error is None or request is None:
            return
        while len(self._texts) >= _UNCLAIMED:  # the access log does not come for all: connections break
            del self._texts[next(iter(self._texts))]
        # The request is kept as well: as long as it is there nothing else has its number.
        self._texts[id(request)] = request, _last_line(error)

    @property
    def has_any(self) -> bool:
        """Whether there are any."""
        return bool(self._texts)

    def claim(self, request: object) -> str:
        """Return what was logged of a request, once; empty where that is nothing."""
        return self._texts.pop(id(request), (None, ""))[1]


class Collected:
    """The reports of all workers together."""

    def __init__(self) -> None:
        self._reports: dict[int, Report] = {}
        self._past = PathTable()
        self._past_errors: tuple[ErrorSnapshot, ...] = ()

    def take(self, report: Report) -> None:
        """Take a worker's latest report."""
        self._reports[report.pid] = report

    def settle(self, alive: Collection[int]) -> None:
        """Keep what those have told that are there no more."""
        for pid in [*self._reports]:
            if pid not in alive:
                gone = self._reports.pop(pid)
                _add_all(self._past, gone.paths)
                self._past_errors = _latest(self._past_errors, gone.errors)

    @property
    def paths(self) -> tuple[PathSnapshot, ...]:
        """The busiest paths and the slowest ones."""
        whole = PathTable()
        _add_all(whole, self._past.top(KEPT))
        for report in self._reports.values():
            _add_all(whole, report.paths)
        return tuple(whole.top(_SHOWN))

    @property
    def errors(self) -> tuple[ErrorSnapshot, ...]:
        """The last errors, the newest first."""
        return _latest(self._past_errors, *(report.errors for report in self._reports.values()))


def _add_all(table: PathTable, paths: Iterable[PathSnapshot]) -> None:
    for each in paths:
        table.add(each.path, each.requests, each.seconds, each.slowest)


def _latest(*several: tuple[ErrorSnapshot, ...]) -> tuple[ErrorSnapshot, ...]:
    every = [(each.time, each) for errors in several for each in errors]
    every.sort(key=itemgetter(0), reverse=True)
    return tuple(each for _, each in every[:_ERRORS])


def _last_line(error: BaseException) -> str:
    try:
        lines: list[Any] = "".join(traceback.format_exception_only(error)).strip().splitlines()
        return _shorten(escape_controls(lines[-1]).replace("\t", " "), _LONGEST_TEXT)
    except Exception:  # noqa: BLE001 - an exception's text is anybody's code
        return type(error).__name__


def _escape_path(path: str) -> str:
    return _shorten(escape_line(path[:_LONGEST]), _LONGEST)


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
