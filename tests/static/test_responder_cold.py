"""A file that has to be waited for keeps nobody else waiting."""

from __future__ import annotations

import asyncio

import pytest

from aioserve.static import finder
from tests.static.asking import LARGE, ask, ask_later, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


@pytest.fixture(autouse=True)
def _cold(monkeypatch):
    monkeypatch.setattr(finder, "is_in_memory", lambda *_: False)


@pytest.mark.parametrize(("method", "body"), [("GET", b"0123456789"), ("HEAD", b"0123456789")])
def test_it_is_answered_when_it_has_been_read(serve, method, body):
    reply = ask_later(serve(), method, "/file.txt")

    assert reply[:2] == (200, body)


def test_so_is_an_index_and_what_a_rule_leads_to(serve, site):
    (site / "_redirects").write_text("/other /file.txt 200\n")
    static = serve()

    assert ask_later(static, "GET", "/folder/").body == b"the folder"
    assert ask_later(static, "GET", "/other").body == b"0123456789"


def test_page_of_an_error_is_read_at_once(serve):
    static = serve(error_pages=((404, "file.txt"),))

    assert ask(static, "GET", "/nothing")[:2] == (404, b"0123456789")


def test_client_that_goes_before_anything_is_done_leaves_nothing_behind(serve, site, settled, monkeypatch):
    """Nor a coroutine that was never begun, of which Python would warn."""
    del settled
    (site / "_redirects").write_text("/other /text.txt 200\n")
    static = serve()

    async def wait(target, *fields):
        task = asyncio.ensure_future(static(request("GET", target, *fields)))
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(wait("/file.txt"))
    assert asyncio.run(wait("/other"))
    monkeypatch.setattr(finder, "is_in_memory", lambda *_: True)
    assert asyncio.run(wait("/long.txt", "Accept-Encoding: gzip"))


def test_nothing_is_nothing(serve):
    assert refusal(serve(), "GET", "/nothing").code == 404


def test_large_file_that_was_changed_just_now_is_answered_when_it_has_settled(serve, site):
    """So its entity tag is good for the next request as well."""
    (site / "_redirects").write_text("/other /large.bin 200\n")
    static = serve()
    replies = []
    for target in ("/large.bin", "/other"):
        (site / "large.bin").write_bytes(LARGE)
        replies.append(ask_later(static, "GET", target))
        known = f"If-None-Match: {replies[-1].fields['ETag']}"
        assert ask(static, "GET", target, known).status == 304

    assert [reply.body for reply in replies] == [LARGE, LARGE]
