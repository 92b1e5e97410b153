"""The clients that people use pass one table of requests; a load generator and a browser are served too."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess

import pytest

from tests.system.clients import ASK, Request
from tests.system.program import APPS, PATIENCE

PAGE = b"<!DOCTYPE html><title>A page</title><h1>It works</h1><script>document.title += '!'</script>\n"
LARGE_BODY = bytes(range(256)) * 4_096  # 1 MiB: curl waits for 100 Continue before it sends so much


@pytest.fixture(scope="module")
def server(serve_all_along, tmp_path_factory):
    site = tmp_path_factory.mktemp("site")
    (site / "index.html").write_bytes(PAGE)
    return serve_all_along("echo:Handler", "--app-dir", APPS, "--static", f"/site={site}")


TABLE = {
    "GET": (Request("GET", "/"), 200, b"hello", {"x-method": "GET", "content-length": "5"}),
    "HEAD": (Request("HEAD", "/"), 200, b"", {"x-method": "HEAD", "content-length": "5"}),
    "POST with a length": (Request("POST", "/", body=b"abc"), 200, b"abc", {"content-length": "3"}),
    "POST in chunks": (Request("POST", "/", pieces=[b"ab", b"c" * 9_000]), 200, b"ab" + b"c" * 9_000, {}),
    "POST of 1 MiB": (Request("POST", "/", body=LARGE_BODY), 200, LARGE_BODY, {}),
    "POST compressed": (
        Request("POST", "/", {"Content-Encoding": "gzip"}, gzip.compress(b"plain")), 200, b"plain", {},
    ),
    "POST that expects": (Request("POST", "/", {"Expect": "100-continue"}, b"abc"), 200, b"abc", {}),
    "a stream": (Request("GET", "/large"), 200, bytes(16 * 65_536), {"transfer-encoding": "chunked"}),
    "another method": (Request("DELETE", "/"), 405, None, {"allow": "GET, HEAD, POST"}),
    "a file": (Request("GET", "/site/"), 200, PAGE, {"content-type": "text/html; charset=utf-8"}),
    "a range": (Request("GET", "/site/index.html", {"Range": "bytes=0-14"}), 206, PAGE[:15], {
        "content-range": f"bytes 0-14/{len(PAGE)}",
    }),
    "no file": (Request("HEAD", "/site/nothing"), 200, b"", {}),  # the application has it
}  # fmt: skip


@pytest.mark.parametrize("name", ASK)
def test_the_table(server, name):
    if name == "curl" and not shutil.which("curl"):
        pytest.skip("needs curl (Debian: curl)")
    answers = ASK[name](server.url, [request for request, *_ in TABLE.values()])

    for (case, (_, status, body, headers)), answer in zip(TABLE.items(), answers, strict=True):
        assert answer.status == status, case
        assert body is None or answer.body == body, case
        assert headers.items() <= answer.headers.items(), case


@pytest.mark.parametrize("name", ASK)
def test_a_file_that_the_client_has_is_not_sent_again(server, name):
    if name == "curl" and not shutil.which("curl"):
        pytest.skip("needs curl (Debian: curl)")
    first, *_ = ASK[name](server.url, [Request("GET", "/site/index.html")])
    conditions = [
        {"If-None-Match": first.headers["etag"]},
        {"If-Modified-Since": first.headers["last-modified"]},
    ]
    answers = ASK[name](server.url, [Request("GET", "/site/index.html", each) for each in conditions])

    assert [(answer.status, answer.body) for answer in answers] == [(304, b"")] * 2


@pytest.mark.skipif(not shutil.which("ab"), reason="needs ab (Debian: apache2-utils)")
@pytest.mark.parametrize("keep_alive", [["-k"], []], ids=["kept", "not kept"])
def test_ab(server, keep_alive):
    """HTTP/1.0 with ``Connection: Keep-Alive``, which only some servers keep."""
    words = ["ab", *keep_alive, "-q", "-n", "5000", "-c", "50", f"{server.url}/"]
    said = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    assert re.search(r"Complete requests: +5000\n", said)
    assert re.search(r"Failed requests: +0\n", said)
    assert "Non-2xx" not in said
    if keep_alive:
        assert re.search(r"Keep-Alive requests: +5000\n", said)


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium (Debian: chromium)")
def test_a_browser(server, tmp_path):
    words = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", f"{server.url}/site/"),
    ]
    dom = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    assert "<h1>It works</h1>" in dom
    assert "<title>A page!</title>" in dom
