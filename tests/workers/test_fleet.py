"""How many workers there are; `test_fleet_ends.py` has how they end, `test_fleet_any.py` anything."""

from __future__ import annotations

from math import inf

import pytest

from aioserve.workers.fleet import Act, Do, Start, State, Worker
from tests.workers.scene import BEGIN, Scene, serving

# The start


def test_first_worker_is_started_alone_and_the_others_when_it_serves():
    """What is wrong with the first is wrong with all, and is said once."""
    scene = Scene(3)

    assert scene.plan() == [("start", 1)]
    assert scene.plan() == []
    assert not scene.fleet.has_served
    scene.serve(1)
    assert scene.fleet.has_served
    assert scene.plan() == [("start", 2), ("start", 3)]
    assert not scene.fleet.is_settled


def test_worker_that_has_been_started_is_known_by_what_it_does():
    scene = Scene()
    scene.plan()

    assert scene.fleet.workers == {1: Worker(1, 0, State.STARTING, BEGIN)}
    scene.now += 5
    scene.serve(1)
    assert scene.fleet.workers == {1: Worker(1, 0, State.SERVING, BEGIN + 5, since=BEGIN + 5)}
    assert scene.fleet.serving == [*scene.fleet.workers.values()]


@pytest.mark.parametrize(("refusal", "failure"), [(1, 1), (5, 5), (None, 3)])
def test_first_worker_that_cannot_start_is_the_end_and_what_it_says_the_servers_code(refusal, failure):
    scene = Scene(3)
    scene.plan()
    if refusal:
        scene.fleet.refused(1, refusal)

    worker = scene.die(1)

    assert worker.state is State.STARTING
    assert scene.fleet.failure == failure


def test_worker_takes_as_long_to_start_as_it_needs_where_there_is_no_limit():
    scene = Scene()
    scene.plan()

    assert scene.fleet.next_due() == inf
    assert scene.plan(3600.0) == []


def test_first_worker_that_does_not_come_to_serve_writes_its_stacks_and_is_the_end():
    scene = Scene(3, start=60.0)
    scene.plan()

    assert scene.fleet.next_due() == BEGIN + 60.0
    assert scene.plan(60.0) == [(Do.ABORT_START, 1)]
    assert scene.plan(0.5) == [(Do.KILL, 1)]
    scene.die(1)
    assert scene.fleet.failure == 3


def test_system_without_room_for_the_first_worker_is_the_end():
    scene = Scene(1)
    next(scene.fleet.plan(scene.now))
    scene.fleet.could_not_start(scene.now)

    assert scene.fleet.failure == 3
    assert scene.plan() == []


def test_system_without_room_is_asked_again_after_a_second():
    scene = serving(4)
    for pid in (1, 2, 3):
        scene.die(pid, seconds=1.0)
    plan = scene.fleet.plan(scene.now)

    assert next(plan) == Start(0)
    scene.fleet.could_not_start(scene.now)
    assert [*plan] == []  # it would not have room for the others either

    assert scene.plan() == []
    assert scene.fleet.next_due() == scene.now + 1.0
    assert scene.plan(0.99) == []
    assert scene.plan(0.01) == [("start", 5), ("start", 6), ("start", 7)]


def test_what_is_said_is_a_value():
    assert Start(1) == Start(1) != Start(2)
    assert Act(1, Do.KILL) == Act(1, Do.KILL) != Act(2, Do.KILL)


# Deaths


def test_worker_that_has_served_is_replaced_at_once():
    scene = serving(2)

    assert scene.die(1, seconds=1.0).pid == 1
    assert scene.plan() == [("start", 3)]
    assert scene.fleet.failure is None


def test_worker_that_dies_quickly_is_replaced_at_once_and_the_next_ones_after_longer_and_longer_pauses():
    scene = serving(2)
    pauses = []

    for pid in (1, *range(3, 10)):
        scene.serve(pid)
        scene.die(pid, seconds=0.5)
        if not (steps := scene.plan()):
            pauses.append(scene.fleet.next_due() - scene.now)
            steps = scene.plan(pauses[-1])
        assert steps == [("start", max(pid, 2) + 1)]

    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])


