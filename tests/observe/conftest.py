"""What the tests of the observers share."""

from __future__ import annotations

import time

import pytest

from aioserve.http.messages import HttpVersion11, RequestMessage
from aioserve.observe import formats
from aioserve.observe.access import AccessRecord

STARTED = 1795500000.25  # 2026-11-24 06:00:00 UTC


def make_message(method="GET", path="/", fields=b"Host: a\r\n"):
    return RequestMessage(method, path, HttpVersion11, fields, b"\n" + fields.lower())


@pytest.fixture(scope="session")
def message():
    """Make the head of a request."""
    return make_message


@pytest.fixture(scope="session")
def record():
    """Make a record of the parts that matter to a test."""

    def make_record(
        message=None,
        *,
        peer=("192.0.2.1", 40000),
        status=200,
        length=18,
        started=STARTED,
        duration=0.0008,
        **more,
    ):
        return AccessRecord(message, peer, status, length, length + 120, started, duration, **more)

    return make_record


@pytest.fixture
def zone(monkeypatch):
    """Set the local time zone, as a POSIX TZ string."""

    def set_zone(name):
        monkeypatch.setenv("TZ", name)
        time.tzset()
        formats._times.cache_clear()

    yield set_zone
    monkeypatch.undo()
    time.tzset()
    formats._times.cache_clear()


@pytest.fixture
def utc(zone):
    """Local time is UTC."""
    zone("UTC0")
