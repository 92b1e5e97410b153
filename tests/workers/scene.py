"""What the tests of the fleet share: a parent without processes and without a clock."""

from __future__ import annotations

from itertools import count

from aioserve.workers.fleet import Fleet, Start, Times

BEGIN = 1000.0
TIMEOUT, SHUTDOWN = 30.0, 10.0


class Scene:
    """A fleet whose plans are carried out at once; its workers are numbered from 1."""

    def __init__(self, size=1, **times):
        self.fleet = Fleet(size, Times(**{"worker": TIMEOUT, "shutdown": SHUTDOWN} | times))
        self.now = BEGIN
        self._pids = count(1)

    def plan(self, seconds=0.0):
        """Let so many seconds pass, and return what is done then: ("start", pid) or (Do, pid)."""
        self.now += seconds
        return [self._carry_out(step) for step in self.fleet.plan(self.now)]

    def force(self, how):
        return [self._carry_out(step) for step in self.fleet.force(self.now, how)]

    def serve(self, *pids):
        for pid in pids:
            self.fleet.serves(pid, self.now)

    def die(self, pid, seconds=0.0):
        self.now += seconds
        return self.fleet.gone(pid, self.now)

    def states(self):
        return {pid: worker.state for pid, worker in self.fleet.workers.items()}

    def _carry_out(self, step):
        if isinstance(step, Start):
            pid = next(self._pids)
            self.fleet.started(pid, self.now, step.generation)
            return "start", pid
        return step.what, step.pid


def serving(size=1, **settings):
    """Return a scene in which so many serve, from 1 on, and nothing is to be done."""
    scene = Scene(size, **settings)
    scene.plan()
    scene.serve(1)
    scene.serve(*(pid for _, pid in scene.plan()))
    assert scene.plan() == []
    assert scene.fleet.is_settled
    return scene
