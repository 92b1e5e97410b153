"""Answers as bytes: another implementation reads the same fields and the same body."""

from __future__ import annotations

import re
from http import HTTPStatus
from itertools import product

import h11
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aioserve.http1 import framing
from aioserve.http1.framing import (
    FRAMING_FIELDS,
    LAST_CHUNK,
    Framing,
    choose_framing,
    must_be_valid_field,
    must_be_valid_reason,
    render_chunk,
    render_field,
    render_status_line,
)
from tests.steps import repeats_of

CHAR = [chr(number) for number in range(0x180)]


@pytest.mark.parametrize(
    ("clause", "method", "status", "minor", "length", "is_chunked", "expected"),
    [
        ("9112 §6.2: a length that is known", "GET", 200, 1, 5, False, Framing.LENGTH),
        ("9112 §6.2: nothing has a length", "GET", 200, 1, 0, False, Framing.LENGTH),
        ("9112 §7.1: a length that is not known", "GET", 200, 1, None, False, Framing.CHUNKED),
        ("9112 §7.1: asked for", "GET", 200, 1, None, True, Framing.CHUNKED),
        ("9112 §6.2: never both", "GET", 200, 1, 5, True, Framing.CHUNKED),
        ("9112 §6.1: 1.0 knows no chunks", "GET", 200, 0, None, False, Framing.CLOSE),
        ("9112 §6.1: not even asked for", "GET", 200, 0, None, True, Framing.CLOSE),
        ("9112 §6.1: asked for, but the length will do", "GET", 200, 0, 5, True, Framing.LENGTH),
        ("9110 §9.3.2: HEAD", "HEAD", 200, 1, 5, False, Framing.NONE),
        ("9110 §9.3.2: HEAD, length not known", "HEAD", 200, 1, None, True, Framing.NONE),
        ("9110 §9.3.2: HEAD, an error", "HEAD", 404, 1, 5, False, Framing.NONE),
        ("9112 §6.3: 100", "GET", 100, 1, None, False, Framing.NONE),
        ("9112 §6.3: 101", "GET", 101, 1, None, True, Framing.NONE),
        ("9112 §6.3: 204", "GET", 204, 1, 5, True, Framing.NONE),
        ("9112 §6.3: 304", "GET", 304, 1, 5, False, Framing.NONE),
        ("9110 §15.3.6: 205", "GET", 205, 1, None, True, Framing.NONE),
        ("9110 §15.3.6: 205 in 1.0", "GET", 205, 0, None, False, Framing.NONE),
        ("9110 §9.3.6: a tunnel", "CONNECT", 200, 1, 5, False, Framing.NONE),
        ("9110 §9.3.6: any 2xx is one", "CONNECT", 299, 1, None, True, Framing.NONE),
        ("9110 §9.3.6: an error is none", "CONNECT", 405, 1, 5, False, Framing.LENGTH),
        ("9110 §9.3.6: nor is a redirection", "CONNECT", 300, 1, None, False, Framing.CHUNKED),
    ],
)
def test_body_ends_as_the_clause_says(clause, method, status, minor, length, is_chunked, expected):
    assert (
        choose_framing(method=method, status=status, minor=minor, length=length, is_chunked=is_chunked)
        is expected
    ), clause


def test_framing_fields_are_known_in_lower_case():
    assert all(name == name.lower() for name in FRAMING_FIELDS)


# Fields and reasons


def is_taken(judge, *args):
    try:
        judge(*args)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize(
    ("clause", "name", "value"),
    [
        ("9110 §5.1: a token", "X-Powered_By!#$%&'*+.^`|~9", "a"),
        ("9110 §5.5: nothing", "A", ""),
        ("9110 §5.5: blanks and tabs", "A", "a \t b"),
        ("9110 §5.5: all that is printed", "A", "".join(map(chr, range(0x20, 0x7F)))),
    ],
)
def test_good_field_is_let_by(clause, name, value):
    assert must_be_valid_field(name, value) is None, clause


@pytest.mark.parametrize(
    ("clause", "name"),
    [
        ("9110 §5.1: nothing", ""),
        ("9110 §5.1: a blank", "a b"),
        ("9110 §5.1: a colon", "a:"),
        ("9112 §2.2: a line feed behind", "a\n"),
        ("9112 §2.2: another line", "a: b\r\nc"),
        ("9110 §5.6.2: no letter of ASCII", "\xe4"),
        ("9110 §5.6.2: a digit of another script", "\u0661"),
    ],
)
def test_what_is_no_name_is_refused(clause, name):
    assert not is_taken(must_be_valid_field, name, "a"), clause
    assert not is_taken(render_field, name, "a"), clause


def test_refusal_shows_the_name():
    with pytest.raises(ValueError, match=r"^'a b' is not the name of a header field$"):
        must_be_valid_field("a b", "c")


def test_characters_of_names_values_and_reasons_are_those_of_the_clauses():
    visible = {chr(number) for number in range(0x21, 0x7F)}
    token = visible - set('"(),/:;<=>?@[\\]{}')  # RFC 9110 §5.6.2

    assert {char for char in CHAR if is_taken(must_be_valid_field, f"a{char}b", "c")} == token
    assert {char for char in CHAR if is_taken(must_be_valid_field, "a", f"b{char}c")} == visible | {*" \t"}
    assert {char for char in CHAR if is_taken(must_be_valid_reason, f"a{char}b")} == visible | {*" \t"}


