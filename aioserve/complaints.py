"""What the event loop complains about, and who hears of it.

This file decides that a loop without descriptors says so once in a while. asyncio accepts many connections in
one turn and reports each that fails, with a traceback; all of them say the same. uvloop closes them and
reports nothing, so there it is tried from time to time whether one can be had.
"""

from __future__ import annotations

import errno
import logging
import os
from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

logger = logging.getLogger(__name__)

_PERIOD = 10.0  # seconds
_TRIAL = 0.5  # seconds between two trials
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Complaints:
    """An exception handler for `loop.set_exception_handler`."""

    def __init__(self) -> None:
        self._said = -inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Hear of one."""
        error = context.get("exception")
        if (
            not isinstance(error, OSError)
            or error.errno not in _EXHAUSTED
            or "accept" not in context["message"]
        ):
            loop.default_exception_handler(context)
        else:
            self._say(error, loop.time())

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Find out by itself, again and again."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._say(error, loop.time())
        loop.call_later(_TRIAL, self.watch, loop)

    def _say(self, error: OSError, now: float) -> None:
        if now - self._said >= _PERIOD:
            self._said = now
            logger.warning("No connection can be accepted: %s", error.strerror)
