"""The listing of a folder as people use it: with a mouse, a keyboard, a screen reader, a phone, at night."""

from __future__ import annotations

import os
import shutil
from urllib.parse import unquote_to_bytes, urlsplit

import pytest

from tests.system.clients import Ask, ask_http_client

pytestmark = pytest.mark.skipif(
    not shutil.which("chromium"), reason="chromium is not installed (Debian: apt install chromium)"
)

SIZES = {"file10.txt": 30, "file2.txt": 2_000_000, "File1.txt": 0, "picture.png": 7_000}
ODD = [
    "<script>alert(1)<",
    '"onmouseover="alert(1)',
    "javascript:alert(1)",
    "&amp;",
    "#1?x=%41",
    "two  blanks",
    "\u202egpj.exe",
    "שלום",
    "caf\udce9",
    "x" * 200,
]
BY_NAME = ["folder9/", "folder10/", "File1.txt", "file2.txt", "file10.txt", "picture.png"]


@pytest.fixture(scope="module")
def url(serve_all_along, tmp_path_factory):
    """A site with a folder of usual names, and one of odd ones."""
    site = tmp_path_factory.mktemp("site")
    for name in ("usual/folder10", "usual/folder9", "odd", "large", "empty"):
        (site / name).mkdir(parents=True)
    for second, (name, size) in enumerate(SIZES.items()):
        (site / "usual" / name).write_bytes(bytes(size))
        os.utime(site / "usual" / name, (0, second))
    for name in ODD:
        (site / "odd" / name).write_bytes(os.fsencode(name))
    for number in range(5001):
        (site / "large" / str(number)).touch()
    return serve_all_along("--static", site, "--listing", "--no-access-log").url


def names(page):
    """Return the names that are to be seen, without that of the parent."""
    rows = "[...document.querySelectorAll('tbody:last-of-type tr')]"
    return page.run(f"{rows}.filter(row => row.checkVisibility()).map(row => row.cells[0].innerText)")


def test_headings_sort(page, url):
    page.open(f"{url}/usual/")
    seen = [names(page)]
    for column in (1, 2, 2, 3, 3, 1):
        page.follow(f"th:nth-child({column}) a")
        seen.append([name for name in names(page) if not name.endswith("/")])
        sorts = page.run("[...document.querySelectorAll('th')].map(head => head.ariaSort)")
        assert [bool(sort) for sort in sorts] == [number == column for number in (1, 2, 3)]

    by_size = ["file2.txt", "picture.png", "file10.txt", "File1.txt"]
    by_date = list(SIZES)[::-1]
    assert seen == [
        BY_NAME,
        BY_NAME[:1:-1],
        by_size,
        by_size[::-1],
        by_date,
        by_date[::-1],
        BY_NAME[2:],
    ]


def test_links_lead_down_and_up(page, url):
    page.open(f"{url}/")
    for selector in (".folder:last-child a", "[class=folder] a", "nav li:nth-child(2) a", ".up a"):
        page.follow(selector)
        assert page.run("document.title") == f"Index of {page.run('location.pathname')}"

    assert page.run("location.pathname") == "/"


def test_screen_reader_is_told_what_there_is(page, url):
    page.open(f"{url}/usual/?sort=size&order=desc")
    heard = page.accessible()

    assert heard[0] == ("RootWebArea", "Index of /usual/")
    assert ("navigation", "Breadcrumb") in heard
    assert ("heading", "usual") in heard
    assert ("table", "Files and folders by size, descending") in heard
    assert ("searchbox", "Filter") in heard
    assert [name for role, name in heard if role == "columnheader"] == ["Name", "Size", "Modified (UTC)"]
    assert [name for role, name in heard if role == "link"] == [
        *("/", "usual", "Name", "Size", "Modified (UTC)", "Parent folder", "folder9/", "folder10/"),
        *("file2.txt", "picture.png", "file10.txt", "File1.txt"),
    ]
    assert not [name for role, name in heard if role == "image" or set(name) & {"\u2193", "\u203a"}]


def test_keyboard_is_enough(page, url):
    page.open(f"{url}/usual/")
    for _ in range(5):  # two breadcrumbs, the filter, two headings
        page.press("Tab", 9)
    outline = page.run("getComputedStyle(document.activeElement).outlineStyle")

    page.follow_focus()

    assert outline == "solid"
    assert page.run("location.search") == "?sort=size&order=desc"


def test_filter_leaves_what_is_typed(page, url):
    page.open(f"{url}/usual/")
    page.click("input")
    page.type("FILE1")

    assert names(page) == ["File1.txt", "file10.txt"]
    assert page.run("document.querySelector('output').innerText") == "2 of 6 shown"


def test_everything_but_the_filter_is_there_without_script(page, url):
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    page.open(f"{url}/usual/")
    page.follow("th:first-child a")

    assert names(page) == ["folder10/", "folder9/", *BY_NAME[:1:-1]]
    assert not page.run("document.querySelector('input').checkVisibility()")


def test_large_folder_has_no_filter(page, url):
    page.open(f"{url}/large/")

    assert names(page) == [str(number) for number in range(5001)]
    assert not page.run("document.querySelector('input').checkVisibility()")


def test_empty_folder_says_so(page, url):
    page.open(f"{url}/empty/")

    assert names(page) == ["This folder is empty."]


def test_odd_names_are_text_and_lead_to_their_files(page, url):
    page.open(f"{url}/odd/")
    links = page.run("[...document.querySelectorAll('tbody:last-of-type a')].map(link => link.href)")

    paths = [urlsplit(link).path for link in links]
    assert sorted(unquote_to_bytes(path) for path in paths) == sorted(
        b"/odd/" + os.fsencode(name) for name in ODD
    )
    for path, reply in zip(paths, ask_http_client(url, [Ask(path) for path in paths]), strict=True):
        assert b"/odd/" + reply.body == unquote_to_bytes(path)
    assert {*names(page)} >= {*ODD[:6], "\\u202egpj.exe", "caf\\xe9"}


@pytest.mark.parametrize("folder", ["usual", "odd"])
@pytest.mark.parametrize("width", [320, 360, 1920])
def test_nothing_is_cut_at_any_width(page, url, folder, width):
    page.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=640, deviceScaleFactor=1, mobile=width < 400
    )
    page.open(f"{url}/{folder}/")

    assert page.run("document.documentElement.scrollWidth") <= width
    assert page.run("innerWidth") == width


@pytest.mark.parametrize(
    ("scheme", "ground", "text"),
    [("light", "rgb(255, 255, 255)", "rgb(28, 30, 33)"), ("dark", "rgb(22, 24, 27)", "rgb(230, 232, 235)")],
)
def test_page_is_as_dark_as_is_wished(page, url, scheme, ground, text):
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.open(f"{url}/usual/")
    style = page.run(
        "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"
    )

    assert style == [ground, text]