@pytest.mark.parametrize("value", ["a\nb", "a\r\nB: c", "a\r", "\0", "\x7f", "\xe4", "\u2028", "\ud800"])
def test_value_that_would_break_a_head_apart_is_refused(value):
    for judge in (must_be_valid_field, render_field):
        with pytest.raises(ValueError, match=r"^the value of A holds a character .* \(RFC 8187 says how"):
            judge("A", value)
    with pytest.raises(ValueError, match=r"^a reason phrase holds a character that it must not"):
        must_be_valid_reason(value)


@pytest.mark.parametrize(("name", "value"), [(b"A", "b"), ("A", b"b"), ("A", 1), (None, "b"), ("A", None)])
def test_field_is_made_of_text(name, value):
    with pytest.raises(TypeError, match=r"^a header field is made of two str, not "):
        must_be_valid_field(name, value)


def test_reason_is_text():
    must_be_valid_reason("")
    with pytest.raises(TypeError, match=r"^a reason phrase is a str, not b'OK'$"):
        must_be_valid_reason(b"OK")


@pytest.mark.parametrize("pattern", [each for each in vars(framing).values() if isinstance(each, re.Pattern)])
def test_every_repeat_is_possessive(pattern):
    assert set(repeats_of(pattern)) <= {"POSSESSIVE_REPEAT"}


# The wire


def test_lines_are_written():
    assert render_status_line(1, 1, 200, "OK") == b"HTTP/1.1 200 OK\r\n"
    assert render_status_line(1, 0, 999, "") == b"HTTP/1.0 999 \r\n"  # RFC 9112 §4: the blank stays
    assert render_status_line(1, 1, HTTPStatus.NOT_FOUND, "") == b"HTTP/1.1 404 \r\n"
    assert render_field("X-A", "b") == (b"X-A: b\r\n", "x-a")
    assert render_field("X-A", "") == (b"X-A: \r\n", "x-a")


def test_what_equals_a_status_does_not_take_its_place():
    render_status_line.cache_clear()
    with pytest.raises(ValueError, match=r"format code 'd'"):
        render_status_line(1, 1, 200.0, "OK")

    assert render_status_line(1, 1, 200, "OK") == b"HTTP/1.1 200 OK\r\n"
    assert render_status_line(1, 1, 200.0, "OK") == b"HTTP/1.1 200 OK\r\n"


def test_chunks_are_written():
    assert render_chunk(b"a" * 26) == b"1a\r\n" + b"a" * 26 + b"\r\n"
    assert LAST_CHUNK == b"0\r\n\r\n"


def read_by_h11(data, *, method="GET", is_closed=False):
    """Read one answer as a client; give back its status, reason, fields and body."""
    client = h11.Connection(h11.CLIENT, max_incomplete_event_size=100_000)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    if is_closed:
        client.receive_data(b"")
    head, body = client.next_event(), b""
    while isinstance(event := client.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert not client.trailing_data[0]
    return head.status_code, head.reason.decode(), head.headers.raw_items(), body


NAMES = st.text("!#$%&'*+-.^_`|~09AZaz", min_size=1, max_size=20).filter(
    lambda name: name.lower() not in FRAMING_FIELDS
)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.just("\t"), max_size=30)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=8)


@given(fields=FIELDS, reason=VALUES)
def test_head_is_read_as_it_was_written(fields, reason):
    must_be_valid_reason(reason)
    lines = [render_status_line(1, 1, 200, reason), *(render_field(*field)[0] for field in fields)]

    read = read_by_h11(b"".join(lines) + b"Content-Length: 2\r\n\r\nab")

    expected = [(name.encode(), value.strip("\t ").encode()) for name, value in fields]
    assert read == (200, reason, [*expected, (b"Content-Length", b"2")], b"ab")


@given(name=st.text(max_size=10) | NAMES, value=st.text(max_size=20) | VALUES)
def test_no_field_is_more_than_a_line(name, value):
    if not is_taken(must_be_valid_field, name, value):
        assert not is_taken(render_field, name, value)
        return

    line = render_field(name, value)[0]

    assert line.endswith(b"\r\n")
    assert line.count(b"\r") == line.count(b"\n") == 1
    assert line[:-2].split(b":", 1) == [name.encode("ascii"), b" " + value.encode("ascii")]


@given(reason=st.text(max_size=10) | VALUES)
def test_no_reason_is_more_than_a_line(reason):
    assume(is_taken(must_be_valid_reason, reason))

    line = render_status_line(1, 1, 200, reason)

    assert line == b"HTTP/1.1 200 " + reason.encode("ascii") + b"\r\n"
    assert line.count(b"\r") == line.count(b"\n") == 1


@given(content=st.lists(st.binary(min_size=1, max_size=300), max_size=5))
def test_chunks_are_read_as_they_were_written(content):
    body = b"".join(map(render_chunk, content)) + LAST_CHUNK

    read = read_by_h11(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)

    assert read[3] == b"".join(content)


FRAMED = {
    Framing.NONE: (b"", b""),
    Framing.LENGTH: (b"Content-Length: 3\r\n", b"abc"),
    Framing.CHUNKED: (b"Transfer-Encoding: chunked\r\n", render_chunk(b"abc") + LAST_CHUNK),
    Framing.CLOSE: (b"Connection: close\r\n", b"abc"),
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_client_finds_the_end_that_was_chosen(method):
    for status, minor, length, is_chunked in product((200, 204, 304, 404), (0, 1), (3, None), (False, True)):
        chosen = choose_framing(
            method=method, status=status, minor=minor, length=length, is_chunked=is_chunked
        )
        fields, body = FRAMED[chosen]
        head = render_status_line(1, 1, status, "OK") + fields + b"\r\n"

        read = read_by_h11(head + body, method=method, is_closed=chosen is Framing.CLOSE)

        assert read[3] == (b"" if chosen is Framing.NONE else b"abc")
