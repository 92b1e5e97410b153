"""Starting a handler at once as a task, where Python itself cannot: before 3.12.

A real task is kept ready whose coroutine does nothing yet. A handler's first step runs with that task as
the current one, in the task's context. If the handler waits, the task is handed the rest of it. If it ended
and nobody can tell, the same task serves the next handler; if somebody kept the task, named it, cancelled it
or changed its context, the task ends too, and another is made.
"""

from __future__ import annotations

import asyncio
import sys
import types
import weakref
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    Rest = Coroutine[Any, Any, object]


class SpareTaskStarter:
    """Starts the handlers of one event loop, lending a spare task to each."""

    __slots__ = ("_loop", "_spare")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._spare: _Spare | None = None

    def start(self, handler: Rest) -> asyncio.Task[None] | None:
        """Take the first step of a handler.

        Returns:
            None when that was its only one; otherwise the task that goes on with it.

        Raises:
            BaseException: what the handler raised in its first step; CancelledError if it cancelled itself.
        """
        base = copy_context()
        spare = self._spare
        # The spare's context is a copy of the one it was made in; it serves only where that is still equal.
        if spare is None or spare.base != base:
            spare = self._spare = _Spare(self._loop, base)
        outer = asyncio.current_task(self._loop)
        try:
            if outer is not None:
                asyncio._leave_task(self._loop, outer)  # noqa: SLF001 - documented hooks, here and below
            asyncio._enter_task(self._loop, spare.task)  # noqa: SLF001
            try:
                waits_for = spare.context.run(handler.send, None)
            finally:
                asyncio._leave_task(self._loop, spare.task)  # noqa: SLF001
                if outer is not None:
                    asyncio._enter_task(self._loop, outer)  # noqa: SLF001
        except StopIteration:
            if spare.is_noticed():
                was_cancelled = spare.was_cancelled()
                self._retire(spare, None)
                if was_cancelled:
                    raise asyncio.CancelledError from None  # as of any task
            return None
        except BaseException as error:
            if spare.is_noticed():
                self._retire(spare, error)
            raise
        self._spare = None
        return spare.hand_over(handler, waits_for)

    def _retire(self, spare: _Spare, error: BaseException | None) -> None:
        self._spare = None
        spare.end(error)


class _Spare:
    """A task that is ready to go on with a handler, and what it needs for that."""

    __slots__ = (
        "_is_future",
        "_name",
        "_outcome",
        "_parked",
        "_references",
        "_rest",
        "_waits_for",
        "base",
        "context",
        "task",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, base: Context) -> None:
        self.base = base
        self.context = base.copy()
        self._parked: asyncio.Future[None] = loop.create_future()
        self._rest: Rest | None = None  # the handler to go on with
        self._waits_for: Any = None  # what its first step waits for
        self._is_future = False
        self._outcome: BaseException | None = None  # how it ended, when somebody wants to know
        drive = self._drive()
        drive.send(
            None
        )  # into its `try`: a cancellation before the task's first step is the handler's to see
        self.task = asyncio.Task(drive, loop=loop, context=self.context)
        # Nobody's business until it has a handler: neither in all_tasks() nor missed when the loop ends.
        asyncio._unregister_task(self.task)  # noqa: SLF001 - documented hook
        self._is_missed(when_destroyed=False)
        self._name = self.task.get_name()
        self._references = sys.getrefcount(self.task), weakref.getweakrefcount(self.task)

    def is_noticed(self) -> bool:
        """Whether anybody could tell that the next handler runs as the same task."""
        task = self.task
        return (
            # `task` is a reference here as `self.task` was the only one there: the counts are alike.
            (sys.getrefcount(task) - 1, weakref.getweakrefcount(task)) != self._references
            or bool(task._callbacks)  # noqa: SLF001
            or self.was_cancelled()
            or task.get_name() is not self._name
            or self.context != self.base
        )

    def was_cancelled(self) -> bool:
        """Whether the handler cancelled the task, also if it took that back."""
        return (
            bool(self.task.cancelling()) or self._parked.done() or bool(self.task._must_cancel)  # type: ignore[attr-defined]  # noqa: SLF001
        )

    def hand_over(self, rest: Rest, waits_for: object) -> asyncio.Task[None]:
        """Let the task go on with a handler whose first step is done."""
        asyncio._register_task(self.task)  # noqa: SLF001
        self._is_missed(when_destroyed=True)
        self._rest, self._waits_for = rest, waits_for
        # A task takes the mark off a future that it waits for, so that others can wait for it too; this one
        # sees the future a turn later, and finds the mark there again.
        self._is_future = getattr(waits_for, "_asyncio_future_blocking", False)
        if self._is_future:
            waits_for._asyncio_future_blocking = False  # type: ignore[attr-defined]  # noqa: SLF001
        self._wake()
        return self.task

    def _is_missed(self, *, when_destroyed: bool) -> None:
        self.task._log_destroy_pending = when_destroyed  # type: ignore[attr-defined]  # noqa: SLF001

    def end(self, error: BaseException | None) -> None:
        """End the task as the handler ended, for whoever watches it."""
        asyncio._register_task(self.task)  # noqa: SLF001
        self._outcome = error
        self.task.add_done_callback(_take_note)
        self._wake()

    def _wake(self) -> None:
        if not self._parked.done():  # it is when the handler's first step cancelled the task
            self._parked.set_result(None)

    async def _wait(self) -> BaseException | None:
        """Wait for a handler; return what was thrown in meanwhile, which is the handler's."""
        try:
            await _suspend(None)
            await self._parked
        except BaseException as raised:  # noqa: BLE001 - whatever it is
            return raised
        return None

    async def _drive(self) -> None:
        """Wait for a handler, and take its further steps; this is what the task runs."""
        error = await self._wait()
        rest, waits_for = self._rest, self._waits_for
        self._rest = self._waits_for = None
        if rest is None:
            if (outcome := self._outcome or error) is not None:
                self._outcome = None
                raise outcome
            return
        # As in any task, a cancellation comes out of what is being waited for, if that can be cancelled.
        if isinstance(error, asyncio.CancelledError) and waits_for is not None and waits_for.cancel():
            error = None  # pragma: no cover - 3.11 does not trace a coroutine that was thrown into
        if self._is_future:
            waits_for._asyncio_future_blocking = error is None  # noqa: SLF001
        try:
            while True:
                try:
                    if error is not None:
                        # As if it had come out of what is waited for.
                        raise error  # noqa: TRY301  # pragma: no cover - likewise
                    await _suspend(waits_for)
                except BaseException as raised:  # noqa: BLE001 - the handler decides about it
                    error = None
                    waits_for = rest.throw(raised)
                else:
                    break
            await _take(rest)
        except StopIteration:
            return


def driven_by(coroutine: Any) -> Any:
    """Return the handler's coroutine, where this is a spare task's that drives it, for who debugs."""
    drives = _Spare._drive.__code__  # noqa: SLF001
    if getattr(coroutine, "cr_code", None) is drives and coroutine.cr_frame is not None:
        return coroutine.cr_frame.f_locals.get("rest")
    return None


@types.coroutine
def _suspend(value: object) -> Generator[object, None, None]:
    """Hand a value to whoever drives the coroutine."""
    yield value


@types.coroutine
def _take(rest: Any) -> Generator[Any, Any, object]:
    """Take the further steps of a coroutine that has begun."""
    return (yield from rest)


def _take_note(task: asyncio.Task[None]) -> None:
    """Look at the exception, which has been reported, so that asyncio does not report it once more."""
    if not task.cancelled():
        task.exception()
