"""The end of those that are late, and the end of all."""

from __future__ import annotations

from math import inf

from aioserve.workers.fleet import HOPELESS, Do, State, Times
from tests.workers.scene import BEGIN, SHUTDOWN, TIMEOUT, Scene, serving

GRACE, LAST_WORDS = 2.0, 0.5


# The end of those that are late


def test_silent_worker_is_ended_and_replaced_at_once_and_has_half_a_second_for_its_stacks():
    scene = serving(2)
    assert scene.fleet.next_due() == BEGIN + TIMEOUT
    assert scene.plan(TIMEOUT - 1) == []
    scene.fleet.heard(2, scene.now)

    assert scene.plan(1.0) == [(Do.ABORT, 1), ("start", 3)]
    assert scene.fleet.next_due() == scene.now + LAST_WORDS
    assert scene.plan(LAST_WORDS) == [(Do.KILL, 1)]
    assert scene.plan(1.0) == []
    assert scene.die(1).state is State.ENDED
    assert scene.plan() == []


def test_those_are_counted_that_others_had_to_take_the_place_of():
    scene = serving(2)
    scene.fleet.heard(2, scene.now + TIMEOUT)
    scene.plan(TIMEOUT)  # 1 was blocked
    scene.die(1)
    assert scene.fleet.restarts == 1
    scene.serve(3)
    scene.die(2)
    assert scene.fleet.restarts == 2
    scene.fleet.stop(scene.now)
    scene.plan()
    scene.die(3)

    assert scene.fleet.restarts == 2


def test_what_a_worker_says_after_it_was_ended_changes_nothing():
    scene = serving()
    scene.plan(TIMEOUT)
    scene.fleet.heard(1, scene.now)
    scene.fleet.tired(1)
    scene.serve(1)

    assert scene.states() == {1: State.ENDED, 2: State.STARTING}
    assert scene.plan(LAST_WORDS) == [(Do.KILL, 1)]


def test_worker_may_be_silent_for_ever_without_a_timeout():
    scene = serving(worker=inf)

    assert scene.fleet.next_due() == inf
    assert scene.plan(1e9) == []


def test_other_settings_hold_from_now_on():
    scene = serving(2)
    scene.fleet.configure(Times(5.0, shutdown=1.0))
    assert scene.plan(4.0) == []
    scene.fleet.heard(2, scene.now)

    assert scene.plan(1.0) == [(Do.ABORT, 1), ("start", 3)]
    scene.fleet.stop(scene.now)
    assert scene.plan() == [(Do.STOP, 2), (Do.KILL, 3)]
    assert scene.fleet.workers[2].kill_at == scene.now + 1.0 + GRACE


def retiring(**times):
    """Return a scene in which 1 retires and 2 serves."""
    scene = serving(2, **times)
    scene.fleet.size = 1
    assert scene.plan() == [(Do.RETIRE, 1)]
    return scene


def test_retiring_worker_has_all_the_time_that_its_answers_need():
    scene = retiring(worker=inf)

    assert scene.fleet.next_due() == inf
    assert scene.plan(1e9) == []


def test_retiring_worker_that_has_answered_has_the_time_for_threads_and_tasks_and_is_given_up_then():
    scene = retiring(worker=inf)
    scene.plan(3600.0)
    scene.fleet.answered(1, scene.now)

    assert scene.fleet.next_due() == scene.now + SHUTDOWN + GRACE
    assert scene.plan(SHUTDOWN + 1.0) == []
    assert scene.plan(1.0) == [(Do.GIVE_UP, 1)]
    assert scene.plan(1.0) == []
    scene.fleet.answered(1, scene.now)  # which was read late
    assert scene.plan(3600.0) == []
    assert scene.die(1).state is State.ENDED


def test_retiring_worker_is_given_up_after_its_time_where_there_is_one():
    scene = retiring(worker=inf, retire=5.0)

    assert scene.plan(5.0) == []
    assert scene.plan(GRACE) == [(Do.GIVE_UP, 1)]


def test_retiring_worker_that_somebody_wants_to_be_gone_has_the_time_of_the_end():
    scene = retiring(worker=inf)

    assert [step.what for step in scene.fleet.hurry(1, scene.now)] == [Do.PRESS]
    assert [*scene.fleet.hurry(1, scene.now)] == []
    assert scene.plan(SHUTDOWN + GRACE) == [(Do.GIVE_UP, 1)]


def test_retiring_worker_that_is_blocked_is_ended():
    scene = retiring(worker=3.0)
    scene.fleet.heard(2, scene.now + 1.0)

    assert scene.fleet.next_due() == scene.now + 3.0
    assert scene.plan(3.0) == [(Do.ABORT, 1)]


