"""What happens to a connection, for those who wait for it."""

from __future__ import annotations

import asyncio

import pytest

from aioserve.news import News
from tests.wire import on_both_loops, turns


@on_both_loops
async def test_all_who_wait_are_told():
    news = News()
    waiters = [asyncio.ensure_future(news.wait()) for _ in range(3)]
    await turns()
    assert not any(waiter.done() for waiter in waiters)

    news.tell()
    await turns()
    assert [waiter.result() for waiter in waiters] == [None] * 3


def test_nobody_need_wait():
    news = News()
    news.tell()
    news.tell()


@on_both_loops
async def test_what_has_happened_before_is_no_news():
    news = News()
    news.tell()
    waiter = asyncio.ensure_future(news.wait())
    await turns()
    assert not waiter.done()

    news.tell()
    await waiter


@on_both_loops
async def test_who_was_told_and_waits_again_waits_for_the_next():
    news, told = News(), []

    async def follow():
        for _ in range(3):
            await news.wait()
            told.append(len(told))

    follower = asyncio.ensure_future(follow())
    for number in range(3):
        await turns()
        assert len(told) == number
        news.tell()
    await follower


@on_both_loops
async def test_who_comes_between_the_telling_and_the_told_waits_for_the_next():
    news = News()
    early = asyncio.ensure_future(news.wait())
    await turns()
    news.tell()
    late = asyncio.ensure_future(news.wait())
    await turns()
    assert (early.done(), late.done()) == (True, False)

    news.tell()
    await late


@pytest.mark.parametrize("number", [1, 3])
@on_both_loops
async def test_one_who_waits_no_more_keeps_nobody_from_it(number):
    news = News()
    waiters = [asyncio.ensure_future(news.wait()) for _ in range(number)]
    await turns()
    waiters[0].cancel()
    await turns()
    news.tell()
    await turns()

    assert waiters[0].cancelled()
    assert all(waiter.done() and not waiter.cancelled() for waiter in waiters[1:])