def quick_deaths(scene, times, *, of_starting=False):
    """Let each new worker die so many times, from the newest on."""
    for _ in range(times):
        pid = max(scene.fleet.workers)
        if not of_starting:
            scene.serve(pid)
        scene.die(pid)
        if scene.fleet.failure is None:
            scene.plan(1.0)


def test_worker_that_cannot_start_where_others_have_served_counts_as_one_that_died_quickly():
    scene = serving(2)
    scene.die(2, seconds=1.0)
    scene.plan()
    quick_deaths(scene, 1, of_starting=True)
    scene.die(4)

    assert scene.plan() == []
    assert scene.plan(0.1) == [("start", 5)]


@pytest.mark.parametrize("of_starting", [True, False])
@pytest.mark.parametrize(("times", "failure"), [(9, None), (10, 6)])
def test_ten_quick_deaths_in_a_row_are_hopeless(of_starting, times, failure):
    scene = serving()
    scene.die(1, seconds=1.0)
    scene.plan()

    quick_deaths(scene, times, of_starting=of_starting)

    assert scene.fleet.failure == failure


def test_there_is_hope_while_somebody_serves():
    scene = serving(2)

    quick_deaths(scene, 20)

    assert scene.fleet.failure is None
    assert scene.states()[1] is State.SERVING


def test_worker_that_served_for_a_while_ends_the_row_of_quick_deaths():
    scene = serving()
    quick_deaths(scene, 9)
    scene.serve(10)
    scene.die(10, seconds=1.0)
    assert scene.plan() == [("start", 11)]

    quick_deaths(scene, 9)

    assert scene.fleet.failure is None


@pytest.mark.parametrize("what", ["reload", "give_up_reload"])
def test_reload_and_its_end_begin_a_new_row_of_quick_deaths(what):
    scene = serving()
    quick_deaths(scene, 8)
    scene.serve(9)
    scene.die(9)
    getattr(scene.fleet, what)()
    scene.plan(1.0)

    quick_deaths(scene, 9)

    assert scene.fleet.failure is None


def test_reload_ends_a_pause():
    scene = serving()
    quick_deaths(scene, 5)
    scene.serve(6)
    scene.die(6)
    assert scene.plan() == []

    scene.fleet.reload()

    assert scene.plan() == [("start", 7)]


def test_death_of_a_worker_that_was_told_to_end_says_nothing():
    scene = serving(20)
    scene.fleet.size = 1
    retiring = [pid for _, pid in scene.plan()]

    assert {scene.die(pid).state for pid in retiring} == {State.RETIRING}
    scene.die(20)  # the first quick death
    assert scene.plan() == [("start", 21)]
    assert scene.fleet.failure is None


# Replacing


def test_tired_worker_is_replaced_by_a_new_one_which_serves_first():
    scene = serving(2)
    scene.fleet.tired(2)

    assert scene.plan() == [("start", 3)]
    assert scene.plan() == []
    scene.serve(3)
    assert scene.plan() == [(Do.RETIRE, 2)]
    assert scene.plan() == []
    assert scene.fleet.is_settled


def test_tired_workers_are_replaced_one_after_the_other():
    scene = serving(3)
    for pid in (1, 2, 3):
        scene.fleet.tired(pid)
    steps = [scene.plan()]

    for pid in (4, 5, 6):
        scene.serve(pid)
        steps.append(scene.plan())

    assert steps == [
        [("start", 4)],
        [(Do.RETIRE, 1), ("start", 5)],
        [(Do.RETIRE, 2), ("start", 6)],
        [(Do.RETIRE, 3)],
    ]


