"""Conditional requests: may the method be carried out, and on which bytes (RFC 9110 §13).

This file decides what If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since and If-Range make of a
request, in the order of §13.2.2. It is asked only about a representation that exists and where the answer
without them would be a success: §13.2.1 has them ignored anywhere else. Whatever is malformed counts as a
condition that names nothing: If-Match fails, the others let the whole representation through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.http.dates import parse_http_date

if TYPE_CHECKING:
    from aioserve.http.messages import RequestMessage

# RFC 9110 §8.8.3. Bytes over 0x7f arrive as whatever they decode to.
_ENTITY_TAG = re.compile(r'(?:W/)?"[^\x00-\x20"\x7f]*+"')
_ENTITY_TAGS = re.compile(rf"[ \t,]*+(?:{_ENTITY_TAG.pattern}[ \t]*+(?:,[ \t,]*+|\Z))*+")


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one version of a representation from another (RFC 9110 §8.8).

    Attributes:
        etag: the entity tag as it stands in ETag, quotes included; a weak one begins with ``W/``.
        last_modified: the time of the last change, in seconds since the epoch, never in the future; None
            where it is not known, and conditions about it are ignored (§13.1.3, §13.1.4).
    """

    etag: str
    last_modified: int | None


@dataclass(frozen=True, slots=True)
class Proceed:
    """Carry out the method.

    Attributes:
        range_header: the Range that is to be honoured, or None for the whole representation.
    """

    range_header: str | None


@dataclass(frozen=True, slots=True)
class NotModified:
    """Answer 304: the client has it already."""


@dataclass(frozen=True, slots=True)
class PreconditionFailed:
    """Answer 412."""


def evaluate_preconditions(
    message: RequestMessage, validators: Validators, now: int
) -> Proceed | NotModified | PreconditionFailed:
    """Weigh the conditions of a request in the order of RFC 9110 §13.2.2.

    Args:
        message: the request.
        validators: of the representation that would be sent, or changed.
        now: the present, in seconds since the epoch.
    """
    is_reading = message.method in ("GET", "HEAD")
    changed = validators.last_modified

    if (if_match := message.field("if-match")) is not None:
        if not matches_strongly(if_match, validators.etag):
            return PreconditionFailed()  # step 1, §13.1.1
    elif changed is not None:
        since = _date(message, "if-unmodified-since", now)
        if since is not None and changed > since:
            return PreconditionFailed()  # step 2, §13.1.4

    if (if_none_match := message.field("if-none-match")) is not None:
        if matches_weakly(if_none_match, validators.etag):
            return NotModified() if is_reading else PreconditionFailed()  # step 3, §13.1.2
    elif is_reading and changed is not None:
        since = _date(message, "if-modified-since", now)
        if since is not None and changed <= since:
            return NotModified()  # step 4, §13.1.3

    return Proceed(_range_to_honour(message, validators, now))  # steps 5 and 6


def matches_strongly(condition: str, etag: str) -> bool:
    """Is a representation named by If-Match: by ``*``, or by the same strong tag (RFC 9110 §8.8.3.2)."""
    return condition == "*" or (not etag.startswith("W/") and etag in parse_entity_tags(condition))


def matches_weakly(condition: str, etag: str) -> bool:
    """Is a representation named by If-None-Match: by ``*``, or by a tag equal but for ``W/``."""
    if condition == "*":
        return True
    return etag.removeprefix("W/") in (tag.removeprefix("W/") for tag in parse_entity_tags(condition))


def parse_entity_tags(value: str) -> list[str]:
    """Read a list of entity tags (RFC 9110 §8.8.3), each as it was sent.

    A list with anything else in it is no list: it is read as empty.
    """
    return _ENTITY_TAG.findall(value) if _ENTITY_TAGS.fullmatch(value) else []


def _range_to_honour(message: RequestMessage, validators: Validators, now: int) -> str | None:
    """Range has a meaning for GET alone (RFC 9110 §14.2), and only while If-Range holds (§13.1.5)."""
    if message.method != "GET" or (range_header := message.field("range")) is None:
        return None
    if_range = message.field("if-range")
    if if_range is None or _is_current(if_range, validators, now):
        return range_header
    return None


def _is_current(if_range: str, validators: Validators, now: int) -> bool:
    """Compare the validator of If-Range: one tag, strongly, or the very date of Last-Modified.

    §13.1.5 wants the date to be a strong validator. The second that is still running may see another change.
    """
    if '"' in if_range:
        return if_range == validators.etag and not if_range.startswith("W/")
    changed = validators.last_modified
    return changed is not None and parse_http_date(if_range, now) == changed < now


def _date(message: RequestMessage, name: str, now: int) -> int | None:
    value = message.field(name)
    return None if value is None else parse_http_date(value, now)
