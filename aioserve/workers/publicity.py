"""What is said of the server as a whole, and to whom.

This file decides who learns that it serves, that it has loaded everything anew, and that it ends: the person
or the log at the standard error, the service manager, and the files that scripts wait for.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError
from aioserve.listen.sockets import format_address, port_line
from aioserve.observe.logs import open_observers
from aioserve.workers.marker_files import MarkerFile

if TYPE_CHECKING:
    from aioserve.listen.sockets import Listening
    from aioserve.observe.logs import Observers
    from aioserve.settings import Logs, Process, Settings
    from aioserve.workers.notify import ServiceManager

logger = logging.getLogger(__name__)


class Publicity:
    """Says it.

    Args:
        settings: all of them.
        manager: the service manager.

    Attributes:
        has_said_ready: that the server serves was said.
    """

    def __init__(self, settings: Settings, manager: ServiceManager) -> None:
        process = settings.process
        self._manager = manager
        self._dress = settings.logs, process.debug
        self._process = process
        self._pid_file, self._port_file, self._ready_file = _files_of(process)
        self._observers = _observe(*self._dress)
        self._status = ""
        self._metrics: list[str] = []  # where they were said to be
        self._addresses: list[str] = []
        self.has_said_ready = False

    def follow(self, settings: Settings) -> None:
        """From now on write what other settings ask for, in the form that they ask for."""
        dress = settings.logs, settings.process.debug
        if dress != self._dress:
            self._dress = dress
            self._observers.close()
            self._observers = _observe(*dress)

    def begins(self) -> None:
        """Say who takes signals, and that nobody serves yet whose server has been killed.

        That no other server has the file is known by now: the settings were looked at (`preflight`).

        Raises:
            ConfigurationError: the file cannot be written.
        """
        for file in (self._port_file, self._ready_file):
            file.clear()
        self._pid_file.write(f"{os.getpid()}\n")

    def serves(self, settings: Settings, listening: Listening, workers: int) -> None:
        """Say that requests are answered, for the first time or with what has been loaded anew.

        Raises:
            ConfigurationError: a file cannot be written, the first time.
        """
        scheme = "https" if settings.tls.is_spoken else "http"
        addresses = [format_address(each, scheme) for each in listening.sockets]
        try:
            if self.has_said_ready:
                self._move_files(settings.process)
            if self._port_file.is_wanted:
                self._port_file.write(port_line(listening.sockets))
            if self._ready_file.is_wanted:
                import json  # noqa: PLC0415 - for those who want the file

                self._ready_file.write(json.dumps({"pid": os.getpid(), "addresses": addresses}) + "\n")
        except ConfigurationError as problem:
            if not self.has_said_ready:
                raise
            logger.error("%s", problem)  # noqa: TRY400 - no reason to end what serves
        self._tell_metrics(settings, listening)
        if not self.has_said_ready:
            self.has_said_ready = True
            self._observers.ready(addresses, served_by(settings))
        self._addresses = addresses
        self._status = self._describe(workers)
        self._manager.ready(self._status)

    def _tell_metrics(self, settings: Settings, listening: Listening) -> None:
        """Say where the numbers are, whenever that has changed."""
        places = [format_address(each) for each in listening.aside]
        if places != self._metrics:
            self._metrics = places
            path = settings.metrics.PATH
            urls = [f"{place}{', ' if place.startswith('unix:') else ''}{path}" for place in places]
            logger.info("metrics on %s", ", ".join(urls) or "no address any more")

    def counts(self, workers: int) -> None:
        """Say how many workers there are, where that has changed while all goes on."""
        if (status := self._describe(workers)) != self._status:
            self._status = status
            self._manager.status(status)

    def _describe(self, workers: int) -> str:
        return f"{workers} worker{'' if workers == 1 else 's'} on {', '.join(self._addresses)}"

    def _move_files(self, process: Process) -> None:
        """Have the files where what has been loaded anew wants them, and those of before no more."""
        before = self._process
        self._process = process
        if (process.pid_file, process.port_file, process.ready_file) == (
            before.pid_file,
            before.port_file,
            before.ready_file,
        ):
            return
        for file in (self._pid_file, self._port_file, self._ready_file):
            file.remove()
        self._pid_file, self._port_file, self._ready_file = _files_of(process)
        self.begins()

    def reloads(self) -> None:
        """Say that everything is being loaded anew."""
        if self.has_said_ready:  # otherwise it waits for the first word that is to come
            self._manager.reloading()

    def goes_on(self) -> None:
        """Say that all is as it was before."""
        if self.has_said_ready:
            self._manager.ready(self._status)

    def stops(self, seconds: float) -> None:
        """Say that the end has begun, and may take so long; another server may have our --pid-file."""
        self._pid_file.let_go()
        self._manager.stopping(seconds, "stopping")

    def has_stopped(self, answered: int, cut: int, silent: int, *, is_forced: bool) -> None:
        """Say that it has come, and what that cost.

        Args:
            answered: answers that were finished since it began.
            cut: those that were cut off.
            silent: workers that did not come to tell of theirs.
            is_forced: not all had the time that they were to have.
        """
        costs = [f"{answered} answered, {cut} cut off"] if answered or cut else []
        if silent:
            workers, they = ("1 worker was", "it") if silent == 1 else (f"{silent} workers were", "they")
            costs.append(f"{workers} ended before {they} could say what {they} cut off")
        how = "stopped at once" if is_forced else "stopped"
        self._observers.stopped(f"{how}: {'; '.join(costs)}" if costs else how)

    def close(self, *, is_over: bool) -> None:
        """Say nothing more; where it ``is_over`` for all, the files go."""
        self._observers.close(is_copy=not is_over)
        self._manager.close()
        for file in (self._pid_file, self._port_file, self._ready_file):
            if is_over:
                file.remove()
            else:
                file.let_go()


def served_by(settings: Settings) -> tuple[str, ...]:
    """Return the folders and the application, as the user named them."""
    application = settings.application.app
    mounts = (f"{folder} at {prefix}" for prefix, folder in settings.static.mounts)
    return (*mounts, application) if application else (*mounts,)


def _files_of(process: Process) -> tuple[MarkerFile, MarkerFile, MarkerFile]:
    return (
        MarkerFile("--pid-file", process.pid_file),
        MarkerFile("--port-file", process.port_file),
        MarkerFile("--ready-file", process.ready_file),
    )


def _observe(logs: Logs, debug: bool) -> Observers:
    return open_observers(replace(logs, access_log=False), debug=debug, call_later=lambda *_: None)
