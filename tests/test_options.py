from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import ConfigurationError
from aioserve.kinds import BOOLEAN, COUNT, PATH, TEXT, choice
from aioserve.options import (
    Given,
    Option,
    Reach,
    declared_sections,
    option,
    read_environment,
    refuse,
    repeatable,
)


@dataclass(frozen=True, slots=True)
class Shop:
    title: ClassVar[str] = "The shop"

    name: str | None = option("NAME", TEXT, None, "Its name.")
    open: bool = option("--open-late", BOOLEAN, True, "Serve at night.")
    shelves: int = option("-s --shelves", COUNT, 3, "How many.", shortcuts=(("-l", "9"),))
    wares: tuple[str, ...] = repeatable("--ware", TEXT, ("tea", "milk"), "What is sold.")
    signs: tuple[str, ...] = repeatable("--note", TEXT, (), "What is written.", separator="\n")
    sale: str | None = option("--sale", TEXT, None, "What is cheap.", implied="all")


@dataclass(frozen=True, slots=True)
class Desk:
    title: ClassVar[str] = "The desk"

    plan: str | None = option(
        "--plan", PATH, None, "Where.", reach=Reach.ENVIRONMENT, default_text="none yet"
    )
    sign: bool = option("--sign", BOOLEAN, False, "Show it.", reach=Reach.TYPED)


@dataclass(frozen=True, slots=True)
class Street:
    shop: Shop = Shop()
    desk: Desk = Desk()
    notes: tuple[str, ...] = field(default=())


SECTIONS = declared_sections(Street)
OPTIONS = {one.key: one for section in SECTIONS for one in section.options.values()}


def test_declared_field_is_an_ordinary_field_with_its_default():
    assert Shop() == Shop(None, True, 3, ("tea", "milk"), (), None)
    assert Shop(shelves=4).shelves == 4


def test_sections_stand_in_the_order_written_and_plain_fields_are_none():
    assert [(one.title, one.attribute, one.settings) for one in SECTIONS] == [
        ("The shop", "shop", Shop),
        ("The desk", "desk", Desk),
    ]
    assert list(SECTIONS[0].options) == ["name", "open", "shelves", "wares", "signs", "sale"]


@pytest.mark.parametrize(
    ("key", "variable", "forms", "default"),
    [
        ("name", "AIOSERVE_NAME", ("NAME",), ""),
        ("open-late", "AIOSERVE_OPEN_LATE", ("--open-late", "--no-open-late"), "on"),
        ("shelves", "AIOSERVE_SHELVES", ("-s", "--shelves"), "3"),
        ("ware", "AIOSERVE_WARE", ("--ware",), "tea, milk"),
        ("note", "AIOSERVE_NOTE", ("--note",), ""),
        ("sale", "AIOSERVE_SALE", ("--sale",), ""),
        ("plan", "AIOSERVE_PLAN", ("--plan",), "none yet"),
        ("sign", None, ("--sign",), ""),
    ],
)
def test_names_follow_from_the_long_flag(key, variable, forms, default):
    one = OPTIONS[key]

    assert (one.variable, one.forms, one.default_shown) == (variable, forms, default)


def test_only_a_bare_word_is_an_argument_and_only_a_boolean_a_flag():
    assert [key for key, one in OPTIONS.items() if one.is_argument] == ["name"]
    assert [key for key, one in OPTIONS.items() if one.is_flag] == ["open-late", "sign"]


def test_metavar_stands_for_a_value_behind_a_flag_and_in_brackets_where_it_can_be_left_out():
    assert {key: one.metavar for key, one in OPTIONS.items()} == {
        "name": "",
        "open-late": "",
        "shelves": "N",
        "ware": "TEXT",
        "note": "TEXT",
        "sale": "[TEXT]",
        "plan": "PATH",
        "sign": "",
    }


def test_description_says_that_an_option_can_be_repeated_and_how_if_not_by_commas():
    assert OPTIONS["ware"].description == "What is sold. Can be given several times."
    assert (
        OPTIONS["note"].description
        == "What is written. Can be given several times; in the environment one on each line."
    )
    assert OPTIONS["shelves"].description == "How many."


