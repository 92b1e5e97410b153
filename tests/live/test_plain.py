from __future__ import annotations

import pytest

from aioserve.live.plain import format_line
from tests.live.story import BUSY, FIRST, history_of

pytestmark = pytest.mark.usefixtures("_utc")


def test_a_line_has_names_and_numbers():
    assert format_line(history_of(FIRST, BUSY), BUSY) == (
        "2026-11-30T00:53:30+0000 state=serving requests/s=1000.0 2xx/s=955.0 3xx/s=30.0 4xx/s=12.0 5xx/s=3.0"
        " refused/s=1.2 p50_ms=0.20 p99_ms=1.00 max_ms=1340.00 connections=53 idle=42 reading=3 answering=7 "
        "leaving=1 workers=2 errors=30 restarts=1"
    )


def test_what_there_is_not_is_a_hyphen():
    assert "p50_ms=- p99_ms=- max_ms=-" in format_line(history_of(FIRST), FIRST)
