"""A folder's listing: what the page and the JSON say."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import aioserve.static.listing
from aioserve.static.listing import CONTENT_SECURITY_POLICY, order_of, render_json, render_listing
from tests.static.asking import Entry

FILE_NAMES = (
    (st.binary(min_size=1, max_size=40) | st.text(min_size=1, max_size=20).map(str.encode))
    .filter(lambda name: name not in (b".", b"..") and not {0, ord("/")} & set(name))
    .map(os.fsdecode)
)
ORDERS = [(by, descending) for by in ("name", "size", "date") for descending in (False, True)]
NOON = 1_795_608_000.75  # 2026-11-25 12:00:00


class Outline(HTMLParser):
    """Collects the elements of a page with their text, and fails on tags that do not match."""

    VOID = frozenset(("meta", "link", "input"))

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.elements = []  # (tag, attributes, its texts and those of what is inside)
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in self.VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, _, texts in self.open:
            texts.append(data)

    def all(self, tag, **attributes):
        """Return attributes and text of each element with this tag and these attributes."""
        return [
            (attrs, "".join(texts))
            for name, attrs, texts in self.elements
            if name == tag and attributes.items() <= attrs.items()
        ]

    def text(self, tag):
        ((_, text),) = self.all(tag)
        return text


def file(name="file.txt", size=0, modified=NOON):
    return Entry(name, is_folder=False, size=size, modified=modified)


def folder(name="folder", modified=NOON):
    return Entry(name, is_folder=True, size=0, modified=modified)


def page(*entries, path="/docs/", by="name", descending=False, mount="/"):
    pieces = render_listing(path, [*entries], by=by, descending=descending, mount=mount)
    return b"".join(pieces).decode("utf-8")


def outline(*entries, **options):
    return Outline(page(*entries, **options))


def row(entry):
    """Return the link, its text, and the other cells of an entry's row."""
    parsed = outline(entry, path="/")
    ((link, text),) = parsed.all("a")[4:]
    return link["href"], text, parsed.all("td")[1:]


# The page


def test_page_is_whole_and_needs_nothing_from_elsewhere():
    text = page(file(), folder())
    parsed = Outline(text)

    assert text.startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert "$" not in text
    assert parsed.all("meta", name="viewport")
    assert parsed.all("meta", name="color-scheme")
    assert [attrs["href"] for attrs, _ in parsed.all("link")] == ["data:,"]
    assert not re.search(r"\ssrc=|@import|https?:(?!//www\.w3\.org/2000/svg)|\sstyle=|\son\w+=", text)
    assert set(re.findall(r"url\(.{8}", text)) == {'url("data:im'}


@pytest.mark.parametrize(("directive", "tag"), [("style-src", "style"), ("script-src", "script")])
def test_policy_names_what_is_in_the_page(directive, tag):
    content = outline(file()).text(tag)
    digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; ")
    assert f"; {directive} 'sha256-{digest}';" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


def test_table_says_what_it_is_to_who_cannot_see_it():
    parsed = outline(file(), by="size", descending=True)

    assert parsed.text("caption") == "Files and folders by size, descending"
    assert [attrs["scope"] for attrs, _ in parsed.all("th")] == ["col"] * 3
    assert [attrs.get("aria-sort") for attrs, _ in parsed.all("th")] == [None, "descending", None]
    assert parsed.text("h1") == "docs"
    assert parsed.text("title") == "Index of /docs/"


def test_filter_is_left_to_the_script():
    parsed = outline(file())

    ((label, text),) = parsed.all("label")
    assert "hidden" in label
    assert text.strip() == "Filter"
    assert len(parsed.text("script").splitlines()) < 40


@pytest.mark.parametrize(
    ("entries", "summary"),
    [
        ([], "0 files"),
        ([folder()], "1 folder"),
        ([folder(), folder("other")], "2 folders"),
        ([file(size=1)], "1 file, 1 B"),
        ([folder(), file(size=1024), file("other", 512)], "1 folder, 2 files, 1.5 KiB"),
        ([file()] * 1234, "1,234 files, 0 B"),
    ],
)
def test_summary_counts(entries, summary):
    assert outline(*entries).text("p") == summary