def test_retiring_worker_has_the_time_of_all_when_all_stop():
    scene = retiring()
    scene.plan(3.0)
    scene.fleet.stop(scene.now)

    assert scene.plan() == [(Do.STOP, 1), (Do.STOP, 2)]
    assert scene.plan(SHUTDOWN + GRACE) == [(Do.GIVE_UP, 1), (Do.GIVE_UP, 2)]


def test_oldest_of_too_many_that_retire_has_the_time_that_there_is_when_all_stop():
    """Each reload could leave some that have a stream without end."""
    scene = serving(worker=inf)
    for pid in range(1, 10):
        scene.fleet.tired(pid)
        assert scene.plan() == [("start", pid + 1)]
        assert len(scene.fleet.retiring) == pid - 1
        scene.serve(pid + 1)
        steps = scene.plan()

    assert steps == [(Do.RETIRE, 9), (Do.HURRY, 1)]
    assert scene.plan(SHUTDOWN + GRACE) == [(Do.GIVE_UP, 1)]
    assert scene.plan(3600.0) == []


def test_all_is_well_while_one_of_those_who_answer_has_been_heard_of():
    scene = serving(2)
    scene.fleet.size = 1
    scene.plan()  # 1 retires
    heard = scene.now
    scene.plan(5.0)
    assert not scene.fleet.is_alive(since=scene.now)
    assert scene.fleet.is_alive(since=heard)

    scene.fleet.heard(1, scene.now)
    assert scene.fleet.is_alive(since=scene.now)
    scene.die(1)
    assert not scene.fleet.is_alive(since=scene.now)
    scene.fleet.heard(2, scene.now)
    assert scene.fleet.is_alive(since=scene.now)


def test_all_is_not_well_while_nobody_answers():
    scene = Scene()
    scene.plan()
    assert not scene.fleet.is_alive(since=scene.now)

    scene.serve(1)
    assert scene.fleet.is_alive(since=scene.now)
    scene.force(Do.KILL)
    assert not scene.fleet.is_alive(since=scene.now)


# The end of all


def test_all_stop_and_nobody_is_started_any_more():
    scene = serving(3)
    scene.fleet.size = 2
    scene.plan()  # 1 retires
    scene.die(2, seconds=1.0)
    scene.plan()  # 4 is starting
    scene.fleet.stop(scene.now)

    assert scene.plan() == [(Do.STOP, 1), (Do.STOP, 3), (Do.KILL, 4)]
    assert scene.plan() == []
    for pid in (1, 3, 4):
        scene.die(pid)
    assert scene.plan() == []
    assert scene.fleet.next_due() == inf
    assert scene.fleet.failure is None


def test_all_go_on_until_the_delay_is_over_and_those_that_die_are_replaced_until_then():
    """A load balancer sends them requests still."""
    scene = serving(2)
    scene.fleet.stop(scene.now, 5.0)

    assert (scene.fleet.is_stopping, scene.fleet.is_ending) == (True, False)
    assert scene.plan() == []
    assert scene.fleet.next_due() == scene.now + 5.0
    assert scene.die(1, seconds=4.0).state is State.SERVING
    assert scene.plan() == [("start", 3)]
    scene.serve(3)
    assert scene.plan(1.0) == [(Do.STOP, 2), (Do.STOP, 3)]
    assert scene.fleet.is_ending
    scene.die(2)
    assert scene.plan() == []


def test_pause_before_another_start_ends_with_the_delay():
    scene = serving()
    scene.fleet.stop(scene.now, 5.0)
    scene.die(1)
    assert scene.plan() == [("start", 2)]
    scene.die(2, seconds=4.95)
    assert scene.plan() == []

    assert scene.plan(0.05) == []
    assert scene.plan(60.0) == []
    assert scene.fleet.next_due() == inf


def test_nobody_is_out_of_date_or_tired_any_more_when_all_will_stop():
    scene = serving(2)
    scene.fleet.reload()
    scene.fleet.workers[2].is_tired = True
    scene.fleet.stop(scene.now, 5.0)

    assert scene.plan() == []


def test_workers_that_die_again_and_again_are_a_failure_before_the_delay_is_over_too():
    scene = serving()
    scene.fleet.stop(scene.now, 3600.0)
    for pid in range(1, 11):
        scene.die(pid)
        scene.plan(1.0)

    assert scene.fleet.failure == HOPELESS


