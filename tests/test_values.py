"""Classes of values: they are frozen dataclasses, but for the time that it takes to define them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.values import record, value


@value
class Ours:
    """Has all that a class of values may have."""

    title: ClassVar[str] = "not a value"

    first: int
    second: str = "b"
    third: list[int] = field(default_factory=list)

    def double(self):
        return self.first * 2


@dataclass(frozen=True)
class Theirs:
    """Is the same by Python's own means."""

    title: ClassVar[str] = "not a value"

    first: int
    second: str = "b"
    third: list[int] = field(default_factory=list)


NAMES = st.sampled_from(["first", "second", "third", "fourth", "title"])


@given(st.lists(st.integers(0, 1), max_size=4), st.dictionaries(NAMES, st.integers(0, 1)))
def test_they_are_made_as_dataclasses_are(values, named):
    try:
        theirs = Theirs(*values, **named)
    except TypeError:
        with pytest.raises(TypeError, match=r"Ours\(\)"):
            Ours(*values, **named)
    else:
        ours = Ours(*values, **named)

        assert repr(ours) == repr(theirs).replace("Theirs", "Ours")
        assert ours.__dict__ == theirs.__dict__


def test_each_has_a_default_of_its_own():
    assert Ours(1).third == []
    assert Ours(1).third is not Ours(1).third


def test_they_are_compared_by_class_and_values():
    assert Ours(1) == Ours(1, "b")
    assert Ours(1) != Ours(2)
    assert Ours(1) != Theirs(1)
    assert Ours(1) != (1, "b", [])


def test_equal_ones_have_the_same_hash():
    assert {Ours(1, "b", ()), Ours(1, "b", ())} == {Ours(1, third=())}


def test_nothing_of_them_can_be_changed():
    ours = Ours(1)
    with pytest.raises(FrozenInstanceError, match="Ours cannot be changed, nor its 'first'"):
        ours.first = 2
    with pytest.raises(FrozenInstanceError):
        del ours.first
    with pytest.raises(FrozenInstanceError):
        ours.fourth = 4


def test_dataclasses_know_them():
    assert [each.name for each in fields(Ours)] == ["first", "second", "third"]
    assert replace(Ours(1), first=3) == Ours(3)


def test_they_keep_their_methods_and_can_be_matched():
    match Ours(4):
        case Ours(first, second):
            assert (first, second) == (4, "b")
    assert Ours(4).double() == 8


@record
class Noted:
    """May be changed."""

    name: str
    marks: list[int] = field(default_factory=list)
    length: int = field(init=False, compare=False, repr=False)

    def __post_init__(self):
        self.length = len(self.name)


def test_records_can_be_changed():
    noted = Noted("a")
    noted.name = "b"

    assert noted == Noted("b")
    assert noted != Noted("a")
    with pytest.raises(TypeError, match="unhashable"):
        hash(noted)


def test_what_follows_from_the_rest_is_made_neither_given_nor_compared_nor_shown():
    noted = Noted("four")

    assert noted.length == 4
    noted.length = 5
    assert noted == Noted("four")
    assert repr(noted) == "Noted(name='four', marks=[])"
    assert replace(noted, name="seven").length == 5
    with pytest.raises(TypeError, match="takes no 'length'"):
        Noted("four", length=4)
    with pytest.raises(TypeError, match="takes 2 values, not 3"):
        Noted("four", [], 4)
