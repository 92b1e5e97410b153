"""How long a file may be kept, by its name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.caching import cache_control_for, has_hash

FOREVER = "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("webpack", "app.3f2a9c1d.js"),
        ("webpack, a chunk", "main.abcdef12.chunk.css"),
        ("webpack, twenty digits", "vendors~main-2f0e7c6b9d1a4c3e8f5a.js"),
        ("create-react-app", "logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg"),
        ("parcel", "index.0d1e2f3a.css"),
        ("parcel, capitals", "index.0D1E2F3A.css"),
        ("Django", "base.55e7cbb9ba48.css"),
        ("Rails", "application-4dd5b109ee3439da54f5bdfd78a80473b7d2ba9bfd0e1a5ef9ca5ff11bb5fa6a.css"),
        ("Next.js", "framework-2c79e2a64abdb08b.js"),
        ("Hugo", "main.min.0b1c2d3e4f5061728394a5b6c7d8e9f00b1c2d3e4f5061728394a5b6c7d8e9f0.css"),
        ("behind an underscore", "font_3f2a9c1d.woff2"),
        ("Vite", "index-DiwrgTda.js"),
        ("Vite, with digits", "index-BkX3f9aQ.css"),
        ("Vite, a digit at the end", "index-DiwrgTd4.js"),
        ("Vite, a dash in the hash", "index-B-x3faQz.js"),
        ("Vite, an underscore in the hash", "vendor-_kX3f9a1.js"),
        ("Vite, an image", "logo-BkX3f9aQ.svg"),
        ("Vite, a font", "inter-latin-Dx4kXJAl.woff2"),
        ("Vite, a source map", "index-DiwrgTda.js.map"),
        ("Rollup, a module", "chunk-C8x1PmLq.mjs"),
        ("esbuild", "chunk-ABCD1234.js"),
        ("esbuild, letters only", "chunk-QWERTZUI.js"),
        ("esbuild, an image", "logo-A3BC5D7E.png"),
        ("base62 of twenty", "app.1a2B3c4D5e6F7g8H9i0J.js"),
        ("base36", "app-k3j2h9sd.js"),
    ],
    ids=lambda text: text,
)
def test_name_has_a_hash(tool, name):
    assert has_hash(name), tool
    assert cache_control_for(name, "immutable") == FOREVER


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("a version", "jquery-3.7.1.min.js"),
        ("a long version", "lib-20.10.12345678.js"),
        ("a year", "2024-report.pdf"),
        ("min", "bootstrap.min.css"),
        ("a word of eight letters", "my-document.html"),
        ("no separator", "background.png"),
        ("a word of eight letters before .js", "user-settings.js"),
        ("a capital in front", "user-Settings.js"),
        ("a date", "DSC_20240101.jpg"),
        ("a date and a time", "IMG_20240101_123456.jpg"),
        ("a time stamp", "backup-1700000000.zip"),
        ("a word with a number", "report-version2.pdf"),
        ("a capitalised word with a number", "book-Chapter12.html"),
        ("a number with a word", "minutes-2024january.pdf"),
        ("a number between words", "news-covid19data.csv"),
        ("a number on both sides", "print-3dprinter4.stl"),
        ("a camera's name", "holiday-DSCN0001.jpg"),
        ("words that are joined", "page-my-files.js"),
        ("words that are joined, with capitals", "page-My-Files.js"),
        ("words in one", "photo-HeadShot.jpg"),
        ("seven digits", "app.3f2a9c1.js"),
        ("hexadecimal letters alone", "team-facefeed.png"),
        ("the whole name", "3f2a9c1d.js"),
        ("the extension", "app.3f2a9c1d"),
        ("no extension", "app-3f2a9c1d"),
        ("nothing before the dash", "-DiwrgTda.js"),
        ("not ASCII", "app-ДиwrgTda.js"),
        ("digits that are not ASCII", "app-٣abcdefg.js"),
        ("empty", ""),
        ("only separators", "-._.-_"),
        ("hidden", ".3f2a9c1d"),
    ],
    ids=lambda text: text,
)
def test_name_has_no_hash(reason, name):
    assert not has_hash(name), reason
    assert cache_control_for(name, "immutable") == "no-cache"


@pytest.mark.parametrize(
    ("reason", "value", "hashed", "other"),
    [
        ("not asked for", "max-age=60", "max-age=60", "max-age=60"),
        ("nothing at all", "", "", ""),
        ("alone", "immutable", FOREVER, "no-cache"),
        ("directives have no case", "IMMUTABLE", FOREVER, "no-cache"),
        ("the rest", "public, max-age=60, immutable", FOREVER, "public, max-age=60"),
        (
            "the rest, in another order",
            "immutable,max-age=60 ,, no-transform",
            FOREVER,
            "max-age=60, no-transform",
        ),
        ("of one user", "Private, immutable", "private, max-age=31536000, immutable", "Private"),
        ("quoted, RFC 9111 §5.2", 'a="b, immutable"', 'a="b, immutable"', 'a="b, immutable"'),
        ("quoted beside it", 'a="b, \\"c", immutable', FOREVER, 'a="b, \\"c"'),
        ("a quote left open", 'immutable, a="b, c', FOREVER, 'a="b, c'),
        ("with an argument it is another", "immutable=1", "immutable=1", "immutable=1"),
        ("part of a word", "not-immutable", "not-immutable", "not-immutable"),
    ],
)
def test_value_depends_on_the_name_where_immutable_is_asked_for(reason, value, hashed, other):
    assert cache_control_for("app.3f2a9c1d.js", value) == hashed, reason
    assert cache_control_for("index.html", value) == other, reason


NAMES = (
    st.text()
    | st.text("abAB12-_.js")
    | st.from_regex(r"[a-z]{1,5}-[A-Za-z0-9_-]{8}\.(js|svg)", fullmatch=True)
)
DIRECTIVES = st.sampled_from(["immutable", "Immutable", "public", "private", "max-age=60", 'a="b, c"', ""])


@given(NAMES, st.lists(DIRECTIVES))
def test_only_names_with_a_hash_are_immutable_and_only_where_that_is_asked_for(name, directives):
    answer = cache_control_for(name, ",".join(directives))

    is_asked_for = "immutable" in ",".join(directives).lower()
    assert ("immutable" in answer) == (is_asked_for and has_hash(name))
    assert ("private" in answer) == ("private" in directives)


@given(NAMES, st.text())
def test_any_value_without_the_word_is_kept(name, value):
    if "immutable" not in value.lower():
        assert cache_control_for(name, value) == value


@given(st.from_regex(r"[0-9a-f]{8,64}", fullmatch=True))
def test_hexadecimal_hash_is_one_unless_it_is_a_number_or_a_word(digest):
    assert has_hash(f"app.{digest}.js") == (not digest.isdigit() and not digest.isalpha())
