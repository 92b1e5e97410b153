"""A small file that the disk has to be waited for keeps nobody else waiting."""

from __future__ import annotations

import pytest

from aioserve.static import finder
from tests.static.asking import ask, ask_later, refusal

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


def test_nothing_is_nothing(serve):
    assert refusal(serve(), "GET", "/nothing").code == 404
