"""Anything may happen to the workers, in any order, and what is done about it is never nonsense."""

from __future__ import annotations

from itertools import count
from math import inf

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aioserve.workers.fleet import Do, Fleet, Start, State, Times

ALIVE = (State.STARTING, State.SERVING)
LARGEST = 4
LAST = (Do.KILL, Do.GIVE_UP)


class Anything(RuleBasedStateMachine):
    """The parent, whose plans are carried out at once, and workers that do as they like."""

    def __init__(self):
        super().__init__()
        self.fleet = None
        self.now = 1000.0
        self.pids = count(1)
        self.told = {}
        self.is_told = False  # all that is to be done by now

    @initialize(
        size=st.integers(1, LARGEST),
        worker=st.sampled_from([inf, 0.3, 30.0]),
        start=st.sampled_from([inf, 0.3, 30.0]),
        shutdown=st.sampled_from([0.0, 10.0]),
        retire=st.sampled_from([0.0, inf]),
    )
    def begin(self, size, worker, start, shutdown, retire):
        self.fleet = Fleet(size, Times(worker, start, shutdown, retire))

    def those(self, *states):
        return [each for each in self.fleet.workers.values() if each.state in states]

    # What happens

    def a_worker(self, number):
        return [*self.fleet.workers][number % len(self.fleet.workers)]

    has_workers = precondition(lambda self: self.fleet.workers)
    goes_on = precondition(lambda self: not self.fleet.is_stopping)
    numbers = st.integers(0, 9)

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.5, 1.0, 2.0, 31.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @has_workers
    @rule(number=numbers)
    def a_worker_serves(self, number):
        self.fleet.serves(self.a_worker(number), self.now)

    @rule()
    def all_serve_that_can(self):
        for each in self.those(State.STARTING):
            self.fleet.serves(each.pid, self.now)

    @has_workers
    @rule(number=numbers)
    def a_worker_is_heard(self, number):
        self.fleet.heard(self.a_worker(number), self.now)

    @has_workers
    @rule(number=numbers)
    def a_worker_is_tired(self, number):
        self.fleet.tired(self.a_worker(number))

    @has_workers
    @rule(number=numbers)
    def a_worker_dies(self, number):
        was_serving = len(self.fleet.serving)
        was_failure = self.fleet.failure
        worker = self.fleet.gone(self.a_worker(number), self.now)

        assert worker.pid not in self.fleet.workers
        if self.fleet.failure != was_failure:
            assert not self.fleet.is_ending
            assert worker.state in ALIVE or worker.is_late
            if self.fleet._has_settled:
                assert not self.fleet.serving
                assert was_serving <= 1
        if self.fleet.has_failed_trial:
            self.fleet.give_up_reload()
            assert not self.fleet.is_on_trial

    @goes_on
    @rule()
    def all_is_loaded_anew(self):
        self.fleet.reload()

        assert not self.fleet.is_settled

    @goes_on
    @precondition(lambda self: self.fleet.is_on_trial)
    @rule()
    def a_reload_is_given_up(self):
        proven = self.fleet._proven
        kept = [each for each in self.fleet.serving if each.generation == proven]
        self.fleet.give_up_reload()

        assert all(each.generation == self.fleet.generation for each in kept)
        assert not self.fleet.is_on_trial

    @rule(size=st.integers(1, LARGEST))
    def the_size_is_changed(self, size):
        self.fleet.size = size

    @rule(worker=st.sampled_from([inf, 0.3, 30.0]))
    def other_settings_hold(self, worker):
        self.fleet.configure(Times(worker, shutdown=1.0))

    @has_workers
    @rule(number=numbers)
    def a_worker_has_answered(self, number):
        self.fleet.answered(self.a_worker(number), self.now)

    @goes_on
    @rule(delay=st.sampled_from([0.0, 0.0, 5.0]))
    def all_stop(self, delay):
        self.fleet.stop(self.now, delay)
        self.is_told = False

    @rule(how=st.sampled_from([Do.FORCE, Do.KILL]), is_wanted=st.integers(0, 5))
    def all_are_forced(self, how, is_wanted):
        if not is_wanted:  # or few things would happen before the end
            for step in self.fleet.force(self.now, how):
                self.follow(step)

    # What is done

    def follow(self, step):
        if isinstance(step, Start):
            self.fleet.started(next(self.pids), self.now, step.generation)
            return
        before = self.told.setdefault(step.pid, [])
        if before and before[-1] in LAST:  # what SIGKILL ends needs no more than, perhaps, another one
            assert step.what is Do.KILL
            assert self.fleet.is_stopping
        assert step.what is not Do.RETIRE or not before
        assert step.what not in (Do.HURRY, Do.STOP, Do.ABORT) or step.what not in before
        before.append(step.what)

    def check(self, step, could_not):
        """What holds at the moment in which something is said."""
        fleet = self.fleet
        serving = len(fleet.serving)
        if isinstance(step, Start):
            assert not fleet.is_ending
            assert not could_not
            assert len(self.those(*ALIVE)) <= (2 * LARGEST if fleet.is_on_trial else fleet.size)
            assert step.generation in (fleet.generation, fleet._proven)
            assert fleet.has_served or not self.those(State.STARTING)
        elif step.what is Do.RETIRE:
            assert serving >= fleet.size  # others
            assert fleet.workers[step.pid].state is State.RETIRING
        elif step.what is Do.STOP:
            assert fleet.is_stopping

    @rule(has_room=st.integers(0, 5))
    def a_plan_is_made(self, has_room=True):
        could_not, self.is_told = False, True
        for step in self.fleet.plan(self.now):
            self.check(step, could_not)
            if isinstance(step, Start) and not has_room:
                self.fleet.could_not_start(self.now)
                could_not = True
            else:
                self.follow(step)

        assert [*self.fleet.plan(self.now)] == []
        assert self.fleet.next_due() > self.now  # or the parent would turn and turn
        if not self.fleet.is_ending:
            known = self.fleet.generation, self.fleet._proven
            assert all(each.generation in known for each in self.those(State.STARTING))
            assert len(self.fleet.serving) <= self.fleet.size
            if self.fleet.has_served and self.fleet._start_at == -inf:
                late = [each for each in self.fleet.workers.values() if each.is_late]
                assert len(self.those(*ALIVE)) + len(late) >= self.fleet.size

    @invariant()
    def whoever_is_to_end_will(self):
        if self.fleet is None:
            return
        if self.fleet.is_ending and self.is_told:
            assert all(each.kill_at < inf for each in self.those(State.RETIRING))
        for each in self.those(State.ENDED):
            assert each.kill_at < inf or self.told[each.pid][-1] in LAST
        assert all(each.kill_at == inf for each in self.those(*ALIVE))

    # In the end

    def teardown(self):
        if self.fleet is None:
            return
        self.fleet.configure(Times(shutdown=1.0))
        if self.fleet.is_stopping:
            self.is_over()
        elif self.fleet.failure is None:
            self.settles()

    def is_over(self):
        """If only time passes, all are told to end, and then by a signal that needs nobody's consent."""
        self.a_plan_is_made()
        while (due := self.fleet.next_due()) < inf:
            self.now = due
            self.a_plan_is_made()
        assert all(self.told[pid][-1] in LAST for pid in self.fleet.workers)

    def settles(self):
        """If all that start come to serve, and those that are to end do, as many as wanted serve soon."""
        for _ in range(20):
            self.a_plan_is_made()
            for each in self.those(State.RETIRING, State.ENDED):
                self.fleet.gone(each.pid, self.now)
            self.all_serve_that_can()
            self.now += 1.0
        assert self.fleet.is_settled
        assert len(self.fleet.workers) == len(self.fleet.serving) == self.fleet.size
        assert not any(each.is_tired for each in self.fleet.serving)
        assert self.fleet.next_due() == inf


TestAnything = Anything.TestCase