def test_empty_folder_says_so():
    assert [text for _, text in outline().all("td", colspan="3")] == ["This folder is empty."]
    assert not outline(file()).all("td", colspan="3")


@pytest.mark.parametrize(
    ("path", "mount", "crumbs", "heading"),
    [
        ("/", "/", [("./", "/")], "Index of /"),
        ("/a/", "/", [("../", "/"), ("./", "a")], "a"),
        ("/a%20b/%41/c/", "/", [("../../../", "/"), ("../../", "a b"), ("../", "A"), ("./", "c")], "c"),
        ("/docs/", "/docs", [("./", "/docs/")], "Index of /docs/"),
        ("/docs/docs/", "/docs", [("../", "/docs/"), ("./", "docs")], "docs"),
        ("/caf%E9/%3Cb%3E/", "/caf%E9", [("../", "/caf\\xe9/"), ("./", "<b>")], "<b>"),
    ],
)
def test_breadcrumbs_lead_up_to_the_mount(path, mount, crumbs, heading):
    parsed = outline(path=path, mount=mount)
    links = parsed.all("a")[: len(crumbs)]

    assert parsed.all("nav")[0][0] == {"aria-label": "Breadcrumb"}
    assert [(attrs["href"], text) for attrs, text in links] == crumbs
    assert [attrs.get("aria-current") for attrs, _ in links] == [None] * (len(crumbs) - 1) + ["page"]
    assert parsed.text("h1") == heading
    assert len(parsed.all("a", href="../")) == (2 if len(crumbs) > 1 else 0)  # and the row of the parent


# Rows


def test_row_of_a_file():
    href, text, (size, modified) = row(file("read me.txt", 1_234_567))

    assert (href, text) == ("read%20me.txt", "read me.txt")
    assert size == ({"title": "1,234,567 bytes"}, "1.2 MiB")
    assert modified[1] == "2026-11-25 12:00"
    assert outline(file()).all("time") == [({"datetime": "2026-11-25T12:00Z"}, "2026-11-25 12:00")]


def test_row_of_a_folder():
    href, text, cells = row(folder("a b"))

    assert (href, text) == ("a%20b/", "a b/")
    assert [text for _, text in cells] == ["", "2026-11-25 12:00"]


def test_rows_are_in_the_order_given():
    entries = [file(f"{number * 7919 % 3000}") for number in range(3000)]

    assert [text for _, text in outline(*entries, path="/").all("a")[4:]] == [each.name for each in entries]


@pytest.mark.parametrize(
    ("size", "text", "title"),
    [
        (0, "0 B", "0 bytes"),
        (1, "1 B", "1 byte"),
        (1023, "1023 B", "1,023 bytes"),
        (1024, "1.0 KiB", "1,024 bytes"),
        (102_348, "99.9 KiB", "102,348 bytes"),
        (102_349, "100 KiB", "102,349 bytes"),
        (1_023_487, "999 KiB", "1,023,487 bytes"),
        (1_023_488, "1.0 MiB", "1,023,488 bytes"),
        (5 << 30, "5.0 GiB", "5,368,709,120 bytes"),
        ((1 << 63) - 1, "8.0 EiB", "9,223,372,036,854,775,807 bytes"),
    ],
)
def test_sizes_are_short_and_exact_beside(size, text, title):
    assert row(file(size=size))[2][0] == ({"title": title}, text)


