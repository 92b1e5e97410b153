"""Which workers there should be, and what has to be done about it.

This file alone decides when a worker is started, told to retire, or ended, and when it is hopeless. It has no
processes and no clock: it is told what happened and when, and says what to do next. What it says depends only
on what there is by then, so that it may be asked at any time:

- too few: the missing ones are started, at once, unless they die as soon as they are there;
- a generation is on trial until all of it serve, and given up when one of it cannot; until then those that
  die are replaced by the last generation that is known to work;
- some are out of date, or tired: one new worker is started, and when it serves, one old one retires;
- too many: the oldest retires;
- one that does not come to serve, or has not been heard of, for too long is ended, and counts no more then;
- one that retires has all the time that its answers need, unless there are too many like it;
- before all are stopped there may be a while in which only those that die are replaced.
"""

from __future__ import annotations

from enum import Enum
from math import inf
from typing import TYPE_CHECKING

from aioserve.errors import StartupError
from aioserve.values import record, value
from aioserve.workers.channel import GRACE

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUICK = 1.0  # seconds; a worker that dies sooner after it began to serve did not serve
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0  # seconds before another start, when the second has died quickly
_MOST_QUICK = 10  # quick deaths in a row, with nobody left who serves, are hopeless
_MOST_RETIRING = 8  # times as many as there were to be; what still finishes then has seen several reloads
_LAST_WORDS = 0.5  # seconds from SIGABRT, which writes stacks, to SIGKILL, which needs nobody's consent

HOPELESS = 6
"""The exit code of a server whose workers die again and again."""


class State(Enum):
    """What a worker does."""

    STARTING = "loads the application"
    SERVING = "serves"
    RETIRING = "finishes what it has"
    ENDED = "has been killed, and is not gone yet"


@record
class Worker:
    """One worker, as far as it is known.

    Attributes:
        pid: of its process.
        generation: which reading of the settings it was started with.
        state: what it does.
        heard: when it was last heard of.
        since: when it began to serve.
        is_tired: it wants to be replaced.
        tired_at: when it will want that, if that is known.
        kill_at: when it is killed, if it is still there.
        refusal: the exit code with which it ends, having said what is wrong.
        is_late: it did not come to serve in time, and is being ended for that.
        has_reported: it has said which of its answers were cut off.
    """

    pid: int
    generation: int
    state: State
    heard: float
    since: float = inf
    is_tired: bool = False
    tired_at: float = inf
    kill_at: float = inf
    refusal: int | None = None
    is_late: bool = False
    has_reported: bool = False

    @property
    def is_to_come(self) -> bool:
        """Whether it has not served yet, and its end would be a failure to do so."""
        return self.state is State.STARTING or self.is_late


class Do(Enum):
    """What is to be done to a worker."""

    RETIRE = "stop accepting, answer what there is, and end"
    HURRY = "have an end to that in the time that there is for it when all stop"
    PRESS = "the same, because somebody wants it"
    STOP = "the same, and leave nobody waiting in the sockets, which will be closed"
    FORCE = "cut everything, and end"
    ABORT = "write the stacks of all threads, and end: it is blocked"
    ABORT_START = "the same: it does not come to serve"
    GIVE_UP = "end at once: it did not end in time"
    KILL = "end at once"


@value
class Start:
    """A worker is to be started, and `Fleet.started` told of it.

    Attributes:
        generation: which reading of the settings it is started with: the newest, or one that works.
    """

    generation: int


@value
class Act:
    """Something is to be done to a worker.

    Attributes:
        pid: of its process.
        what: it.
    """

    pid: int
    what: Do


@value
class Times:
    """How long what may take, in seconds.

    Attributes:
        worker: a worker that answers may be silent.
        start: a worker may take until it serves.
        shutdown: answers may go on when all workers stop.
        retire: answers may go on where another worker serves already.
    """

    worker: float = inf
    start: float = inf
    shutdown: float = inf
    retire: float = inf


