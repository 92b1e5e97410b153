"""Which forms are announced, and the urlencoded one; the standard library and httpx are the judges."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import BadHttpMessage, HttpProcessingError
from aioserve.forms import (
    Multipart,
    Urlencoded,
    parse_form_content_type,
    parse_parameters,
    parse_urlencoded,
)

# What is announced


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("application/json", None),
        ("multipart/mixed; boundary=a", None),
        ("application/x-www-form-urlencoded-not", None),
        ("text/plain; what is this=", None),
        ("application/x-www-form-urlencoded", Urlencoded()),
        ("Application/X-WWW-Form-Urlencoded ; charset=windows-1252", Urlencoded()),
        ("multipart/form-data; boundary=abc", Multipart("abc")),
        ("MULTIPART/FORM-DATA;BOUNDARY=aBc", Multipart("aBc")),
        ('multipart/form-data; charset=utf-8 ; boundary="a b:c"', Multipart("a b:c")),
        ("multipart/form-data;; boundary=abc;", Multipart("abc")),
        ("multipart/form-data; boundary=" + "x" * 70, Multipart("x" * 70)),
        (
            "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            Multipart("----WebKitFormBoundary7MA4YWxkTrZu0gW"),
        ),
    ],
)
def test_content_type_announces(value, expected):
    assert parse_form_content_type(value) == expected


@pytest.mark.parametrize(
    ("reason", "parameters"),
    [
        ("missing", ""),
        ("missing", "; charset=utf-8"),
        ("empty", '; boundary=""'),
        ("no value", "; boundary="),
        ("RFC 2046 §5.1.1: 70 characters", "; boundary=" + "x" * 71),
        ("RFC 2046 §5.1.1: no blank at the end", '; boundary="a "'),
        ("RFC 2046 §5.1.1: bchars", '; boundary="a\\"b"'),
        ("RFC 2046 §5.1.1: bchars", '; boundary="a\nb"'),
        ("twice", "; boundary=a; Boundary=b"),
        ("two fields joined", "; boundary=a, multipart/form-data; boundary=b"),
        ("unterminated", '; boundary="a'),
        ("token needs no blanks around =", "; boundary = a"),
        ("token is ASCII", "; boundary=ä"),
    ],
)
def test_multipart_without_a_usable_boundary_is_an_error(reason, parameters):
    with pytest.raises(BadHttpMessage):
        parse_form_content_type("multipart/form-data" + parameters)
    assert reason


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("form-data", ("form-data", {})),
        (' Form-Data ; Name="a;b=c"; x=y', ("form-data", {"name": "a;b=c", "x": "y"})),
        (r'form-data; name="a\"b\\c"', ("form-data", {"name": r'a"b\c'})),
        (r'form-data; filename="C:\temp\new.txt"', ("form-data", {"filename": r"C:\temp\new.txt"})),
        ("form-data; filename*=UTF-8''x", ("form-data", {"filename*": "UTF-8''x"})),
    ],
)
def test_parameters_are(value, expected):
    assert parse_parameters(value) == expected


@given(st.text(max_size=50) | st.text('ab;=" \t\\', max_size=50))
def test_parameters_raise_nothing_but_the_documented_error(text):
    with suppress(BadHttpMessage):
        parse_form_content_type("multipart/form-data;" + text)


@given(st.dictionaries(st.from_regex(r"[a-z*]{1,8}", fullmatch=True), st.text(max_size=20), max_size=5))
def test_quoted_parameters_read_as_they_were_written(parameters):
    escaped = {name: text.replace("\\", "\\\\").replace('"', '\\"') for name, text in parameters.items()}
    value = "x" + "".join(f'; {name}="{text}"' for name, text in escaped.items())
    assert parse_parameters(value) == ("x", parameters)


# application/x-www-form-urlencoded


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", []),
        (b"a=1&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"a=&b&=c", [("a", ""), ("b", ""), ("", "c")]),
        (b"&&a=1&", [("a", "1")]),
        (b"a=b=c&d=1;e=2", [("a", "b=c"), ("d", "1;e=2")]),
        (b"n+m=x+y%2B%26%3d", [("n m", "x y+&=")]),
        (b"n=%D1%82", [("n", "т")]),
        ("n=т".encode(), [("n", "т")]),
        (b"n=\xd1%82", [("n", "т")]),
        (b"n=%ff\xfe", [("n", "\ufffd\ufffd")]),
        (b"a=1\r\n=\n=0D%0D%0A=", [("a", "1\r\n=\n=0D\r\n=")]),
    ],
    ids=[
        "empty",
        "order",
        "blank",
        "nothing",
        "only-&-separates",
        "escapes",
        "utf-8",
        "raw",
        "both",
        "not-utf-8",
        "lines",
    ],
)
def test_urlencoded_body_has_fields(body, expected):
    assert list(parse_urlencoded(body).items()) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=100%", ("a", "100%")),
        (b"a=%4", ("a", "%4")),
        (b"%zz=1", ("%zz", "1")),
        (b"a=%%41", ("a", "%A")),
        (b"a=%+1", ("a", "% 1")),
    ],
)
def test_a_percent_that_begins_no_escape_stands_for_itself(body, expected):
    """As the URL standard's percent-decoding has it (WHATWG URL §1.3)."""
    assert list(parse_urlencoded(body).items()) == [expected]


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("unit", [b"%41", b"%", b"%%41", b"%4", b"%4%41a"])
def test_where_a_long_value_is_cut_to_save_memory_makes_no_difference(unit, shift):
    once = parse_urlencoded(b"a=" + unit)["a"]
    times = 200_000 // len(unit)
    assert parse_urlencoded(b"%zz=" + b"a" * shift + unit * times)["%zz"] == "a" * shift + once * times


def test_bare_percents_take_memory_in_proportion():
    tracemalloc.start()
    try:
        parse_urlencoded(b"a=" + b"%" * 1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_too_many_fields_are_an_error():
    assert len(parse_urlencoded(b"a&b&c", max_fields=3)) == 3
    with pytest.raises(HttpProcessingError, match="more than 2 fields") as caught:
        parse_urlencoded(b"a&b&c", max_fields=2)
    assert caught.value.code == 413


text = st.text(st.characters(codec="utf-8"), max_size=30)
pieces = st.sampled_from([b"%", b"41", b"D1%82", b"=", b"&", b"+", b"\r", b"\n", b"a", b"=3D"])


@given(st.lists(st.tuples(text, text), max_size=9))
def test_fields_read_as_they_were_encoded(fields):
    assert list(parse_urlencoded(urlencode(fields).encode()).items()) == fields


@given(st.lists(pieces).map(b"".join))
def test_urlencoded_reads_as_the_standard_library_does_or_not_at_all(body):
    with suppress(BadHttpMessage):
        assert list(parse_urlencoded(body).items()) == parse_qsl(body.decode(), keep_blank_values=True)


@given(st.binary(max_size=60))
def test_urlencoded_raises_nothing_but_the_documented_errors(body):
    with suppress(BadHttpMessage):
        for name, value in parse_urlencoded(body).items():
            assert (name + value).encode().decode() == name + value  # no surrogates
