"""What an outcome means beside its row: the verdicts, of one connection and of all segmentations together."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from conformance.client import Outcome
    from tests.conformance.rows import Row

AS_THE_ROW = "as the row says"
REFUSAL = "another refusal"
KEPT_AFTER_REFUSAL = "kept open after the refusal"
KEPT_AFTER_ANSWER = "kept open after the answer"
SERVED = "served what must be refused"
REFUSED = "refused what must be served"
EARLY = "closed before all was served"
WAITED = "left unanswered"
BODY = "another body than was sent"
OTHER = "another answer"
SEGMENTATION = "answers differ by segmentation"
CHOICE = "another choice"

FINE = {AS_THE_ROW, REFUSAL}
DIFFERENCES = [
    *(SERVED, REFUSED, EARLY, KEPT_AFTER_REFUSAL, KEPT_AFTER_ANSWER),
    *(WAITED, BODY, OTHER, SEGMENTATION),
]
VERDICTS = [AS_THE_ROW, REFUSAL, CHOICE, *DIFFERENCES]


class Result(NamedTuple):
    """What a server did with a row: the verdict, and in words what came."""

    verdict: str
    did: str


def wants_refusal(row: Row) -> bool:
    """Tell whether the row's last request must not be served; one that is not whole has no answer at all."""
    return not row.statuses or row.statuses[-1] >= 400


def statuses_of(row: Row, outcome: Outcome) -> tuple[int, ...]:
    """Leave out each 100 that RFC 9110, 10.1.1, lets a server send whether or not the body has come."""
    asked = b"100-continue" in row.sent.lower() and b" HTTP/1.1\r\n" in row.sent
    if asked and not row.later and not wants_refusal(row):
        return tuple(status for status in outcome.statuses if status != 100)
    return outcome.statuses


def verdict_of(row: Row, outcome: Outcome) -> str:
    """Judge one connection."""
    if outcome.oddity and not outcome.replies:
        return OTHER
    statuses = statuses_of(row, outcome)
    if wants_refusal(row):
        return _of_refusal(row, statuses, outcome.end)
    return _of_service(row, statuses, outcome)


def _of_refusal(row: Row, statuses: tuple[int, ...], end: str) -> str:
    good = tuple(status for status in row.statuses if status < 400)
    more = statuses[len(good) :]
    if statuses[: len(good)] != good:
        return _of_too_few(statuses, end)
    if not more:
        return _of_silence(row, end)
    if more[0] < 400:
        return SERVED if 200 <= more[0] < 300 else OTHER
    if len(more) > 1 or end == "open":
        return KEPT_AFTER_REFUSAL
    return AS_THE_ROW if list(statuses) == row.statuses else REFUSAL


def _of_silence(row: Row, end: str) -> str:
    if end == "open":
        return WAITED
    return REFUSAL if row.statuses else AS_THE_ROW


def _of_service(row: Row, statuses: tuple[int, ...], outcome: Outcome) -> str:
    wanted = (*row.statuses, *([200] * row.stays))
    if statuses == wanted:
        return _of_wanted(row, outcome)
    if any(status >= 400 for status in statuses) or statuses == wanted[: len(statuses)]:
        return _of_too_few(statuses, outcome.end)
    return SERVED if statuses[: len(wanted)] == wanted else OTHER


def _of_wanted(row: Row, outcome: Outcome) -> str:
    if outcome.oddity:
        return OTHER
    if outcome.end == "open":
        return KEPT_AFTER_ANSWER
    return AS_THE_ROW if _bodies_are_right(row, outcome) else BODY


def _of_too_few(statuses: tuple[int, ...], end: str) -> str:
    """Tell why good requests have no good answers."""
    if any(status >= 400 for status in statuses):
        return REFUSED
    return WAITED if end == "open" else EARLY


def _bodies_are_right(row: Row, outcome: Outcome) -> bool:
    """Compare what the application got, where it says so; nginx has none that could."""
    if row.bodies is None:
        return True
    got = [reply.body for reply in outcome.replies if reply.status >= 200]
    return None in got or got == row.bodies + [b""] * row.stays


def judge(row: Row, outcomes: dict[str, Outcome]) -> Result:
    """Judge a row by all its segmentations."""
    verdicts = [verdict_of(row, outcome) for outcome in outcomes.values()]
    did = describe(row, outcomes)
    if set(verdicts) == {AS_THE_ROW}:
        return Result(AS_THE_ROW, did)
    if set(verdicts) <= FINE:
        return Result(REFUSAL, did)
    if len(set(verdicts)) > 1 or (verdicts[0] != SERVED and len(_ends(row, outcomes)) > 1):
        return Result(SEGMENTATION, did)
    return Result(CHOICE if row.is_choice else verdicts[0], did)


def _ends(row: Row, outcomes: dict[str, Outcome]) -> set[tuple[tuple[int, ...], bool]]:
    return {(statuses_of(row, outcome), outcome.end == "open") for outcome in outcomes.values()}


def describe(row: Row, outcomes: dict[str, Outcome]) -> str:
    """Say what came; where it depends on the segmentation, what came of which."""
    said = {name: _words(statuses_of(row, outcome), outcome) for name, outcome in outcomes.items()}
    counted = Counter(said.values()).most_common()
    if len(counted) == 1:
        return counted[0][0]
    return "; ".join(
        f"{words} ({count} of {len(said)}: {next(name for name, its in said.items() if its == words)}"
        f"{', ...' if count > 1 else ''})"
        for words, count in counted
    )


def _words(statuses: tuple[int, ...], outcome: Outcome) -> str:
    """Say what came on one connection, a reset being an end like another."""
    runs = [(status, len(list(run))) for status, run in groupby(statuses)]
    words = [
        f"{status} x {count}" if count > 3 else ", ".join([str(status)] * count) for status, count in runs
    ]
    if outcome.oddity and not (outcome.end == "unknown" and outcome.oddity == "not whole"):
        words.append(outcome.oddity if words else "bytes that are no answer of HTTP/1")
    ends = {"open": ["left open"], "unknown": []}
    return ", ".join([*(words or ["no answer"]), *ends.get(outcome.end, ["closed"])])
