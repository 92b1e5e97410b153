"""The kinds of values about static files: rows for what they mean, properties for everything else."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static import kinds
from aioserve.static.kinds import CACHE_CONTROL, ERROR_PAGE, HEADER, ORIGIN, SERVER_FIELDS, parse_field

KINDS = {"HEADER": HEADER, "ERROR_PAGE": ERROR_PAGE, "CACHE_CONTROL": CACHE_CONTROL, "ORIGIN": ORIGIN}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("HEADER", "X-Frame-Options: DENY", ("/*", "X-Frame-Options", "DENY")),
        ("HEADER", "A:b", ("/*", "A", "b")),
        ("HEADER", "A:  b\t", ("/*", "A", "b")),
        ("HEADER", "A: b: c, d", ("/*", "A", "b: c, d")),
        ("HEADER", "/assets/* A: b", ("/assets/*", "A", "b")),
        ("HEADER", "/*.pdf \t A: b", ("/*.pdf", "A", "b")),
        ("HEADER", "/a:b A: c", ("/a:b", "A", "c")),
        ("HEADER", "/* A: b", ("/*", "A", "b")),
        ("ERROR_PAGE", "404=404.html", (404, "404.html")),
        ("ERROR_PAGE", "503=errors/a=b.html", (503, "errors/a=b.html")),
        ("ERROR_PAGE", "404=..a/.b./c", (404, "..a/.b./c")),
        ("CACHE_CONTROL", "no-cache", "no-cache"),
        ("CACHE_CONTROL", "public, max-age=3600 ,immutable", "public, max-age=3600 ,immutable"),
        ("CACHE_CONTROL", 'no-cache="set-cookie, \\"x\\"", a', 'no-cache="set-cookie, \\"x\\"", a'),
        ("ORIGIN", "*", "*"),
        ("ORIGIN", "https://a.example", "https://a.example"),
        ("ORIGIN", "HTTPS://A.Example", "https://a.example"),
        ("ORIGIN", "http://localhost:3000", "http://localhost:3000"),
        ("ORIGIN", "http://[::1]:3000", "http://[::1]:3000"),
        ("ORIGIN", "https://a.example:443", "https://a.example"),
        ("ORIGIN", "http://a.example:080", "http://a.example"),
        ("ORIGIN", "http://a.example:443", "http://a.example:443"),
        ("ORIGIN", "app+x://a_b", "app+x://a_b"),
        ("ORIGIN", "app://a:1", "app://a:1"),
    ],
)
def test_text_means_this_value(kind, text, value):
    assert KINDS[kind].parse(text) == value


NO_FIELD = "is not a header field, as in 'Name: value' or '/assets/* Name: value'"
NO_PAGE = "is not the status of an error and a file, as in 404=404.html"
NO_FILE = "is not the path of a file beneath the folder, such as 404.html"
NO_LIST = "is not a list of directives, as in max-age=3600 or 'public, max-age=3600'"
NO_ORIGIN = "is not an origin: * or scheme://host[:port] without a path, as in https://a.example"


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("HEADER", "", f"'' {NO_FIELD}"),
        ("HEADER", "no colon", f"'no colon' {NO_FIELD}"),
        ("HEADER", ": b", NO_FIELD),
        ("HEADER", "A:", NO_FIELD),
        ("HEADER", "A: \t", NO_FIELD),
        ("HEADER", "A : b", NO_FIELD),  # RFC 9112 §5.1
        ("HEADER", " A: b", NO_FIELD),
        ("HEADER", "Ä: b", NO_FIELD),
        ("HEADER", "/assets/*", f"'' {NO_FIELD}"),
        ("HEADER", "/a b c: d", f"'b c: d' {NO_FIELD}"),
        ("HEADER", "A: b\r\nC: d", "the value of A has a character in it that is not printable ASCII"),
        ("HEADER", "A: b\n", "the value of A has a character"),
        ("HEADER", "A: b\0", "the value of A has a character"),
        ("HEADER", "A: \x7f", "the value of A has a character"),
        ("HEADER", "A: é", "the value of A has a character"),
        ("HEADER", "Content-Length: 5", "Content-Length is written by the server alone"),
        ("HEADER", "/x DATE: now", "DATE is written by the server alone"),
        ("ERROR_PAGE", "", f"'' {NO_PAGE}"),
        ("ERROR_PAGE", "404.html", NO_PAGE),
        ("ERROR_PAGE", "200=a", NO_PAGE),
        ("ERROR_PAGE", "499=a", NO_PAGE),  # no registered status
        ("ERROR_PAGE", "4O4=a", NO_PAGE),
        ("ERROR_PAGE", "4٣4=a", NO_PAGE),
        ("ERROR_PAGE", "404=", f"'' {NO_FILE}"),
        ("ERROR_PAGE", "404=/404.html", f"'/404.html' {NO_FILE}"),
        ("ERROR_PAGE", "404=../a", NO_FILE),
        ("ERROR_PAGE", "404=a/..", NO_FILE),
        ("ERROR_PAGE", "404=./a", NO_FILE),
        ("ERROR_PAGE", "404=a//b", NO_FILE),
        ("ERROR_PAGE", "404=a/", NO_FILE),
        ("ERROR_PAGE", "404=a\\b", NO_FILE),
        ("ERROR_PAGE", "404=a\0", NO_FILE),
        ("CACHE_CONTROL", "", f"'' {NO_LIST}"),
        ("CACHE_CONTROL", "max-age 3600", NO_LIST),
        ("CACHE_CONTROL", "max-age = 3600", NO_LIST),
        ("CACHE_CONTROL", "max-age=", NO_LIST),
        ("CACHE_CONTROL", "public,", NO_LIST),
        ("CACHE_CONTROL", "public; max-age=1", NO_LIST),
        ("CACHE_CONTROL", 'a="b', NO_LIST),
        ("CACHE_CONTROL", "public\r\n", NO_LIST),
        ("ORIGIN", "", f"'' {NO_ORIGIN}"),
        ("ORIGIN", "null", NO_ORIGIN),
        ("ORIGIN", "a.example", NO_ORIGIN),
        ("ORIGIN", "https://", NO_ORIGIN),
        ("ORIGIN", "https://a.example/", NO_ORIGIN),
        ("ORIGIN", "https://a.example/path", NO_ORIGIN),
        ("ORIGIN", "https://*.example", NO_ORIGIN),
        ("ORIGIN", "https://user@a.example", NO_ORIGIN),
        ("ORIGIN", "https://a.example:", NO_ORIGIN),
        ("ORIGIN", "https://a.example:65536", NO_ORIGIN),
        ("ORIGIN", "https://é.example", NO_ORIGIN),
        ("ORIGIN", "https://a.example\n", NO_ORIGIN),
        ("ORIGIN", "https://\u212a", NO_ORIGIN),  # the Kelvin sign is a k where case is folded beyond ASCII
    ],
)
def test_text_is_refused_with_a_sentence(kind, text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        KINDS[kind].parse(text)


@pytest.mark.parametrize("name", sorted(SERVER_FIELDS))
def test_field_of_the_server_is_refused_in_any_case(name):
    for written in (name, name.title(), name.upper()):
        with pytest.raises(ValueError, match=f"^{written} is written by the server alone$"):
            parse_field(f"{written}: x")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("HEADER", ("/*", "A", "b"), "A: b"),
        ("HEADER", ("/x/*", "A", "b"), "/x/* A: b"),
        ("ERROR_PAGE", (404, "404.html"), "404=404.html"),
        ("CACHE_CONTROL", "max-age=60", "max-age=60"),
        ("ORIGIN", "https://a.example", "https://a.example"),
    ],
)
def test_value_is_written_as_it_is_typed(kind, value, text):
    assert KINDS[kind].format(value) == text


ALPHABET = st.text(alphabet='/*aB-09=:. \t,"\\;[]@\r\n\0é٣4')


@pytest.mark.parametrize("kind", KINDS)
@given(text=ALPHABET | st.text())
def test_any_text_is_a_value_that_can_be_written_back_or_a_value_error(kind, text):
    with suppress(ValueError):
        value = KINDS[kind].parse(text)

        assert KINDS[kind].parse(KINDS[kind].format(value)) == value


BLANKS = st.text(alphabet=" \t", max_size=2)
GLOBS = st.from_regex(r"/[!-~é]*", fullmatch=True)
NAMES = st.from_regex(kinds._WORD, fullmatch=True).filter(lambda name: name.lower() not in SERVER_FIELDS)
VALUES = st.from_regex(kinds._VALUE, fullmatch=True).filter(lambda value: value.strip(" \t"))


@given(glob=GLOBS, name=NAMES, blanks=BLANKS, value=VALUES)
def test_every_field_is_taken_apart_and_survives_being_written(glob, name, blanks, value):
    header = HEADER.parse(f"{glob} {name}:{blanks}{value}")

    assert header == (glob, name, value.strip(" \t"))
    assert HEADER.parse(HEADER.format(header)) == header


@given(text=st.from_regex(kinds._DIRECTIVES, fullmatch=True))
def test_every_list_of_directives_is_a_field_value(text):
    assert CACHE_CONTROL.parse(text) == text
    assert parse_field(f"Cache-Control: {text}") == ("Cache-Control", text)


@given(file=st.from_regex(kinds._FILE, fullmatch=True))
def test_every_error_page_stays_beneath_its_folder(file):
    assert ERROR_PAGE.parse(f"404={file}") == (404, file)
    assert {"", ".", ".."}.isdisjoint(file.split("/"))


@given(text=st.from_regex(kinds._ORIGIN, fullmatch=True))
def test_every_origin_is_written_in_one_way(text):
    with suppress(ValueError):
        origin = ORIGIN.parse(text)

        assert origin == origin.lower()
        assert origin.isascii()
        assert ORIGIN.parse(origin.upper()) == ORIGIN.parse(origin) == origin
