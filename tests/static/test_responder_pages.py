"""Pages for what is not there: those of errors, and that of an application in the browser."""

from __future__ import annotations

import pytest

from tests.static.asking import ALLOWED, HUGE, LARGE, Reply, ask, ask_later, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"
PAGE = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


# Pages of errors


@pytest.fixture
def errors(site):
    """Put pages of errors into the site, and return the option that says so."""
    (site / "errors").mkdir()
    for status in (404, 405, 412, 416, 503):
        (site / f"errors/{status}.html").write_text(f"page of {status}")
    return tuple((status, f"errors/{status}.html") for status in (404, 405, 412, 416, 503))


@pytest.mark.parametrize(
    ("method", "target", "field", "status", "more"),
    [
        ("GET", "/nosuch", "A: b", 404, {}),
        ("HEAD", "/nosuch", "A: b", 404, {}),
        ("GET", "/bare/", "A: b", 404, {}),
        ("POST", "/nosuch", "A: b", 404, {}),
        ("OPTIONS", "/nosuch", "A: b", 404, {}),
        ("GET", "/../canary", "A: b", 404, {}),
        ("POST", "/file.txt", "A: b", 405, {"Allow": ALLOWED}),
        ("GET", "/file.txt", 'If-Match: "other"', 412, {}),
        ("GET", "/file.txt", "Range: bytes=99-", 416, {"Content-Range": "bytes */10"}),
    ],
)
def test_error_page_keeps_the_status_and_what_the_error_says(
    serve, errors, method, target, field, status, more
):
    reply = ask(serve(error_pages=errors), method, target, field)

    assert reply == Reply(status, f"page of {status}".encode(), PAGE | more)


def test_error_page_knows_no_conditions_ranges_or_codings(serve, site):
    """RFC 9110 §13.2.1 and §14.2: they are about the answer 200."""
    (site / "404.txt").write_bytes(LARGE)
    fields = "If-None-Match: *", "Range: bytes=0-0", "Accept-Encoding: gzip"

    reply = ask(serve(error_pages=((404, "404.txt"),)), "GET", "/nosuch", *fields)

    assert (reply.status, reply.body) == (404, LARGE)
    assert reply.fields == PAGE | {"Content-Type": "text/plain; charset=utf-8"}


def test_error_page_carries_what_is_said_of_all_answers_but_not_of_files(serve, site, errors):
    (site / "_headers").write_text("/*\n X-One: 1\n Cache-Control: max-age=60\n Content-Type: image/png\n")
    static = serve(error_pages=errors, cors="*", cache_control="max-age=10", headers=(("/*", "X-Two", "2"),))

    fields = ask(static, "GET", "/nosuch").fields

    assert fields["Access-Control-Allow-Origin"] == "*"
    assert (fields["X-One"], fields["X-Two"]) == ("1", "2")
    assert {name: fields[name] for name in PAGE} == PAGE


def test_error_without_a_page_carries_them_as_well(serve):
    static = serve(headers=(("/*", "X-Two", "2"), ("/*", "Cache-Control", "max-age=60")))

    assert refusal(static, "GET", "/nosuch").headers == (("X-Two", "2"),)
    assert refusal(static, "POST", "/file.txt").headers == (("X-Two", "2"), ("Allow", ALLOWED))


def test_error_page_is_the_one_of_now_and_gone_with_its_file(serve, site, errors):
    static = serve(error_pages=errors)
    first = ask(static, "GET", "/nosuch").body
    (site / "errors/404.html").write_text("another page")
    second = ask(static, "GET", "/nosuch").body
    (site / "errors/404.html").unlink()

    assert (first, second) == (b"page of 404", b"another page")
    assert refusal(static, "GET", "/nosuch").code == 404


@pytest.mark.parametrize("page", ["none.html", "folder", ".env", "out.html", "_headers"])
def test_what_must_not_be_seen_is_no_error_page(serve, site, page):
    (site / ".env").write_text("hidden")
    (site / "_headers").write_text("# no rules")
    (site / "out.html").symlink_to(site.parent / "canary")
    static = serve(error_pages=((404, page),))

    assert refusal(static, "GET", "/nosuch").code == 404
    assert not static.has_page(404)


def test_it_is_known_for_which_errors_there_are_pages(serve, errors):
    static = serve(error_pages=errors)

    assert static.has_page(404)
    assert not static.has_page(400)


def test_error_page_may_have_any_name(serve, site):
    (site / "50% #1?.html").write_text("odd")

    assert ask(serve(error_pages=((404, "50% #1?.html"),)), "GET", "/nosuch").body == b"odd"


# The page of an application in the browser


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", ["/nosuch", "/users/7?tab=1", "/bare/", "/v1.2", "/nosuch/"])
def test_application_in_the_browser_is_asked_for_what_is_not_there(serve, method, target):
    status, body, fields = ask(serve(spa=True), method, target, BROWSER)

    assert (status, body) == (200, b"the root")
    assert fields["Vary"] == "Accept, Sec-Fetch-Dest"
    assert fields["Content-Type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/nosuch.js", BROWSER),
        ("/assets/nosuch.PNG", BROWSER),
        ("/nosuch", "Accept: application/json"),
        ("/nosuch", "Sec-Fetch-Dest: script"),
        ("/../canary", BROWSER),
        ("/.env", BROWSER),
        ("//evil.example", BROWSER),
    ],
)
def test_everything_else_that_is_not_there_is_404(serve, target, field):
    assert refusal(serve(spa=True), "GET", target, field).code == 404


def test_file_comes_before_the_application_in_the_browser(serve):
    static = serve(spa=True)

    assert ask(static, "GET", "/file.txt", BROWSER).body == b"0123456789"
    assert ask(static, "GET", "/bare", BROWSER).status == 308
    assert refusal(static, "POST", "/nosuch", BROWSER).code == 404
    assert refusal(serve(), "GET", "/nosuch", BROWSER).code == 404


def test_application_in_the_browser_needs_its_page(serve, site):
    (site / "index.html").unlink()

    assert refusal(serve(spa=True), "GET", "/nosuch", BROWSER).code == 404


def test_its_page_is_an_answer_like_the_file(serve):
    static = serve(spa=True)
    etag = ask(static, "GET", "/").fields["ETag"]

    assert ask(static, "GET", "/nosuch", f"If-None-Match: {etag}").status == 304
    assert ask(static, "GET", "/nosuch", "Range: bytes=0-2")[:2] == (206, b"the")
    assert refusal(static, "GET", "/nosuch", 'If-Match: "other"').code == 412


@pytest.mark.usefixtures("settled")
def test_its_page_is_compressed_like_the_file(serve, site):
    (site / "index.html").write_bytes(HUGE)

    fields = ask_later(serve(spa=True), "GET", "/nosuch", "Accept-Encoding: gzip").fields

    assert fields["Content-Encoding"] == "gzip"
    assert fields["Vary"] == "Accept, Sec-Fetch-Dest, Accept-Encoding"


def test_it_is_found_at_the_place_of_its_folder(serve):
    static = serve(spa=True, mount="/app")

    assert ask(static, "GET", "/app/users/7", BROWSER).body == b"the root"
    assert static(request("GET", "/nosuch", BROWSER)) is None