def test_tired_worker_that_dies_has_been_replaced_already():
    scene = serving(2)
    scene.fleet.tired(1)
    scene.plan()

    scene.die(1, seconds=1.0)

    assert scene.plan() == []
    scene.serve(3)
    assert scene.plan() == []


def test_tired_worker_goes_on_when_the_new_one_cannot_start_and_is_tried_to_be_replaced_again():
    scene = serving(2)
    scene.fleet.tired(1)
    scene.plan()

    scene.die(3)

    assert scene.plan() == [("start", 4)]
    assert scene.states()[1] is State.SERVING


def test_reload_replaces_all_one_after_the_other_the_oldest_first():
    scene = serving(2)
    scene.fleet.reload()
    assert not scene.fleet.is_settled
    assert scene.fleet.is_on_trial

    assert scene.plan() == [("start", 3)]
    assert scene.fleet.workers[3].generation == scene.fleet.generation == 1
    scene.serve(3)
    assert scene.plan() == [(Do.RETIRE, 1), ("start", 4)]
    assert scene.fleet.is_on_trial
    assert not scene.fleet.is_settled
    scene.serve(4)
    assert scene.plan() == [(Do.RETIRE, 2)]
    assert not scene.fleet.is_on_trial
    assert scene.fleet.is_settled


def test_reload_does_not_wait_for_those_that_are_to_come_yet():
    """Perhaps they never would: what is loaded anew may be the remedy."""
    scene = serving(2)
    scene.die(2, seconds=1.0)
    scene.plan()

    scene.fleet.reload()

    assert scene.plan() == [("start", 4)]
    assert scene.plan() == []
    assert scene.fleet.is_on_trial


def test_another_reload_ends_those_that_would_be_out_of_date_when_they_came_to_serve():
    scene = serving()
    scene.fleet.reload()
    assert scene.plan() == [("start", 2)]

    scene.fleet.reload()

    assert scene.plan() == [(Do.KILL, 2), ("start", 3)]
    assert scene.die(2).state is State.ENDED
    assert not scene.fleet.has_failed_trial


@pytest.mark.parametrize("size", [1, 2])
def test_those_that_die_during_a_trial_are_replaced_by_what_is_known_to_work(size):
    """Those that are on trial may never come to serve."""
    scene = serving(size)
    scene.fleet.reload()
    assert scene.plan() == [("start", size + 1)]
    scene.die(1, seconds=1.0)

    assert scene.plan() == [("start", size + 2)]
    assert scene.fleet.workers[size + 2].generation == 0
    scene.serve(size + 2)
    assert scene.plan() == []
    scene.die(size + 1)
    assert scene.fleet.has_failed_trial
    scene.fleet.give_up_reload()
    assert scene.plan() == []
    assert scene.fleet.is_settled


def test_trial_has_failed_when_one_of_the_generation_cannot_come_to_serve():
    """It may take a lock that the one before it has."""
    scene = serving(2)
    scene.fleet.reload()
    scene.plan()
    scene.serve(3)
    assert scene.plan() == [(Do.RETIRE, 1), ("start", 4)]
    scene.die(4)

    assert scene.fleet.has_failed_trial
    scene.fleet.give_up_reload()
    assert not scene.fleet.has_failed_trial
    assert scene.plan() == [("start", 5)]
    scene.serve(5)
    assert scene.plan() == [(Do.RETIRE, 3)]
    assert [each.pid for each in scene.fleet.serving] == [2, 5]


def test_trial_has_failed_when_one_of_the_generation_is_late():
    scene = serving(start=60.0, worker=inf)
    scene.fleet.reload()
    scene.plan()

    assert scene.plan(60.0) == [(Do.ABORT_START, 2)]
    assert scene.plan() == []
    scene.die(2)
    assert scene.fleet.has_failed_trial


def test_workers_of_which_some_can_never_start_are_hopeless():
    """At the first start there is nothing to go back to."""
    scene = Scene(2)
    scene.plan()
    scene.serve(1)
    scene.plan()

    quick_deaths(scene, 9, of_starting=True)
    assert scene.fleet.failure is None
    scene.die(max(scene.fleet.workers))
    assert scene.fleet.failure == 6


