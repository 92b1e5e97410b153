"""A handler started at once behaves as a task from its first line on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc

import pytest

from aioserve.eager import EagerStarter
from aioserve.spare_task import SpareTaskStarter, driven_by

try:
    import uvloop
except ImportError:  # pragma: no cover - where it does not exist
    LOOPS = [asyncio.new_event_loop]
else:
    LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]

STARTERS = sorted({EagerStarter, SpareTaskStarter}, key=lambda starter: starter.__name__)

VARIABLE = contextvars.ContextVar("VARIABLE", default="unset")


@pytest.fixture(params=STARTERS)
def make_starter(request):
    return request.param


@pytest.fixture(params=LOOPS, ids=lambda make: make.__module__)
def run(request, make_starter):
    """Run a coroutine function on a loop, giving it a function that starts handlers outside any task."""

    def run(test):
        async def main():
            loop = asyncio.get_running_loop()
            starter = make_starter(loop)

            async def start(handler):
                """Start a handler in a callback of the loop, as a connection does."""
                done = loop.create_future()

                def callback():
                    try:
                        done.set_result(starter.start(handler))
                    except BaseException as error:  # noqa: BLE001
                        done.set_exception(error)

                loop.call_soon(callback, context=contextvars.copy_context())
                return await done

            await test(start, starter)

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(main())

    return run


def test_a_handler_that_does_not_wait_has_ended(run):
    async def test(start, _starter):
        seen = []

        async def handler():
            seen.append(asyncio.current_task())

        assert await start(handler()) is None
        assert seen[0] is not None

    run(test)


def test_what_it_raises_comes_out(run):
    async def test(start, _starter):
        async def handler():
            raise ValueError("from the handler")

        with pytest.raises(ValueError, match="from the handler"):
            await start(handler())

    run(test)


def test_one_that_waits_goes_on_as_the_same_task(run):
    async def test(start, _starter):
        seen = []

        async def handler():
            seen.append(asyncio.current_task())
            await asyncio.sleep(0)
            seen.append(asyncio.current_task())
            await asyncio.sleep(0.001)
            seen.append(asyncio.current_task())

        task = await start(handler())
        assert task in asyncio.all_tasks()
        await task
        assert seen == [task] * 3

    run(test)


def test_a_late_error_is_the_tasks(run):
    async def test(start, _starter):
        async def handler():
            await asyncio.sleep(0)
            raise ValueError("late")

        with pytest.raises(ValueError, match="late"):
            await (await start(handler()))

    run(test)


def test_a_timeout_around_the_first_wait_ends_it(run):
    async def test(start, _starter):
        outcome = []

        async def handler():
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.Event().wait()
            except TimeoutError:
                outcome.append("timed out")

        await (await start(handler()))
        assert outcome == ["timed out"]

    run(test)


def test_a_timeout_that_has_passed_already_ends_it(run):
    async def test(start, _starter):
        outcome = []

        async def handler():
            try:
                async with asyncio.timeout(-1):
                    await asyncio.Event().wait()
            except TimeoutError:
                outcome.append(asyncio.current_task().cancelling())

        await (await start(handler()))
        assert outcome == [0]

    run(test)


def test_a_task_group_in_the_first_step_works(run):
    async def test(start, _starter):
        results = []

        async def child(value):
            await asyncio.sleep(0)
            results.append(value)

        async def handler():
            async with asyncio.TaskGroup() as group:
                group.create_task(child(1))
                group.create_task(child(2))

        await (await start(handler()))
        assert results == [1, 2]

    run(test)


def test_a_failing_child_cancels_its_parent(run):
    async def test(start, _starter):
        async def child():
            raise ValueError("child")

        async def handler():
            async with asyncio.TaskGroup() as group:
                group.create_task(child())
                await asyncio.Event().wait()

        with pytest.raises(ExceptionGroup):
            await (await start(handler()))

    run(test)


def test_cancellation_reaches_the_first_wait_and_may_be_refused(run):
    async def test(start, _starter):
        steps = []

        async def handler():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                steps.append("refused")
            await asyncio.sleep(0)
            steps.append("went on")

        task = await start(handler())
        task.cancel()
        await task
        assert steps == ["refused", "went on"]

    run(test)


@pytest.mark.parametrize("waits_for", ["a future", "nothing", "a future that is done"])
def test_a_handler_may_cancel_itself_before_it_waits(run, waits_for):
    async def test(start, _starter):
        reached = []

        class Bare:
            def __await__(self):
                yield self.value

        bare = Bare()
        bare.value = None

        async def handler():
            asyncio.current_task().cancel()
            reached.append("before")
            if waits_for == "a future":
                await asyncio.Event().wait()
            else:
                if waits_for == "a future that is done":
                    bare.value = asyncio.get_running_loop().create_future()
                    bare.value.set_result(None)
                    bare.value._asyncio_future_blocking = True
                await bare
            reached.append("never")

        with pytest.raises(asyncio.CancelledError):
            await (await start(handler()))
        assert reached == ["before"]

    run(test)


def test_context_variables_do_not_reach_the_next_handler_nor_the_caller(run):
    async def test(start, _starter):
        seen = []

        async def handler(*, waits):
            seen.append(VARIABLE.get())
            VARIABLE.set("set")
            if waits:
                await asyncio.sleep(0)
            seen.append(VARIABLE.get())

        for waits in (False, True, False):
            task = await start(handler(waits=waits))
            if task:
                await task
        assert seen == ["unset", "set"] * 3
        assert VARIABLE.get() == "unset"

    run(test)


def test_context_variables_of_the_caller_are_seen(run):
    async def test(start, _starter):
        seen = []

        async def handler():
            seen.append(VARIABLE.get())

        await start(handler())
        VARIABLE.set("by the caller")
        await start(handler())
        assert seen == ["unset", "by the caller"]

    run(test)


@pytest.mark.parametrize("make_starter", [SpareTaskStarter])
def test_a_task_that_nobody_noticed_serves_the_next_handler(run):
    async def test(start, starter):
        async def handler():
            asyncio.current_task()

        await start(handler())
        first = starter._spare
        assert first is not None
        await start(handler())
        assert starter._spare is first
        await asyncio.sleep(0)
        await start(handler())  # and so after it had its first turn
        assert starter._spare is first

    run(test)


def test_a_spare_task_is_nobody_elses_business(run):
    async def test(start, _starter):
        async def handler():
            pass

        await start(handler())
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(test)


def test_a_task_that_somebody_kept_is_done_when_its_handler_is(run):
    async def test(start, _starter):
        kept = []

        async def handler():
            kept.append(asyncio.current_task())

        await start(handler())
        await start(handler())
        assert kept[0] is not kept[1]
        await asyncio.wait(kept)
        assert [task.result() for task in kept] == [None, None]

    run(test)


def test_a_task_that_somebody_kept_has_the_handlers_error(run):
    async def test(start, _starter):
        kept = []

        async def handler():
            kept.append(asyncio.current_task())
            raise ValueError("kept")

        with pytest.raises(ValueError, match="kept"):
            await start(handler())
        await asyncio.wait(kept)
        assert isinstance(kept[0].exception(), ValueError)

    run(test)


def test_callbacks_on_the_task_are_called_at_its_end(run):
    async def test(start, _starter):
        called = asyncio.Event()

        async def handler():
            asyncio.current_task().add_done_callback(lambda _task: called.set())

        await start(handler())
        await called.wait()

    run(test)


def test_a_task_that_was_cancelled_or_named_does_not_serve_another(run):
    async def test(start, _starter):
        names = []

        async def renamed():
            asyncio.current_task().set_name("mine")

        async def cancelled():
            asyncio.current_task().cancel()

        async def handler():
            names.append((asyncio.current_task().get_name(), asyncio.current_task().cancelling()))

        await start(renamed())
        with pytest.raises(asyncio.CancelledError):
            await start(cancelled())
        await start(handler())
        assert names[0][0] != "mine"
        assert names[0][1] == 0
        await asyncio.sleep(0.001)

    run(test)


def test_starting_inside_a_task_leaves_that_task_current(run):
    async def test(_start, starter):
        seen = []

        async def handler():
            seen.append(asyncio.current_task())

        me = asyncio.current_task()
        assert starter.start(handler()) is None
        assert asyncio.current_task() is me
        assert seen[0] is not me

    run(test)


def test_the_loop_may_end_with_a_spare_task_left(run, caplog):
    async def test(start, _starter):
        async def handler():
            pass

        await start(handler())

    run(test)
    gc.collect()
    assert not caplog.records


@pytest.mark.parametrize("waits", [False, True], ids=["and ends", "and waits"])
def test_a_handler_may_cancel_itself_in_a_task_that_has_had_its_turn(run, waits):
    """The spare task waits in its loop by then, and not for its first turn."""

    async def test(start, _starter):
        async def nothing():
            pass

        async def handler():
            asyncio.current_task().cancel()
            if waits:
                await asyncio.Event().wait()

        await start(nothing())
        await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await (await start(handler()))
        await asyncio.sleep(0.001)

    run(test)


def test_handlers_may_wait_for_one_future_in_the_same_turn(run):
    """Many requests for one thing that is being loaded."""

    async def test(_start, starter):
        shared = asyncio.get_running_loop().create_future()
        results = []

        async def handler():
            results.append(await shared)

        async def another_task():
            results.append(await shared)

        tasks = [starter.start(handler()) for _ in range(3)] + [asyncio.create_task(another_task())]
        await asyncio.sleep(0)
        shared.set_result("loaded")
        await asyncio.gather(*tasks)
        assert results == ["loaded"] * 4

    run(test)


def test_a_cancellation_that_was_taken_back_does_not_reach_the_next_handler(run):
    async def test(start, _starter):
        async def first():
            asyncio.current_task().cancel()
            asyncio.current_task().uncancel()

        async def second():
            await asyncio.sleep(0)

        with contextlib.suppress(asyncio.CancelledError):  # before 3.13 it stays a task's cancellation
            await start(first())
        await (await start(second()))

    run(test)


def test_coroutine_that_a_spare_task_drives_is_found_and_no_other():
    """For whoever wants to see where a handler waits."""

    async def waits():
        await asyncio.Event().wait()

    async def main():
        handler = waits()
        starter = SpareTaskStarter(asyncio.get_running_loop())
        task = starter.start(handler)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        found = driven_by(task.get_coro()), driven_by(handler), driven_by(None)
        coroutine = task.get_coro()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return handler, found, driven_by(coroutine)

    handler, found, after = asyncio.run(main())

    assert found == (handler, None, None)
    assert after is None