@pytest.mark.parametrize(
    ("modified", "text", "exact"),
    [
        (0, "1970-01-01 00:00", "1970-01-01T00:00:00Z"),
        (59.999, "1970-01-01 00:00", "1970-01-01T00:00:59Z"),
        (-0.5, "1969-12-31 23:59", "1969-12-31T23:59:59Z"),
        (951_782_400, "2000-02-29 00:00", "2000-02-29T00:00:00Z"),
        (253_402_300_799, "9999-12-31 23:59", "9999-12-31T23:59:59Z"),
        (86_400e12, "9999-12-31 00:00", "9999-12-31T00:00:00Z"),
        (-86_400e12, "0001-01-01 00:00", "0001-01-01T00:00:00Z"),
    ],
)
def test_times_are_utc(modified, text, exact):
    entry = file(modified=modified)

    assert row(entry)[2][1][1] == text
    assert records(entry)[0]["modified"] == exact


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("photo.JPG", "image"),
        ("drawing.svg", "image"),
        ("song.flac", "audio"),
        ("clip.mp4", "video"),
        ("README.md", "document"),
        ("page.html", "document"),
        ("data.json", "document"),
        ("paper.pdf", "document"),
        ("letter.odt", "document"),
        ("table.xlsx", "document"),
        ("book.epub", "document"),
        ("files.zip", "archive"),
        ("files.tar.gz", "archive"),
        ("files.7z", "archive"),
        ("program.exe", "file"),
        ("unknown", "file"),
    ],
)
def test_kind_of_a_file_has_a_picture(name, kind):
    parsed = outline(file(name), path="/")

    assert parsed.all("tr")[-1][0] == {"class": kind}
    assert kind == "file" or f".{kind} {{ --icon: " in parsed.text("style")


# Names


@pytest.mark.parametrize(
    ("name", "href", "text"),
    [
        ("<script>alert(1)<", "%3Cscript%3Ealert%281%29%3C", "<script>alert(1)<"),
        ('"onmouseover="alert(1)', "%22onmouseover%3D%22alert%281%29", '"onmouseover="alert(1)'),
        ("'onfocus='x' autofocus='", "%27onfocus%3D%27x%27%20autofocus%3D%27", "'onfocus='x' autofocus='"),
        ("javascript:alert(1)", "javascript%3Aalert%281%29", "javascript:alert(1)"),
        ("C:", "C%3A", "C:"),
        ("a\nb\tc\rd", "a%0Ab%09c%0Dd", r"a\x0ab\x09c\x0dd"),
        ("\u202egpj.exe", "%E2%80%AEgpj.exe", r"\u202egpj.exe"),
        ("\x1b[31m\x9b", "%1B%5B31m%C2%9B", r"\x1b[31m\x9b"),
        ("&amp;", "%26amp%3B", "&amp;"),
        ("a b+c", "a%20b%2Bc", "a b+c"),
        ("#1", "%231", "#1"),
        ("?x=1&y", "%3Fx%3D1%26y", "?x=1&y"),
        ("%41", "%2541", "%41"),
        ("$rows", "%24rows", "$rows"),
        ("back\\slash", "back%5Cslash", "back\\slash"),
        ("Äpfel", "%C3%84pfel", "Äpfel"),
        ("שלום", "%D7%A9%D7%9C%D7%95%D7%9D", "שלום"),
        ("caf\udce9", "caf%E9", r"caf\xe9"),
        ("...", "...", "..."),
        ("~user_1-2.x", "~user_1-2.x", "~user_1-2.x"),
        ("  ", "%20%20", "  "),
    ],
)
def test_name_is_text_and_one_segment_of_a_path(name, href, text):
    assert row(file(name))[:2] == (href, text)


@given(FILE_NAMES)
def test_any_name_leads_to_its_file_and_makes_no_markup(name):
    parsed = outline(file(name))

    assert shape_of(parsed) == shape_of(outline(file("name")))
    for url in (parsed.all("a")[-1][0]["href"], records(file(name))[0]["url"]):
        there = urlsplit(urljoin("http://host/docs/", url))
        assert unquote_to_bytes(there.path) == b"/docs/" + os.fsencode(name)
        assert (there.scheme, there.netloc, there.query, there.fragment) == ("http", "host", "", "")


def shape_of(parsed):
    """Return the elements and attributes of a page, without what depends on a name."""
    return [(tag, {**attrs, "href": "", "class": ""}) for tag, attrs, _ in parsed.elements]


@given(st.text("<>&\"'/=;ab ", min_size=1, max_size=30).filter(lambda name: "/" not in name))
def test_a_name_is_read_as_it_was_written(name):
    assert row(file(name))[1] == name


