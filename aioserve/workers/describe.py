"""The state of a worker in words, for whoever asks while it serves.

This file decides what is told: the connections and what each of them does, and where every task stands.
"""

from __future__ import annotations

import asyncio
import linecache
import os
from typing import TYPE_CHECKING, Any

from aioserve.observe.formats import format_peer
from aioserve.spare_task import driven_by
from aioserve.workers.fatigue import resident_memory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from aioserve.connection import Connection

_MOST = 200  # connections, and tasks, that are told one by one


def describe(connections: Collection[Connection]) -> str:
    """Write it down; called in the event loop.

    Args:
        connections: all there are.
    """
    tasks = asyncio.all_tasks()
    memory = f"{resident_memory() / 1_048_576:.1f} MiB"
    lines = [f"worker {os.getpid()}: {len(connections)} connections, {len(tasks)} tasks, {memory}"]
    lines += [
        f"  {format_peer(each.peer)}: {each.phase.name.lower()} {each.message or 'no request'}"
        for each in [*connections][:_MOST]
    ]
    for task in [*tasks][:_MOST]:
        lines.append(f"  {task!r}")
        lines += [f"    {line}" for line in _stack_of(task.get_coro())]
    return "\n".join(lines)


def _stack_of(coroutine: Any) -> Iterator[str]:
    """Tell where a coroutine waits, and what it waits for, and so on; `Task.print_stack` tells the first."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:  # a future
            return
        file, number = frame.f_code.co_filename, frame.f_lineno
        source = linecache.getline(file, number).strip()
        yield f'File "{file}", line {number} in {frame.f_code.co_name}: {source}'
        coroutine = driven_by(coroutine) or getattr(coroutine, "cr_await", None)
