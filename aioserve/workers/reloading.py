"""Loading everything anew: from its beginning to its end, or to its failure.

This file decides what a reload is to the parent: which of its parts follow the new settings, and when, and
which go back to the old ones if no worker can start with the new.
"""

from __future__ import annotations

import logging
import os
from math import inf
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError, StartupError
from aioserve.workers.fleet import Times
from aioserve.workers.sources import sources_of

if TYPE_CHECKING:
    from aioserve.settings import Settings
    from aioserve.workers.editions import Editions
    from aioserve.workers.fleet import Fleet
    from aioserve.workers.lookout import Lookout
    from aioserve.workers.publicity import Publicity

logger = logging.getLogger(__name__)


class Reloading:
    """Loads everything anew.

    Args:
        editions: has what workers are started with.
        fleet: the workers.
        public: is told.
        lookout: looks for changed files.
    """

    def __init__(self, editions: Editions, fleet: Fleet, public: Publicity, lookout: Lookout) -> None:
        self._editions = editions
        self._fleet = fleet
        self._public = public
        self._lookout = lookout
        self._has_begun = False

    def begin(self, why: str = "reloading") -> None:
        """Begin; what is wrong with the settings is said, and changes nothing.

        Where that has begun already it begins again: the workers that are not there yet could be about to
        load what has changed since, or to load for ever.

        Args:
            why: is said.
        """
        if self._fleet.is_stopping:
            return
        self._public.reloads()
        workers = self._settings.process.workers
        try:
            self._editions.load()
            self._editions.introduce()
        except (ConfigurationError, StartupError) as problem:
            logger.error("not reloaded: %s", problem)  # noqa: TRY400 - a person made a mistake
            if not self._has_begun:  # or what has begun before goes on, and its end is said
                self._public.goes_on()
            return
        logger.info("%s", why)
        if retiring := len(self._fleet.retiring):
            logger.info("old workers that still finish what they have: %d", retiring)
        self._has_begun = True
        if self._settings.process.workers != workers:
            self._fleet.size = size_of(self._settings)
        self._follow()
        self._fleet.reload()

    def give_up(self) -> None:
        """Go back to what is known to work: a new worker could not start."""
        logger.error("not reloaded: a new worker could not start; the old ones go on")
        self._fleet.give_up_reload()
        self._has_begun = False
        self._editions.go_back()
        self._follow()
        if not self._fleet.is_stopping:
            self._public.goes_on()

    def end(self) -> bool:
        """Say that all workers serve with what was loaded anew, and whether that is news."""
        if not self._has_begun:
            return False
        self._has_begun = False
        self._editions.settle()
        logger.info("reloaded")
        return True

    @property
    def _settings(self) -> Settings:
        return self._editions.current.settings

    def _follow(self) -> None:
        """Have the parent itself do as the settings say."""
        settings = self._settings
        self._public.follow(settings)
        self._lookout.watch(None if self._fleet.is_stopping else sources_of(settings))
        self._fleet.configure(times_of(settings))


def size_of(settings: Settings) -> int:
    """Return how many workers there should be."""
    return settings.process.workers or len(os.sched_getaffinity(0))


def times_of(settings: Settings) -> Times:
    """Return how long what may take: with a debugger in a worker, for ever.

    Who saves a file every minute would soon have many old workers with a stream in a browser.
    """
    timeouts, process = settings.timeouts, settings.process
    return Times(
        worker=inf if process.debug else timeouts.worker or inf,
        start=inf if process.debug else timeouts.start or inf,
        shutdown=timeouts.shutdown,
        retire=timeouts.shutdown if process.reload else inf,
    )
