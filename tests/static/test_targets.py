"""Where a redirect may lead."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.patterns import encode_path
from aioserve.static.targets import Target, encode_query, is_target

CAPTURED = {"splat": "a/b%20c", "id": "7", "empty": "", "evil": "//evil.example/&x=1;+#%26"}


def location(text, query="", captured=None):
    captured = CAPTURED if captured is None else captured
    return Target.parse(text, captured.keys()).format_location(captured, query)


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("a path", "/new", "/new"),
        ("another site", "https://www.example.com", "https://www.example.com/"),
        ("schemes have no case", "HTTP://example.com:8080/a", "HTTP://example.com:8080/a"),
        ("an address", "http://[::1]:80/a", "http://[::1]:80/a"),
        ("a host and a query", "https://example.com?a=b", "https://example.com/?a=b"),
        ("a query and a fragment", "/a?b=c#d", "/a?b=c#d"),
        ("a question mark in a fragment", "/a#b?c", "/a#b?c"),
        ("a fragment with two signs", "/a#b#c", "/a#b%23c"),
        ("a placeholder in the path", "/blog/:splat", "/blog/a/b%20c"),
        ("twice, and in a word", "/x-:id-:id.html", "/x-7-7.html"),
        ("in the path of another site", "https://example.com/:splat", "https://example.com/a/b%20c"),
        ("in a query", "/find?q=:splat&n=:id", "/find?q=a/b%20c&n=7"),
        ("in a fragment", "/a#:id", "/a#7"),
        ("a colon in a word is a colon", "/wiki/Talk:Page", "/wiki/Talk:Page"),
        ("the longest name counts", "/x-:idx", "/x-:idx"),
        ("not ASCII", "/café?é#é", "/caf%C3%A9?%C3%A9#%C3%A9"),
        ("a backslash behind the slash", "/\\evil.example", "/%5Cevil.example"),
        ("an encoded one", "/%5Cevil.example", "/%5Cevil.example"),
        ("a tab behind the slash", "/\t/evil.example", "/%09/evil.example"),
        ("a line feed", "/a\r\nSet-Cookie: a=b", "/a%0D%0ASet-Cookie:%20a=b"),
        ("a percent sign alone", "/100%?100%", "/100%25?100%25"),
        ("nothing before a slash", "/:empty/evil.example", "/evil.example"),
        ("a value that begins with slashes", "/:evil", "/evil.example/&x=1;+#%26"),
        (
            "a value stays one parameter of the query",
            "/a?b=:evil",
            "/a?b=//evil.example/%26x%3D1%3B%2B%23%26",
        ),
    ],
)
def test_location_is_filled_in(reason, text, expected):
    assert location(text) == expected, reason


@pytest.mark.parametrize(
    ("reason", "text", "query", "expected"),
    [
        ("kept as it was sent", "/new", "a=%62&c[]=d|e+f", "/new?a=%62&c[]=d|e+f"),
        ("in front of the fragment", "/new#top", "a=b", "/new?a=b#top"),
        ("for another site as well", "https://example.com", "a=b", "https://example.com/?a=b"),
        ("the target has its own", "/new?c=d", "a=b", "/new?c=d"),
        ("an empty one of its own", "/new?", "a=b", "/new?"),
        ("made safe", "/new", "a=\\ é\r\n#%", "/new?a=%5C%20%C3%A9%0D%0A%23%25"),
    ],
)
def test_query_of_the_request_is_kept(reason, text, query, expected):
    assert location(text, query) == expected, reason


def test_value_is_not_filled_in_again():
    assert location("/:a", captured={"a": ":b", "b": "no"}) == "/:b"


def test_path_alone_is_filled_in():
    target = Target.parse("/:empty/x/:id?a=b#c", CAPTURED)

    assert target.format_path(CAPTURED) == "/x/7"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "neither a path of this site nor an http URL"),
        ("new", "neither a path of this site nor an http URL"),
        ("ftp://example.com/", "neither a path of this site nor an http URL"),
        ("javascript:alert(1)", "neither a path of this site nor an http URL"),
        ("https:/example.com", "neither a path of this site nor an http URL"),
        ("//evil.example/", "names another host"),
        ("https://", "not a plain host"),
        ("https:///evil.example", "not a plain host"),
        ("https://:splat/", "not a plain host"),
        ("https://:splat.example.com/", "not a plain host"),
        ("https://example.com:id/", "not a plain host"),
        ("https://example.com:99999/", "not a plain host"),
        ("https://me:secret@example.com/", "not a plain host"),
        ("https://good.example\\@evil.example/", "not a plain host"),
        ("https://exämple.com/", "not a plain host"),
        ("https://\ud800/", "not a plain host"),
        ("https://example.com\n/", "not a plain host"),
        ("/a/:nosuch", "uses :nosuch, which nothing in the rule stands for"),
        ("/a?b=:nosuch", "uses :nosuch, which"),
        ("https://example.com/:nosuch", "uses :nosuch, which"),
        ("/" + "a" * 2048, "longer than 2,048"),
    ],
)
def test_what_is_no_target_is_refused(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        Target.parse(text, CAPTURED)


def test_splat_without_a_star_is_refused_wherever_it_stands():
    with pytest.raises(ValueError, match=r"uses :splat, .* \(a '\*' at the end of the path\)"):
        Target.parse("/blog-:splat", {"id"})


@pytest.mark.parametrize("text", ["/", "//host", "http://", "https://host", "HTTPS://HOST"])
def test_text_is_meant_as_a_target(text):
    assert is_target(text)


@pytest.mark.parametrize("text", ["", "id=:id", "301", "next=/a", "ftp://host", "a=http://host"])
def test_text_is_not_meant_as_a_target(text):
    assert not is_target(text)


# Whatever comes

ODD = st.text("/\\:ab?#@%25\t\n é", max_size=12) | st.text()
TARGETS = (
    ODD.map("/".__add__)
    | ODD.map("https://host".__add__)
    | st.builds("{}:{}{}".format, ODD, st.sampled_from(["a", "b"]), ODD).map("/".__add__)
)


@given(TARGETS, ODD.map(encode_path), ODD.map(encode_path), ODD)
def test_location_is_plain_ascii_and_never_leaves_the_host_that_the_rule_names(text, a, b, query):
    try:
        target = Target.parse(text, ("a", "b"))
    except ValueError:
        return
    captured = {"a": a, "b": b}

    there = target.format_location(captured, query)

    assert there.isascii()
    assert there.isprintable()
    assert not set(there) & set(" \\")
    assert target.format_path(captured).startswith("/")
    assert not target.format_path(captured).startswith("//")
    assert there.startswith(f"{target.origin}/")
    assert urlsplit(urljoin("http://here/x", there)).netloc == (target.origin[8:] or "here")


@given(ODD)
def test_encoded_query_stays_as_it_is(text):
    encoded = encode_query(text)

    assert encoded.isascii()
    assert encoded.isprintable()
    assert encode_query(encoded) == encoded
