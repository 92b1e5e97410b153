"""Listings of folders, and where they stand among the other answers."""

from __future__ import annotations

import asyncio
import errno
import json
import os

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.static import folders, spool
from aioserve.static.spool import Spool
from tests.static.asking import ALLOWED, Reply, ask, ask_later, read, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

JSON = "Accept: application/json"


@pytest.fixture
def static(serve):
    return serve(listing=True)


def names_in(reply):
    return [entry["name"] for entry in json.loads(reply.body)["entries"]]


def refusal_later(static, act, *fields):
    """Ask for the listing of a folder, do something before it is made, and return what is said instead."""

    async def wait():
        waiting = static(request("GET", "/bare/", *fields))
        act()
        await waiting

    with pytest.raises(HttpProcessingError) as raised:
        asyncio.run(wait())
    return raised.value


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_folder_without_index_is_listed(static, site, method):
    (site / "bare/file.txt").write_text("")
    (site / "bare/.env").write_text("")

    status, body, fields = ask_later(static, method, "/bare/")

    assert status == 200
    assert b'<a href="file.txt">' in body
    assert b".env" not in body
    assert fields["Content-Type"] == "text/html; charset=utf-8"


def test_folder_with_index_is_not(static):
    assert ask(static, "GET", "/folder/").body == b"the folder"


def test_folder_is_redirected_to_its_listing_and_told_of(static):
    assert ask(static, "GET", "/bare").fields == {"Location": "/bare/"}
    assert ask(static, "OPTIONS", "/bare/") == Reply(204, b"", {"Allow": ALLOWED})
    assert refusal(static, "POST", "/bare/").code == 405
    assert refusal(static, "GET", "/nosuch/").code == 404


def test_root_is_listed_without_what_is_for_the_server(serve, site):
    (site / "_redirects").write_text("")
    (site / "folder/_redirects").write_text("")
    static = serve(listing=True, index=("none",))

    assert "_redirects" not in names_in(ask_later(static, "GET", "/", JSON))
    assert "_redirects" in names_in(ask_later(static, "GET", "/folder/", JSON))


def test_hidden_files_are_listed_where_they_are_served(serve, site):
    (site / "bare/.env").write_text("")

    assert names_in(ask_later(serve(listing=True, hidden=True), "GET", "/bare/", JSON)) == [".env"]


def test_listing_knows_its_place(serve):
    static = serve(listing=True, mount="/docs")

    page, data = (ask_later(static, "GET", "/docs/bare/", field).body for field in ("A: b", JSON))

    assert json.loads(data)["path"] == "/docs/bare/"
    assert page.count(b"<li>") == 2
    assert b'<li><a href="../">/docs/</a></li>' in page


def test_listing_is_compressed_unless_that_is_switched_off(serve):
    fields = [
        ask_later(serve(listing=True, compress=compress), "GET", "/bare/", "Accept-Encoding: gzip").fields
        for compress in (True, False)
    ]

    assert fields[0]["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in fields[1]


def test_listing_is_never_kept_ready(static):
    async def wait():
        return await static(request("GET", "/bare/"))

    assert asyncio.run(wait()).is_current is None
    assert len(static.store) == 0


def test_fields_are_given_to_listings(serve, site):
    (site / "_headers").write_text("/bare/\n X-One: 1\n")
    fields = ask_later(serve(listing=True, cors="*", cache_control="max-age=60"), "GET", "/bare/").fields

    assert (fields["X-One"], fields["Access-Control-Allow-Origin"]) == ("1", "*")
    assert fields["Cache-Control"] == "no-cache"


def test_listing_comes_before_the_page_of_an_application_in_the_browser(serve):
    assert b"<h1>" in ask_later(serve(listing=True, spa=True), "GET", "/bare/").body


def test_rule_may_come_before_it(serve, site):
    (site / "_redirects").write_text("/bare/ /never\n/folder/ /moved 301!\n/as /bare/ 200\n")
    static = serve(listing=True)

    assert ask_later(static, "GET", "/bare/").status == 200
    assert ask(static, "GET", "/folder/").status == 301
    assert refusal(static, "GET", "/as").code == 404  # only a file can be shown in the place of something


# Errors


def test_folder_that_has_vanished_meanwhile_is_404(serve, site):
    static = serve(listing=True, headers=(("/*", "X-One", "1"),))

    error = refusal_later(static, (site / "bare").rmdir)

    assert (error.code, error.headers) == (404, (("X-One", "1"),))


def test_condition_of_a_listing_that_fails_is_412(serve):
    static = serve(listing=True, cors="https://a.example")

    error = refusal_later(static, lambda: None, 'If-Match: "other"')

    assert error.code == 412
    assert dict(error.headers)["Access-Control-Allow-Origin"] == "https://a.example"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE, errno.EIO])
def test_error_of_the_machine_is_503_and_one_line_for_the_operator(serve, monkeypatch, caplog, number):
    def fail(_spool, _piece):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Spool, "add", fail)
    static = serve(listing=True, mount="/docs", headers=(("/*", "X-One", "1"),))

    async def wait():
        return await static(request("GET", "/docs/bare/"))

    with pytest.raises(HttpProcessingError) as raised:
        asyncio.run(wait())

    assert (raised.value.code, raised.value.headers) == (503, (("X-One", "1"),))
    (record,) = caplog.records
    assert record.getMessage() == f"cannot list /docs/bare/: [Errno {number}] {os.strerror(number)}"
    assert record.exc_info is None


def test_those_who_share_a_listing_are_told_for_themselves(serve, site):
    """What is said to one is not added to what is said to the other."""
    static = serve(listing=True, headers=(("/*", "X-One", "1"),))

    async def wait():
        asked = [asyncio.ensure_future(static(request("GET", path))) for path in ("/", *["/bare/"] * 2)]
        (site / "bare").rmdir()
        return (await asyncio.gather(*asked, return_exceptions=True))[1:]

    (site / "index.html").unlink()
    first, second = asyncio.run(wait())
    assert first is not second
    assert [(each.code, each.headers) for each in (first, second)] == [(404, (("X-One", "1"),))] * 2


def test_listing_that_is_shared_is_sent_to_each(serve, site, monkeypatch):
    monkeypatch.setattr(spool, "_HELD", 100)
    made = []
    monkeypatch.setattr(folders, "read_entries", lambda *_, **__: made.append(1) or [])
    static = serve(listing=True)

    async def wait():
        asked = [static(request("GET", path)) for path in ("/", "/bare/", "/bare/", "/bare/?sort=size")]
        return [read(answer) for answer in await asyncio.gather(*asked)]

    (site / "index.html").unlink()
    _, first, second, other = asyncio.run(wait())
    assert first == second != other
    assert len(made) == 3


def test_both_have_the_page_of_that(serve, site):
    static = serve(listing=True, error_pages=((404, "file.txt"), (412, "file.txt")))

    async def wait():
        waiting = static(request("GET", "/bare/"))
        (site / "bare").rmdir()
        return await waiting

    assert ask_later(static, "GET", "/bare/", 'If-Match: "other"')[:2] == (412, b"0123456789")
    assert read(asyncio.run(wait()))[:2] == (404, b"0123456789")
