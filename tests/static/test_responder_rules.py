"""Rules about redirects and header fields, and what other sites are told."""

from __future__ import annotations

import pytest

from tests.static.asking import ALLOWED, HUGE, LARGE, Reply, ask, ask_later, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

PREFLIGHT = "Origin: https://a.example", "Access-Control-Request-Method: GET"
REDIRECTS = """\
/file.txt        /never
/text.txt        /forced            301!
/old             /new               302
/news/*          /blog/:splat       308
/store id=:id    /products/:id
/away            https://b.example/
/as/*            /:splat            200
/large.bin       /file.txt          200!
/gone/*          /file.txt          404
/empty.txt       /large.bin         404!
/lost/*          /none              200
/closed/*        /none              404
/two%20words     /first             301!
/folder/*        /second
/bare            /third
/                /home              302!
"""


@pytest.fixture
def ruled(site, serve):
    """The site with rules, at the root or elsewhere."""
    (site / "_redirects").write_text(REDIRECTS)
    return serve


# Redirects


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("mount", ["/", "/docs"])
@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/text.txt", 301, "/forced"),
        ("/old", 302, "/new"),
        ("/news/2026/11?a=b", 308, "/blog/2026/11?a=b"),
        ("/store?id=7&x=1", 301, "/products/7?x=1"),
        ("/two%20words", 301, "/first"),
        ("/folder/nosuch", 301, "/second"),
        ("/", 302, "/home"),
    ],
)
def test_rule_sends_the_client_to_a_path_beneath_the_mount(ruled, method, mount, target, status, location):
    prefix = mount.removesuffix("/")
    static = ruled(mount=mount)

    expected = Reply(status, b"", {"Location": f"{prefix}{location}"})
    assert ask(static, method, f"{prefix}{target}", 'If-Match: "other"') == expected


def test_mount_without_its_slash_falls_under_the_rule_of_the_root(ruled):
    assert ask(ruled(mount="/docs"), "GET", "/docs?x") == Reply(302, b"", {"Location": "/docs/home?x"})


def test_other_site_has_no_prefix(ruled):
    assert ask(ruled(mount="/docs"), "GET", "/docs/away").fields == {"Location": "https://b.example/"}


def test_file_comes_before_a_rule_that_is_not_forced(ruled):
    static = ruled()

    assert ask(static, "GET", "/file.txt").body == b"0123456789"
    assert ask(static, "GET", "/folder/").body == b"the folder"
    assert ask(static, "GET", "/bare").fields == {"Location": "/bare/"}


def test_rule_comes_before_the_page_of_an_application_in_the_browser(ruled):
    static = ruled(spa=True)

    assert ask(static, "GET", "/old").status == 302
    assert ask(static, "GET", "/lost/x").body == b"the root"


def test_rule_is_for_reading_only(ruled):
    assert refusal(ruled(), "POST", "/old").code == 404
    assert refusal(ruled(), "POST", "/text.txt").code == 405


@pytest.mark.parametrize(
    "target", ["/news/%00", "//news/x", "/news/../x", "/news/\\evil.example", "/news/a//b"]
)
def test_what_is_no_path_falls_under_no_rule(ruled, target):
    assert refusal(ruled(), "GET", target).code == 404


def test_rules_are_the_ones_of_now(ruled, site):
    static = ruled()
    assert ask(static, "GET", "/old").status == 302

    (site / "_redirects").write_text("/new /old 307")
    assert refusal(static, "GET", "/old").code == 404
    assert ask(static, "GET", "/new").status == 307

    (site / "_redirects").unlink()
    assert refusal(static, "GET", "/new").code == 404


# Rewrites


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("mount", ["/", "/docs"])
@pytest.mark.parametrize(
    ("target", "status", "body"),
    [
        ("/as/file.txt?query", 200, b"0123456789"),
        ("/as/folder/", 200, b"the folder"),
        ("/as/large.bin", 200, LARGE),
        ("/large.bin", 200, b"0123456789"),
        ("/gone/x", 404, b"0123456789"),
        ("/empty.txt", 404, LARGE),
    ],
)
def test_rule_shows_another_file_under_the_same_url(ruled, method, mount, target, status, body):
    static = ruled(mount=mount)

    assert ask(static, method, f"{mount.removesuffix('/')}{target}")[:2] == (status, body)


def test_other_file_is_an_answer_like_its_own(ruled):
    static = ruled()
    own = ask(static, "GET", "/file.txt")

    assert ask(static, "GET", "/as/file.txt") == own
    assert ask(static, "GET", "/as/file.txt", f"If-None-Match: {own.fields['ETag']}").status == 304
    assert ask(static, "GET", "/as/file.txt", "Range: bytes=1-2")[:2] == (206, b"12")
    assert refusal(static, "GET", "/as/file.txt", "Range: bytes=99-").code == 416