def test_value_is_made_of_the_last_text():
    assert OPTIONS["shelves"].parse(Given(("1", "2"), "-s")) == 2


def test_values_of_a_repeatable_option_are_all_kept():
    assert OPTIONS["ware"].parse(Given(("jam", "rye"), "--ware")) == ("jam", "rye")
    assert OPTIONS["ware"].parse(Given((), "shop.toml: ware")) == ()


def test_refusal_names_the_source():
    with pytest.raises(ConfigurationError, match=r"^shop\.toml: shelves: 'x' is not a whole number"):
        OPTIONS["shelves"].parse(Given(("x",), "shop.toml: shelves"))


def test_each_text_that_is_none_is_told_and_the_others_count():
    told = []

    def parse(key, *texts):
        return OPTIONS[key].parse(Given(texts, f"--{key}"), lambda *problem: told.append(problem))

    assert parse("shelves", "x", "4", "y") == 4
    assert parse("shelves", "z") == 3
    assert parse("ware", "jam", "", "rye", "a\0b") == ("jam", "rye")
    assert parse("ware", "") == ()
    assert [(key, str(problem).partition(" is")[0]) for key, problem in told] == [
        ("shelves", "--shelves: 'x'"),
        ("shelves", "--shelves: 'y'"),
        ("shelves", "--shelves: 'z'"),
        ("ware", "--ware: must not be empty"),
        ("ware", "--ware: 'a\\x00b' has a NUL character in it"),
        ("ware", "--ware: must not be empty"),
    ]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"AIOSERVE_SHELVES": "4"}, {"shelves": Given(("4",), "AIOSERVE_SHELVES")}),
        ({"AIOSERVE_SHELVES": ""}, {}),
        ({"AIOSERVE_WARE": "jam, rye"}, {"ware": Given(("jam", "rye"), "AIOSERVE_WARE")}),
        ({"AIOSERVE_NOTE": "a, b\n c \n"}, {"note": Given(("a, b", "c"), "AIOSERVE_NOTE")}),
        ({"AIOSERVE_WARE": "jam,,rye"}, {"ware": Given(("jam", "", "rye"), "AIOSERVE_WARE")}),
        ({"AIOSERVE_WARE": " "}, {"ware": Given(("",), "AIOSERVE_WARE")}),
        ({"AIOSERVE_NAME": "a,b"}, {"name": Given(("a,b",), "AIOSERVE_NAME")}),
        ({"AIOSERVE_PLAN": "p"}, {"plan": Given(("p",), "AIOSERVE_PLAN")}),
        ({"AIOSERVE_SIGN": "1", "": "1"}, {}),
        ({"SHELVES": "4", "AIOSERVE_OTHER": "5"}, {}),
    ],
    ids=[
        "nothing",
        "one",
        "empty is not set",
        "several, by commas",
        "several, by line ends",
        "nothing between two commas",
        "blanks are a value, if none of use",
        "a comma in a single value",
        "not for files but for the environment",
        "typed only",
        "others",
    ],
)
def test_environment_says_what_its_variables_say(environment, expected):
    assert read_environment(OPTIONS.values(), environment) == expected


@given(
    st.dictionaries(st.sampled_from([one.variable or "AIOSERVE_SIGN" for one in OPTIONS.values()]), st.text())
)
def test_any_environment_is_a_value_or_a_configuration_error(environment):
    for key, given_text in read_environment(OPTIONS.values(), environment).items():
        with suppress(ConfigurationError):
            assert OPTIONS[key].parse(given_text) is not None


def test_default_of_a_choice_is_shown_as_it_is():
    assert Option(("--color",), choice("auto", "never"), "auto", "Use colours.").default_shown == "auto"


def test_first_thing_that_is_wrong_is_refused_where_nobody_goes_on():
    problem = ConfigurationError("--port: 'x' is not a port")

    with pytest.raises(ConfigurationError) as raised:
        refuse("port", problem)
    assert raised.value is problem
