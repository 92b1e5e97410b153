"""Payloads to which something has come, and the ways of reading them, for the tests of both."""

from __future__ import annotations

import asyncio

import pytest

from aioserve.payload import Payload
from tests.doubles import FORMS

WAYS = [("read",), ("read", 3), ("readany",), ("readexactly", 3), ("readline",), ("wait_eof",)]
"""The ways that wait for something: each the name of a method and its arguments."""

in_each_form = pytest.mark.parametrize("taken", FORMS)
each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: "-".join(map(str, way)))


def arrived(*pieces, is_whole=True, **options):
    """Make a payload to which these have come."""
    payload = Payload(**options)
    for piece in pieces:
        payload.feed_data(piece)
    if is_whole:
        payload.feed_eof()
    return payload


async def read(payload, name, *arguments):
    """Read in a way, `Payload.read_nowait` included."""
    result = getattr(payload, name)(*arguments)
    return result if isinstance(result, bytes) else await result


def start(payload, *way):
    """Begin to read in a task."""
    return asyncio.create_task(read(payload, *way))
