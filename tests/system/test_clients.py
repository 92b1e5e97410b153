"""Programs that people use, as clients: each passes the same table of requests."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

import pytest

from tests.system.apps.clients import LARGE
from tests.system.clients import Ask, ask_aiohttp, ask_curl, ask_http_client, ask_httpx
from tests.system.program import APPS, PATIENCE

TEXT = b"The quick brown fox jumps over the lazy dog.\n" * 5_000
PAGE = """<!doctype html>
<title>A page</title>
<link rel="stylesheet" href="style.css">
<p id="said">The script has not run.</p>
<script type="module" src="script.js"></script>
"""
FILES = {
    "page.html": PAGE,
    "style.css": "p { color: rgb(1, 2, 3) }\n",
    "script.js": """const p = document.querySelector("#said");
p.textContent = `${await (await fetch("data.json")).json()} ${getComputedStyle(p).color}`;
""",
    "data.json": '"fetched"\n',
    "digits.txt": "0123456789",
}


@dataclass(frozen=True)
class Row:
    """A request and what its answer must be; of the header fields those that matter."""

    what: str
    ask: Ask
    status: int
    body: bytes | None
    headers: dict[str, str] = field(default_factory=dict)


TABLE = [
    Row("GET", Ask("/hello"), 200, b"Hello\n", {"content-type": "text/plain; charset=utf-8"}),
    Row("HEAD", Ask("/hello", "HEAD"), 200, b"", {"content-length": "6"}),
    Row("POST with a length", Ask("/echo", "POST", {}, TEXT), 200, TEXT, {"x-framing": "length"}),
    Row("POST in chunks", Ask("/echo", "POST", {}, TEXT, True), 200, TEXT, {"x-framing": "chunked"}),
    Row(
        "POST that waits to be told to go on",
        Ask("/echo", "POST", {}, TEXT, expects_continue=True),
        200,
        TEXT,
        {"x-expects": "100-continue"},
    ),
    Row(
        "upload with gzip", Ask("/echo", "POST", {"Content-Encoding": "gzip"}, gzip.compress(TEXT)), 200, TEXT
    ),
    Row("what is not there", Ask("/none"), 404, None, {"cache-control": "no-store"}),
    Row("large answer", Ask("/large"), 200, LARGE, {"content-length": str(len(LARGE))}),
    Row("answer in chunks", Ask("/streamed"), 200, LARGE, {"transfer-encoding": "chunked"}),
    Row(
        "file",
        Ask("/files/page.html"),
        200,
        PAGE.encode(),
        {"content-type": "text/html; charset=utf-8", "content-length": str(len(PAGE))},
    ),
    Row(
        "file that has not changed",
        Ask("/files/page.html", headers={"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"}),
        304,
        b"",
    ),
    Row("file that is known", Ask("/files/page.html", headers={"If-None-Match": "*"}), 304, b""),
    Row(
        "range of a file",
        Ask("/files/digits.txt", headers={"Range": "bytes=2-5"}),
        206,
        b"2345",
        {"content-range": "bytes 2-5/10"},
    ),
    Row("file that is not there", Ask("/files/none"), 404, None),
]


def needs(program, package):
    reason = f"{program} is not installed (Debian: apt install {package})"
    return pytest.mark.skipif(not shutil.which(program), reason=reason)


@pytest.fixture(scope="module")
def url(serve_all_along, tmp_path_factory):
    """A handler that answers in several ways, and files."""
    folder = tmp_path_factory.mktemp("site")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    app = f"{APPS}/clients.py:Handler"
    return serve_all_along(app, "--static", f"/files={folder}", "--no-access-log").url


@pytest.fixture(params=["http.client", "httpx", "aiohttp", pytest.param("curl", marks=needs("curl", "curl"))])
def exchange(request, url, tmp_path):
    """Make requests with each client in turn, on one connection."""
    if request.param == "curl":
        return lambda asks: list(ask_curl(url, asks, tmp_path))
    ask = {"http.client": ask_http_client, "httpx": ask_httpx, "aiohttp": ask_aiohttp}[request.param]
    return lambda asks: list(ask(url, asks))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.what)
def test_client_gets_the_answer(exchange, row):
    (reply,) = exchange([row.ask])

    assert reply.status == row.status
    assert row.body is None or reply.body == row.body
    assert reply.headers.items() >= row.headers.items()
    assert "date" in reply.headers


def test_client_uses_its_connection_again(exchange):
    replies = exchange([row.ask for row in TABLE])

    assert [reply.status for reply in replies] == [row.status for row in TABLE]
    assert len({reply.headers["x-peer"] for reply in replies if "x-peer" in reply.headers}) == 1


def test_client_that_has_a_file_is_not_sent_it_again(exchange):
    (first,) = exchange([Ask("/files/page.html")])
    conditions = (
        {"If-None-Match": first.headers["etag"]},
        {"If-Modified-Since": first.headers["last-modified"]},
    )

    replies = exchange([Ask("/files/page.html", headers=each) for each in conditions])

    assert [(reply.status, reply.body) for reply in replies] == [(304, b"")] * 2


@needs("ab", "apache2-utils")
@pytest.mark.parametrize("keep_alive", [["-k"], []], ids=["kept", "not kept"])
def test_apache_bench_has_no_failed_request(url, keep_alive):
    """It speaks HTTP/1.0, with ``Connection: Keep-Alive``. ``AB_REQUESTS=100000`` makes it a longer test."""
    number = os.environ.get("AB_REQUESTS", "5000")
    words = ["ab", "-q", *keep_alive, "-n", number, "-c", "50", "-s", str(PATIENCE), f"{url}/hello"]

    done = subprocess.run(words, capture_output=True, text=True, check=True)

    said = dict(re.findall(r"^([A-Z][\w -]+): +(\S+)", done.stdout, re.MULTILINE))
    assert (said["Complete requests"], said["Failed requests"]) == (number, "0"), done.stdout
    assert said.get("Keep-Alive requests") == (number if keep_alive else None)
    assert "Non-2xx responses" not in said


@needs("chromium", "chromium")
def test_chromium_shows_a_page_with_its_style_and_its_script(url):
    words = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    words += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    words += ["--disable-dev-shm-usage", "--virtual-time-budget=10000", "--dump-dom"]

    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        done = subprocess.run(
            [*words, f"--user-data-dir={folder}/profile", f"{url}/files/page.html"],
            env={**os.environ, "HOME": folder},
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )

    assert '<p id="said">fetched rgb(1, 2, 3)</p>' in done.stdout