def test_worker_that_is_blocked_is_ended_though_all_stop():
    scene = serving(worker=3.0)
    scene.fleet.stop(scene.now, 5.0)

    assert scene.plan(3.0) == [(Do.ABORT, 1), ("start", 2)]
    assert scene.plan(2.0) == [(Do.KILL, 1), (Do.KILL, 2)]
    assert scene.plan(1.0) == []


def test_worker_that_cannot_start_is_no_failure_when_all_stop():
    scene = Scene()
    scene.plan()
    scene.fleet.stop(scene.now)

    scene.die(1)

    assert scene.fleet.failure is None


def forced():
    """Return a scene with a worker in each state: 1 retires, 2 serves, 3 was aborted, 4 is starting."""
    scene = serving(3)
    scene.fleet.size = 2
    scene.plan(TIMEOUT - 1)
    scene.fleet.heard(1, scene.now)
    scene.fleet.heard(2, scene.now)
    scene.plan(1.0)
    assert scene.states() == {
        1: State.RETIRING,
        2: State.SERVING,
        3: State.ENDED,
        4: State.STARTING,
    }
    return scene


def test_all_are_forced_to_end_within_two_seconds_and_those_that_could_not_hear_it_are_killed():
    scene = forced()

    assert scene.force(Do.FORCE) == [(Do.FORCE, 1), (Do.FORCE, 2), (Do.KILL, 4)]
    assert scene.fleet.is_stopping
    assert scene.fleet.is_ending
    assert scene.plan() == []
    assert scene.plan(LAST_WORDS) == [(Do.KILL, 3)]
    assert scene.plan(GRACE - LAST_WORDS) == [(Do.GIVE_UP, 1), (Do.GIVE_UP, 2)]
    assert scene.plan(1.0) == []
    assert scene.fleet.next_due() == inf


def test_force_gives_nobody_more_time_than_it_had():
    scene = retiring(retire=SHUTDOWN)
    scene.plan(SHUTDOWN + 1.0)
    scene.force(Do.FORCE)

    assert scene.plan(1.0) == [(Do.GIVE_UP, 1)]
    assert scene.plan(1.0) == [(Do.GIVE_UP, 2)]


def test_all_are_killed():
    scene = forced()

    assert sorted(pid for what, pid in scene.force(Do.KILL) if what is Do.KILL) == [1, 2, 3, 4]
    assert set(scene.states().values()) == {State.ENDED}
    assert scene.plan(3600.0) == []


def test_force_ends_a_delay():
    scene = serving()
    scene.fleet.stop(scene.now, 60.0)
    scene.force(Do.FORCE)

    assert scene.fleet.next_due() == scene.now + GRACE


def test_nobody_is_late_for_what_the_parent_slept_through():
    """By Ctrl+Z it is stopped, and the workers with it."""
    scene = serving(2, retire=SHUTDOWN)
    scene.fleet.workers[2].is_tired = True
    scene.plan()
    scene.serve(3)
    assert scene.plan() == [(Do.RETIRE, 2)]

    scene.now += 3600.0
    scene.fleet.slept(3600.0, scene.now)

    assert scene.plan() == []
    assert scene.plan(SHUTDOWN + 2.0) == [(Do.GIVE_UP, 2)]
    assert (Do.ABORT, 1) in scene.plan(TIMEOUT)


def test_one_that_dies_quickly_may_do_so_for_days_while_others_serve():
    scene = serving(2)
    scene.die(2, seconds=10.0)
    for _ in range(2000):
        scene.fleet.heard(1, scene.now)
        (step,) = scene.plan(1.0)
        scene.die(step[1])

    assert scene.fleet.failure is None


# One that is to be replaced later


def test_tired_worker_may_have_to_wait_until_it_is_replaced():
    scene = serving(2)
    scene.fleet.tired(2, scene.now + 5)

    assert scene.plan() == []
    assert scene.fleet.next_due() == scene.now + 5
    assert scene.plan(5.0) == [("start", 3)]
    assert scene.fleet.next_due() > scene.now  # or the parent would not rest while it starts
    scene.serve(3)
    assert scene.plan() == [(Do.RETIRE, 2)]


def test_one_that_waits_is_replaced_at_once_for_another_reason():
    scene = serving()
    scene.fleet.tired(1, scene.now + 5)
    scene.fleet.tired(1)
    scene.fleet.tired(1, scene.now + 9)

    assert scene.plan() == [("start", 2)]


def test_nobody_waits_for_it_at_the_end():
    scene = serving()
    scene.fleet.tired(1, scene.now + 1)
    scene.fleet.stop(scene.now)

    assert scene.plan() == [(Do.STOP, 1)]
    assert scene.fleet.next_due() > scene.now + 1
