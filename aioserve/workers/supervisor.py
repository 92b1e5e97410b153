"""The parent: it binds, starts workers, replaces them, and does nothing else.

This file acts on what `fleet` decides, and decides what each signal does. The parent has no event loop and
never runs the application, so that nothing a handler does can stop it, and every worker begins with the
application as it is on the disk by then.
"""

from __future__ import annotations

import gc
import logging
import os
import selectors
import signal
import time
from functools import partial
from math import inf
from typing import TYPE_CHECKING

from aioserve.loading import quickly
from aioserve.workers.channel import GRACE, News, Order
from aioserve.workers.editions import Editions
from aioserve.workers.fleet import HOPELESS, Do, Fleet, Start, State
from aioserve.workers.lookout import BecomeWatcher, Lookout
from aioserve.workers.nobody import Nobody
from aioserve.workers.notify import ServiceManager
from aioserve.workers.portrait import Portrait
from aioserve.workers.processes import BecomeWorker, Processes
from aioserve.workers.publicity import Publicity
from aioserve.workers.recycling import Recycling
from aioserve.workers.reloading import Reloading, size_of, times_of
from aioserve.workers.signals import Signals
from aioserve.workers.sources import sources_of
from aioserve.workers.spokesman import Spokesman

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aioserve.listen.certificates import Certificates
    from aioserve.observe.board import Station
    from aioserve.settings import Settings
    from aioserve.workers.audience import Audience
    from aioserve.workers.editions import Edition
    from aioserve.workers.fleet import Act, Worker

logger = logging.getLogger(__name__)

_FORCED = 130  # the exit code of a second SIGINT, as of a process that dies of it
_ASLEEP = 0.5  # seconds; a parent that wakes later than that was stopped, by Ctrl+Z or with its container

_ORDERS = {
    Do.RETIRE: Order.RETIRE,
    Do.HURRY: Order.STOP,
    Do.PRESS: Order.STOP,
    Do.STOP: Order.STOP,
    Do.FORCE: Order.FORCE,
}
_SIGNALS = {
    Do.ABORT: signal.SIGABRT,
    Do.ABORT_START: signal.SIGABRT,
    Do.GIVE_UP: signal.SIGKILL,
    Do.KILL: signal.SIGKILL,
}
_COMPLAINTS = {
    Do.HURRY: "worker %d still finishes what it has, as too many do, and is given --timeout-shutdown for it",
    Do.ABORT: "worker %d has been blocked for too long and is ended",
    Do.ABORT_START: "worker %d has not come to serve within --timeout-start and is ended",
    Do.GIVE_UP: "worker %d is ended by force: a handler, a task or a thread did not stop",
}


