"""Which form of a file is sent, and which part of it."""

from __future__ import annotations

import asyncio
import gzip
import threading

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.http.messages import Answer
from aioserve.static import compression, resource
from aioserve.static.file_answers import FileAnswers
from aioserve.static.finder import Finder
from aioserve.static.lookup import Lookup
from aioserve.static.resource import Loader
from aioserve.static.tree import FileTree
from aioserve.thread_work import ThreadWork
from tests.static.asking import LONG, NOW, TEXT, read, request

GZIP = "Accept-Encoding: gzip"

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left", "settled")


class Answering:
    """Answers with the files of a site."""

    def __init__(self, site, room=1_000_000):
        tree = FileTree(site)
        loader = Loader(tree, precompressed=True, compress=True)
        self._finder = Finder(Lookup(tree, []), loader, (), room, lambda: NOW, lambda *_: None)
        self.store = self._finder.store
        self.answers = FileAnswers(self.store, room, lambda: NOW)

    def __call__(self, target, *fields, method="GET", may_wait=True, is_kept=True):
        found = self._finder.find(target, may_wait=False)
        try:
            return self.answers.answer(
                request(method, target, *fields),
                found,
                (("X-Site", "1"),),
                may_wait=may_wait,
                is_kept=is_kept,
            )
        finally:
            found.close()


@pytest.fixture
def answering(site):
    answering = Answering(site)
    yield answering
    answering.store.close()


def test_file_is_sent_as_it_is_with_the_fields_of_the_site(answering):
    reply = read(answering("/file.txt"))

    assert reply[:2] == (200, b"0123456789")
    assert reply.fields["X-Site"] == "1"
    assert "Vary" not in reply.fields


def test_answer_may_be_given_again_unless_the_path_names_something_else(answering):
    assert answering("/file.txt").is_current()
    assert answering("/file.txt", is_kept=False).is_current is None


def test_small_text_is_compressed_at_once_and_kept(answering):
    reply = read(answering("/text.txt", GZIP))

    assert gzip.decompress(reply.body) == TEXT
    assert reply.fields["Vary"] == "Accept-Encoding"
    assert answering("/text.txt", GZIP).body is answering("/text.txt", GZIP).body


def test_text_that_does_not_become_smaller_is_sent_as_it_is(answering, monkeypatch):
    monkeypatch.setattr(compression, "_WORTH_IT", 0.0)

    assert read(answering("/text.txt", GZIP)).body == TEXT


def test_long_text_is_compressed_by_one_thread_for_all(answering, monkeypatch):
    gate = threading.Event()

    def compress(content, coding, compress=resource.compress):
        gate.wait()
        return compress(content, coding)

    monkeypatch.setattr(resource, "compress", compress)

    async def wait():
        works = [answering("/long.txt", GZIP) for _ in range(3)]
        gate.set()
        assert isinstance(works[0], ThreadWork)
        assert works[0] is works[1] is works[2]
        await works[0].result()
        return answering("/long.txt", GZIP)

    assert gzip.decompress(read(asyncio.run(wait())).body) == LONG


def test_who_cannot_wait_gets_what_is_there(answering):
    assert read(answering("/long.txt", GZIP, may_wait=False)).body == LONG


def test_threads_compress_nothing_that_cannot_be_kept(site):
    answering = Answering(site, room=1000)

    answer = answering("/long.txt", GZIP)

    assert isinstance(answer, Answer)
    assert read(answer).body == LONG


def test_part_is_one_of_the_file_as_it_is(answering):
    """Compressed here, it has none (RFC 9110 §14.2: a server may ignore Range, but this is of more use)."""
    reply = read(answering("/text.txt", GZIP, "Range: bytes=0-1"))

    assert (reply.status, reply.body) == (206, TEXT[:2])
    assert "Content-Encoding" not in reply.fields


def test_range_means_nothing_to_head(answering):
    """RFC 9110 §14.2; so the form is that of a GET for the whole."""
    assert answering("/text.txt", GZIP, "Range: bytes=0-1", method="HEAD").status == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (["If-None-Match: *"], 304),
        (["Range: bytes=0-1"], 206),
        (["Range: bytes=0-1,4-5"], 206),
        (["Range: lines=0-1"], 200),
    ],
)
def test_conditions_and_ranges_are_weighed(answering, fields, status):
    assert answering("/file.txt", *fields).status == status


@pytest.mark.parametrize(("field", "status"), [('If-Match: "other"', 412), ("Range: bytes=10-", 416)])
def test_what_does_not_hold_is_refused(answering, field, status):
    with pytest.raises(HttpProcessingError) as raised:
        answering("/file.txt", field)
    assert raised.value.code == status
