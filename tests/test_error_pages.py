"""The body of an error answer."""

from __future__ import annotations

import asyncio
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioserve.error_pages
from aioserve.error_pages import format_traceback, is_internal, render_error_page

ANY_TEXT = st.text(st.characters(exclude_categories=()))
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def page(accept, *, status=404, reason="Not Found", message="It is not here.", traceback=None):
    return render_error_page(
        status=status, reason=reason, message=message, accept=accept, traceback=traceback
    )


@pytest.mark.parametrize(
    ("reason", "accept", "content_type"),
    [
        ("nothing said", None, "text/plain; charset=utf-8"),
        ("curl", "*/*", "text/plain; charset=utf-8"),
        ("a browser", BROWSER, "text/html; charset=utf-8"),
        ("a program", "application/json", "application/json"),
        ("a program with a second choice", "application/json, */*;q=0.1", "application/json"),
        ("plain text by name", "text/plain", "text/plain; charset=utf-8"),
        ("refused", "text/plain;q=0, text/*", "text/html; charset=utf-8"),
        ("nothing that we have", "image/png", "text/plain; charset=utf-8"),
        ("nonsense", "@@@", "text/plain; charset=utf-8"),
    ],
)
def test_the_form_is_chosen_by_accept(reason, accept, content_type):
    assert page(accept)[0] == content_type, reason


# Plain text


def test_plain_text_has_status_message_and_traceback():
    assert page(None)[1] == b"404 Not Found\n\nIt is not here.\n"
    assert page(None, message="")[1] == b"404 Not Found\n"
    assert page(None, message="", traceback="Traceback:\n  x\n")[1] == b"404 Not Found\n\nTraceback:\n  x\n"


# JSON


def test_json_has_status_error_and_message():
    assert json.loads(page("application/json")[1]) == {
        "status": 404,
        "error": "Not Found",
        "message": "It is not here.",
    }


def test_json_has_a_traceback_in_lines():
    assert json.loads(page("application/json", traceback="a\n  b\n")[1])["traceback"] == ["a", "  b"]


# HTML


class Outline(HTMLParser):
    """Collects the tags of a page and the text in each, and fails on tags that do not match."""

    VOID = frozenset(("meta", "link"))

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.attributes = []
        self.text = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.text[self.open[-1]] = self.text.get(self.open[-1], "") + data


def test_html_names_the_status_and_the_message():
    outline = Outline(page("text/html")[1].decode())

    assert outline.text["title"] == "404 Not Found"
    assert outline.text["span"] + outline.text["h1"] == "404 Not Found"
    assert outline.text["p"] == "It is not here."
    assert "pre" not in outline.text


def test_html_leaves_an_empty_message_out():
    assert "p" not in Outline(page("text/html", message="")[1].decode()).text


def test_html_is_complete_and_needs_nothing_from_elsewhere():
    body = page("text/html", traceback="x")[1].decode()
    attributes = Outline(body).attributes

    assert body.startswith("<!DOCTYPE html>\n")
    assert ("html", {"lang": "en"}) in attributes
    assert ("meta", {"charset": "utf-8"}) in attributes
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in attributes
    assert "@media (prefers-color-scheme: dark)" in body
    assert {tag for tag, _ in attributes}.isdisjoint(("script", "img", "iframe"))
    assert re.search(r"url\(|@import|https?:|src=", body) is None
    assert [each["href"] for tag, each in attributes if tag == "link"] == ["data:,"]


@given(ANY_TEXT, ANY_TEXT)
def test_text_in_html_is_text(message, traceback):
    with_text = Outline(page("text/html", message="m" + message, traceback=traceback)[1].decode())
    without = Outline(page("text/html", message="m", traceback="")[1].decode())

    assert with_text.attributes == without.attributes
    assert with_text.text.get("pre", "").count("<") == traceback.count("<")


@given(st.text("<>&\"'/=;ab ", max_size=30))
def test_a_message_in_html_is_read_as_it_was_written(message):
    assert Outline(page("text/html", message="m" + message)[1].decode()).text["p"] == "m" + message


def test_html_escapes_the_reason():
    assert b"<b>" not in page("text/html", reason="<b>")[1]


@given(ANY_TEXT, st.none() | ANY_TEXT, st.sampled_from([None, "text/html", "application/json"]))
def test_every_text_makes_a_body_in_utf_8_without_control_characters(text, traceback, accept):
    body = page(accept, reason=text, message=text, traceback=traceback)[1].decode("utf-8")

    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", body) is None


# Tracebacks


def raised(exc, cause=None):
    try:
        raise exc from cause
    except type(exc) as caught:
        return caught


def test_a_traceback_reads_as_python_writes_it():
    text = format_traceback(raised(ValueError("wrong")))

    assert text.startswith("Traceback (most recent call last):\n  File ")
    assert "raise exc from cause" in text
    assert text.endswith("\nValueError: wrong\n")


@pytest.mark.parametrize(
    "link",
    [
        lambda exc: raised(RuntimeError("outer"), exc),
        lambda exc: raised(ExceptionGroup("outer", [exc])),
        lambda exc: exc,
    ],
    ids=["cause", "group", "itself"],
)
def test_frames_of_aioserve_are_left_out_everywhere(link):
    def answer():
        raise ValueError("wrong")

    try:
        list(map_through_aioserve(answer))
    except ValueError as exc:
        text = format_traceback(link(exc))

    assert "ValueError: wrong" in text
    assert "in answer" in text
    assert "error_pages.py" not in text.replace("test_error_pages.py", "")


def map_through_aioserve(function):
    """Call a function from a frame that says to be the module's own."""
    code = compile("yielded = function()", aioserve.error_pages.__file__, "exec")
    exec(code, {"function": function})  # noqa: S102 - the only way to choose a frame's file
    yield


def test_frames_of_aioserve_are_kept_where_there_are_no_others():
    try:
        render_error_page(status=404, reason=None, message="", accept=None, traceback=None)
    except AttributeError as exc:
        exc.__traceback__ = exc.__traceback__.tb_next
        text = format_traceback(exc)

    assert "error_pages.py" in text


def test_internal_is_what_lies_in_the_packages():
    assert is_internal(aioserve.__file__)
    assert is_internal(asyncio.__file__)
    assert not is_internal(__file__)
    assert not is_internal(aioserve.__file__.replace("aioserve/", "aioserve_app/"))


class MuteError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class TrapError(Exception):
    @property
    def __notes__(self):
        raise RuntimeError("no notes")


class MisplacedError(SyntaxError):
    """Claims a place that no text can have."""

    def __init__(self):
        super().__init__("wrong", ("<app>", 1, 1, "text"))
        self.lineno = self.offset = self.text = object()


@pytest.mark.parametrize("kind", [MuteError, TrapError, MisplacedError])
def test_a_traceback_never_fails(kind):
    assert kind.__name__ in format_traceback(raised(kind()))


def test_an_exception_that_was_never_raised_has_one_too():
    assert format_traceback(ValueError("wrong")) == "ValueError: wrong\n"


def test_a_deep_recursion_is_written():
    def recurse(depth):
        return recurse(depth + 1)

    with pytest.raises(RecursionError) as caught:
        recurse(0)

    assert "Previous line repeated" in format_traceback(caught.value)