def test_there_is_hope_while_something_is_on_trial():
    scene = serving()
    scene.die(1, seconds=1.0)
    scene.fleet.reload()
    scene.plan()
    for _ in range(20):
        scene.die(max(pid for pid, each in scene.fleet.workers.items() if not each.generation))
        scene.plan(1.0)

    assert scene.fleet.failure is None


def test_reload_before_anything_has_served_is_no_trial():
    scene = Scene()
    scene.plan()

    scene.fleet.reload()

    assert not scene.fleet.is_on_trial
    assert scene.plan() == [(Do.KILL, 1), ("start", 2)]


def test_reload_that_is_given_up_leaves_the_old_ones_as_they_are_and_ends_the_new_ones():
    scene = serving(3)
    scene.die(3, seconds=1.0)
    scene.fleet.reload()
    scene.fleet.size = 4
    assert scene.plan() == [("start", 4), ("start", 5)]
    assert scene.fleet.workers[4].generation == 0  # in the place of the one that has died
    scene.die(5)

    scene.fleet.give_up_reload()

    assert not scene.fleet.is_on_trial
    assert scene.plan() == [("start", 6)]
    scene.serve(4, 6)
    assert scene.plan(1.0) == []
    assert scene.fleet.is_settled
    assert [each.pid for each in scene.fleet.serving] == [1, 2, 4, 6]


def test_reload_that_is_given_up_goes_back_to_the_last_generation_that_worked():
    scene = serving(2)
    scene.fleet.reload()
    scene.plan()
    scene.serve(3)
    scene.plan()
    scene.fleet.reload()
    assert scene.plan() == [(Do.KILL, 4), ("start", 5)]
    scene.die(5)

    scene.fleet.give_up_reload()

    assert scene.plan() == [("start", 6)]  # for 3, of a generation that was never seen to serve as a whole
    scene.serve(6)
    assert scene.plan() == [(Do.RETIRE, 3)]
    assert [each.pid for each in scene.fleet.serving] == [2, 6]
    assert scene.fleet.is_settled


def test_worker_of_a_reload_that_was_given_up_is_replaced_if_it_serves_all_the_same():
    scene = serving()
    scene.fleet.reload()
    scene.plan()
    scene.fleet.give_up_reload()
    scene.serve(2)

    assert scene.plan() == [(Do.RETIRE, 2)]
    assert scene.fleet.is_settled


# The size


def test_those_that_are_missing_are_started_at_once():
    scene = serving()
    scene.fleet.size = 3

    assert scene.plan() == [("start", 2), ("start", 3)]


def test_oldest_retire_where_there_are_too_many():
    scene = serving(4)
    scene.fleet.size = 2

    assert scene.plan() == [(Do.RETIRE, 1), (Do.RETIRE, 2)]
    assert scene.plan() == []
    assert scene.fleet.is_settled


def test_tired_ones_retire_before_older_ones_where_there_are_too_many():
    scene = serving(3)
    scene.fleet.tired(3)
    scene.fleet.size = 1

    assert scene.plan() == [(Do.RETIRE, 3), (Do.RETIRE, 1)]
    assert scene.plan() == []


def test_tired_one_that_stays_where_there_are_too_many_is_replaced():
    scene = serving(3)
    for pid in (1, 2, 3):
        scene.fleet.tired(pid)
    scene.fleet.size = 1

    assert scene.plan() == [(Do.RETIRE, 1), (Do.RETIRE, 2), ("start", 4)]


def test_worker_that_is_one_too_many_when_it_comes_to_serve_takes_the_place_of_the_oldest():
    scene = serving(2)
    scene.die(2, seconds=1.0)
    scene.plan()
    scene.fleet.size = 1

    assert scene.plan() == []
    scene.serve(3)
    assert scene.plan() == [(Do.RETIRE, 1)]
