"""Who speaks, among workers that the test makes up."""

from __future__ import annotations

from aioserve.workers.channel import Order
from aioserve.workers.fleet import State, Worker
from aioserve.workers.spokesman import Spokesman


def serving(*generations):
    """Return workers, numbered from 1, of these generations; None is one that does not serve."""
    return [
        Worker(pid, generation, State.SERVING, 0.0)
        for pid, generation in enumerate(generations, 1)
        if generation is not None
    ]


def test_first_that_serves_says_all_and_the_others_nothing():
    spokesman = Spokesman()

    assert [*spokesman.choose([])] == []
    assert [*spokesman.choose(serving(0, 0))] == [(1, Order.SPEAK), (1, Order.TELL)]
    assert [*spokesman.choose(serving(0, 0, 0))] == []


def test_who_takes_over_does_not_say_again_what_was_said():
    spokesman = Spokesman()
    [*spokesman.choose(serving(0, 0))]

    assert [*spokesman.choose(serving(None, 0))] == [(2, Order.SPEAK)]


def test_after_a_reload_one_of_the_new_ones_says_all():
    """When the one before retires; until then it knows as much as anybody."""
    spokesman = Spokesman()
    [*spokesman.choose(serving(0, 0))]

    assert [*spokesman.choose(serving(0, 0, 1))] == []
    assert [*spokesman.choose(serving(None, 0, 1))] == [(3, Order.SPEAK), (3, Order.TELL)]
