"""Which request is being answered at this moment, for another thread that wants to know.

This file decides how it is found without any request having to say so: by the stack, where the handler takes
its first step, and by the task that runs, where it goes on after it has waited.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aioserve.exchange import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from aioserve.http.messages import RequestMessage

_FIRST_STEP = Exchange.run.__code__


def running_request(loop: asyncio.AbstractEventLoop, frames: Iterable[FrameType]) -> RequestMessage | None:
    """Return it; None where there is none, or a task works for it that a handler has started.

    Args:
        loop: in which it is answered.
        frames: of the loop's thread.
    """
    for frame in frames:
        if frame.f_code is _FIRST_STEP:
            message: RequestMessage | None = frame.f_locals.get("message")
            return message
    task = asyncio.current_task(loop)
    for callback, _ in getattr(task, "_callbacks", None) or ():
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, Exchange):  # it waits for the end of its handler
            return owner.message
    return None
