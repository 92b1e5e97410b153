"""What the handler API returns is legal with ``await``, with ``yield from``, and when ignored."""

from __future__ import annotations

import asyncio
import gc

import pytest

from aioserve.awaitables import Steps, coroutine, steps


class Counter:
    """An operation of two turns of the loop, and what is known of it."""

    def __init__(self):
        self.begun = 0

    @steps
    def add(self, one, *, two=0):
        """Add."""
        self.begun += 1
        yield from asyncio.sleep(0).__await__()
        yield
        return one + two

    @steps
    def fail(self):
        yield
        raise ValueError("text")


def test_it_can_be_awaited():
    async def handler():
        return await Counter().add(1, two=2)

    assert asyncio.run(handler()) == 3


def test_it_can_be_yielded_from():
    @coroutine
    def handler():
        return (yield from Counter().add(1, two=2))

    async def run():
        return await handler()

    assert asyncio.run(run()) == 3


def test_it_needs_no_coroutine_to_be_yielded_from():
    def handler():
        return (yield from Counter().add(1))

    def run(steps):
        result.append((yield from steps))

    result = []
    assert list(run(handler())) == [None, None]
    assert result == [1]


def test_it_can_be_ignored():
    counter = Counter()

    counter.add(1)
    gc.collect()  # warnings are errors: nothing says that it was never awaited

    assert counter.begun == 0


def test_it_can_be_a_task():
    async def handler():
        return await asyncio.gather(asyncio.ensure_future(Counter().add(1)), Counter().add(2))

    assert asyncio.run(handler()) == [1, 2]


def test_what_it_raises_comes_out():
    async def handler():
        await Counter().fail()

    with pytest.raises(ValueError, match=r"^text$"):
        asyncio.run(handler())


def test_coroutines_of_both_kinds_work_together():
    @coroutine
    def old():
        yield from asyncio.sleep(0)
        return "old"

    async def new():
        return await old() + " and new"

    @coroutine
    def older():
        return (yield from new())

    async def run():
        return await older()

    assert asyncio.run(run()) == "old and new"


def test_method_keeps_its_name_and_text():
    assert Counter.add.__name__ == "add"
    assert Counter.add.__doc__ == "Add."
    assert isinstance(Counter().add(1), Steps)
