from __future__ import annotations

import asyncio
import os
import re
from types import SimpleNamespace

import pytest

from aioserve.phase import Phase
from aioserve.spare_task import SpareTaskStarter
from aioserve.workers.describe import describe
from tests.doubles import PEER, request
from tests.wire import LOOPS


def connection(phase=Phase.WAITING, message=None, peer=PEER):
    return SimpleNamespace(peer=peer, phase=phase, message=message)


@pytest.fixture(params=LOOPS, ids=lambda make: make.__module__)
def described(request):
    """Describe connections on each event loop in turn, beside other tasks."""

    def run(connections=(), tasks=()):
        async def main():
            others = [asyncio.create_task(each) for each in tasks]
            await asyncio.sleep(0)
            text = describe(connections)
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            return text.split("\n")

        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(main())

    return run


async def a_handler_that_waits():
    await asyncio.Event().wait()


def test_first_line_counts(described):
    first, *_ = described([connection(), connection()], [a_handler_that_waits()])

    pattern = rf"worker {os.getpid()}: 2 connections, 2 tasks, \d+\.\d MiB"
    assert re.fullmatch(pattern, first)


def test_each_connection_is_told_with_its_client_and_what_it_does(described):
    message = request(b"GET /path?a=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Basic c2VjcmV0\r\n\r\n")
    lines = described(
        [
            connection(),
            connection(Phase.ANSWERING, message, ("::1", 40000, 0, 0)),
            connection(Phase.LEAVING, peer=""),
        ]
    )

    assert [line.rstrip() for line in lines[1:4]] == [
        "  192.0.2.1: waiting no request",
        "  ::1: answering <RequestMessage GET /path?a=1 HTTP/1.1>",
        "  -: leaving no request",
    ]
    assert "c2VjcmV0" not in "\n".join(lines)


def test_each_task_is_told_with_the_line_in_which_it_waits(described):
    lines = described(tasks=[a_handler_that_waits()])
    of_tasks = [line for line in lines if line.startswith("  <Task ")]

    assert len(of_tasks) == 2
    assert sum("a_handler_that_waits" in line for line in of_tasks) == 1
    stack = [line for line in lines if " in a_handler_that_waits: await asyncio.Event().wait()" in line]
    assert len(stack) == 1
    assert " in wait: " in lines[lines.index(stack[0]) + 1]
    assert all(line.startswith("  ") for line in lines[1:])


def test_only_so_many_are_told_one_by_one_but_all_are_counted(described):
    many = 250
    first, *lines = described([connection()] * many, [a_handler_that_waits() for _ in range(many)])

    assert f": {many} connections, {many + 1} tasks, " in first
    assert sum(line.startswith("  192.0.2.1: ") for line in lines) == 200
    assert sum(line.startswith("  <Task ") for line in lines) == 200


def test_handler_that_a_spare_task_drives_is_told_as_well():
    """On Python 3.11 handlers begin in one; the task itself is at a line of ours then."""

    async def main():
        starter = SpareTaskStarter(asyncio.get_running_loop())
        await asyncio.sleep(0)
        task = starter.start(a_handler_that_waits())
        await asyncio.sleep(0)
        text = describe([])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return text

    assert " in a_handler_that_waits: await asyncio.Event().wait()" in asyncio.run(main())