# Order


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", ("name", False)),
        ("sort=size", ("size", False)),
        ("sort=date&order=desc", ("date", True)),
        ("order=desc&sort=name", ("name", True)),
        ("order=desc", ("name", True)),
        ("order=asc&sort=size", ("size", False)),
        ("x=1&sort=size&y", ("size", False)),
        ("sort=owner&order=down", ("name", False)),
        ("sort=SIZE", ("name", False)),
        ("sort=", ("name", False)),
        ("xsort=size", ("name", False)),
    ],
)
def test_order_is_read_leniently(query, order):
    assert order_of(query) == order


@given(st.text())
def test_any_query_has_an_order(query):
    assert order_of(query) in ORDERS


@pytest.mark.parametrize(("by", "descending"), ORDERS)
def test_headings_sort_and_sort_the_other_way(by, descending):
    parsed = outline(path="/", by=by, descending=descending)
    orders = [order_of(attrs["href"].removeprefix("?")) for attrs, _ in parsed.all("a")[1:]]
    first = [
        ("name", False),
        ("size", True),
        ("date", True),
    ]  # what is asked for most: A, the largest, the newest

    assert orders == [(by, not descending) if column == by else (column, way) for column, way in first]


# JSON


def records(*entries, path="/docs/"):
    return json.loads(b"".join(render_json(path, [*entries])))["entries"]


def test_json_says_the_same():
    text = b"".join(render_json("/docs/", [folder("ü"), file("a b", 5)])).decode("ascii")

    assert json.loads(text) == {
        "path": "/docs/",
        "entries": [
            {
                "name": "ü",
                "type": "folder",
                "size": None,
                "modified": "2026-11-25T12:00:00Z",
                "url": "%C3%BC/",
            },
            {"name": "a b", "type": "file", "size": 5, "modified": "2026-11-25T12:00:00Z", "url": "a%20b"},
        ],
    }
    assert text.count("\n") == 4


@pytest.mark.parametrize("number", [0, 1, 511, 512, 513, 2000])
def test_json_of_any_length_is_whole(number):
    assert [each["name"] for each in records(*map(file, map(str, range(number))))] == [
        *map(str, range(number))
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("\x1b\n\u202e", "\x1b\n\u202e"), ("caf\udce9", "caf\ufffd"), ("\U0001f600", "\U0001f600")],
)
def test_names_in_json_are_unicode(name, text):
    assert records(file(name))[0]["name"] == text


# Many, and the look of them


def test_many_rows_are_made_and_let_go_in_small_pieces():
    entries = [file("x" * 255)] * 5000

    for render in (partial(render_listing, by="name", descending=False), render_json):
        taken = [*entries]

        assert max(map(len, render("/", taken))) < 512 * 1024
        assert taken == []


def colours(style):
    """Return the colours of the two schemes by name; the second keeps what it does not change."""
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    return [dict(re.findall(r"--(\w+): (#\w+)", scheme)) for scheme in (light, dark)]


def luminance(colour):
    """Return the relative luminance that WCAG 2.2 defines."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = [part / 255 for part in bytes.fromhex(digits)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "panel"])
@pytest.mark.parametrize(("colour", "least"), [("text", 4.5), ("quiet", 4.5), ("link", 4.5), ("folder", 3)])
def test_contrast_is_that_of_wcag_aa(scheme, ground, colour, least):
    """WCAG 2.2, 1.4.3 for text and 1.4.11 for pictures."""
    scheme = colours(outline().text("style"))[scheme]
    darker, lighter = sorted((luminance(scheme[colour]), luminance(scheme[ground])))

    assert (lighter + 0.05) / (darker + 0.05) >= least


def test_page_is_of_one_family_with_the_error_pages():
    errors = Path(aioserve.static.listing.__file__).parents[1] / "error_pages.py"
    others = colours(errors.read_text("utf-8").replace("{{", "{").replace("}}", "}"))

    for own, other in zip(colours(outline().text("style")), others, strict=True):
        assert own.items() >= other.items()
