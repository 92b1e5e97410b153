from __future__ import annotations

import re

import pytest

from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import UnixAddress
from aioserve.options import Given
from aioserve.settings import OPTIONS, SECTIONS, Bind, Limits, Settings, Static, Timeouts, build_settings

ALL = list(OPTIONS.values())


def test_nothing_given_is_all_defaults():
    assert build_settings({}) == Settings()


def test_each_value_lands_in_its_section_with_its_source():
    settings = build_settings(
        {
            "app": Given(("app:Handler",), "APP"),
            "port": Given(("0",), "--port"),
            "keep-alive": Given(("5m",), "AIOSERVE_KEEP_ALIVE"),
            "static": Given(("./site", "/docs=./docs"), "aioserve.toml: static"),
            "cors": Given(("*",), "--cors"),
            "uvloop": Given(("off",), "--uvloop"),
        }
    )

    assert settings.application.app == "app:Handler"
    assert settings.bind == Bind(port=0)
    assert settings.timeouts == Timeouts(keep_alive=300.0)
    assert settings.static == Static((("/", "./site"), ("/docs", "./docs")), cors="*")
    assert settings.process.uvloop is False
    assert settings.limits == Limits()
    assert settings.sources == {
        "app": "APP",
        "port": "--port",
        "keep-alive": "AIOSERVE_KEEP_ALIVE",
        "static": "aioserve.toml: static",
        "cors": "--cors",
        "uvloop": "--uvloop",
    }


def test_unusable_text_is_refused_with_its_source():
    with pytest.raises(ConfigurationError, match=r"^AIOSERVE_PORT: 'x' is not a port"):
        build_settings({"port": Given(("x",), "AIOSERVE_PORT")})


@pytest.mark.parametrize("other", ["host", "port"])
def test_options_that_exclude_each_other_are_refused_with_their_sources(other):
    with pytest.raises(ConfigurationError) as refused:
        build_settings({"bind": Given((":80",), "--bind"), other: Given(("0",), f"AIOSERVE_{other.upper()}")})
    assert str(refused.value) == f"--bind cannot be given together with AIOSERVE_{other.upper()}"


def test_all_that_is_wrong_can_be_told_and_the_rest_is_used():
    told = []
    texts = {"bind": ":80", "port": "0", "keep-alive": "x", "workers": "w", "index": "a.html"}
    settings = build_settings(
        {key: Given((text,), f"--{key}") for key, text in texts.items()},
        lambda key, problem: told.append((key, str(problem).partition(":")[0])),
    )

    assert told == [
        ("bind", "--bind cannot be given together with --port"),
        ("workers", "--workers"),
        ("keep-alive", "--keep-alive"),
    ]
    assert settings.bind == Bind(port=0)
    assert settings.static.index == ("a.html",)
    assert (settings.process, settings.timeouts) == (Settings().process, Settings().timeouts)


def test_all_values_that_are_wrong_are_told_and_the_others_are_used():
    told = []
    settings = build_settings(
        {"bind": Given(("8080", "unix:web.sock", ":x"), "--bind")},
        lambda key, problem: told.append((key, str(problem)[:15])),
    )

    assert told == [("bind", "--bind: '8080' "), ("bind", "--bind: ':x': '")]
    assert settings.bind.addresses == (UnixAddress("web.sock"),)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_options_exclude_options_that_there_are(one):
    assert set(one.excludes) <= OPTIONS.keys() - {one.key}


def test_keys_and_flags_are_each_declared_once():
    flags = [form for one in ALL for form in (*one.forms, *dict(one.shortcuts))]

    assert len(flags) == len(set(flags))
    assert len(OPTIONS) == sum(len(section.options) for section in SECTIONS)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.key)
def test_declaration_is_whole(one):
    assert re.fullmatch(r"[A-Z][ -~]*\.", one.meaning)
    assert one.meaning.count("`") % 2 == 0
    assert re.fullmatch(r"APP|--[a-z]+(-[a-z]+)*", one.flags[-1])
    assert all(re.fullmatch(r"-[A-Za-z]", flag) for flag in one.flags[:-1])


@pytest.mark.parametrize("one", [one for one in ALL if one.default is not None], ids=lambda one: one.key)
def test_default_is_what_its_own_text_means(one):
    values = one.default if one.repeatable else (one.default,)
    texts = tuple(map(one.kind.format, values))

    assert one.parse(Given(texts, "default")) == one.default


@pytest.mark.parametrize("one", [one for one in ALL if one.implied], ids=lambda one: one.key)
def test_value_that_can_be_left_out_is_usable_and_tells_itself_from_other_words(one):
    assert one.kind.format(one.parse(Given((one.implied,), one.flags[-1]))) == one.implied
    assert one.kind.mark or one.kind.choices


@pytest.mark.parametrize("one", [one for one in ALL if one.shortcuts], ids=lambda one: one.key)
def test_shortcuts_stand_for_usable_texts(one):
    for flag, text in one.shortcuts:
        assert one.parse(Given((text,), flag))
