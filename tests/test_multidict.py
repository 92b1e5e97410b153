"""The multidict family: what differs from the package's, and that nothing else does."""

from __future__ import annotations

import copy
import pickle
from collections.abc import ItemsView, KeysView
from urllib.parse import parse_qsl

import multidict
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.multidict import (
    CIMultiDict,
    CIMultiDictProxy,
    MultiDict,
    MultiDictProxy,
    MutableMultiDict,
    istr,
    upstr,
)

TEXT_PAIRS = [("a", 1), ("b", 2), ("a", 3)]
BYTES_PAIRS = [(b"a", 1), (b"b", 2), (b"a", 3)]
MIXED_PAIRS = [(b"a", 1), ("a", 2), (1, 3), (None, 4), ((1, "x"), 5)]

hashable = st.one_of(st.text(max_size=3), st.binary(max_size=3), st.integers(-3, 3), st.none())
pairs_of_any_keys = st.lists(st.tuples(hashable, st.integers()), max_size=12)


def test_names_of_the_years_are_the_same_classes():
    assert MutableMultiDict is MultiDict
    assert upstr is istr is multidict.istr


# Text keys


@pytest.mark.parametrize(
    ("ours", "packages"),
    [
        (MultiDict(TEXT_PAIRS), multidict.MultiDict),
        (CIMultiDict(TEXT_PAIRS), multidict.CIMultiDict),
        (MultiDictProxy(MultiDict(TEXT_PAIRS)), multidict.MultiDictProxy),
        (CIMultiDictProxy(CIMultiDict(TEXT_PAIRS)), multidict.CIMultiDictProxy),
        (MultiDict(BYTES_PAIRS), multidict.MultiDict),
        (MultiDictProxy(MultiDict(BYTES_PAIRS)), multidict.MultiDictProxy),
    ],
    ids=["dict", "ci", "proxy", "ci-proxy", "bytes", "bytes-proxy"],
)
def test_ours_are_instances_of_the_packages(ours, packages):
    assert isinstance(ours, packages)
    assert list(ours.items()) == list(ours.items(getall=True)) == list(ours.items(getall=False))
    assert len(ours) == len(ours.items()) == 3


@pytest.mark.parametrize(
    "method", ["get", "getall", "__getitem__", "__contains__", "__iter__", "add", "extend", "pop", "update"]
)
def test_text_keys_use_the_methods_of_the_package(method):
    of_text = MultiDict(TEXT_PAIRS)
    assert type(of_text) is MultiDict
    assert getattr(MultiDict, method) is getattr(multidict.MultiDict, method)


@pytest.mark.parametrize(
    "argument",
    [TEXT_PAIRS, iter(TEXT_PAIRS), {"a": 1}, MultiDict(TEXT_PAIRS), multidict.MultiDict(TEXT_PAIRS)],
    ids=["list", "iterator", "mapping", "ours", "package"],
)
def test_text_keys_come_from_anything_the_package_takes(argument):
    made = MultiDict(argument, z=9)
    assert type(made) is MultiDict
    assert made.getone("a") == 1
    assert made["z"] == 9


def test_case_insensitive_keeps_case_and_takes_text_only():
    fields = CIMultiDict([("Content-Type", "text/html")])
    assert fields["content-type"] == "text/html"
    assert list(fields) == ["Content-Type"]
    with pytest.raises(TypeError):
        fields.add(b"x", "1")


# Any keys


def test_a_form_of_bytes_reads_as_the_seed_reads_it():
    post_params = MultiDict(parse_qsl(b"name=alice&color=red&color=blue"))
    assert post_params[b"name"] == b"alice"
    assert post_params.getall(b"color") == [b"red", b"blue"]
    assert repr(post_params) == "<MultiDict(b'name': b'alice', b'color': b'red', b'color': b'blue')>"


def test_an_empty_form_can_be_asked_for_bytes():
    post_params = MultiDict(parse_qsl(b""))
    assert post_params.get(b"name") is None
    assert b"name" not in post_params
    assert repr(post_params) == "<MultiDict()>"


@pytest.mark.parametrize("arguments", [(5,), ([1],), ([([], 1)],), ([("a", 1)], 2)], ids=repr)
def test_what_is_no_mapping_and_no_pairs_is_a_type_error(arguments):
    with pytest.raises(TypeError):
        MultiDict(*arguments)


def test_keys_are_told_apart_by_type_and_value():
    mixed = MultiDict(MIXED_PAIRS)
    assert [mixed[key] for key, _ in MIXED_PAIRS] == [1, 2, 3, 4, 5]
    assert list(mixed) == list(mixed.keys()) == [key for key, _ in MIXED_PAIRS]
    assert True not in mixed
    with pytest.raises(KeyError):
        mixed[b"b"]


def test_unhashable_keys_are_refused():
    with pytest.raises(TypeError, match="unhashable"):
        MultiDict(BYTES_PAIRS)[[]] = 1


