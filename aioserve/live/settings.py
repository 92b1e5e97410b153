"""The options about looking at a server while it works.

This file alone decides which ones there are. They are one section of the settings, and declared like all
others.
"""

from __future__ import annotations

from typing import ClassVar

from aioserve.kinds import BOOLEAN, PATH
from aioserve.options import Reach, option
from aioserve.values import value


@value
class Live:
    """Who may look on."""

    title: ClassVar[str] = "Live view"

    live: bool = option(
        "--live",
        BOOLEAN,
        False,
        "Show the server at work on the terminal: requests a second, durations, statuses, connections, "
        "workers, paths and errors. `q` or Ctrl+C stops the server. Messages are shown in the picture, and "
        "again when it ends; the access log is off, unless it goes somewhere else. Without a terminal the "
        "server runs as usual.",
        reach=Reach.TYPED,
    )
    control: str | None = option(
        "--control",
        PATH,
        None,
        "Let `--attach` look on at this unix socket, which only the user of the server may connect to. Who "
        "connects gets a line of JSON each second.",
    )
    attach: str | None = option(
        "--attach",
        PATH,
        None,
        "Look at the server that runs with this path as `--control`, and serve nothing. Where the standard "
        "output is no terminal, print a line each second.",
        reach=Reach.TYPED,
    )

    @property
    def is_watched(self) -> bool:
        """Whether somebody looks on, or may come to do so."""
        return self.live or self.control is not None
