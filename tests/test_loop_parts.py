"""The connections of one loop find the same parts, and nothing keeps a loop alive that has ended."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from aioserve.loop_parts import LoopParts
from tests.wire import LOOPS


@pytest.fixture(params=LOOPS, ids=lambda make: make.__module__)
def make_loop(request):
    return request.param


def test_one_loop_has_one_set_of_parts(make_loop):
    async def main():
        loop = asyncio.get_running_loop()
        parts = LoopParts.of(loop)

        assert LoopParts.of(loop) is parts
        assert LoopParts.of(loop).ticker is parts.ticker
        assert parts.starter.start(asyncio.sleep(0)) is not None

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())


def test_two_loops_share_nothing(make_loop):
    one, other = make_loop(), make_loop()
    parts = [LoopParts.of(one), LoopParts.of(other)]
    one.close()
    other.close()

    assert parts[0] is not parts[1]
    assert parts[0].ticker is not parts[1].ticker
    assert parts[0].starter is not parts[1].starter


def test_parts_live_as_long_as_somebody_holds_them(make_loop):
    loop = make_loop()
    parts = LoopParts.of(loop)
    gone = weakref.ref(parts)

    assert LoopParts.of(loop) is parts
    del parts
    gc.collect()
    assert gone() is None
    assert LoopParts.of(loop) is not None
    loop.close()


def test_a_loop_that_has_ended_leaves_nothing_to_the_next_with_its_id(make_loop):
    """Loops are made until one stands where another stood."""
    ids = set()
    for _ in range(1_000):
        loop = make_loop()
        parts = LoopParts.of(loop)
        assert parts.ticker.connections == set()
        parts.ticker.connections.add(object())
        loop.close()
        is_again = id(loop) in ids
        ids.add(id(loop))
        del loop, parts
        gc.collect()
        if is_again:
            return
    pytest.skip("no id was used again")


def test_parts_aside_have_connections_of_their_own(make_loop):
    loop = make_loop()
    parts = LoopParts.of(loop)
    aside = parts.aside(loop)
    loop.close()

    assert aside.ticker is not parts.ticker
    assert aside.starter is parts.starter
    assert LoopParts.of(loop) is parts
