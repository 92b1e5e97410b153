"""What is kept ready, and what gives way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static import store as module
from aioserve.static.store import Store


class FakeResource:
    """Something kept, that counts its users."""

    def __init__(self, path, memory=10, descriptors=0):
        self.path = path
        self.memory = memory
        self.descriptors = descriptors
        self.users = 1
        self.may_rest = True

    def rest(self):
        if self.may_rest:
            self.descriptors = 0
        return self.may_rest

    def share(self):
        assert self.users, "it was closed already"
        self.users += 1
        return self

    def close(self):
        assert self.users, "it was closed already"
        self.users -= 1


def store_of(limit):
    """Make one in which files never rest."""
    return Store(limit, lambda *_: None)


def keep(store, path, memory=10, descriptors=0):
    """Keep a resource that nobody else needs any more."""
    resource = FakeResource(path, memory, descriptors)
    store.keep(resource)
    resource.close()
    return resource


@pytest.fixture
def limit_of_files(monkeypatch):
    """Set how many files the process may have open."""

    def limit(soft):
        monkeypatch.setattr(module.system, "getrlimit", lambda _: (soft, -1))

    return limit


def test_what_is_kept_is_found_by_its_path():
    store = store_of(100)
    one, other = keep(store, "/one"), keep(store, "/other", 20)

    assert (store.find("/one"), store.find("/other"), store.find("/third")) == (one, other, None)
    assert (len(store), store.size) == (2, 30)
    assert (one.users, other.users) == (1, 1)


def test_what_was_used_longest_ago_gives_way():
    store = store_of(30)
    first, second, third = (keep(store, path) for path in "abc")

    store.find("a")
    fourth = keep(store, "d")

    assert [each.users for each in (first, second, third, fourth)] == [1, 0, 1, 1]
    assert store.find("b") is None
    assert store.size == 30


def test_as_many_give_way_as_must():
    store = store_of(30)
    small = [keep(store, path) for path in "abc"]

    large = keep(store, "d", 25)

    assert [each.users for each in (*small, large)] == [0, 0, 0, 1]
    assert (len(store), store.size) == (1, 25)


def test_what_gives_way_is_open_as_long_as_an_answer_needs_it():
    store = store_of(10)
    resource = keep(store, "a")
    answering = store.find("a").share()

    keep(store, "b")
    assert resource.users == 1

    answering.close()
    assert resource.users == 0


def test_newer_takes_the_place_of_an_older():
    store = store_of(100)
    older, newer = keep(store, "a", 10, 1), keep(store, "a", 20, 2)

    assert (older.users, newer.users) == (0, 1)
    assert store.find("a") is newer
    assert (len(store), store.size, store._files) == (1, 20, 2)


def test_resource_that_has_grown_is_kept_with_what_it_takes_now():
    store = store_of(30)
    other, resource = keep(store, "other"), keep(store, "a")

    resource.memory = 25
    store.keep(resource)

    assert (store.size, resource.users, other.users) == (25, 1, 0)


def test_resource_that_has_grown_too_large_is_kept_no_more():
    store = store_of(30)
    other, resource = keep(store, "other"), keep(store, "a").share()

    resource.memory = 31
    store.keep(resource)

    assert (store.find("a"), store.size) == (None, 10)
    assert (resource.users, other.users) == (1, 1)


@pytest.mark.parametrize(("limit", "memory", "is_kept"), [(10, 10, True), (10, 11, False), (0, 1, False)])
def test_larger_than_all_is_not_kept_and_nothing_gives_way_for_it(limit, memory, is_kept):
    store = store_of(limit)

    resource = keep(store, "a", memory)

    assert (store.find("a") is resource) is is_kept
    assert resource.users == is_kept


def test_older_is_forgotten_where_the_newer_is_too_large():
    store = store_of(10)
    older = keep(store, "a")

    newer = keep(store, "a", 11)

    assert (older.users, newer.users, len(store), store.size) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("reason", "soft", "most"),
    [
        ("an eighth of what the process may have", 80, 10),
        ("never more than 256", 1_048_576, 256),
        ("the least for 256", 2_048, 256),
        ("no limit", -1, 256),
    ],
)
def test_open_files_are_few(limit_of_files, reason, soft, most):
    limit_of_files(soft)
    store = store_of(10**9)

    kept = [keep(store, str(number), 1, 1) for number in range(most + 2)]

    assert [each.users for each in kept] == [0, 0, *[1] * most], reason


def test_files_of_what_gave_way_are_free_again(limit_of_files):
    limit_of_files(80)
    store = store_of(10**9)
    first, second = keep(store, "a", 1, 4), keep(store, "b", 1, 4)
    keep(store, "in memory", 1, 0)

    third = keep(store, "c", 1, 4)
    store.forget("c")
    fourth = keep(store, "d", 1, 6)

    assert [each.users for each in (first, second, third, fourth)] == [0, 1, 0, 1]


def test_more_open_files_than_all_may_have_are_not_kept(limit_of_files):
    limit_of_files(16)
    store = store_of(10**9)

    resource = keep(store, "a", 1, 3)

    assert (len(store), resource.users) == (0, 0)


def test_nothing_is_kept_of_what_is_forgotten():
    store = store_of(100)
    one, other = keep(store, "a"), keep(store, "b")

    store.forget("a")
    store.forget("a")
    store.forget("nosuch")

    assert (one.users, other.users, len(store), store.size) == (0, 1, 1, 10)


def test_closed_store_keeps_nothing():
    store = store_of(100)
    kept = [keep(store, path) for path in "abc"]

    store.close()

    assert [each.users for each in kept] == [0, 0, 0]
    assert (len(store), store.size) == (0, 0)


STEPS = st.tuples(
    st.sampled_from(["keep", "grow", "find", "forget"]),
    st.sampled_from("abcde"),
    st.integers(0, 40),
    st.integers(0, 3),
)


@given(st.integers(0, 60), st.lists(STEPS, max_size=30))
def test_whatever_is_done_the_limits_hold_and_only_what_is_kept_is_open(limit, steps):
    store = store_of(limit)
    store._most_files = 4
    made = []
    for step, path, memory, descriptors in steps:
        match step:
            case "keep":
                made.append(keep(store, path, memory, descriptors))
                assert made[-1] in (store.find(path), None) or memory > limit or descriptors > 4
            case "grow" if (resource := store.find(path)) is not None:
                resource.memory += memory
                store.keep(resource)
            case "find":
                found = store.find(path)
                assert found is None or (found.path == path and list(store._kept)[-1] == path)
            case "forget":
                store.forget(path)
                assert store.find(path) is None
        kept = [resource for resource, _ in store._kept.values()]
        assert store.size == sum(each.memory for each in kept) <= limit
        assert store._files == sum(each.descriptors for each in kept) <= 4
        assert [each for each in made if each.users] == [each for each in made if each in kept]
        assert {each.users for each in kept} <= {1}


# Files rest


class Later:
    """The calls that a loop is asked for."""

    def __init__(self):
        self.calls = []

    def __call__(self, delay, callback):
        assert delay == 2.0
        self.calls.append(callback)

    def run(self):
        """Let the time pass: what is due is called, and not yet what that asks for."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()


def test_files_are_closed_while_nobody_asks():
    """The space of a file that was deleted is free then."""
    later = Later()
    store = Store(100, later)
    first, second = keep(store, "a", descriptors=1), keep(store, "b", descriptors=2)
    second.may_rest = False

    later.run()
    assert (first.descriptors, second.descriptors, store._files) == (0, 2, 2)
    second.may_rest = True
    later.run()

    assert (second.descriptors, store._files) == (0, 0)
    assert store.find("a") is first
    assert later.calls == []


def test_nothing_is_waited_for_where_no_file_is_open():
    later = Later()
    store = Store(100, later)
    keep(store, "a")
    assert later.calls == []

    keep(store, "b", descriptors=1)
    keep(store, "c", descriptors=1)
    assert len(later.calls) == 1
    store.close()
    later.run()

    assert later.calls == []
