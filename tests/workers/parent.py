"""A parent for the tests of the supervisor: its children are no processes, and the test is its clock."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from itertools import count
from math import inf
from types import SimpleNamespace

from aioserve.settings import Bind, Process, Settings
from aioserve.workers.supervisor import Supervisor, _gather


class FakeProcesses:
    """Children that are started, told and killed in a log."""

    def __init__(self, _selector, on_said):
        self.say_as = on_said
        self.log = []
        self.dead = []
        self.error = None
        self._pids = count(1)

    def start(self, leave):
        self.leave = leave
        if self.error:
            raise self.error
        pid = next(self._pids)
        self.log.append(("start", pid))
        return pid

    def say(self, pid, order):
        self.log.append((order, pid))

    def say_to_all(self, order):
        self.log.append(order)

    def kill(self, pid, number):
        self.log.append((number, pid))

    def ended(self):
        dead, self.dead = self.dead, []
        return dead

    def close(self):
        self.log.append("closed")


class FakePublicity:
    """What is said, in a log."""

    def __init__(self, _settings, manager):
        self.log = []
        self.has_said_ready = False
        self.manager = manager

    def serves(self, settings, listening, workers):
        self.has_said_ready = True
        self.log.append(("serves", settings.process.workers, len(listening.sockets), workers))

    def counts(self, workers):
        self.counted = workers

    def follow(self, settings):
        self.followed = settings

    def stops(self, seconds):
        self.log.append(("stops", seconds))

    def has_stopped(self, answered, cut, silent, *, is_forced):
        self.log.append(("stopped", answered, cut, silent, is_forced))

    def close(self, *, is_over):
        self.log.append(("closed", is_over))

    def __getattr__(self, name):
        return lambda: self.log.append(name)


class FakeLookout:
    """A lookout that looks at nothing, in a log."""

    due = inf

    def __init__(self, _selector, on_changed):
        self.change = on_changed
        self.log = []

    def watch(self, sources):
        self.log.append(sources)

    def keep(self, leave):
        self.leave = leave

    def close(self):
        self.log.append("closed")


class FakeSelector:
    """In place of waiting it lets the next thing happen."""

    def __init__(self):
        self.script = []
        self.waits = []

    def register(self, what, _events, do):
        self.registered = what, do

    def select(self, timeout):
        self.waits.append(timeout)
        self.script.pop(0)()
        return [(SimpleNamespace(data=self.registered[1]), 1)]  # the signals, of which there may be none

    def close(self):
        pass


class FakeSignals:
    """Signals that come from the test."""

    def __init__(self):
        self.come = []
        self.lost_terminal = False

    def waiting(self):
        return nullcontext()

    def taken(self):
        come, self.come = self.come, []
        return come

    def has_lost_terminal(self):
        return self.lost_terminal

    def close(self, *, is_exiting):
        self.is_exiting = is_exiting


class FakeManager:
    """A service manager that wants to hear of us."""

    period = 0.0

    def __init__(self):
        self.heard = 0

    def alive(self):
        self.heard += 1


BIND = Bind("127.0.0.1", 0)
ONE = Settings(bind=BIND)
TWO = Settings(bind=BIND, process=Process(workers=2))


class Parent:
    """A parent and what it did."""

    def __init__(self, settings=ONE, again=None):
        self.again = again or settings
        self.supervisor = Supervisor(settings, self.read, _gather(settings))
        self.processes = self.supervisor._processes
        self.public = self.supervisor._public
        self.signals = self.supervisor._signals
        self.lookout = self.supervisor._lookout

    def read(self):
        if isinstance(self.again, Exception):
            raise self.again
        return self.again

    def run(self, *script):
        """Let these things happen, one after the other; in the end all workers are gone."""
        self.supervisor._selector.script = list(script)
        return self.supervisor.run()

    def serve(self, *pids):
        """Let workers say that they serve."""
        return lambda: [self.processes.say_as(pid, b"serves", []) for pid in pids]

    def say(self, pid, word, *numbers):
        return lambda: self.processes.say_as(pid, word, [*numbers])

    def send(self, *numbers):
        """Let signals come."""

        def send():
            self.signals.come = [*numbers]
            self.supervisor._take_signals()

        return send

    def die(self, *pids, code=0):
        """Let workers end."""

        def die():
            self.processes.dead = [(pid, code) for pid in pids]
            self.send(signal.SIGCHLD)()

        return die

    def refuse(self, pid):
        """Let a worker say that it cannot serve, and end."""
        return lambda: self.say(pid, b"refused", 3)() or self.die(pid, code=3)()

    def die_all(self):
        """Let all that there are by then end."""

        def die():
            self.die(*self.supervisor._fleet.workers)()

        return die
