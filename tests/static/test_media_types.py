"""Content-Type by file name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.negotiation import parse_wishes
from aioserve.static.media_types import MEDIA_TYPES, UNKNOWN, media_type_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("INDEX.HTM", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.mjs", "text/javascript; charset=utf-8"),
        ("app.js.map", "application/json"),
        ("data.json", "application/json"),
        ("README.md", "text/markdown; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("feed.xml", "application/xml"),
        ("logo.svg", "image/svg+xml"),
        ("photo.min.avif", "image/avif"),
        ("photo.webp", "image/webp"),
        ("font.woff2", "font/woff2"),
        ("code.wasm", "application/wasm"),
        ("site.webmanifest", "application/manifest+json"),
        ("x.tar.gz", "application/gzip"),
        ("x.html.gz", "application/gzip"),
        ("favicon.ico", "image/vnd.microsoft.icon"),
        ("LICENSE", UNKNOWN),
        ("html", UNKNOWN),
        ("x.", UNKNOWN),
        ("x.nosuch", UNKNOWN),
        ("x.html~", UNKNOWN),
        ("", UNKNOWN),
        (".html", "text/html; charset=utf-8"),
        ("\udcff.txt", "text/plain; charset=utf-8"),
    ],
)
def test_last_extension_names_the_type(name, expected):
    assert media_type_of(name) == expected


def test_every_type_is_well_formed_and_every_text_has_its_charset():
    for media_type in MEDIA_TYPES.values():
        (wish,) = parse_wishes(media_type)
        assert re.fullmatch(r"(application|audio|font|image|text|video)/[a-z0-9.+-]+", wish.name)
        assert wish.parameters == (
            frozenset({("charset", "utf-8")}) if wish.name.startswith("text/") else frozenset()
        )


def test_every_extension_can_be_matched():
    assert all(extension == extension.lower() and "." not in extension for extension in MEDIA_TYPES)


@given(st.text())
def test_any_name_has_a_type(name):
    assert media_type_of(name) in {*MEDIA_TYPES.values(), UNKNOWN}