@pytest.mark.usefixtures("settled")
def test_other_file_is_compressed_like_its_own(ruled):
    static = ruled()

    first = ask_later(static, "GET", "/as/huge.txt", "Accept-Encoding: gzip")
    second = ask(static, "GET", "/huge.txt", "Accept-Encoding: gzip")

    assert first == second
    assert len(first.body) < len(HUGE)


def test_page_of_a_rule_is_that_of_an_error(ruled):
    fields = ask(ruled(), "GET", "/gone/x", "If-None-Match: *").fields

    assert fields == {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize(
    "target",
    [
        "/lost/x",
        "/closed/x",
        "/as/folder",
        "/as/bare/",
        "/as/nosuch",
        "/as/_redirects",
        "/as/.env",
        "/as/out",
    ],
)
def test_rule_shows_only_files_that_may_be_seen(ruled, site, target):
    (site / ".env").write_text("hidden")
    (site / "out").symlink_to(site.parent / "canary")

    assert refusal(ruled(), "GET", target).code == 404


# Header fields


def test_fields_are_given_to_files_redirects_and_errors(serve, site):
    (site / "_headers").write_text("/f*\n X-One: 1\n Cache-Control: max-age=60\n")
    static = serve(headers=(("/*", "X-Two", "2"),))

    of_file = ask(static, "GET", "/file.txt").fields
    assert (of_file["X-One"], of_file["X-Two"], of_file["Cache-Control"]) == ("1", "2", "max-age=60")
    assert ask(static, "GET", "/folder").fields == {"X-Two": "2", "X-One": "1", "Location": "/folder/"}
    assert ask(static, "OPTIONS", "/file.txt").fields == {"X-Two": "2", "X-One": "1", "Allow": ALLOWED}
    assert refusal(static, "GET", "/nosuch").headers == (("X-Two", "2"),)
    assert "X-One" not in ask(static, "GET", "/text.txt").fields


def test_fields_are_given_to_the_redirects_of_rules(ruled):
    static = ruled(headers=(("/old", "X-Two", "2"),))

    assert ask(static, "GET", "/old").fields == {"X-Two": "2", "Location": "/new"}


def test_fields_are_those_of_the_path_that_was_asked_for(ruled, site):
    (site / "_headers").write_text("/as/*\n X-One: asked\n/file.txt\n X-One: own\n")

    assert ask(ruled(), "GET", "/as/file.txt").fields["X-One"] == "asked"


def test_paths_of_rules_begin_at_the_mount(serve, site):
    (site / "_headers").write_text("/file.txt\n X-One: 1\n/\n X-Root: 1\n")
    static = serve(mount="/docs")

    assert ask(static, "GET", "/docs/file.txt").fields["X-One"] == "1"
    assert ask(static, "GET", "/docs").fields == {"X-Root": "1", "Location": "/docs/"}


def test_fields_are_the_ones_of_now(serve, site):
    static = serve()
    assert "X-One" not in ask(static, "GET", "/file.txt").fields

    (site / "_headers").write_text("/*\n X-One: 1\n")

    assert ask(static, "GET", "/file.txt").fields["X-One"] == "1"


def test_caching_is_that_of_the_name_of_the_file(serve, site):
    (site / "app.3f2a9c1d.js").write_text("")
    static = serve(cache_control="max-age=60, immutable")

    caching = [
        ask(static, "GET", target).fields["Cache-Control"] for target in ("/app.3f2a9c1d.js", "/", "/folder/")
    ]

    assert caching == ["public, max-age=31536000, immutable", "max-age=60", "max-age=60"]


# Other sites


def test_other_sites_may_read_files_redirects_and_errors(serve):
    static = serve(cors="https://a.example")

    answers = [ask(static, "GET", target).fields for target in ("/file.txt", "/folder")]
    answers.append(dict(refusal(static, "GET", "/nosuch").headers))

    assert {fields["Access-Control-Allow-Origin"] for fields in answers} == {"https://a.example"}


@pytest.mark.parametrize("target", ["/file.txt", "/folder", "/nosuch", "/../canary"])
def test_preflight_is_answered_also_for_what_is_not_there(serve, target):
    """A browser would not show the page that says so otherwise."""
    status, body, fields = ask(serve(cors="*"), "OPTIONS", target, *PREFLIGHT)

    assert (status, body) == (204, b"")
    assert fields["Access-Control-Allow-Methods"] == ALLOWED


@pytest.mark.parametrize("fields", [(), PREFLIGHT[:1], PREFLIGHT[1:]], ids=["no word", "origin", "method"])
def test_options_of_what_is_not_there_are_404(serve, fields):
    assert refusal(serve(cors="*"), "OPTIONS", "/nosuch", *fields).code == 404


def test_preflight_is_any_other_question_where_other_sites_may_not_read(serve):
    static = serve()

    assert ask(static, "OPTIONS", "/file.txt", *PREFLIGHT) == Reply(204, b"", {"Allow": ALLOWED})
    assert refusal(static, "OPTIONS", "/nosuch", *PREFLIGHT).code == 404
    assert serve(mount="/docs", cors="*")(request("OPTIONS", "/file.txt", *PREFLIGHT)) is None