class Supervisor:
    """The parent of the workers.

    Args:
        settings: all of them.
        read_settings: reads them again.
        audience: who looks on.

    Raises:
        BindError: an address cannot be had.
        ConfigurationError: the settings cannot be followed.
    """

    def __init__(
        self, settings: Settings, read_settings: Callable[[], Settings], audience: Audience | Nobody
    ) -> None:
        self._audience = audience
        self._editions = Editions(settings, read_settings)
        self._manager = ServiceManager()
        self._public = Publicity(settings, self._manager)
        self._fleet = Fleet(size_of(settings), times_of(settings))
        self._selector = selectors.DefaultSelector()
        self._processes = Processes(self._selector, self._hear)
        self._spokesman = Spokesman()
        self._recycling = Recycling()
        self._lookout = Lookout(self._selector, lambda what: self._reloading.begin(f"{what}: reloading"))
        self._reloading = Reloading(self._editions, self._fleet, self._public, self._lookout)
        self._signals = Signals()
        self._selector.register(self._signals, selectors.EVENT_READ, self._take_signals)
        self._stop_signals = 0
        self._is_forced = False
        self._exit_code = 0
        self._answered = self._cut = 0
        self._silent = 0  # workers that ended and did not tell of any answers
        self._alive_at = inf
        self._portrait = Portrait(self._fleet, self._editions, is_watched=audience.reports is not None)
        audience.attend(self._selector, self._portrait, partial(self._stop, signal.SIGINT), self._ask)
        self._do_at: dict[int, Callable[[], None]] = {
            signal.SIGCHLD: self._reap,
            signal.SIGTERM: partial(self._stop, signal.SIGTERM),
            signal.SIGINT: partial(self._stop, signal.SIGINT),
            signal.SIGQUIT: partial(self._force, Do.KILL),
            signal.SIGHUP: self._hang_up,
            signal.SIGUSR1: partial(self._processes.say_to_all, Order.REOPEN),
            signal.SIGUSR2: self._describe,
            signal.SIGTTIN: partial(self._resize, 1),
            signal.SIGTTOU: partial(self._resize, -1),
        }

    @property
    def edition(self) -> Edition:
        """What the workers that are started now serve."""
        return self._editions.current

    @property
    def watchdog(self) -> float:
        """Seconds in which the service manager wants to hear that all is well; 0 where it does not."""
        return self._manager.period

    @property
    def station(self) -> Station | None:
        """What the worker that is started now is counted by, and asked at; None where it is not."""
        station = self._portrait.station
        return station and station._replace(sockets=self.edition.listening.aside)

    @property
    def certificates(self) -> Certificates | None:
        """The last that could be used."""
        return self._editions.certificates

    @property
    def has_served(self) -> bool:
        """Whether any worker has."""
        return self._fleet.has_served

    def run(self) -> int:
        """Serve until a signal ends it, and return the exit code.

        Raises:
            BecomeWorker: in each worker.
            ConfigurationError: a file that was asked for cannot be written.
        """
        self._public.begins()
        self._editions.introduce()
        self._lookout.watch(sources_of(self.edition.settings))
        fleet = self._fleet
        while True:
            self._lookout.keep(lambda: self.close(is_child=True))
            if fleet.failure is not None and not fleet.is_ending:
                self._fail(fleet.failure)
            if self.edition.settings.tls.is_spoken:
                self._editions.keep_certificates(is_speaking=not fleet.serving)
            self._act(fleet.plan(time.monotonic()))
            if not fleet.is_on_trial:
                self._editions.prove()
            self._notice()
            self._portrait.tell()
            if self.edition.settings.tls.is_spoken:
                for pid, order in self._spokesman.choose(fleet.serving):
                    self._processes.say(pid, order)
            if fleet.is_ending and not fleet.workers:
                break
            if fleet.failure is not None and not fleet.is_ending:
                continue
            self._wait()
        if self._public.has_said_ready or not self._exit_code:
            self._public.has_stopped(self._answered, self._cut, self._silent, is_forced=self._is_forced)
        return self._exit_code

    def close(self, *, is_child: bool = False) -> None:
        """Let go of everything; in a child, of what is the parent's alone."""
        self._signals.close(is_exiting=not is_child)
        self._lookout.close()
        self._processes.close()
        self._public.close(is_over=not is_child)
        self._audience.close(is_copy=is_child)
        self._selector.close()
        # An address that is given up is free only when no worker has its socket any more.
        if is_child:
            self._editions.settle()
        else:
            self._editions.forget()

    # Waiting

    def _wait(self) -> None:
        now = time.monotonic()
        dues = self._fleet.next_due(), self._alive_at, self._lookout.due, self._audience.next_due()
        due = max(min(dues), now)
        with self._signals.waiting():
            happened = self._selector.select(None if due == inf else due - now)
        if (late := time.monotonic() - due) > _ASLEEP:
            self._fleet.slept(late, time.monotonic())
        # Signals first: a worker that has had one of them as well wants no replacement if all are to stop.
        for key, _ in sorted(happened, key=lambda each: each[0].data != self._take_signals):
            key.data()
        self._audience.tell(time.monotonic())
        if time.monotonic() >= self._alive_at:
            self._alive_at = time.monotonic() + self._manager.period / 2
            if self._fleet.is_alive(time.monotonic() - self._manager.period):
                self._manager.alive()

    def _hear(self, pid: int, word: bytes, numbers: list[int]) -> None:
        """Take what a worker says."""
        match News(word):
            case News.SERVES:
                self._fleet.serves(pid, time.monotonic())
                if self._fleet.is_stopping:  # in place of one that has died since
                    self._processes.say(pid, Order.DRAIN)
            case News.ALIVE:
                self._fleet.heard(pid, time.monotonic())
            case News.REFUSED:
                self._fleet.refused(pid, *numbers)
            case News.TIRED:
                self._replace(self._fleet.workers[pid], numbers)
            case News.ASKED:
                self._portrait.tell()
                self._ask()
            case _:  # ENDED
                busy, cut = numbers
                self._answered += max(busy - cut, 0)
                self._cut += cut
                self._fleet.answered(pid, time.monotonic())

    def _ask(self) -> None:
        """Have the workers write down their numbers."""
        self._processes.say_to_all(Order.PUBLISH)

    def _replace(self, worker: Worker, why: list[int]) -> None:
        """Have another worker in the place of one that wants that; one that has lost its place is pressed."""
        is_late = worker.is_tired and worker.state is not State.RETIRING
        if self._fleet.is_stopping or is_late or worker.state is State.ENDED:
            return
        now = time.monotonic()
        if worker.state is State.RETIRING:
            self._act(self._fleet.hurry(worker.pid, now))
        else:
            self._fleet.tired(worker.pid, self._recycling.due(worker, now, *why))

    def _notice(self) -> None:
        """Say, once, that the server serves, or serves with what was loaded anew."""
        fleet = self._fleet
        if fleet.is_stopping or not fleet.is_settled:
            return
        if not self._reloading.end() and self._public.has_said_ready:
            self._public.counts(len(fleet.serving))
            return
        if self._manager.period and self._alive_at == inf:
            self._alive_at = time.monotonic()
        self._public.serves(*self.edition, len(fleet.serving))
        self._audience.begins()

    # Signals

    def _take_signals(self) -> None:
        for number in self._signals.taken():
            self._do_at[number]()

    def _reap(self) -> None:
        for pid, code in self._processes.ended():
            self._bury(pid, code)

    def _hang_up(self) -> None:
        """Do what SIGHUP is for, which also comes when a terminal is closed."""
        if self._signals.has_lost_terminal():
            self._stop(signal.SIGHUP)
        else:
            self._reloading.begin()

    def _stop(self, number: int) -> None:
        self._stop_signals += 1
        if self._stop_signals > 1:
            self._exit_code = _FORCED if number == signal.SIGINT else 0
            self._force(Do.FORCE if self._stop_signals == 2 else Do.KILL)
            return
        self._lookout.watch(None)
        timeouts = self.edition.settings.timeouts
        delay = timeouts.drain_delay if self._fleet.has_served else 0.0
        self._public.stops(delay + timeouts.shutdown + GRACE)
        if delay:
            self._processes.say_to_all(Order.DRAIN)
        self._fleet.stop(time.monotonic(), delay)

    def _force(self, how: Do) -> None:
        self._is_forced = True
        self._lookout.watch(None)
        self._act(self._fleet.force(time.monotonic(), how))

    def _fail(self, code: int) -> None:
        if code == HOPELESS:
            logger.critical("the workers die again and again")
        self._exit_code = code
        self._force(Do.KILL)

    def _resize(self, difference: int) -> None:
        self._fleet.size = max(self._fleet.size + difference, 1)
        logger.info("workers that are to serve: %d", self._fleet.size)

    def _describe(self) -> None:
        now = time.monotonic()
        lines = [
            f"  worker {each.pid} {each.state.value}, heard of {now - each.heard:.1f} s ago"
            for each in self._fleet.workers.values()
        ]
        logger.warning("%s", "\n".join([f"parent {os.getpid()} of {len(lines)} workers", *lines]))
        self._processes.say_to_all(Order.DESCRIBE)

    # Workers

    def _act(self, steps: Iterable[Start | Act]) -> None:
        for step in steps:
            if isinstance(step, Start):
                self._start(step.generation)
                continue
            if step.what in _COMPLAINTS:
                logger.error(_COMPLAINTS[step.what], step.pid)
            if step.what is Do.STOP:
                self._editions.close()  # the workers have them still, and take out who waits in them
            if step.what in _ORDERS:
                self._processes.say(step.pid, _ORDERS[step.what])
            else:
                self._processes.kill(step.pid, _SIGNALS[step.what])

    def _start(self, generation: int) -> None:
        now = time.monotonic()
        is_proven = generation != self._fleet.generation
        self._portrait.prepare()
        try:
            pid = self._processes.start(lambda: self._let_go(is_proven=is_proven))
        except OSError as error:  # no descriptors, no memory, no more processes
            logger.error("no worker can be started: %s", error.strerror)  # noqa: TRY400 - not a mistake of ours
            self._fleet.could_not_start(now)
        else:
            self._fleet.started(pid, now, generation)
            self._portrait.started(pid)

    def _let_go(self, *, is_proven: bool) -> None:
        """Have in a new worker what it serves, and nothing of the parent's."""
        if is_proven:
            self._editions.go_back()
        self.close(is_child=True)

    def _bury(self, pid: int, code: int) -> None:
        worker = self._fleet.gone(pid, time.monotonic())
        self._portrait.gone(pid)
        has_served = worker.since < inf
        self._silent += self._fleet.is_ending and has_served and not worker.has_reported
        if worker.state is State.STARTING and worker.refusal is None and not self._fleet.is_ending:
            logger.error("%s", _describe_lost_start(code))
        elif worker.state is State.SERVING and not self._fleet.is_ending:
            logger.error("worker %d %s", pid, _describe_end(code))
        if self._fleet.has_failed_trial:
            self._reloading.give_up()


