"""Whether an answer is the one that a row wants, and in words what of it is not."""

from __future__ import annotations

import json
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tests.semantics.byteranges import parse_byteranges
from tests.semantics.client import Answer, Failure
from tests.semantics.rows.row import Coded, Json, Lacks, Lists, NotAfterDate, Parts, Unlike
from tests.semantics.site import CANARY, DECODERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.semantics.rows import Request, Row, Want
    from tests.semantics.rows.row import Content, Expected

_DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")

AS_THE_ROW, CHOICE, NOT = "as the row", "another choice", "not"


def verdict_of(row: Row, answer: Answer | Failure, fill: Callable[[str], str]) -> tuple[str, str]:
    """Return the verdict, and what is different from the row's first answer."""
    complaints = list(complaints_of(row.wants[0], answer, fill))
    if not complaints:
        return AS_THE_ROW, ""
    chosen = any(not list(complaints_of(other, answer, fill)) for other in row.wants[1:])
    return CHOICE if chosen else NOT, "; ".join(complaints)


def complaints_of(want: Want, answer: Answer | Failure, fill: Callable[[str], str]) -> Iterator[str]:
    """Say what an answer lacks to be the one that is wanted."""
    if isinstance(answer, Failure):
        yield f"no answer ({answer.reason})"
        return
    if answer.status != want.status:
        yield str(answer.status)
        return
    for name, expected in want.fields.items():
        value = answer.field(name)
        if not is_as_expected(expected, value, answer, fill):
            yield f"{name} {'absent' if value is None else f'`{value}`'}"
    if complaint := complaint_about(want.content, answer):
        yield complaint


def is_as_expected(expected: Expected, value: str | None, answer: Answer, fill: Callable[[str], str]) -> bool:
    """Compare the value of one header field."""
    if expected is None or value is None:
        return expected is value
    match expected:
        case str():
            return value == fill(expected)
        case re.Pattern():
            return expected.fullmatch(value) is not None
        case Lists(members):
            listed = {one.strip().lower() for one in value.split(",")}
            return "*" in listed or all(member.lower() in listed for member in members)
        case Unlike(text):
            return value != fill(text)
        case NotAfterDate():
            return parsedate_to_datetime(value) <= parsedate_to_datetime(answer.field("date"))


def complaint_about(content: Content, answer: Answer) -> str:  # noqa: PLR0911 - one for each kind
    """Say what is wrong with a body, or nothing."""
    body = answer.body
    match content:
        case None:
            return ""
        case bytes():
            return "" if body == content else f"another body of {len(body)} bytes"
        case re.Pattern():
            return "" if content.search(body) else "a body that lacks something"
        case Lacks(unwanted):
            return "a body with what must not be in it" if any(one in body for one in unwanted) else ""
        case Coded(coding, plain):
            return complaint_about_coding(coding, plain, answer)
        case Parts():
            return complaint_about_parts(content, answer)
        case Json(wanted, unwanted):
            return complaint_about_json(wanted, unwanted, body)


def complaint_about_coding(coding: str, plain: bytes, answer: Answer) -> str:
    """Undo a coding and compare."""
    if answer.field("content-encoding") != coding:
        return f"not coded by {coding}"
    try:
        decoded = DECODERS[coding](answer.body)
    except Exception as error:  # noqa: BLE001 - each library has its own
        return f"no {coding}: {error}"
    return "" if decoded == plain else "another body, decoded"


def complaint_about_json(wanted: tuple[str, ...], unwanted: tuple[str, ...], body: bytes) -> str:
    """Look for texts anywhere in a JSON text."""
    try:
        found = set(texts_of(json.loads(body)))
    except ValueError as error:
        return f"no JSON: {error}"
    missing = [text for text in wanted if text not in found]
    more = [text for text in unwanted if text in found]
    return f"JSON without {missing} and with {more}" if missing or more else ""


def texts_of(value: object) -> Iterator[str]:
    """Yield every text in a JSON value."""
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from texts_of(one)
        case dict():
            yield from texts_of([*value, *value.values()])


def complaint_about_parts(parts: Parts, answer: Answer) -> str:
    """Compare each part of a multipart body with the range that it is of."""
    try:
        found = parse_byteranges(answer.field("content-type") or "", answer.body)
    except ValueError as error:
        return str(error)
    for part in found:
        if part.size != len(parts.content):
            return f"a part of {part.size} bytes"
        if essence_of(part.media_type) != essence_of(parts.media_type):
            return f"Content-Type `{part.media_type}` in a part"
        if part.content != parts.content[part.first : part.last + 1]:
            return f"other bytes in the part {part.first}-{part.last}"
    ranges = tuple((part.first, part.last) for part in found)
    return "" if ranges == parts.ranges else f"the parts {ranges}"


def essence_of(media_type: str) -> str:
    """Leave out the parameters."""
    return media_type.partition(";")[0].strip().lower()


# What holds for every answer, whatever is asked: the rule, and when it is kept.
RULES: dict[str, Callable[[Request, Answer], object]] = {
    "9110 6.6.1: a date": lambda _, answer: _DATE.fullmatch(answer.field("date") or ""),
    "9110 9.3.2: HEAD has no content": lambda request, answer: request.method != "HEAD" or not answer.body,
    "9110 15.3.5: 204 has no length": lambda _, answer: (
        answer.status != 204 or answer.field("content-length") is None
    ),
    "9110 15.4.5: 304 has no content": lambda _, answer: answer.status != 304 or not answer.body,
    "9110 15.5.6: 405 says what is allowed": lambda _, answer: answer.status != 405 or answer.field("allow"),
    "9110 15.5.17: 416 says how long the file is": lambda _, answer: (
        answer.status != 416 or answer.field("content-range")
    ),
    "9110 8.3: content has a type": lambda _, answer: not answer.body or answer.field("content-type"),
    "9110 15.5: an error explains itself": lambda request, answer: (
        answer.status < 400 or answer.body or request.method == "HEAD"
    ),
    "a redirection stays here, or goes where a rule says": lambda _, answer: re.match(
        r"/(?![/\\])|https://example\.org/", answer.field("location") or "/"
    ),
}


def broken_rules(request: Request, answer: Answer) -> list[str]:
    """Name the rules of every answer that this one breaks."""
    return [rule for rule, is_kept in RULES.items() if not is_kept(request, answer)]


def leaks(answer: Answer) -> bool:
    """Tell whether a byte of what is outside came."""
    return CANARY in answer.body or b"root:" in answer.body
