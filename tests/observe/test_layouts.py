"""The names of the access log's layouts."""

from __future__ import annotations

import json

import pytest

from aioserve.kinds import LAYOUT
from aioserve.observe.layouts import NAMES, choose_format


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_a_layout(name, message, record):
    line = choose_format(name)(record(message(path="/x")))

    assert "/x" in line
    assert (name == "json") is line.startswith("{")
    assert name != "json" or json.loads(line)


def test_a_text_with_directives_is_one(message, record):
    assert choose_format("%s %U")(record(message(path="/x"))) == "200 /x"


def test_another_word_is_none():
    with pytest.raises(ValueError, match="'pretty' is neither one of common, combined, dev, json nor"):
        choose_format("pretty")


def test_the_option_takes_the_same():
    assert LAYOUT.choices == NAMES