def supervise(settings: Settings, read_settings: Callable[[], Settings]) -> int:
    """Serve by workers until a signal ends it.

    Args:
        settings: all of them.
        read_settings: reads them again, for a reload; raises what it did the first time.

    Returns:
        The exit code.

    Raises:
        StartupError: an address cannot be had; in a worker, the application cannot be loaded, and so on.
        ConfigurationError: in a worker, what the settings name is not there.
    """
    # Loaded before there are workers, which share it then, and begin sooner.
    with quickly():
        from aioserve.workers.worker import work  # noqa: PLC0415 - asyncio, only for who serves

    audience = _gather(settings)  # first, as whatever is written from now on must not get into its picture
    try:
        supervisor = Supervisor(
            audience.quieten(settings), lambda: audience.quieten(read_settings()), audience
        )
    except BaseException:
        audience.close()
        raise
    gc.freeze()  # so that no garbage collection writes to what is shared
    child: BecomeWorker | BecomeWatcher | None = None
    try:
        return supervisor.run()
    except (BecomeWorker, BecomeWatcher) as become:
        child = become.with_traceback(None)  # which would keep all of the parent's frames
    finally:
        if child is None:
            supervisor.close()
    settings, listening = supervisor.edition
    if isinstance(child, BecomeWatcher):
        from aioserve.workers.watcher import watch  # noqa: PLC0415 - what only this process needs

        listening.close()
        return watch(child.sources, child.parent)
    return work(
        settings,
        listening.sockets,
        child.channel,
        supervisor.watchdog,
        reports=audience.reports,
        station=supervisor.station,
        certificates=supervisor.certificates,
        is_first=not supervisor.has_served,
    )


def _gather(settings: Settings) -> Audience | Nobody:
    """Return who looks on."""
    if not settings.live.is_watched:
        return Nobody()
    from aioserve.workers.audience import Audience  # noqa: PLC0415 - few have one, and all start

    return Audience(settings)


def _describe_lost_start(code: int) -> str:
    """Say what became of a worker that has said nothing itself."""
    if code >= 0:
        return f"the application ended the process while it was imported (exit code {code})"
    return f"the process {_describe_end(code)} while the application was imported"


def _describe_end(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal
        return f"was ended by signal {-code}"
