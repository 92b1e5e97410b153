"""What a request says of the trace that it belongs to (W3C Trace Context).

This file alone decides which ``traceparent`` is valid. It is read and passed on, never made: who begins a
trace decides whether it is recorded, and that takes more than a server knows.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# §3.2: versions to come may say more, behind a hyphen; 00 may not, and ff is none.
_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}"
    r"(?P<more>-[!-~]*)?",
    re.ASCII,
)


class TraceContext(NamedTuple):
    """The trace, and the part of it that has made this request; both in hexadecimal."""

    trace_id: str
    parent_id: str


def read_traceparent(value: str | None) -> TraceContext | None:
    """Read the field; None where there is none, or none that is valid (§3.2.2.3: ids of zeros are not)."""
    found = _TRACEPARENT.fullmatch(value or "")
    if found is None or (found["more"] and found["version"] == "00"):
        return None
    trace, parent = found["trace"], found["parent"]
    if not trace.strip("0") or not parent.strip("0"):
        return None
    return TraceContext(trace, parent)
