"""The field traceparent, with the examples of W3C Trace Context."""

from __future__ import annotations

import pytest

from aioserve.http.trace_context import read_traceparent

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize("more", ["00-{}-01", "00-{}-00", "01-{}-01", "cc-{}-01-what-will-be", "fe-{}-ff-"])
def test_valid(more):
    assert read_traceparent(more.format(f"{TRACE}-{PARENT}")) == (TRACE, PARENT)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        f"ff-{TRACE}-{PARENT}-01",  # §3.2.2.1
        f"00-{TRACE}-{PARENT}-01-more",  # §3.2.2.2
        f"01-{TRACE}-{PARENT}-01more",
        f"01-{TRACE}-{PARENT}-01-a b",
        f"00-{'0' * 32}-{PARENT}-01",  # §3.2.2.3
        f"00-{TRACE}-{'0' * 16}-01",  # §3.2.2.4
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01\n",
        f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
    ],
)
def test_invalid(value):
    assert read_traceparent(value) is None
