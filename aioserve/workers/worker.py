"""What a process does that has just become a worker.

This file decides what a worker has of its own: its signals, its settings tried, the application imported, and
that it ends when its parent does.
"""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError, StartupError
from aioserve.observe.logs import open_observers
from aioserve.preflight import prepare
from aioserve.runner import run
from aioserve.workers.channel import News
from aioserve.workers.orders import Orders

if TYPE_CHECKING:
    import socket

    from aioserve.listen.certificates import Certificates
    from aioserve.live.reporting import Reports
    from aioserve.observe.board import Station
    from aioserve.settings import Settings
    from aioserve.workers.channel import Channel

logger = logging.getLogger(__name__)

_SIGNS_PER_TIMEOUT = 4  # of life, so that one that comes late is no reason to end a worker
_LONGEST_PERIOD = 10.0  # seconds between two of them
_PR_SET_PDEATHSIG = 1


def work(  # noqa: PLR0913 - what a worker inherits, each by its name
    settings: Settings,
    sockets: list[socket.socket],
    channel: Channel,
    watchdog: float = 0.0,
    *,
    reports: Reports | None = None,
    station: Station | None = None,
    certificates: Certificates | None = None,
    is_first: bool = True,
) -> int:
    """Serve until the parent says that it is enough, and return the exit code.

    Args:
        settings: all of them.
        sockets: that it accepts from.
        channel: to the parent.
        watchdog: seconds in which the service manager wants to hear that all is well; 0 where it does not.
        reports: for those who look on, if anybody can.
        station: where its numbers go, if it is to count.
        certificates: the last that could be used, as the parent has read them.
        is_first: none has served yet, so that a person may wait for it to begin, and what is wrong is raised.
            Later it goes to the log.

    Raises:
        ConfigurationError, StartupError: it cannot serve.
    """
    try:
        return _work(settings, sockets, channel, watchdog, reports, station, certificates)
    except Exception as problem:
        code = getattr(problem, "exit_code", 1)
        channel.say(News.REFUSED, code)
        if is_first:
            raise
        _log(problem, settings)
        return code


def _work(
    settings: Settings,
    sockets: list[socket.socket],
    channel: Channel,
    watchdog: float,
    reports: Reports | None,
    station: Station | None,
    certificates: Certificates | None,
) -> int:
    parent = os.getppid()
    _end_with_parent()
    if os.getppid() != parent:  # it was gone before
        return 1
    with suppress(AttributeError, ValueError, OSError):  # no standard error
        faulthandler.enable(sys.stderr.fileno())
    if settings.process.reload:
        # Python knows a compiled file by the size of its source and by the second of its last change. A
        # source that is saved twice within a second, at the same size, would be what it was the first time
        # for good, if a worker had kept that. What was compiled before is used, so that this costs little.
        sys.dont_write_bytecode = True
    ready = prepare(settings, is_worker=True, certificates=certificates)
    if ready.problems:
        raise ready.problems[0]
    gc.freeze()  # what has been loaded stays: nobody need look at it again
    timeouts = settings.timeouts
    orders = Orders(channel, timeouts.shutdown, _period_of(settings, watchdog))
    run(settings, ready.factory, sockets, ready.tls, orders, reports, station)
    return 0


def _log(problem: Exception, settings: Settings) -> None:
    observers = open_observers(
        replace(settings.logs, access_log=False), debug=settings.process.debug, call_later=lambda *_: None
    )
    if isinstance(problem, (ConfigurationError, StartupError)):
        details = getattr(problem, "details", "").rstrip()
        logger.error("%s", f"{problem}\n{details}" if details else problem)
    else:
        logger.error("internal error", exc_info=problem)
    observers.close()


def _period_of(settings: Settings, watchdog: float) -> float:
    """Return the seconds between two signs of life; 0 where nobody wants any."""
    times = [each / _SIGNS_PER_TIMEOUT for each in (settings.timeouts.worker, watchdog) if each]
    return min(*times, _LONGEST_PERIOD) if times else 0.0


def _end_with_parent() -> None:
    """Have the system send SIGTERM when the parent is gone: a blocked event loop hears of nothing else."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
