"""The responders of a server and their order: what is asked before the handler is.

This file decides who comes first. A responder is a plain function that answers a request at once, or returns
None for "not mine".
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.static.responder import StaticFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import Responder
    from aioserve.settings import Static


def make_responders(
    static: Static, *, has_application: bool, clock: Callable[[], float]
) -> tuple[Responder, ...]:
    """Make the responders that settings ask for.

    Args:
        static: the folders to serve; the one with the longest prefix is asked first. They share its memory.
        clock: the time that answers are dated with, in seconds since the epoch.
        has_application: an application stands behind them and answers for what they do not have.

    Raises:
        ConfigurationError: a folder cannot be served.
    """
    mounts = sorted(static.mounts, key=lambda mount: len(mount[0]), reverse=True)
    static = replace(static, cache=static.cache // max(len(mounts), 1))
    return tuple(
        StaticFiles(Path(folder), mount=prefix, settings=static, alone=not has_application, clock=clock)
        for prefix, folder in mounts
    )
