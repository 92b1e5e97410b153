"""Header fields that somebody adds to the answers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http1.framing import must_be_valid_field
from aioserve.static.header_fields import (
    HeaderRule,
    fields_for,
    merge_fields,
    must_be_givable,
    parse_header_file,
    without_file_fields,
)
from aioserve.static.patterns import MAX_CHARACTERS, MAX_LINES

FILE = """\
# For all of it
/*
  X-Frame-Options: SAMEORIGIN
  Cache-Control: max-age=0
  Cache-Control: must-revalidate
  Set-Cookie: a=1

/assets/*
\tCache-Control:public, max-age=600
    # of another site
  Link: </a.css>; rel=preload
  x-frame-options:   DENY \t
/assets/:name.js#
  X-Never: x
/assets/:name
  LINK: </b.css>; rel=preload
  Set-Cookie: b=2
"""


def rules(text):
    found, problems = parse_header_file(text)
    assert problems == ()
    return found


def fields(path, text):
    return fields_for(parse_header_file(text)[0], path)


# The file


def test_rule_is_a_path_and_its_fields():
    first, second = rules("/a/*\n  B: c: d # e\n\tF:g\n/h\n  I: j\n")

    assert (first.pattern.text, first.fields) == ("/a/*", (("B", "c: d # e"), ("F", "g")))
    assert (second.pattern.text, second.fields) == ("/h", (("I", "j"),))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/",
            [
                ("X-Frame-Options", "SAMEORIGIN"),
                ("Cache-Control", "max-age=0, must-revalidate"),
                ("Set-Cookie", "a=1"),
            ],
        ),
        (
            "/assets/x/y",
            [
                ("x-frame-options", "DENY"),
                ("Cache-Control", "public, max-age=600"),
                ("Set-Cookie", "a=1"),
                ("Link", "</a.css>; rel=preload"),
            ],
        ),
        (
            "/%61ssets/x.js",
            [
                ("x-frame-options", "DENY"),
                ("Cache-Control", "public, max-age=600"),
                ("Set-Cookie", "a=1"),
                ("Set-Cookie", "b=2"),
                ("Link", "</a.css>; rel=preload, </b.css>; rel=preload"),
            ],
        ),
    ],
)
def test_all_rules_that_match_count(path, expected):
    assert fields(path, FILE) == tuple(expected)


def test_path_that_no_rule_is_about_gets_nothing():
    assert fields("/b", "/a\n  X: y\n") == ()
    assert fields_for((), "/") == ()


@pytest.mark.parametrize(
    ("reason", "text", "line", "sentence"),
    [
        ("no path", "  X-A: b", 1, "no path above"),
        ("not indented", "/a\n  X-A: b\nX-C: d\n  X-E: f", 3, "'X-C: d' is not a path of this site"),
        ("a URL", "https://host/a\n  X-A: b", 1, "is not a path of this site"),
        ("a placeholder", "/:a.js\n  X-A: b", 1, "is no placeholder"),
        ("no colon", "/a\n  X-A b", 2, "'X-A b' is no header field: it has no ':'"),
        ("no value", "/a\n  X-A: ", 2, "'X-A' has no value"),
        ("no name", "/a\n  : b", 2, "'' is not the name of a header field"),
        ("RFC 9110 §5.1: a blank in the name", "/a\n  X A: b", 2, "'X A' is not the name"),
        ("a path, indented", "/a\n  /b: c", 2, "'/b' is not the name"),
        ("§5.5: a control character", "/a\n  X-A: b\x00c", 2, "no header field may"),
        ("§5.5: a carriage return", "/a\n  X-A: b\rX-C: d", 2, "no header field may"),
        ("not ASCII", "/a\n  X-A: é", 2, "RFC 8187"),
        ("the password of nobody", "/a\n  Basic-Auth: me:secret", 2, "NOT PROTECTED"),
        ("the same", "/a\n  basic-auth: me:secret", 2, "NOT PROTECTED"),
    ],
)
def test_line_that_cannot_be_used_is_a_problem(reason, text, line, sentence):
    found, problems = parse_header_file(f"{text}\n/z\n  X-Z: z\n")

    assert [problem.line for problem in problems] == [line], reason
    assert sentence in problems[0].sentence
    assert fields_for(found, "/z") == (("X-Z", "z"),)
    assert all(name in {"X-A", "X-Z"} for rule in found for name, _ in rule.fields)


@pytest.mark.parametrize("value", ["me:secret", "mé:secret", "me:secret\x00"])
def test_that_nothing_is_protected_is_said_without_the_password(value):
    (problem,) = parse_header_file(f"/a\n  Basic-Auth: {value}")[1]

    assert "NOT PROTECTED" in problem.sentence
    assert "secret" not in problem.sentence


def test_too_many_lines_and_too_large_a_file_are_problems():
    found, problems = parse_header_file("/a\n" + "  X: y\n" * MAX_LINES)
    assert [problem.line for problem in problems] == [MAX_LINES + 1]
    assert len(found) == 1

    found, problems = parse_header_file("/a\n  X: y\n" + "#" * MAX_CHARACTERS)
    assert [problem.line for problem in problems] == [1]
    assert found == ()


@pytest.mark.parametrize(
    "name",
    [
        *("Accept-Ranges", "Age", "Allow", "Connection", "Content-Encoding", "Content-Length"),
        *("Content-Range", "Date", "ETag", "Keep-Alive", "Last-Modified", "Location", "Trailer"),
        *("Transfer-Encoding", "Upgrade"),
    ],
)
def test_field_that_only_the_server_knows_may_not_be_given(name):
    for spelt in (name, name.lower(), name.upper()):
        with pytest.raises(ValueError, match=f"^{spelt} cannot be given"):
            must_be_givable(spelt, "x")


@pytest.mark.parametrize("name", ["Server", "Content-Type", "Vary", "Cache-Control", "Set-Cookie", "X-Any"])
def test_other_field_may_be_given(name):
    must_be_givable(name, "x")


# One rule


def test_rule_is_made_of_a_glob_and_a_field():
    rule = HeaderRule.parse("/*.js", "X-A", "b")

    assert fields_for([rule], "/a/b.js") == (("X-A", "b"),)
    assert fields_for([rule], "/a/b.css") == ()


@pytest.mark.parametrize(
    ("glob", "name", "value", "sentence"),
    [
        ("*.js", "X-A", "b", "does not begin with '/'"),
        ("/*", "X A", "b", "is not the name"),
        ("/*", "X-A", "b\nc", "no header field may"),
        ("/*", "ETag", '"a"', "cannot be given"),
        ("/*", "Basic-Auth", "a:b", "NOT PROTECTED"),
    ],
)
def test_rule_that_cannot_be_used_is_refused(glob, name, value, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        HeaderRule.parse(glob, name, value)


# Several of the same name


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("a list, RFC 9110 §5.3", "/*\n  Link: a\n  link: b\n/a\n  LINK: c", [("Link", "a, b, c")]),
        (
            "cookies are no list",
            "/*\n  Set-Cookie: a\n  set-cookie: b",
            [("Set-Cookie", "a"), ("set-cookie", "b")],
        ),
        ("one value: the last", "/*\n  Content-Type: a\n  Content-Type: b", [("Content-Type", "b")]),
        (
            "one value: the last rule",
            "/*\n  X-Frame-Options: a\n/a\n  X-Frame-Options: b",
            [("X-Frame-Options", "b")],
        ),
        ("caching within a rule", "/*\n  Cache-Control: a\n  Cache-Control: b", [("Cache-Control", "a, b")]),
        ("caching by several", "/*\n  Cache-Control: a\n/a\n  Cache-Control: b", [("Cache-Control", "b")]),
        ("in the place of the first", "/*\n  Link: a\n  X-A: b\n  Link: c", [("Link", "a, c"), ("X-A", "b")]),
    ],
)
def test_fields_of_the_same_name_are_brought_together(reason, text, expected):
    assert fields("/a", text) == tuple(expected), reason


# The server's own fields

OWN = (
    ("Content-Type", "text/css; charset=utf-8"),
    ("ETag", '"1-2-3"'),
    ("Vary", "Accept-Encoding"),
    ("Cache-Control", "no-cache"),
)


@pytest.mark.parametrize(
    ("reason", "given_fields", "expected"),
    [
        ("nothing", (), OWN),
        ("another", (("X-A", "b"),), (OWN[0], OWN[1], OWN[3], ("X-A", "b"), OWN[2])),
        (
            "in place of the server's",
            (("cache-control", "private"),),
            (OWN[0], OWN[1], ("cache-control", "private"), OWN[2]),
        ),
        (
            "Vary grows",
            (("vary", "Origin, accept-encoding,"),),
            (OWN[0], OWN[1], OWN[3], ("Vary", "Accept-Encoding, Origin")),
        ),
        ("what only the server knows", (("etag", '"x"'), ("Content-Length", "1")), OWN),
    ],
)
def test_given_fields_are_merged_with_the_servers_own(reason, given_fields, expected):
    assert merge_fields(OWN, given_fields) == expected, reason


def test_vary_is_given_where_the_server_has_none():
    assert merge_fields(OWN[:1], (("Vary", "Origin"),)) == (OWN[0], ("Vary", "Origin"))
    assert merge_fields(OWN[:1], (("X-A", "b"),)) == (OWN[0], ("X-A", "b"))


def test_both_cookies_are_kept():
    cookies = (("Set-Cookie", "a"), ("Set-Cookie", "b"))

    assert merge_fields((), cookies) == cookies


def test_what_is_said_of_a_file_is_not_said_of_an_error():
    about_the_site = (
        ("X-Frame-Options", "DENY"),
        ("Content-Security-Policy", "default-src 'self'"),
        ("Strict-Transport-Security", "max-age=600"),
        ("Access-Control-Allow-Origin", "*"),
        ("Set-Cookie", "a=b"),
        ("Vary", "Origin"),
    )
    about_the_file = tuple(
        (name, "x")
        for name in (
            *("Cache-Control", "Expires", "PRAGMA", "CDN-Cache-Control", "Content-Type", "Content-Language"),
            *("Content-Disposition", "Content-Location", "ETag", "Last-Modified", "Accept-Ranges"),
        )
    )

    assert without_file_fields((*about_the_file, *about_the_site)) == about_the_site


# Whatever is written

PIECES = st.sampled_from(
    [
        *(
            "/*",
            "/a",
            "/:x",
            "a",
            "\n",
            "\n  ",
            "\n\t",
            ": ",
            ":",
            " ",
            "#",
            "X-A",
            "Link",
            "Set-Cookie",
            "Vary",
        ),
        *("Cache-Control", "ETag", "Basic-Auth", "\r", "\x00", "é", "b", ","),
    ]
)
FILES = (
    st.text()
    | st.lists(PIECES).map("".join)
    | st.lists(
        st.sampled_from(
            ["/*", "/a", "/:x", "/:", "  X-A: b", "\tLink: c", " Vary: d", "  ETag: e", "  f", "g"]
        )
    ).map("\n".join)
)


@given(FILES, st.sampled_from(["/", "/a", "/b/c"]) | st.text())
def test_any_file_is_read_and_gives_valid_fields(text, path):
    found, problems = parse_header_file(text)
    given_fields = fields_for(found, path)
    merged = merge_fields(OWN, given_fields)

    for name, value in (*given_fields, *merged):
        must_be_valid_field(name, value)
    names = [name.lower() for name, _ in merged if name.lower() != "set-cookie"]
    assert len(names) == len(set(names))
    assert ("ETag", '"1-2-3"') in merged
    assert without_file_fields(without_file_fields(merged)) == without_file_fields(merged)
    lines = [problem.line for problem in problems]
    assert len(lines) == len(set(lines))
