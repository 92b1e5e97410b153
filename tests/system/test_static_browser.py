"""Files as a browser uses them: players that seek, applications that route, downloads, compressed scripts."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import wave
from importlib.util import find_spec

import brotli
import pytest

if find_spec("compression"):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.skipif(
    not shutil.which("chromium"), reason="chromium is not installed (Debian: apt install chromium)"
)

PAGE = '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>%s</title>%s'

APP = """
    const show = () => { document.title = location.pathname; document.body.dataset.query = location.search };
    document.body.innerHTML = '<a href="/users/43">next</a>';
    document.querySelector('a').onclick = event => {
        event.preventDefault();
        history.pushState(null, '', event.target.href);
        show();
    };
    onpopstate = show;
    show();
"""

RATE, MINUTES = 8_000, 60
MIDDLE = RATE * 60 * MINUTES // 2
BIG = os.urandom(24_000_001)
CODINGS = {"br": (".br", brotli.compress), "zstd": (".zst", zstd.compress), "gzip": (".gz", gzip.compress)}
WORDS = "".join(f"{number} words that are worth to be compressed\n" for number in range(20_000))


@pytest.fixture(scope="module")
def url(serve_all_along, tmp_path_factory):
    """A site with something to hear, something large, and something compressed."""
    site = tmp_path_factory.mktemp("site")
    for tag in ("audio", "video"):
        (site / f"{tag}.html").write_text(PAGE % (tag, f'<{tag} preload="metadata" src="long.wav"></{tag}>'))
    with wave.open(str(site / "long.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE)
        sound.writeframes(bytes([128]) * (2 * MIDDLE))
    (site / "big.bin").write_bytes(BIG)
    (site / "download.html").write_text(PAGE % ("download", '<a href="big.bin" download="kept.bin">big</a>'))
    for coding, (ending, compress) in CODINGS.items():
        (site / f"{coding}.js").write_text("document.title = 'not compressed'")
        (site / f"{coding}.js{ending}").write_bytes(compress(f"document.title = '{coding}'".encode()))
        (site / f"{coding}.html").write_text(PAGE % ("none", f'<script src="{coding}.js"></script>'))
    (site / "words.txt").write_text(WORDS)
    return serve_all_along("--static", site, "--no-access-log").url


# Players


@pytest.mark.parametrize("tag", ["audio", "video"])
def test_player_seeks_by_ranges(page, url, tag):
    page.open(f"{url}/{tag}.html")
    player = f"document.querySelector('{tag}')"
    page.run(
        f"new Promise((done, fail) => {{ {player}.onerror = fail; "
        f"if ({player}.readyState) done(); else {player}.onloadedmetadata = () => done() }})"
    )
    duration, end = page.run(f"[{player}.duration, {player}.seekable.end(0)]")
    before = len(page.answers_for(f"{url}/long.wav"))
    time = page.run(
        f"new Promise((done, fail) => {{ {player}.onerror = fail; "
        f"{player}.onseeked = () => done({player}.currentTime); {player}.currentTime = {MINUTES * 30} }})"
    )

    answers = page.answers_for(f"{url}/long.wav")
    assert duration == end == MINUTES * 60
    assert time == MINUTES * 30
    assert {status for status, _ in answers} == {206}
    starts = [int(re.match(r"bytes (\d+)-", headers["content-range"])[1]) for _, headers in answers]
    assert starts[0] == 0
    assert max(starts[before:]) > MIDDLE // 2  # it reads a little before the place


# Applications that route in the browser


@pytest.fixture(scope="module")
def application(serve_all_along, tmp_path_factory):
    site = tmp_path_factory.mktemp("application")
    (site / "index.html").write_text(PAGE % ("loading", '<body><script src="/app.js"></script>'))
    (site / "app.js").write_text(APP)
    (site / "real.html").write_text(PAGE % ("real", ""))
    return serve_all_along("--static", site, "--spa")


@pytest.mark.parametrize("path", ["/", "/users", "/users/42", "/users/42/", "/v1.2/about", "/caf%C3%A9"])
def test_deep_link_is_shown_by_the_application(page, application, path):
    page.open(f"{application.url}{path}?tab=1")

    assert page.run("[document.title, document.body.dataset.query]") == [path, "?tab=1"]


def test_address_that_the_application_has_made_may_be_reloaded(page, application):
    page.open(f"{application.url}/users/42")
    page.click("a")
    assert page.run("[location.pathname, document.title]") == ["/users/43"] * 2

    page.reload()
    assert page.run("[location.pathname, document.title]") == ["/users/43"] * 2

    page.run("new Promise(done => { addEventListener('popstate', done); history.back() }).then(() => 0)")
    page.reload()
    assert page.run("[location.pathname, document.title]") == ["/users/42"] * 2


def test_file_that_is_there_is_shown_itself(page, application):
    page.open(f"{application.url}/real.html")

    assert page.run("document.title") == "real"


@pytest.mark.parametrize(
    ("element", "attribute", "path"),
    [
        ("document.createElement('script')", "src", "/assets/missing.js"),
        ("document.createElement('script')", "src", "/assets/missing"),
        ("new Image()", "src", "/missing.png"),
        ("Object.assign(document.createElement('link'), {rel: 'stylesheet'})", "href", "/missing.css"),
    ],
)
def test_what_a_page_needs_and_is_not_there_is_missing(page, application, element, attribute, path):
    """An application in the place of a script is an error that nobody understands."""
    page.open(f"{application.url}/users")
    page.run(
        f"new Promise((done, fail) => {{ const element = {element}; element.{attribute} = '{path}';"
        " element.onload = fail; element.onerror = () => done(); document.body.append(element) })"
    )

    application.stdout.wait_for(rf'"GET {path} HTTP/1\.1" 404 ')
    page.complaints.clear()


# Downloads


def test_large_file_arrives_whole(page, url):
    page.open(f"{url}/download.html")

    digest = page.run(
        "fetch('/big.bin').then(answer => answer.arrayBuffer())"
        ".then(content => crypto.subtle.digest('SHA-256', content))"
        ".then(digest => Array.from(new Uint8Array(digest)))"
    )

    assert bytes(digest) == hashlib.sha256(BIG).digest()


def test_large_file_is_kept_whole_under_another_name(page, url, tmp_path):
    page.open(f"{url}/download.html")

    assert page.download("a", tmp_path) == "completed"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.bin"]
    assert (tmp_path / "kept.bin").read_bytes() == BIG


def test_part_of_a_large_file_is_what_was_asked_for(page, url):
    page.open(f"{url}/download.html")
    status, extent, length = page.run(
        "fetch('/big.bin', {headers: {Range: 'bytes=-1000'}}).then(async answer => "
        "[answer.status, answer.headers.get('Content-Range'), (await answer.arrayBuffer()).byteLength])"
    )

    assert (status, extent, length) == (206, f"bytes {len(BIG) - 1000}-{len(BIG) - 1}/{len(BIG)}", 1000)


# Compressed files


@pytest.mark.parametrize("coding", CODINGS)
def test_compressed_script_beside_a_script_runs_in_its_place(page, url, coding):
    page.open(f"{url}/{coding}.html")

    assert page.run("document.title") == coding
    ((status, headers),) = page.answers_for(f"{url}/{coding}.js")
    assert (status, headers["content-encoding"], headers["vary"]) == (200, coding, "Accept-Encoding")
    assert headers["content-type"] == "text/javascript; charset=utf-8"


def test_text_that_is_compressed_here_is_the_same(page, url):
    page.open(f"{url}/download.html")

    assert page.run("fetch('/words.txt').then(answer => answer.text())") == WORDS
    ((_, headers),) = page.answers_for(f"{url}/words.txt")
    assert headers["content-encoding"] in CODINGS
    assert int(headers["content-length"]) < len(WORDS) / 4


# What changes


def test_page_that_was_changed_is_shown_when_it_is_opened_again(page, serve, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text(PAGE % ("first", '<script src="script.js"></script>'))
    (site / "script.js").write_text("document.title += ' 1'")
    url = serve("--static", site, "--no-access-log").url

    seen = []
    for title, number in (("first", 1), ("first", 2), ("other", 2), ("other", 2)):
        (site / "index.html").write_text(PAGE % (title, '<script src="script.js"></script>'))
        (site / "script.js").write_text(f"document.title += ' {number}'")
        page.open(f"{url}/")
        seen.append(page.run("document.title"))

    assert seen == ["first 1", "first 2", "other 2", "other 2"]
    answers = page.answers_for(f"{url}/script.js")
    assert [status for status, _ in answers] == [200, 200, 304, 304]  # it is the content that counts


# Pages of other sites


@pytest.mark.parametrize("is_allowed", [True, False])
def test_page_of_another_site_reads_what_it_may(page, url, serve, tmp_path, is_allowed):
    site = tmp_path / "site"
    site.mkdir()
    (site / "data.json").write_text("[1, 2, 3]")
    other = serve("--static", site, "--no-access-log", *(["--cors", url] if is_allowed else [])).url
    page.open(f"{url}/download.html")

    seen = [
        page.run(
            f"fetch('{other}/data.json', {{headers: {headers}, cache: 'no-store'}}).then("
            "async answer => [answer.status, answer.headers.get('ETag') !== null, await answer.text()],"
            " () => null)"
        )
        for headers in ("{}", "{Range: 'bytes=1-1'}", "{'If-None-Match': '\"x\"'}")  # the last asks before
    ]

    if is_allowed:
        assert seen == [[200, True, "[1, 2, 3]"], [206, True, "1"], [200, True, "[1, 2, 3]"]]
    else:
        assert seen == [None, None, None]
        assert all("CORS" in complaint or "Failed" in complaint for complaint in page.complaints)
        page.complaints.clear()
