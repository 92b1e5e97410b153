"""Which request is answered with another URL, or with another file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.patterns import MAX_CHARACTERS, MAX_LINES
from aioserve.static.redirects import Redirection, Redirects, Rewrite, parse_redirects

FILE = """\
# Moved
/home             /
/old    /new      302       # for a while
/Café       /coffee 308
\t/blog/my-post.php\t/blog/my-post\t303
/google           https://www.google.com
/news/:year/:month/:slug   /blog/:year-:month/:slug  307
/news/*           /archive/:splat
/store  id=:id kind=book  /books/:id
/store  id=:id    https://shop.example/product?id=:id
/store            /products
/app/settings     /settings 301!
/app/*            /app/index.html  200
/gone/*           /closed.html   404!
/*                /index.html    200
"""


def redirects(text):
    rules, problems = parse_redirects(text)
    assert problems == ()
    return rules


def outcome(text, target, *, exists=False):
    path, _, query = target.partition("?")
    return redirects(text).match(path, query, exists=exists)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/home", Redirection(301, "/")),
        ("/home/", Redirection(301, "/")),
        ("/h%6fme", Redirection(301, "/")),
        ("/home?a=b&c", Redirection(301, "/?a=b&c")),
        ("/old", Redirection(302, "/new")),
        ("/Caf%c3%a9", Redirection(308, "/coffee")),
        ("/blog/my-post.php", Redirection(303, "/blog/my-post")),
        ("/google?q=x", Redirection(301, "https://www.google.com/?q=x")),
        ("/news/2004/02/a%20b", Redirection(307, "/blog/2004-02/a%20b")),
        ("/news/2004/02", Redirection(301, "/archive/2004/02")),
        ("/news", Redirection(301, "/archive/")),
        ("/news//evil.example", Redirection(301, "/archive//evil.example")),
        ("/store?id=7&kind=book", Redirection(301, "/books/7")),
        ("/store?x=1&kind=book&y=2&id=7", Redirection(301, "/books/7?x=1&y=2")),
        ("/store?id=a+b%26c", Redirection(301, "https://shop.example/product?id=a%20b%26c")),
        ("/store?id=", Redirection(301, "https://shop.example/product?id=")),
        ("/store?kind=book", Redirection(301, "/products?kind=book")),
        ("/store", Redirection(301, "/products")),
        ("/app/settings", Redirection(301, "/settings")),
        ("/app/other", Rewrite(200, "/app/index.html")),
        ("/gone/x", Rewrite(404, "/closed.html")),
        ("/whatever?a=b", Rewrite(200, "/index.html")),
        ("/", Rewrite(200, "/index.html")),
        ("", Rewrite(200, "/index.html")),
    ],
)
def test_first_rule_that_matches_is_the_one(target, expected):
    assert outcome(FILE, target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/home", None),
        ("/app/other", None),
        ("/app/settings", Redirection(301, "/settings")),
        ("/gone/x", Rewrite(404, "/closed.html")),
    ],
)
def test_only_a_rule_with_an_exclamation_mark_applies_where_a_file_exists(target, expected):
    assert outcome(FILE, target, exists=True) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a /first\n/* /second", "/first"),
        ("/* /first\n/a /second", "/first"),
        ("/:x /first\n/a /second\n/* /third", "/first"),
        ("/b /no\n/:x/y /no\n/a /first\n/a /second", "/first"),
        ("/a q=1 /no\n/* /first\n/a /second", "/first"),
    ],
)
def test_order_of_the_file_counts_for_fixed_and_variable_rules_alike(text, expected):
    assert outcome(text, "/a") == Redirection(301, expected)


@pytest.mark.parametrize(
    ("reason", "rule", "target"),
    [
        ("the same path", "/a /a", "/a"),
        ("spelt in another way", "/a /a", "/%61"),
        ("with its query", "/a /a", "/a?b=c"),
        ("the query of the target", "/a /a?b=c", "/a?b=c"),
        ("a fragment is not sent", "/a /a#b", "/a"),
        ("by a star", "/* /:splat", "/x/y"),
        ("the slash that is wanted is there", "/a /a/", "/a/"),
        ("index of everything", "/* /index.html", "/index.html"),
    ],
)
def test_rule_that_leads_to_the_same_url_does_not_apply(reason, rule, target):
    assert outcome(rule, target) is None, reason
    assert outcome(f"{rule}\n/* /x 404", target) == Rewrite(404, "/x")


def test_slash_may_be_added_and_a_query_changed():
    assert outcome("/a /a/", "/a") == Redirection(301, "/a/")
    assert outcome("/a /a?b=c", "/a") == Redirection(301, "/a?b=c")
    assert outcome("/a b=:b /a", "/a?b=c&d") == Redirection(301, "/a?d")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_status_of_a_redirection_is_kept(status):
    assert outcome(f"/a /b {status}", "/a") == Redirection(status, "/b")
    assert outcome(f"/a /b {status}!", "/a", exists=True) == Redirection(status, "/b")


def test_rewrite_has_a_path_and_nothing_else():
    assert outcome("/a/* /b/:splat?c#d 200", "/a/%2e%2e?x") == Rewrite(200, "/b/%2e%2e")
    assert outcome("/a/* /:splat 200", "/a//b") == Rewrite(200, "/b")


# Queries


@pytest.mark.parametrize(
    ("reason", "test", "query"),
    [
        ("a value", "a=b", "a=b"),
        ("among others", "a=b", "x&a=b&y="),
        ("encoded", "a=b", "%61=%62"),
        ("encoded in the rule", "%61=%62+c", "a=b%20c"),
        ("not ASCII", "é=é", "%C3%A9=%C3%A9"),
        ("empty", "a=", "a="),
        ("nothing is empty", "a=", "a"),
        ("the first counts", "a=b", "a=b&a=c"),
        ("with an equals sign", "a=b=c", "a=b=c"),
    ],
)
def test_query_matches(reason, test, query):
    assert outcome(f"/a {test} /b", f"/a?{query}") is not None, reason


@pytest.mark.parametrize(
    ("reason", "test", "query"),
    [
        ("absent", "a=b", ""),
        ("another", "a=b", "a=c"),
        ("the first counts", "a=b", "a=c&a=b"),
        ("values have a case", "a=b", "a=B"),
        ("one of two", "a=b c=:d", "a=b"),
        ("absent, though empty would do", "a=:a", "b="),
        ("behind 256 others", "a=b", "&" * 257 + "a=b"),
    ],
)
def test_other_query_does_not_match(reason, test, query):
    assert outcome(f"/a {test} /b", f"/a?{query}") is None, reason


def test_value_of_the_query_stays_within_its_segment():
    assert outcome("/a x=:x /:x/y", "/a?x=//evil.example/?z") == Redirection(
        301, "/%2F%2Fevil.example%2F%3Fz/y"
    )
    assert outcome("/a x=:x /:x/evil.example", "/a?x=") == Redirection(301, "/evil.example")


# What cannot be used


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/a", "has no target"),
        ("/a 301", "has no target"),
        ("/a b=c", "has no target"),
        ("/a javascript:alert(1)", "has no target"),
        ("/a # /b", "has no target"),
        ("a /b", "does not begin with '/'"),
        ("https://host/* /b", "does not begin with '/'"),
        ("/a?b=c /b", "a query or a fragment"),
        ("/a/*/b /c", "a '\\*' stands before the end"),
        ("/a/** /c", "a '\\*' stands before the end"),
        ("/a b /c", "neither a parameter, name=value, nor a target"),
        ("/a =b /c", "neither a parameter, name=value, nor a target"),
        ("/:a b=:a /c", "the same name twice"),
        ("/a b=:x c=:x /d", "the same name twice"),
        ("/a //evil.example", "names another host"),
        ("/* https://:splat/", "not a plain host"),
        ("/a /:splat", "uses :splat"),
        ("/a /b 300", "300 is not a status of a rule"),
        ("/a /b 410", "410 is not a status of a rule"),
        ("/a /b 30", "'30' is not expected there"),
        ("/a /b 3000", "'3000' is not expected there"),
        ("/a /b 301!!", "301!!"),
        ("/a /b ٣٠١", "is not expected there"),
        ("/a /b /c", "'/c' is not expected there"),
        ("/a /b 302 Country=de", "'Country=de' is a condition that is not supported"),
        ("/a /b Language=de", "'Language=de' is a condition that is not supported"),
        ("/a /b 200! Role=admin", "'Role=admin' is a condition that is not supported"),
        ("/a https://example.com/ 200", "with 200 the target must be a path of this site"),
        ("/a https://example.com/ 404!", "with 404 the target must be a path of this site"),
    ],
)
def test_rule_that_cannot_be_used_is_a_problem_of_its_line(line, sentence):
    rules, problems = parse_redirects(f"/x /y\n\n{line}\n/z /y\n")

    assert [problem.line for problem in problems] == [3]
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(problems[0].sentence)
    assert [rule.line for rule in rules.rules] == [1, 4]