class Fleet:
    """The workers of one server.

    Args:
        size: how many there should be.
        times: how long what may take.

    Attributes:
        size: as given, until it is changed.
        generation: of the workers that are started now.
        workers: all there are, by their pid, the oldest first.
        has_served: a worker has served since the start.
        is_stopping: all are to be stopped, perhaps in a while.
        is_ending: they are being stopped, and no more are started.
        failure: the exit code of the server, if it cannot go on.
        restarts: workers that died while they served, or were blocked, and had to be replaced.
        has_failed_trial: one of the generation that is on trial could not come to serve.
    """

    def __init__(self, size: int, times: Times) -> None:
        self.size = size
        self.generation = 0
        self.workers: dict[int, Worker] = {}
        self.has_served = False
        self.is_stopping = False
        self.is_ending = False
        self.failure: int | None = None
        self.restarts = 0
        self._times = times
        self.has_failed_trial = False
        self._proven = -1  # the newest generation known to work: the first is, as soon as one of it serves
        self._held = 0  # how many there were to be then
        self._has_settled = False
        self._quick_deaths = 0
        self._largest = size  # that there were to be so far
        self._start_at = -inf
        self._stop_at = inf

    # What happens

    def configure(self, times: Times) -> None:
        """Take over other settings, from now on."""
        self._times = times

    def started(self, pid: int, now: float, generation: int) -> None:
        """A worker was started."""
        self.workers[pid] = Worker(pid, generation, State.STARTING, now)

    def could_not_start(self, now: float) -> None:
        """The system has no room for another process; where none has served yet, nobody need wait for it."""
        if self.has_served:
            self._start_at = now + _LONGEST_PAUSE
        else:
            self.failure = StartupError.exit_code

    def serves(self, pid: int, now: float) -> None:
        """A worker has begun to serve."""
        worker = self.workers[pid]
        worker.heard = worker.since = now
        if worker.state is State.STARTING:
            worker.state = State.SERVING
            self.has_served = True
            if self._proven < 0:  # there is no other to go back to
                self._prove(worker.generation)

    def heard(self, pid: int, now: float) -> None:
        """A worker's event loop goes round."""
        self.workers[pid].heard = now

    def refused(self, pid: int, code: int) -> None:
        """A worker cannot serve, and has said why."""
        self.workers[pid].refusal = code

    def answered(self, pid: int, now: float) -> None:
        """A worker has no connections any more; threads and tasks have the time of answers yet."""
        worker = self.workers[pid]
        worker.has_reported = True
        if worker.state is State.RETIRING:
            self._limit(worker, now, self._times.shutdown)

    def slept(self, seconds: float, now: float) -> None:
        """The parent itself was stopped for so long, and perhaps all were: nobody is late for that."""
        for worker in self.workers.values():
            worker.heard = now
            worker.kill_at += seconds

    def tired(self, pid: int, at: float = -inf) -> None:
        """A worker wants to be replaced: it has served its number of requests, or grown too large.

        Args:
            pid: of its process.
            at: when, where that is not at once.
        """
        worker = self.workers[pid]
        worker.is_tired = worker.is_tired or at == -inf
        worker.tired_at = inf if worker.is_tired else at

    def hurry(self, pid: int, now: float) -> Iterator[Act]:
        """Say what is to be done to a worker that retires, and somebody wants to be gone."""
        if (worker := self.workers[pid]).kill_at == inf:
            self._limit(worker, now, self._times.shutdown)
            yield Act(pid, Do.PRESS)

    def gone(self, pid: int, now: float) -> Worker:
        """A worker has ended.

        Args:
            pid: of its process.
            now: when.

        Returns:
            What it was.
        """
        worker = self.workers.pop(pid)
        if worker.state is State.SERVING and not self.is_ending:
            self.restarts += 1
        if self.is_ending or not (worker.is_to_come or worker.state is State.SERVING):
            return worker
        if worker.is_to_come and not self.has_served:
            self.failure = StartupError.exit_code if worker.refusal is None else worker.refusal
        elif not worker.is_to_come and now - worker.since >= _QUICK:
            self._quick_deaths = 0
        elif self.is_on_trial and worker.generation == self.generation:
            self.has_failed_trial = True
        else:
            self._count_quick_death(now)
        return worker

    def _count_quick_death(self, now: float) -> None:
        self._quick_deaths += 1
        if self._quick_deaths > 1:
            doublings = min(self._quick_deaths - 2, _MOST_QUICK)  # they may go on for days, beside others
            self._start_at = now + min(_FIRST_PAUSE * 2**doublings, _LONGEST_PAUSE)
        has_hope = self.is_on_trial or (self.serving and self._has_settled)
        if self._quick_deaths >= _MOST_QUICK and not has_hope:
            self.failure = HOPELESS

    def reload(self) -> None:
        """Replace all workers by new ones."""
        self.generation += 1
        self._quick_deaths = 0
        self._start_at = -inf

    @property
    def is_on_trial(self) -> bool:
        """This generation has not been seen to serve as a whole, but an older one has."""
        return self.has_served and self._proven < self.generation

    def give_up_reload(self) -> None:
        """Go on with the workers of the last generation that is known to work; the others end."""
        proven, self.generation = self._proven, self.generation + 1
        for worker in self.workers.values():
            if worker.generation == proven:
                worker.generation = self.generation
        self._proven = self.generation
        self.has_failed_trial = False
        self._quick_deaths = 0

    def stop(self, now: float, delay: float = 0.0) -> None:
        """Stop all workers, after some seconds; until then they go on as before, and none is out of date."""
        self.is_stopping = True
        self.is_ending = delay <= 0
        self._stop_at = now + delay

    # What there is

    @property
    def serving(self) -> list[Worker]:
        """Those who serve, and are to go on with it."""
        return [each for each in self.workers.values() if each.state is State.SERVING]

    @property
    def retiring(self) -> list[Worker]:
        """Those whose place others have, and who finish what they have."""
        return [each for each in self.workers.values() if each.state is State.RETIRING]

    def is_alive(self, since: float) -> bool:
        """Whether any of those who answer has been heard of since then."""
        answering = (State.SERVING, State.RETIRING)
        return any(each.state in answering and each.heard >= since for each in self.workers.values())

    @property
    def is_settled(self) -> bool:
        """As many as there should be serve, all of this generation."""
        serving = self.serving
        return len(serving) >= self.size and all(each.generation == self.generation for each in serving)

    # What is to be done

    def plan(self, now: float) -> Iterator[Start | Act]:
        """Say what is to be done now, one after the other; what is said counts as done."""
        yield from self._end_overdue(now)
        self._end_trial()
        if now >= self._stop_at:
            yield from self._retire_all(now)
        if not self.is_ending and self.failure is None:
            yield from self._end_outdated_starts()
            yield from self._replace(now)
        yield from self._hurry(now)

    def force(self, now: float, how: Do) -> Iterator[Act]:
        """Say what is to be done to stop at once: by FORCE or by KILL."""
        self.is_stopping = True
        self._end()
        for worker in self.workers.values():
            if worker.state is State.STARTING or how is Do.KILL:
                yield self._kill(worker)
            elif worker.state is not State.ENDED:
                worker.state, worker.kill_at = State.RETIRING, min(worker.kill_at, now + GRACE)
                yield Act(worker.pid, Do.FORCE)

    def next_due(self) -> float:
        """Return when something will be to be done, if nothing happens until then."""
        due = [worker.kill_at for worker in self.workers.values()]
        due += [worker.heard + self._times.worker for worker in (*self.serving, *self.retiring)]
        due += [
            each.heard + self._times.start for each in self.workers.values() if each.state is State.STARTING
        ]
        if not self.is_ending:
            due += [each.tired_at for each in self.serving]
        due += self._start_at, self._stop_at
        return min((each for each in due if each > -inf), default=inf)

    def _end_overdue(self, now: float) -> Iterator[Act]:
        for worker in self.workers.values():
            if worker.state is State.STARTING and now >= worker.heard + self._times.start:
                worker.state, worker.kill_at, worker.is_late = State.ENDED, now + _LAST_WORDS, True
                yield Act(worker.pid, Do.ABORT_START)
            elif now >= worker.kill_at:
                is_late = worker.state is State.RETIRING
                yield self._kill(worker, Do.GIVE_UP if is_late else Do.KILL)
            elif worker.state in (State.SERVING, State.RETIRING) and now >= worker.heard + self._times.worker:
                self.restarts += worker.state is State.SERVING
                worker.state, worker.kill_at = State.ENDED, now + _LAST_WORDS
                yield Act(worker.pid, Do.ABORT)

    def _end_trial(self) -> None:
        """Know that the newest generation works, when as many as there should be of it serve."""
        newest = sum(each.generation == self.generation for each in self.serving)
        if self.has_served and newest >= self.size:
            self._prove(self.generation)
            self._has_settled = True

    def _prove(self, generation: int) -> None:
        self._proven, self._held = generation, self.size

    def _end(self) -> None:
        self.is_ending = True
        self._start_at, self._stop_at = -inf, inf

    def _retire_all(self, now: float) -> Iterator[Act]:
        self._end()
        for worker in self.workers.values():
            if worker.state is State.STARTING:
                yield self._kill(worker)
            elif worker.state is State.SERVING:
                yield self._retire(worker, now, Do.STOP)
            elif worker.state is State.RETIRING:
                self._limit(worker, now, self._times.shutdown)
                yield Act(worker.pid, Do.STOP)

    def _end_outdated_starts(self) -> Iterator[Act]:
        """End those that would be out of date when they came to serve: perhaps they never would."""
        for worker in self.workers.values():
            if worker.state is State.STARTING and worker.generation not in (self.generation, self._proven):
                yield self._kill(worker)

    def _replace(self, now: float) -> Iterator[Start | Act]:
        serving = self.serving
        for each in serving:
            if now >= each.tired_at:
                self.tired(each.pid)
        outdated = [each for each in serving if each.is_tired or each.generation != self.generation]
        if self.is_stopping:
            outdated = []
        to_come = [each.generation for each in self.workers.values() if each.is_to_come]
        newest = to_come.count(self.generation)
        # What one did that has died must not wait for a generation that never serves, perhaps.
        again = min(self.size, self._held) - len(serving) - (len(to_come) - newest) if self.is_on_trial else 0
        in_turn = outdated + [each for each in serving if each not in outdated]
        for worker in in_turn[: max(len(serving) - self.size, 0)]:
            yield self._retire(worker, now, Do.RETIRE)
            serving.remove(worker)
        missing = self.size - len(serving) - len(to_come) - max(again, 0)
        if missing <= 0 and not newest and any(each in serving for each in outdated):
            missing = 1
        if not self.has_served:  # what is wrong with the first is wrong with all, and is said once
            missing = min(missing, 1 - newest)
        if now >= self._start_at:
            self._start_at = -inf
            for generation in [self._proven] * again + [self.generation] * missing:
                if now >= self._start_at:  # or the system had no room for the one before
                    yield Start(generation)

    def _hurry(self, now: float) -> Iterator[Act]:
        """See that those who finish what they have, be it for ever, do not become more and more."""
        self._largest = max(self._largest, self.size)
        patient = [each for each in self.retiring if each.kill_at == inf]
        for worker in patient[: max(len(patient) - _MOST_RETIRING * self._largest, 0)]:
            self._limit(worker, now, self._times.shutdown)
            yield Act(worker.pid, Do.HURRY)

    def _retire(self, worker: Worker, now: float, how: Do) -> Act:
        worker.state = State.RETIRING
        self._limit(worker, now, self._times.retire if how is Do.RETIRE else self._times.shutdown)
        return Act(worker.pid, how)

    @staticmethod
    def _limit(worker: Worker, now: float, seconds: float) -> None:
        worker.kill_at = min(worker.kill_at, now + seconds + GRACE)

    def _kill(self, worker: Worker, why: Do = Do.KILL) -> Act:
        worker.state, worker.kill_at = State.ENDED, inf
        return Act(worker.pid, why)
