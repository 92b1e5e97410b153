"""Work that a thread does, once for all who wait for it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aioserve.thread_work import ThreadWork


class Held:
    """Work that goes on until it is let go.

    Attributes:
        calls: the threads that did it.
    """

    def __init__(self, outcome="done"):
        self.calls = []
        self.go = threading.Event()
        self._outcome = outcome

    def __call__(self):
        self.calls.append(threading.current_thread())
        self.go.wait()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


def run(scenario, held=None):
    """Run a scenario; whatever the loop complains of fails the test.

    In the end held work is let go: a loop that is closed waits for its threads.
    """
    complaints = []

    async def watched():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        try:
            return await scenario()
        finally:
            if held is not None:
                held.go.set()

    result = asyncio.run(watched())
    assert complaints == []
    return result


def test_result_is_what_the_work_returns():
    async def scenario():
        return await ThreadWork(lambda: 5).result()

    assert run(scenario) == 5


def test_work_is_done_by_another_thread_and_keeps_nobody_waiting():
    held = Held()

    async def scenario():
        work = ThreadWork(held)
        waiting = asyncio.ensure_future(work.result())
        await asyncio.sleep(0)  # a turn of the loop, while the work is not done
        assert not waiting.done()
        held.go.set()
        await waiting
        return held.calls

    (thread,) = run(scenario, held)
    assert thread is not threading.main_thread()


def test_work_begins_before_anybody_waits():
    async def scenario():
        begun, loop = asyncio.Event(), asyncio.get_running_loop()
        work = ThreadWork(lambda: loop.call_soon_threadsafe(begun.set))
        await begun.wait()
        await work.result()

    run(scenario)


def test_work_is_done_once_for_all_who_wait():
    held = Held()

    async def scenario():
        work = ThreadWork(held)
        waiting = [asyncio.ensure_future(work.result()) for _ in range(10)]
        await asyncio.sleep(0)
        held.go.set()
        results = await asyncio.gather(*waiting)
        results.append(await work.result())  # who comes later has it at once
        return results, len(held.calls)

    assert run(scenario, held) == (["done"] * 11, 1)


def test_error_is_told_to_all_who_wait():
    held = Held(OSError("broken"))

    async def scenario():
        work = ThreadWork(held)
        waiting = [asyncio.ensure_future(work.result()) for _ in range(3)]
        await asyncio.sleep(0)
        held.go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    errors = run(scenario, held)
    assert [(type(each), str(each)) for each in errors] == [(OSError, "broken")] * 3


def test_one_who_goes_keeps_no_other_from_waiting():
    held = Held()

    async def scenario():
        work = ThreadWork(held)
        gone, staying = (asyncio.ensure_future(work.result()) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        assert gone.cancelled()
        assert not staying.done()
        held.go.set()
        return await staying, await work.result(), len(held.calls)

    assert run(scenario, held) == ("done", "done", 1)


@pytest.mark.parametrize("outcome", ["done", OSError("broken")], ids=["done", "failed"])
def test_end_is_told_in_the_loop_also_where_nobody_waits(outcome):
    held = Held(outcome)

    async def scenario():
        ended = asyncio.Event()
        threads = []
        held.go.set()
        ThreadWork(held, on_end=lambda: (threads.append(threading.current_thread()), ended.set()))
        await ended.wait()
        return threads

    assert run(scenario, held) == [threading.main_thread()]


@pytest.mark.parametrize("outcome", ["done", OSError("broken")], ids=["done", "failed"])
def test_end_is_told_where_all_have_gone(outcome):
    held = Held(outcome)

    async def scenario():
        ended = asyncio.Event()
        waiting = asyncio.ensure_future(ThreadWork(held, on_end=ended.set).result())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not ended.is_set()
        held.go.set()
        await ended.wait()

    run(scenario, held)


def test_end_is_told_once_and_before_anybody_has_the_result():
    held = Held()

    async def scenario():
        order = []
        work = ThreadWork(held, on_end=lambda: order.append("end"))

        async def wait():
            await work.result()
            order.append("result")

        waiting = [asyncio.ensure_future(wait()) for _ in range(2)]
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(*waiting)
        return order

    assert run(scenario, held) == ["end", "result", "result"]


def test_work_is_made_in_a_loop():
    with pytest.raises(RuntimeError, match="no running event loop"):
        ThreadWork(lambda: None)


def test_end_is_told_of_work_that_no_thread_came_to():
    """As it is where an executor is shut down, and what waits is called off."""
    held = Held()

    async def scenario():
        executor = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        first, ended = ThreadWork(held), asyncio.Event()
        waiting = asyncio.ensure_future(ThreadWork(lambda: None, on_end=ended.set).result())
        await asyncio.sleep(0)
        executor.shutdown(wait=False, cancel_futures=True)
        await ended.wait()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        held.go.set()
        await first.result()

    run(scenario, held)


def test_work_that_no_thread_can_be_had_for_is_an_error_and_has_no_end():
    ends = []

    async def scenario():
        executor = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        executor.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            ThreadWork(lambda: None, on_end=lambda: ends.append("end"))

    run(scenario)
    assert ends == []