def test_file_without_rules_matches_nothing():
    rules, problems = parse_redirects("\ufeff# nothing\r\n\r\n")

    assert rules.rules == problems == ()
    assert rules.match("/", "", exists=False) is None
    assert Redirects().match("/", "", exists=False) is None


def test_windows_lines_are_read():
    assert outcome("\ufeff/a /b 302\r\n/c /d\r\n", "/a") == Redirection(302, "/b")


def test_too_many_rules_and_too_large_a_file_are_problems():
    rules, problems = parse_redirects("/a /b\n" * MAX_LINES + "/c /d\n/e /f\n")
    assert len(rules.rules) == MAX_LINES
    assert [problem.line for problem in problems] == [MAX_LINES + 1]

    rules, problems = parse_redirects("/a /b\n" + "#" * MAX_CHARACTERS)
    assert rules.rules == ()
    assert [problem.line for problem in problems] == [1]


def test_only_rules_with_something_variable_are_tried_one_by_one():
    rules = redirects("/1 /x\n/2/ /x\n/:x/gone /y\n/2 /z\n")

    assert [rule.line for rule in rules._variable] == [3]
    assert [rule.line for rule in rules._exact["/2"]] == [2, 4]


# Whatever is written and asked for

WORDS = st.sampled_from(
    [
        *("/", "/a", "/a/", "/b", "/a/b", "/*", "/a/*", "/:x", "/:x/b", "/:splat", "//a", "#", "/a#b", "\\"),
        *("x=:y", "x=1", "=", "https://h/:x", "https://:x", "301", "200!", "404", "308!", "410", "Role=x"),
    ]
)
LINES = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
SOURCES = st.sampled_from(["/", "/a", "/b", "/a/b", "/*", "/a/*", "/:x", "/:x/b", "/a/:x"])
RULES = st.builds(
    "{} {} {}".format,
    SOURCES | SOURCES.map("{} x=1".format),
    st.sampled_from(["/", "/a", "/b", "/c", "/a/b"]),
    st.sampled_from(["", "302", "301!", "200", "404!"]),
)
FILES = st.lists(LINES | RULES, max_size=8).map("\n".join) | st.text()
PATHS = st.text("ab/%2fF\\", max_size=6).map("/".__add__) | st.text()
QUERIES = st.sampled_from(["", "x=1", "x=//h", "x=%0d%0a", "y=1&x=%"]) | st.text()


@given(FILES, PATHS, QUERIES, st.booleans())
def test_any_file_is_read_and_any_request_is_answered_safely(text, path, query, exists):
    rules, problems = parse_redirects(text)

    match rules.match(path, query, exists=exists):
        case Redirection(status, location):
            assert status in {301, 302, 303, 307, 308}
            assert location.isascii()
            assert location.isprintable()
            assert location.startswith(("/", "https://h/"))
            assert not location.startswith(("//", "/\\"))
        case Rewrite(status, there):
            assert status in {200, 404}
            assert there.startswith("/")
            assert not there.startswith("//")
    lines = [rule.line for rule in rules.rules] + [problem.line for problem in problems]
    assert len(lines) == len(set(lines))


@given(st.lists(RULES, max_size=8), st.text("ab/", max_size=4), st.booleans(), st.sampled_from(["", "x=1"]))
def test_index_finds_what_trying_one_rule_after_the_other_finds(lines, path, exists, query):
    one_by_one = (redirects(line).match(path, query, exists=exists) for line in lines)

    assert redirects("\n".join(lines)).match(path, query, exists=exists) == next(
        filter(None, one_by_one), None
    )
