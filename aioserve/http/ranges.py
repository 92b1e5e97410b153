"""Byte ranges (RFC 9110 §14): which bytes of a representation were asked for.

This file decides what a Range is worth, and how several are sent in one answer. A server may ignore any of
them (§14.2), and this one does so with everything malformed and with more ranges than anybody needs. Ranges
that overlap or touch become one (§15.3.7.2), so that no request gets a byte twice: neither the number of
parts nor that of bytes can be made large by a small request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_RANGES = 32

# More digits than any file has bytes; without a bound `int` would be slow, and raise over 4300 of them.
_RANGE_SPEC = re.compile(r"([0-9]{0,64})-([0-9]{0,64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A run of bytes, counted from 0, both ends included (RFC 9110 §14.1.2)."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.last - self.first + 1

    def format_content_range(self, size: int) -> str:
        """Write the Content-Range of this part of ``size`` bytes (RFC 9110 §14.4)."""
        return f"bytes {self.first}-{self.last}/{size}"


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Not one of the ranges lies within the representation: answer 416 (RFC 9110 §15.5.17)."""

    size: int

    def format_content_range(self) -> str:
        """Write the Content-Range that tells the client how long the representation is."""
        return f"bytes */{self.size}"


def parse_range(value: str | None, size: int) -> tuple[ByteRange, ...] | Unsatisfiable | None:
    """Read a Range field for a representation of ``size`` bytes.

    Returns:
        The ranges that can be satisfied, at least one, cut to the size: in the order asked for or, where
        some overlapped or touched and became one, in that of the bytes; or `Unsatisfiable`; or None where
        the whole representation is to be sent: no field, another unit, a malformed or an excessive set of
        ranges, or nothing there to take a part of.
    """
    ranges = [_parse_range_spec(spec, size) for spec in _split_range_set(value or "")]
    if not ranges or None in ranges or size == 0:
        return None
    satisfiable = tuple(part for part in ranges if part is not None and part.length > 0)
    return _coalesce(satisfiable) if satisfiable else Unsatisfiable(size)


def render_part_heads(
    ranges: tuple[ByteRange, ...], size: int, media_type: str, boundary: str
) -> tuple[list[bytes], bytes]:
    """Write what stands before each part of a ``multipart/byteranges`` body, and behind the last.

    RFC 9110 §15.3.7.2 and §14.6: each part says its type and its Content-Range.

    Args:
        ranges: of the parts.
        size: of the representation.
        media_type: its Content-Type.
        boundary: stands in no part, so it is made of what nobody can foresee (RFC 2046 §5.1.1).
    """
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {media_type}\r\n"
        f"Content-Range: {part.format_content_range(size)}\r\n\r\n".encode("latin-1")
        for part in ranges
    ]
    heads[0] = heads[0].removeprefix(b"\r\n")  # nothing stands before the first boundary
    return heads, f"\r\n--{boundary}--\r\n".encode("ascii")


def _split_range_set(value: str) -> list[str]:
    """Split ``bytes=`` into what stands between the commas; nothing where it is not that, or too much."""
    unit, _, range_set = value.partition("=")
    if unit.lower() != "bytes":
        return []
    specs = [spec for element in range_set.split(",") if (spec := element.strip(" \t"))]
    return specs if len(specs) <= MAX_RANGES else []


def _parse_range_spec(spec: str, size: int) -> ByteRange | None:
    """Read ``first-last``, ``first-`` or ``-suffix``; what lies outside comes back without bytes."""
    match = _RANGE_SPEC.fullmatch(spec)
    if match is None or spec == "-":
        return None
    first, last = match.groups()
    if not first:
        return ByteRange(max(size - int(last), 0), size - 1)
    if last and int(last) < int(first):
        return None
    return ByteRange(int(first), min(int(last), size - 1) if last else size - 1)


def _coalesce(ranges: tuple[ByteRange, ...]) -> tuple[ByteRange, ...]:
    """Make one of those that overlap or touch; the order stays where there are none."""
    merged: list[ByteRange] = []
    for part in sorted(ranges, key=lambda part: part.first):
        if merged and part.first <= merged[-1].last + 1:
            merged[-1] = ByteRange(merged[-1].first, max(merged[-1].last, part.last))
        else:
            merged.append(part)
    return ranges if len(merged) == len(ranges) else tuple(merged)
