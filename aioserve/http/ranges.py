"""Byte ranges (RFC 9110 §14): which bytes of a representation were asked for.

This file decides what a Range is worth. A server may ignore any of them (§14.2), and this one does so with
everything malformed and with what asks for more bytes than there are, as overlapping ranges do; so neither
the number of ranges nor that of bytes can be made large by a small request.
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
        The ranges that can be satisfied, cut to the size, in the order asked for and at least one; or
        `Unsatisfiable`; or None where the whole representation is to be sent: no field, another unit, a
        malformed or an excessive set of ranges, or nothing there to take a part of.
    """
    ranges = [_parse_range_spec(spec, size) for spec in _split_range_set(value or "")]
    if not ranges or None in ranges or size == 0:
        return None
    satisfiable = tuple(part for part in ranges if part is not None and part.length > 0)
    if not satisfiable:
        return Unsatisfiable(size)
    return satisfiable if sum(part.length for part in satisfiable) <= size else None


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
