"""What is added to the answers for files, and which of it counts."""

from __future__ import annotations

import pytest

from aioserve.errors import ConfigurationError
from aioserve.static.header_fields import HeaderRule
from aioserve.static.settings import Static
from aioserve.static.site import ALLOWED, Site
from tests.static.asking import request

PREFLIGHT = "Origin: https://a.example", "Access-Control-Request-Method: GET"
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag",
}


class Rules:
    """The rules of a folder, which may change."""

    def __init__(self, *rules):
        self.rules = rules

    def headers(self):
        return tuple(HeaderRule.parse(*rule) for rule in self.rules)


def site(*rules, **settings):
    return Site(Static(**settings), Rules(*rules))


# Fields


def test_files_are_asked_for_each_time_and_nothing_else_is_said():
    assert site().fields("/a.txt", "a.txt") == (("Cache-Control", "no-cache"),)
    assert site().other_fields("/a.txt") == ()


@pytest.mark.parametrize(
    ("settings", "rules", "expected"),
    [
        ({"cache_control": "max-age=60"}, [], "max-age=60"),
        (
            {"cache_control": "max-age=60", "headers": (("/*", "Cache-Control", "max-age=1"),)},
            [],
            "max-age=1",
        ),
        (
            {"cache_control": "max-age=60", "headers": (("/*", "cache-control", "max-age=1"),)},
            [("/*", "CACHE-CONTROL", "max-age=2")],
            "max-age=2",
        ),
        (
            {"headers": (("/*", "Cache-Control", "max-age=1"),)},
            [("/b/*", "Cache-Control", "max-age=2")],
            "max-age=1",
        ),
        ({}, [("/*", "Cache-Control", "max-age=2"), ("/a/*", "Cache-Control", "max-age=3")], "max-age=3"),
    ],
    ids=[
        "option",
        "--header before the option",
        "folder before both",
        "of another path",
        "last of the folder",
    ],
)
def test_folder_comes_before_headers_and_those_before_the_option_for_one_field(settings, rules, expected):
    fields = site(*rules, **settings).fields("/a/b.txt", "b.txt")

    assert [value for name, value in fields if name.lower() == "cache-control"] == [expected]


def test_lists_are_joined_from_all_of_them():
    """RFC 9110 §5.3."""
    of = site(("/*", "Link", "</b.css>"), headers=(("/*", "Link", "</a.css>"), ("/*", "X-One", "1")))

    assert of.other_fields("/a") == (("Link", "</a.css>, </b.css>"), ("X-One", "1"))


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("app.3f2a9c1d.js", "public, max-age=31536000, immutable"),
        ("app.js", "max-age=60"),
        (None, "no-cache"),
    ],
)
def test_caching_depends_on_the_name_of_the_file(file_name, expected):
    of = site(cache_control="max-age=60, immutable")

    assert of.fields("/a", file_name) == (("Cache-Control", expected),)


def test_listing_may_be_kept_only_where_a_rule_says_so():
    assert site(cache_control="max-age=60").fields("/", None) == (("Cache-Control", "no-cache"),)
    assert site(("/*", "Cache-Control", "max-age=5")).fields("/", None) == (("Cache-Control", "max-age=5"),)


def test_redirects_and_errors_have_nothing_of_the_file():
    rules = [("/*", name, "1") for name in ("Cache-Control", "Content-Type", "Content-Language", "X-One")]

    assert site(*rules, cache_control="max-age=60").other_fields("/a") == (("X-One", "1"),)


def test_rules_are_about_the_path_that_was_asked_for():
    of = site(("/a/*", "X-One", "1"), headers=(("/b", "X-Two", "2"),))

    assert [dict(of.other_fields(path)) for path in ("/a/b", "/b/", "/c", "")] == [
        {"X-One": "1"},
        {"X-Two": "2"},
        {},
        {},
    ]


def test_rules_of_the_folder_are_the_ones_of_now():
    rules = Rules()
    of = Site(Static(), rules)
    before = of.other_fields("/a")
    rules.rules = (("/*", "X-One", "1"),)

    assert (before, of.other_fields("/a")) == ((), (("X-One", "1"),))


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (("/*", "ETag", '"1"'), "--header: ETag cannot be given"),
        (("assets/*", "X-One", "1"), "--header: .*assets"),
        (("/*", "X One", "1"), "--header: "),
    ],
    ids=["of the server", "no path", "no name"],
)
def test_header_that_cannot_be_given_is_refused(header, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        site(headers=(header,))


# Other sites


def test_other_sites_may_read_everything_where_that_is_asked_for():
    of = site(cors="*")

    assert dict(of.other_fields("/a")) == OPEN
    assert dict(of.fields("/a", "a")) == OPEN | {"Cache-Control": "no-cache"}


def test_one_site_may_and_a_rule_may_name_another():
    rule = ("/b", "Access-Control-Allow-Origin", "https://b.example")
    of = site(rule, cors="https://a.example")

    names = [dict(of.other_fields(path))["Access-Control-Allow-Origin"] for path in ("/a", "/b")]
    assert names == ["https://a.example", "https://b.example"]


@pytest.mark.parametrize(
    ("method", "fields", "cors", "expected"),
    [
        ("OPTIONS", PREFLIGHT, "*", True),
        ("OPTIONS", PREFLIGHT, "https://other.example", True),
        ("OPTIONS", PREFLIGHT, None, False),
        ("OPTIONS", PREFLIGHT[:1], "*", False),
        ("OPTIONS", PREFLIGHT[1:], "*", False),
        ("GET", PREFLIGHT, "*", False),
    ],
    ids=["any site", "a site, whichever asks", "none may", "no method", "no origin", "not OPTIONS"],
)
def test_preflight_is_told_by_its_fields(method, fields, cors, expected):
    """Fetch §4.8; whether its origin may read, the browser itself compares."""
    assert site(cors=cors).is_preflight(request(method, "/a", *fields)) is expected


def test_preflight_is_told_what_may_be_asked():
    answer = site(cors="*").answer_options(request("OPTIONS", "/a", *PREFLIGHT), "/a")

    assert (answer.status, answer.body, answer.is_current) == (204, b"", None)
    assert dict(answer.headers) == OPEN | {
        "Allow": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "If-Match, If-Modified-Since, If-None-Match, If-Range, "
        "If-Unmodified-Since, Range",
        "Access-Control-Max-Age": "7200",
    }


def test_options_are_told_what_is_allowed_and_what_is_said_of_all():
    of = site(("/a", "X-One", "1"), cors="*")
    answer = of.answer_options(request("OPTIONS", "/a"), "/a")

    assert answer.status == 204
    assert dict(answer.headers) == OPEN | {"X-One": "1", "Allow": ", ".join(ALLOWED)}
