from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.kinds import BOOLEAN, FOLDER, PORT, TARGET, Kind, choice
from aioserve.options import Given, Option, Reach
from aioserve.parameters import help_rows, make_parameters, read_typed, supply_implied

PLACE = Kind("PLACE", "a place", str, str, mark="://")
OPTIONS = (
    Option(("APP",), TARGET, None, "What runs: `module:name`."),
    Option(("-p", "--port"), PORT, 8080, "Where."),
    Option(("--debug",), BOOLEAN, False, "Show more."),
    Option(("-V", "--version"), BOOLEAN, False, "Print it.", reach=Reach.TYPED),
    Option(("--static",), FOLDER, (), "Files.", repeatable=True),
    Option(("--cors",), PLACE, None, "From where.", implied="*"),
    Option(("--draw",), choice("plan", "both"), None, "Draw it.", implied="both", reach=Reach.TYPED),
    Option(
        ("--log-level",),
        choice("info", "debug", "error"),
        "info",
        "How much.",
        shortcuts=(("-v", "debug"), ("-q", "error")),
    ),
)
COMMAND = click.Command("shop", params=make_parameters(OPTIONS))


def typed(*words):
    with COMMAND.make_context("shop", supply_implied(words, OPTIONS)) as context:
        return {key: one.texts for key, one in read_typed(context, OPTIONS).items()}


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        ((), {}),
        (("app:Handler",), {"app": ("app:Handler",)}),
        (("-p", "80"), {"port": ("80",)}),
        (("--port=x",), {"port": ("x",)}),
        (("--debug",), {"debug": ("True",)}),
        (("--no-debug",), {"debug": ("False",)}),
        (("--debug", "--no-debug"), {"debug": ("False",)}),
        (("-V",), {"version": ("True",)}),
        (("--static", "a", "--static", "/b=c"), {"static": ("a", "/b=c")}),
        (("--cors",), {"cors": ("*",)}),
        (("--cors", "app:Handler"), {"cors": ("*",), "app": ("app:Handler",)}),
        (("--cors", "./a/b.py:Handler"), {"cors": ("*",), "app": ("./a/b.py:Handler",)}),
        (("--cors", "-p", "1"), {"cors": ("*",), "port": ("1",)}),
        (("--cors", "*", "app:Handler"), {"cors": ("*",), "app": ("app:Handler",)}),
        (("--cors", "https://a", "app:Handler"), {"cors": ("https://a",), "app": ("app:Handler",)}),
        (("--cors=https://a", "app:Handler"), {"cors": ("https://a",), "app": ("app:Handler",)}),
        (("--cors=no", "app:Handler"), {"cors": ("no",), "app": ("app:Handler",)}),
        (("--cors=", "app:Handler"), {"cors": ("",), "app": ("app:Handler",)}),
        (("app:Handler", "--cors"), {"cors": ("*",), "app": ("app:Handler",)}),
        (("--draw", "app:Handler"), {"draw": ("both",), "app": ("app:Handler",)}),
        (("--draw", "plan", "app:Handler"), {"draw": ("plan",), "app": ("app:Handler",)}),
        (("--draw=plan", "app:Handler"), {"draw": ("plan",), "app": ("app:Handler",)}),
        (("--", "--cors"), {"app": ("--cors",)}),
        (("-v",), {"log-level": ("debug",)}),
        (("-vp1",), {"log-level": ("debug",), "port": ("1",)}),
        (("-v", "-q"), {"log-level": ("error",)}),
        (("-v", "--log-level", "info"), {"log-level": ("info",)}),
        (("--log-level", "info", "-v"), {"log-level": ("debug",)}),
        (("-p", "1", "x:y", "--", "-z"), "Got unexpected extra argument"),
        (("--no-version",), "No such option"),
        (("-p",), "requires an argument"),
    ],
)
def test_what_was_typed_is_known_as_text_and_the_last_word_counts(words, texts):
    if isinstance(texts, str):
        with pytest.raises(click.UsageError, match=texts):
            typed(*words)
    else:
        assert typed(*words) == texts


def test_source_of_what_was_typed_is_the_long_flag():
    with COMMAND.make_context("shop", ["-p", "80"]) as context:
        assert read_typed(context, OPTIONS) == {"port": Given(("80",), "--port")}


WORDS = st.sampled_from(
    [
        "-p",
        "80",
        "--port=",
        "--debug",
        "-v",
        "--static",
        "a",
        "--",
        "-",
        "--no-debug=1",
        "-Vp",
        "--cors",
        "x://",
    ]
)


@given(st.lists(WORDS | st.text(), max_size=6))
def test_any_words_are_texts_or_a_usage_error(words):
    try:
        texts = typed(*words)
    except click.UsageError:
        return
    assert all(isinstance(text, str) for one in texts.values() for text in one)


def test_help_shows_forms_default_variable_and_shortcuts():
    assert help_rows(OPTIONS) == [
        ("APP", "What runs: module:name. [$AIOSERVE_APP]"),
        ("-p, --port PORT", "Where. [default: 8080] [$AIOSERVE_PORT]"),
        ("--debug, --no-debug", "Show more. [default: off] [$AIOSERVE_DEBUG]"),
        ("-V, --version", "Print it."),
        ("--static DIR", "Files. Can be given several times. [$AIOSERVE_STATIC]"),
        ("--cors [PLACE]", "From where. [$AIOSERVE_CORS]"),
        ("--draw [plan|both]", "Draw it."),
        ("--log-level info|debug|error", "How much. [default: info] [$AIOSERVE_LOG_LEVEL]"),
        ("-v", "Short for --log-level debug."),
        ("-q", "Short for --log-level error."),
    ]


@pytest.mark.parametrize(
    ("name", "incomplete", "offered"),
    [
        ("log_level", "", [("info", "plain"), ("debug", "plain"), ("error", "plain")]),
        ("log_level", "de", [("debug", "plain")]),
        ("static", "./si", [("./si", "dir")]),
        ("port", "8", []),
        ("app", "./a", [("./a", "file")]),
    ],
)
def test_tab_key_offers_words_or_files(name, incomplete, offered):
    parameter = next(one for one in COMMAND.params if one.name == name)
    items = parameter.shell_complete(click.Context(COMMAND), incomplete)

    assert [(item.value, item.type) for item in items] == offered
