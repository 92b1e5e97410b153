"""Accept and Accept-Encoding: RFC 9110 §12.4.2, §12.5.1 and §12.5.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.negotiation import Wish, parse_wishes, preferred_coding, preferred_media_type

PAGES = ("text/html", "application/json", "text/plain")
CODINGS = ("br", "gzip", "identity")

# Everything that has a meaning in a list, and a little that has none.
LIST_ALPHABET = 'aq*/;=,."\\ \t01x-\x00é\udcff'


@pytest.mark.parametrize(
    ("reason", "value", "wishes"),
    [
        ("nothing", "", []),
        ("empty elements are skipped, §5.6.1.2", ", ,gzip,,", [("gzip", (), 1)]),
        ("names are case-insensitive", "GZip, Text/HTML", [("gzip", (), 1), ("text/html", (), 1)]),
        ("three digits of weight", "a;q=0.123", [("a", (), 0.123)]),
        ("a weight may end in its point", "a;q=0., b;q=1.", [("a", (), 0), ("b", (), 1)]),
        ("blanks around the semicolon", "a \t; \tQ=0.5", [("a", (), 0.5)]),
        ("the weight may stand anywhere", "a/b;q=0.5;c=d", [("a/b", (("c", "d"),), 0.5)]),
        ("an empty parameter", "a/b;;c=d;", [("a/b", (("c", "d"),), 1)]),
        ("a quoted value", 'a/b;c="D";q=0.1', [("a/b", (("c", "d"),), 0.1)]),
        ("a quoted pair", r'a/b;c="d\"e\\"', [("a/b", (("c", 'd"e\\'),), 1)]),
        ("a comma inside of quotes", 'a/b;c=",", d', [("a/b", (("c", ","),), 1), ("d", (), 1)]),
        ("an open quote takes the rest", 'a, b;c="x, d', [("a", (), 1)]),
        ("an open quote ending in a backslash", 'a, b;c="x\\', [("a", (), 1)]),
        ("a weight over one", "a;q=1.001, b", [("b", (), 1)]),
        ("four digits", "a;q=0.1234, b", [("b", (), 1)]),
        ("no digit before the point", "a;q=.5, b", [("b", (), 1)]),
        ("a sign", "a;q=+1, b;q=-1, c", [("c", (), 1)]),
        ("a quoted weight", 'a;q="1", b', [("b", (), 1)]),
        ("digits that are not ASCII", "a;q=0.\u0663, b", [("b", (), 1)]),
        ("a parameter without a value", "a;b, c", [("c", (), 1)]),
        ("two words", "a b, c", [("c", (), 1)]),
        ("a name that is not ASCII", "é, \udcff, c", [("c", (), 1)]),
        ("a line feed is no blank", "a\n, c", [("c", (), 1)]),
        ("too many slashes", "a/b/c, /, a/, /b, c", [("c", (), 1)]),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_wishes_are_read_and_malformed_ones_left_out(reason, value, wishes):
    expected = [Wish(name, frozenset(parameters), weight) for name, parameters, weight in wishes]

    assert parse_wishes(value) == expected, reason


def test_wishes_beyond_the_64th_are_not_read():
    wishes = parse_wishes(", ".join(f"a{number}" for number in range(100)))
    assert [wish.name for wish in wishes] == [f"a{number}" for number in range(64)]


@pytest.mark.parametrize(
    ("reason", "accept", "expected"),
    [
        ("absent: the first offer", None, "text/html"),
        ("empty: as if absent", "", "text/html"),
        ("nothing but nonsense: as if absent", "@@@, ;;;", "text/html"),
        ("anything: the first offer", "*/*", "text/html"),
        ("an exact one", "application/json", "application/json"),
        ("case-insensitive", "Application/JSON", "application/json"),
        ("a type with any subtype", "text/*", "text/html"),
        ("the greater weight", "text/html;q=0.5, text/plain;q=0.6", "text/plain"),
        ("ties go by the order of offers", "text/plain, application/json", "application/json"),
        ("the most specific gives the weight", "text/*;q=0.9, text/html;q=0.1", "text/plain"),
        ("a type outweighs anything", "text/*;q=0.1, */*;q=0.5", "application/json"),
        ("refused though anything is welcome", "*/*, text/html;q=0", "application/json"),
        ("a parameter that the offer lacks", "text/html;level=1", None),
        ("nothing acceptable", "image/png", None),
        ("refused", "*/*;q=0", None),
        ("a half wildcard is none", "*/html", None),
        ("no slash", "text", None),
        (
            "a browser",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
            "text/html",
        ),
        ("the last word on one range is its greatest weight", "text/html;q=0, text/html;q=0.5", "text/html"),
    ],
)
def test_media_type_is_chosen(reason, accept, expected):
    assert preferred_media_type(accept, PAGES) == expected, reason


def test_range_with_parameters_is_the_most_specific():
    offers = ("text/plain;format=flowed", 'text/plain; charset="UTF-8"', "text/plain")
    accept = "text/plain;format=flowed;q=0.1, text/plain;charset=utf-8;q=0.7, text/plain;q=0.3"

    assert preferred_media_type(accept, offers) == offers[1]


def test_without_offers_nothing_is_chosen():
    assert preferred_media_type(None, ()) is None
    assert preferred_media_type("*/*", ()) is None
    assert preferred_coding("*", ()) is None


@pytest.mark.parametrize(
    ("reason", "accept_encoding", "expected"),
    [
        ("absent", None, "identity"),
        ("empty: no coding wanted", "", "identity"),
        ("one", "gzip", "gzip"),
        ("the old name", "X-GZip", "gzip"),
        ("ties go by the order of offers", "gzip, deflate, br", "br"),
        ("weights", "br;q=0.5, gzip;q=0.8", "gzip"),
        ("anything", "*", "br"),
        ("anything but one", "*, br;q=0", "gzip"),
        ("refused", "gzip;q=0", "identity"),
        ("unknown", "zstd", "identity"),
        ("identity asked for", "identity", "identity"),
        ("identity before a coding", "gzip;q=0.5, identity", "identity"),
        ("unlisted identity comes last", "gzip;q=0.001", "gzip"),
        ("identity refused", "zstd, identity;q=0", None),
        ("everything refused", "*;q=0", None),
        ("everything but identity refused", "*;q=0, identity;q=0.1", "identity"),
        ("everything but one refused", "gzip, *;q=0", "gzip"),
        ("a malformed weight is no wish", "br;q=x, gzip", "gzip"),
    ],
)
def test_coding_is_chosen(reason, accept_encoding, expected):
    assert preferred_coding(accept_encoding, CODINGS) == expected, reason


def test_identity_must_be_offered_to_be_chosen():
    assert preferred_coding(None, ("gzip",)) is None
    assert preferred_coding("identity", ("gzip",)) is None


@given(st.text(LIST_ALPHABET) | st.text())
def test_any_text_is_read(value):
    for wish in parse_wishes(value):
        assert wish.name
        assert 0 <= wish.weight <= 1
    assert preferred_media_type(value, PAGES) in {*PAGES, None}
    assert preferred_coding(value, CODINGS) in {*CODINGS, None}


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[!#$%&'*+.^_`|~0-9a-z-]{1,5}", fullmatch=True),
            st.dictionaries(
                st.from_regex(r"[a-pr-z]{1,3}", fullmatch=True), st.text('abc," \\;=é', max_size=5)
            ),
            st.integers(0, 1000),
        )
    )
)
def test_what_is_written_by_the_grammar_is_read_back(wishes):
    elements = []
    for name, parameters, thousandths in wishes:
        quoted = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in parameters.items()}
        rest = "".join(f';{key}="{value}"' for key, value in quoted.items())
        elements.append(f"{name}{rest};q={thousandths / 1000:.3f}")

    assert parse_wishes(", ".join(elements)) == [
        Wish(name, frozenset(parameters.items()), thousandths / 1000)
        for name, parameters, thousandths in wishes
    ]
