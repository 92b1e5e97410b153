"""The responders of a server: what is asked before the handler is.

This file decides who is made. A responder is a plain function that answers a request, at once or later, or
returns None for "not mine".
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.static.mounts import Mounts
from aioserve.static.responder import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.observe.access import CallLater
    from aioserve.settings import Static


def make_responders(
    static: Static, *, has_application: bool, clock: Callable[[], float], call_later: CallLater
) -> tuple[Mounts, ...]:
    """Make the responders that settings ask for.

    Args:
        static: the folders to serve. They share its memory.
        has_application: an application stands behind them and answers for what they do not have.
        clock: the time that answers are dated with, in seconds since the epoch.
        call_later: of the event loop.

    Raises:
        ConfigurationError: a folder cannot be served.
    """
    if not static.mounts:
        return ()
    static = replace(static, cache=static.cache // len(static.mounts))
    folders = (
        StaticFiles(
            Path(folder),
            mount=prefix,
            settings=static,
            alone=not has_application,
            clock=clock,
            call_later=call_later,
        )
        for prefix, folder in static.mounts
    )
    return (Mounts(folders),)