def test_a_derived_class_keeps_to_text_and_to_itself():
    class Derived(MultiDict):
        pass

    class DerivedProxy(MultiDictProxy):
        pass

    assert type(Derived()) is Derived
    assert type(DerivedProxy(MultiDict(BYTES_PAIRS))) is DerivedProxy
    with pytest.raises(TypeError, match="str"):
        Derived(BYTES_PAIRS)


def test_reading_methods_take_defaults_as_the_package_does():
    some = MultiDict(BYTES_PAIRS)
    assert some.get(b"x", 7) == some.getone(b"x", 7) == some.getall(b"x", default=7) == 7
    assert some.getone(b"a") == 1
    assert some.to_dict() == {b"a": [1, 3], b"b": [2]}


def test_writing_methods_act_as_the_package_does():
    some = MultiDict()
    some.add(b"a", 1)
    some.extend([(b"b", 2), (b"a", 3)], text=4)
    assert list(some.items()) == [(b"a", 1), (b"b", 2), (b"a", 3), ("text", 4)]
    some.update({b"a": 5})
    some.merge({b"a": 6, b"c": 7})
    some[b"b"] = 8
    assert some.setdefault(b"c", 0) == 7
    assert some.setdefault(b"d", default=9) == 9
    del some["text"]
    assert some == {b"a": 5, b"b": 8, b"c": 7, b"d": 9}
    assert some.pop(b"a") == 5
    assert some.popone(b"a", None) is None
    assert some.popall(b"b") == [8]
    assert {some.popitem(), some.popitem()} == {(b"c", 7), (b"d", 9)}
    some.clear()
    assert not some


def test_views_are_sets_of_the_keys_as_given():
    some = MultiDict(BYTES_PAIRS)
    assert isinstance(some.keys(), KeysView)
    assert isinstance(some.items(), ItemsView)
    assert some.keys() & {b"a", "b"} == {b"a"}
    assert (b"a", 3) in some.items()
    assert (b"b", 3) not in some.items()
    assert 5 not in some.items()
    assert list(some.values()) == [1, 2, 3]


def test_equality_with_dicts_and_multidicts():
    some = MultiDict({b"a": 1, b"b": 2})
    assert some == {b"b": 2, b"a": 1} == some
    assert (some != {b"b": 2, b"a": 1}) is False
    assert some != {b"a": 1}
    assert some != {b"a": 1, b"b": 3}
    assert some != {b"a": 1, b"c": 2}
    assert some == MultiDict({b"a": 1, b"b": 2}) == MultiDictProxy(some)
    assert some != MultiDict({"a": 1, "b": 2})
    assert some != 5
    assert MultiDict() == {} == multidict.MultiDict()
    with pytest.raises(TypeError, match="unhashable"):
        hash(some)


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, MultiDict, MultiDict.copy, lambda some: pickle.loads(pickle.dumps(some))],  # noqa: S301 - our own pickle
    ids=["copy", "deepcopy", "class", "method", "pickle"],
)
@pytest.mark.parametrize(
    "pairs", [TEXT_PAIRS, BYTES_PAIRS, MIXED_PAIRS, []], ids=["text", "bytes", "mixed", "empty"]
)
def test_a_copy_is_equal_and_apart(duplicate, pairs):
    original = MultiDict(pairs)
    again = duplicate(original)
    assert again == original
    assert type(again) is type(original)
    again.add("another", 0)
    assert again != original


def test_a_proxy_shows_any_keys_live_and_read_only():
    some = MultiDict(BYTES_PAIRS)
    proxy = MultiDictProxy(some)
    some.add(b"c", 4)
    assert proxy[b"c"] == 4
    assert list(proxy.items(getall=True)) == [*BYTES_PAIRS, (b"c", 4)]
    assert list(MultiDictProxy(proxy)) == [b"a", b"b", b"c"]
    assert repr(proxy) == "<MultiDictProxy(b'a': 1, b'b': 2, b'a': 3, b'c': 4)>"
    assert type(proxy.copy()) is type(MultiDict(proxy)) is type(some)
    assert not hasattr(proxy, "add")
    with pytest.raises(TypeError):
        pickle.dumps(proxy)


def test_the_packages_classes_show_any_keys_but_do_not_find_them():
    plain = multidict.MultiDict(MultiDict(BYTES_PAIRS))
    assert list(map(repr, plain)) == ["b'a'", "b'b'"]
    assert b"a" not in plain


@given(pairs_of_any_keys)
def test_any_pairs_read_as_a_list_of_pairs_does(pairs):
    made = MultiDict(pairs)
    assert list(made.items()) == pairs
    assert len(made) == len(pairs)
    for key in {key for key, _ in pairs}:
        values = [value for other, value in pairs if other == key]
        assert made.getall(key) == values
        assert made[key] == made.get(key) == values[0]
        assert key in made
    assert MultiDict(iter(pairs)) == made


@given(pairs_of_any_keys, pairs_of_any_keys)
def test_adding_pair_by_pair_is_the_same_as_extending(first, second):
    by_pair, at_once = MultiDict(), MultiDict()
    for key, value in first + second:
        by_pair.add(key, value)
    at_once.extend(first)
    at_once.extend(MultiDict(second))
    assert by_pair == at_once
