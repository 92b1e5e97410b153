"""Reads multipart/byteranges (RFC 9110 §14.6) more strictly than any client does."""

from __future__ import annotations

import re
from typing import NamedTuple

_MEDIA_TYPE = re.compile(r'multipart/byteranges; ?boundary="?([^"]{1,70})"?', re.IGNORECASE)
_FIELD = re.compile(rb"([^\r\n:]+): ([^\r\n]*)\r\n")
_HEAD = re.compile(rb"((?:[^\r\n:]+: [^\r\n]*\r\n)+)\r\n")
_CONTENT_RANGE = re.compile(rb"bytes (\d+)-(\d+)/(\d+)")


class Part(NamedTuple):
    """One part: its first and last position in how many bytes, its type, and what it holds."""

    first: int
    last: int
    size: int
    media_type: str
    content: bytes


def parse_byteranges(content_type: str, body: bytes) -> list[Part]:
    """Read a body.

    Each part is as long as its Content-Range says, so that what is in it cannot end it.

    Raises:
        ValueError: it is no such body, in words.
    """
    found = _MEDIA_TYPE.fullmatch(content_type)
    if found is None:
        raise ValueError(f"Content-Type `{content_type}`")
    line = b"--" + found[1].encode("latin-1")
    rest, parts = body.removeprefix(b"\r\n"), []
    while rest.startswith(line + b"\r\n"):
        part, rest = _parse_part(rest[len(line) + 2 :])
        parts.append(part)
    if rest.removesuffix(b"\r\n") != line + b"--":
        raise ValueError("no end of the parts")
    return parts


def _parse_part(data: bytes) -> tuple[Part, bytes]:
    head = _HEAD.match(data)
    fields = {name.lower(): value for name, value in _FIELD.findall(head[1] if head else b"")}
    where = _CONTENT_RANGE.fullmatch(fields.get(b"content-range", b""))
    if head is None or where is None:
        raise ValueError("a part without Content-Range")
    first, last, size = map(int, where.groups())
    end = head.end() + last + 1 - first
    if data[end : end + 2] != b"\r\n":
        raise ValueError(f"a part that is not as long as {where[0].decode()}")
    media_type = fields.get(b"content-type", b"").decode("latin-1")
    return Part(first, last, size, media_type, data[head.end() : end]), data[end + 2 :]
