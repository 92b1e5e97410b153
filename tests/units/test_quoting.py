from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import ConfigurationError
from aioserve.units.quoting import bare, describe, quote, quote_command
from tests.units.systemd import expand, read_command, read_unit, split_words

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("app:Handler", "app:Handler"),
        ("", '""'),
        ("a b", '"a b"'),
        (";", '";"'),
        ("50%", "50%%"),
        ("$HOME", "$HOME"),
        ("it's", '"it\'s"'),
        ('a"b\\c', r'"a\"b\\c"'),
        ("a\tb\né\x85", r'"a\x09b\x0aé\xc2\x85"'),
    ],
)
def test_word_is_written_so(text, written):
    assert quote(text) == written


@given(WORDS)
def test_word_is_read_as_it_was(text):
    (value,) = read_unit(f"Environment={quote(text)}")["Environment"]

    assert [expand(word) for word in split_words(value)] == [text]


@given(st.lists(WORDS))
def test_words_of_a_command_are_read_as_they_were(words):
    (value,) = read_unit(f"ExecStart={quote_command(('/bin/x', *words))}")["ExecStart"]

    assert read_command(value) == ["/bin/x", *words]


@given(WORDS | st.text())
def test_path_is_read_as_it_was_or_refused(text):
    path = f"/{text}"
    try:
        written = bare(path, "the file")
    except ConfigurationError:
        return
    (value,) = read_unit(f"WorkingDirectory={written}")["WorkingDirectory"]
    assert expand(value) == path


@given(st.text())
def test_description_stays_on_its_line(text):
    ((value,),) = read_unit(f"Description=x {describe(text)}").values()

    assert expand(value).isprintable()


@pytest.mark.parametrize("path", ["/a\nb", "/a ", "/a\\", "/\udce9"])
def test_path_that_cannot_be_written_is_refused(path):
    with pytest.raises(ConfigurationError, match=r"^--print-unit: a unit file cannot name the file '/"):
        bare(path, "the file")


@pytest.mark.parametrize("path", ["/a\nb", '/a"b', "/a'b", "/a\\b", "/$a"])
def test_program_that_systemd_does_not_take_is_refused(path):
    with pytest.raises(ConfigurationError, match=r"^--print-unit: a unit file cannot name the program "):
        quote_command((path, "x"))


def test_word_that_is_no_unicode_is_refused():
    with pytest.raises(ConfigurationError, match=r"has bytes in it that are no UTF-8$"):
        quote("caf\udce9")
