"""Which requests are for a page, and where pages are."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.pages import VARY_OF_PAGES, is_page_request, path_of
from aioserve.static.tree import parse_path
from tests.static.asking import request

BROWSER = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def is_page(path, *fields, explicitly=False):
    return is_page_request(request("GET", path, *fields), path, explicitly=explicitly)


@pytest.mark.parametrize("explicitly", [True, False])
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/users/7", True),
        ("/users/7/", True),
        ("", True),
        ("/", True),
        ("/app.js/settings", True),
        ("/v1.2", True),
        ("/users/jane.doe", True),
        ("/end.", True),
        ("/app.js", False),
        ("/deep/photo.JPG", False),
        ("/missing.html", False),
        ("/.png", False),
        ("/archive.tar.gz", False),
    ],
)
def test_page_does_not_end_in_the_name_of_a_file(path, expected, explicitly):
    assert is_page(path, BROWSER, explicitly=explicitly) is expected


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        *((one, True) for one in ("document", "iframe", "frame", "object", "embed", "empty", "", "Document")),
        *((one, False) for one in ("script", "style", "image", "font", "worker", "manifest", "unheard-of")),
    ],
)
def test_page_is_shown_as_one(destination, expected):
    """Fetch §2.2.5; what the browser says of its purpose counts before what it accepts."""
    assert is_page("/a", f"Sec-Fetch-Dest: {destination}", BROWSER) is expected


@pytest.mark.parametrize(
    ("accept", "expected", "expected_explicitly"),
    [
        (BROWSER, True, True),
        ("Accept: text/html", True, True),
        ("Accept: TEXT/HTML;charset=utf-8", True, True),
        ("Accept: application/json, text/html;q=0.1", True, True),
        ("Accept: text/*", True, False),
        ("Accept: */*", True, False),
        ("A: b", True, False),
        ("Accept:", True, False),
        ("Accept: ;;;", True, False),
        ("Accept: application/json", False, False),
        ("Accept: image/avif,image/webp", False, False),
        ("Accept: text/html;q=0", False, False),
        ("Accept: application/xhtml+xml", False, False),
    ],
)
def test_page_is_html_that_is_accepted(accept, expected, expected_explicitly):
    """RFC 9110 §12.5.1: a field without one usable element accepts everything."""
    assert is_page("/a", accept) is expected
    assert is_page("/a", accept, explicitly=True) is expected_explicitly


def test_all_that_it_depends_on_is_told():
    assert VARY_OF_PAGES == ("Vary", "Accept, Sec-Fetch-Dest")


@pytest.mark.parametrize(
    ("file_name", "path"),
    [
        ("404.html", "/404.html"),
        ("errors/404.html", "/errors/404.html"),
        ("50% #1?.html", "/50%25%20%231%3F.html"),
        ("caf\u00e9.html", "/caf%C3%A9.html"),
        (os.fsdecode(b"\xff.html"), "/%FF.html"),
        ("new\nline", "/new%0Aline"),
    ],
)
def test_path_of_a_file_is_encoded(file_name, path):
    assert path_of(file_name) == path


def is_name(name):
    return b"/" not in name and parse_path(path_of(os.fsdecode(name))) is not None


NAMES = st.lists(st.binary(min_size=1).filter(is_name), min_size=1)


@given(NAMES)
def test_path_leads_back_to_the_file(names):
    name = b"/".join(names)

    assert parse_path(path_of(os.fsdecode(name))) == tuple(name.split(b"/"))
