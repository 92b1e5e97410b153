"""A folder of files in front of an application: what is not a file is left to that."""

from __future__ import annotations

import pytest

from tests.static.asking import Reply, ask, ask_later, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

METHODS = ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "get"]
PREFLIGHT = "Origin: https://a.example", "Access-Control-Request-Method: GET"


@pytest.fixture
def front(serve):
    return serve(alone=False)


def test_file_comes_before_the_application(front):
    assert ask(front, "GET", "/file.txt")[:2] == (200, b"0123456789")
    assert ask(front, "GET", "/folder/")[:2] == (200, b"the folder")
    assert ask(front, "HEAD", "/")[:2] == (200, b"the root")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "target", ["/nosuch", "/bare/", "/bare", "/file.txt/", "/../canary", "//evil.example", "/_headers"]
)
def test_what_is_no_file_is_left_to_the_application(front, method, target):
    assert front(request(method, target, 'If-Match: "other"')) is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["/file.txt", "/folder/", "/folder", "/nosuch"])
def test_other_method_is_left_to_the_application(front, method, target):
    assert front(request(method, target)) is None


def test_folder_is_redirected_only_to_something(front, serve):
    assert ask(front, "GET", "/folder") == Reply(308, b"", {"Location": "/folder/"})
    assert front(request("GET", "/bare")) is None
    assert ask(serve(alone=False, listing=True), "GET", "/bare").status == 308


def test_mount_without_its_slash_is_redirected_only_to_something(serve, site):
    front = serve(alone=False, mount="/docs")
    assert ask(front, "GET", "/docs").fields == {"Location": "/docs/"}

    (site / "index.html").unlink()

    assert front(request("GET", "/docs")) is None


def test_folder_is_listed_before_the_application(serve):
    assert ask_later(serve(alone=False, listing=True), "GET", "/bare/").status == 200


def test_conditions_and_ranges_of_a_file_are_judged_before_the_application(front):
    assert refusal(front, "GET", "/file.txt", 'If-Match: "other"').code == 412
    assert refusal(front, "GET", "/file.txt", "Range: bytes=99-").code == 416


# Preflights: a browser asks whether a page of another site may ask


@pytest.mark.parametrize("target", ["/file.txt", "/folder/", "/folder", "/"])
def test_preflight_of_a_file_is_answered(serve, target):
    reply = ask(serve(alone=False, cors="*"), "OPTIONS", target, *PREFLIGHT)

    assert (reply.status, reply.fields["Access-Control-Allow-Origin"]) == (204, "*")


@pytest.mark.parametrize("target", ["/nosuch", "/bare/", "/bare"])
def test_preflight_of_what_is_no_file_is_left_to_the_application(serve, target):
    assert serve(alone=False, cors="*")(request("OPTIONS", target, *PREFLIGHT)) is None


def test_preflight_of_a_folder_is_answered_where_it_is_listed(serve):
    front = serve(alone=False, cors="*", listing=True)

    for target in ("/bare", "/bare/"):
        assert ask(front, "OPTIONS", target, *PREFLIGHT).status == 204


def test_options_without_that_question_are_left_to_the_application(serve):
    front = serve(alone=False, cors="*")

    for fields in ((), PREFLIGHT[:1], PREFLIGHT[1:]):
        assert front(request("OPTIONS", "/file.txt", *fields)) is None


# Pages for what is not there


def test_error_page_is_not_shown_for_what_the_application_may_have(serve):
    front = serve(alone=False, error_pages=((404, "file.txt"), (405, "file.txt"), (416, "file.txt")))

    assert front(request("GET", "/nosuch")) is None
    assert front(request("POST", "/file.txt")) is None
    assert ask(front, "GET", "/file.txt", "Range: bytes=99-")[:2] == (416, b"0123456789")


@pytest.mark.parametrize(
    ("accept", "is_page"),
    [
        (("Accept: text/html,application/xhtml+xml,*/*;q=0.8",), True),
        (("Accept: */*",), False),
        (("Accept: text/*",), False),
        (("Accept: application/json",), False),
        ((), False),
    ],
    ids=["browser", "anything", "any text", "JSON", "no word"],
)
@pytest.mark.parametrize("target", ["/nosuch", "/bare", "/bare/"])
def test_page_of_an_application_in_the_browser_is_for_who_names_html(serve, target, accept, is_page):
    answer = serve(alone=False, spa=True)(request("GET", target, *accept))

    assert (answer is not None) is is_page


def test_rules_come_before_the_application(serve, site):
    (site / "_redirects").write_text("/old /new\n/a/* /file.txt 200\n/b/* /none 200\n/c/* /file.txt 404")
    front = serve(alone=False)

    assert ask(front, "GET", "/old").status == 301
    assert ask(front, "GET", "/a/x")[:2] == (200, b"0123456789")
    assert ask(front, "GET", "/c/x")[:2] == (404, b"0123456789")
    assert front(request("GET", "/b/x")) is None
    assert front(request("POST", "/old")) is None
