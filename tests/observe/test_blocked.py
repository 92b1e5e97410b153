"""An event loop that does not turn, by a clock that the test turns, and in real processes."""

from __future__ import annotations

import asyncio
import logging
import queue
import re
import subprocess
import sys
from contextlib import contextmanager

import pytest

from aioserve.observe import blocked
from aioserve.observe.blocked import BlockedLoopWatch
from aioserve.observe.json_messages import JsonFormatter
from tests.doubles import request
from tests.wire import LOOPS, on_both_loops

PATIENCE = 30  # seconds; only a test that fails waits so long
NEVER = 4000.0  # a limit by which the thread looks much later than the test ends


class Clock:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


class Told(logging.Handler):
    """What was told, in its order."""

    def __init__(self):
        super().__init__()
        self.records = queue.Queue()

    def emit(self, record):
        self.records.put(record)

    def next(self):
        """Wait for the next message, and block the loop meanwhile."""
        return self.records.get(timeout=PATIENCE)

    async def later(self):
        """Let the loop turn meanwhile."""
        return await asyncio.to_thread(self.next)


@pytest.fixture
def told():
    told = Told()
    blocked.logger.addHandler(told)
    yield told
    blocked.logger.removeHandler(told)


@contextmanager
def watching(limit=0.04, find_request=lambda _: None):
    clock = Clock()
    watch = BlockedLoopWatch(limit, find_request, clock=clock)
    try:
        yield watch, clock
    finally:
        watch.stop()


def sight_of(line):
    return blocked._Sight(line, "", None)


def block(watch, clock, line=(None, 1)):
    """Play a line of code that blocks the loop until it has been looked at."""
    clock.seconds += 2 * NEVER
    watch._see = lambda: sight_of(line)
    watch._waits_for_end = lambda _: watch._sign()
    watch.look(is_held=False)


def shown(record):
    return record.getMessage().replace(blocked._HELD_TEXT, "")  # on a machine that is busy


@on_both_loops
async def test_it_is_told_with_its_stack_and_request_and_again_when_it_is_over(told):
    message = request()
    with watching(find_request=lambda _: message) as (_, clock):
        clock.seconds += 2.01
        during = told.next()
        clock.seconds += 3
        after = await told.later()

    assert shown(during) == (
        "The event loop has been blocked for 2.0s so far while it answers GET / HTTP/1.1"
    )
    assert "during = told.next()" in during.stack_info
    assert "asyncio" not in during.stack_info
    assert shown(after) == (
        "The event loop was blocked for 5.0s while it answers GET / HTTP/1.1; that is over"
    )
    assert (during.request, after.request, after.blocked_seconds) == (message, message, 4.99)
    assert after.stack_info is None
    assert '"stack":"  File' in JsonFormatter().format(during)


@on_both_loops
async def test_a_line_is_told_of_once_in_a_while_with_the_other_times(told, monkeypatch):
    monkeypatch.setattr(blocked, "_PAUSE", 100 * NEVER)
    with watching(NEVER) as (watch, clock):
        for _ in range(4):
            block(watch, clock)
        block(watch, clock, (None, 2))
        clock.seconds += 100 * NEVER
        block(watch, clock)
        clock.seconds += 100 * NEVER
        block(watch, clock)
    texts = [told.next().getMessage() for _ in range(told.records.qsize())]

    assert len(texts) == 8  # each has its end
    assert [text for text in texts if "times" in text] == [texts[4]]
    assert texts[4].endswith(" (and 3 times since the last report from there)")


@on_both_loops
async def test_so_many_lines_are_told_of_and_no_more(told, monkeypatch):
    monkeypatch.setattr(blocked, "_PAUSE", 100 * NEVER)
    monkeypatch.setattr(blocked, "_MOST_PLACES", 2)
    with watching(NEVER) as (watch, clock):
        for line in range(5):
            block(watch, clock, (None, line))
        assert told.records.qsize() == 4  # each has its end
        clock.seconds += 100 * NEVER
        block(watch, clock, (None, 9))
        assert told.records.qsize() == 6


@on_both_loops
async def test_what_was_missed_is_told_of_without_a_stack(told):
    with watching(NEVER) as (watch, clock):
        for _ in range(2):
            clock.seconds += 2 * NEVER
            watch._timer.cancel()
            watch._sign()
        watch.look(is_held=True)
    record = told.next()

    assert record.getMessage() == (
        "The event loop was blocked for 6000.0s; it was over before its stack could be looked at"
    )
    assert record.stack_info is None
    assert told.records.empty()  # the same place


@on_both_loops
async def test_what_ends_while_it_is_looked_at_counts_as_missed(told):
    with watching(NEVER, lambda _: watch._sign()) as (watch, clock):
        clock.seconds += 2 * NEVER
        watch.look(is_held=True)
        assert told.records.empty()
        watch.look(is_held=True)

    assert "was over before" in told.next().getMessage()


@on_both_loops
async def test_where_there_is_no_stack_nothing_stands_in_its_place(told):
    with watching(NEVER) as (watch, clock):
        watch._loop_thread = -1
        watch._waits_for_end = lambda _: watch._sign()
        clock.seconds += 2 * NEVER
        watch.look(is_held=True)
    record = told.next()

    assert record.stack_info is None
    assert "by a call that held the interpreter" in record.getMessage()


@on_both_loops
async def test_a_loop_that_turns_is_not_told_of(told):
    with watching(NEVER) as (watch, _):
        watch.look(is_held=False)
        watch._timer.cancel()
        watch._sign()

    assert told.records.empty()


@on_both_loops
async def test_who_wants_no_warnings_gets_none(told, monkeypatch):
    monkeypatch.setattr(blocked.logger, "level", logging.ERROR)
    blocked.logger.manager._clear_cache()
    with watching(NEVER) as (watch, clock):
        block(watch, clock)
    monkeypatch.undo()
    blocked.logger.manager._clear_cache()

    assert told.records.empty()


@on_both_loops
async def test_watching_ends_while_the_loop_is_blocked(told):
    with watching() as (watch, clock):
        clock.seconds += 1
        told.next()
    watch._thread.join(PATIENCE)

    assert not watch._thread.is_alive()


SCRIPT = """
import asyncio, ctypes, importlib, logging, os, sys
from aioserve.observe.blocked import BlockedLoopWatch

def spin():
    os.set_blocking(0, False)
    while True:
        try:
            return os.read(0, 1)
        except BlockingIOError:
            pass

def wait():
    os.read(0, 1)

def hold():
    ctypes.PyDLL(None).usleep(400_000)

async def main():
    logging.basicConfig(format="%(message)s")
    watch = BlockedLoopWatch(0.1, lambda frames: None)
    await asyncio.sleep(0)
    {how}()
    await asyncio.sleep(0.1)
    watch.stop()

with asyncio.Runner(loop_factory=importlib.import_module("{loop}").new_event_loop) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("loop", [make.__module__.partition(".")[0] for make in LOOPS])
@pytest.mark.parametrize("how", ["spin", "wait", "hold"])
def test_a_real_loop_that_is_blocked_by_python_by_the_system_or_by_c(loop, how):
    """By what goes on until the report has come; by what holds the interpreter no report comes before."""
    words = [sys.executable, "-c", SCRIPT.format(how=how, loop=loop)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        first = process.stderr.readline()
        process.stdin.write("x")
        process.stdin.close()
        rest = process.stderr.read()

    assert process.returncode == 0
    assert re.match(r"The event loop (has been|was) blocked for \d", first)
    if how != "hold":
        assert "so far" in first
        assert f"in {how}" in rest
        assert "that is over" in rest
