"""Which request is being answered, asked from another thread."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from aioserve.running_request import running_request
from tests.wire import handler, on_both_loops, serving


def frames_of(thread):
    frame = sys._current_frames()[thread]
    while frame is not None:
        yield frame
        frame = frame.f_back


def ask():
    """Ask another thread, while this one's loop stands."""
    loop, thread = asyncio.get_running_loop(), threading.get_ident()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: running_request(loop, frames_of(thread))).result()


@on_both_loops
async def test_of_a_handler_at_its_first_step_and_after_it_has_waited():
    found = []

    @handler
    async def handle(self, message, _payload):
        for _ in range(2):
            found.append(ask() is message)
            await asyncio.sleep(0)
        self.writer.write_response(200, "")

    async with serving(handle) as server:
        await server.ask()

    assert found == [True, True]


@on_both_loops
async def test_of_a_handler_that_is_no_coroutine():
    found = []

    @handler
    def handle(self, message, _payload):
        found.append(ask() is message)
        self.writer.write_response(200, "")

    async with serving(handle) as server:
        await server.ask()

    assert found == [True]


@on_both_loops
async def test_of_another_task_there_is_none():
    async def other():
        return ask()

    task = asyncio.create_task(other())
    task.add_done_callback(print)
    assert await task is None
    found = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: found.set_result(ask()))
    assert await found is None
