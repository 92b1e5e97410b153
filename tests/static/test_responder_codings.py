"""Files in other codings: those that lie beside them, and those that are made here."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.http.messages import Answer
from aioserve.static import resource, watch
from aioserve.static.representation import Representation
from tests.static.asking import CHANGED, HUGE, LONG, TEXT, ask, ask_later, read, request
from tests.static.files import write

pytestmark = [pytest.mark.usefixtures("no_descriptor_is_left"), pytest.mark.usefixtures("settled")]

GZIP = "Accept-Encoding: gzip"
LATER = {"/long.txt": LONG, "/huge.txt": HUGE}


class Compressor:
    """The real one, which keeps count, and waits if it is told to.

    Attributes:
        calls: the codings that were made, in their order.
        threads: in which they were.
        gate: while it is not set, nothing is.
    """

    def __init__(self, real):
        self._real = real
        self.calls = []
        self.threads = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, content, coding):
        self.calls.append(coding)
        self.threads.append(threading.current_thread())
        assert self.gate.wait(30)
        return self._real(content, coding)


@pytest.fixture
def compressor(monkeypatch):
    counting = Compressor(resource.compress)
    monkeypatch.setattr(resource, "compress", counting)
    return counting


# At once


def test_text_is_compressed_for_who_asks(serve):
    static = serve()
    plain = ask(static, "GET", "/text.txt")

    status, body, fields = ask(static, "GET", "/text.txt", GZIP)

    assert (status, gzip.decompress(body)) == (200, TEXT)
    assert fields["Content-Encoding"] == "gzip"
    assert fields["Vary"] == "Accept-Encoding"
    assert fields["Content-Type"] == plain.fields["Content-Type"]
    assert fields["ETag"] != plain.fields["ETag"]
    assert "Accept-Ranges" not in fields


@pytest.mark.parametrize("target", ["/text.txt", "/long.txt"])
@pytest.mark.parametrize(
    "fields", [(), ("Accept-Encoding: unknown",), ("Accept-Encoding: gzip;q=0",), ("Accept-Encoding:",)]
)
def test_nothing_is_compressed_for_who_does_not(serve, compressor, target, fields):
    reply = ask(serve(), "GET", target, *fields)

    assert "Content-Encoding" not in reply.fields
    assert reply.fields["Vary"] == "Accept-Encoding"
    assert compressor.calls == []


@pytest.mark.parametrize(
    ("target", "settings"),
    [
        ("/text.txt", {"compress": False}),
        ("/long.txt", {"compress": False}),
        ("/file.txt", {}),
        ("/large.bin", {}),
    ],
    ids=["switched off", "switched off for a long one", "too small", "no text"],
)
def test_what_is_not_compressed_does_not_vary(serve, compressor, target, settings):
    fields = ask(serve(**settings), "GET", target, GZIP).fields

    assert {"Content-Encoding", "Vary"}.isdisjoint(fields)
    assert compressor.calls == []


def test_it_is_compressed_once(serve, compressor):
    static = serve()

    answers = [ask(static, "GET", "/text.txt", GZIP) for _ in range(3)]
    ask(static, "HEAD", "/text.txt", GZIP)

    assert answers[0] == answers[1] == answers[2]
    assert compressor.calls == ["gzip"]


def test_what_is_not_worth_it_is_tried_once_and_sent_as_it_is(serve, site, compressor):
    noise = os.urandom(1000)
    (site / "noise.txt").write_bytes(noise)
    static = serve()

    answers = [ask(static, "GET", "/noise.txt", GZIP) for _ in range(2)]

    assert [reply.body for reply in answers] == [noise, noise]
    assert "Content-Encoding" not in answers[1].fields
    assert answers[1].fields["Vary"] == "Accept-Encoding"
    assert compressor.calls == ["gzip"]


def test_client_that_refuses_everything_gets_the_file_as_it_is(serve):
    """RFC 9110 §12.5.3: a server may ignore the field rather than refuse."""
    reply = ask(serve(), "GET", "/file.txt", "Accept-Encoding: identity;q=0, *;q=0")

    assert reply[:2] == (200, b"0123456789")


@pytest.mark.parametrize("target", ["/text.txt", "/long.txt"])
def test_parts_are_those_of_the_file_as_it_is(serve, compressor, target):
    status, body, fields = ask(serve(), "GET", target, GZIP, "Range: bytes=0-9")

    assert (status, body) == (206, (TEXT if target == "/text.txt" else LONG)[:10])
    assert "Content-Encoding" not in fields
    assert compressor.calls == []


def test_head_has_no_parts(serve):
    """RFC 9110 §14.2: Range has a meaning for GET alone."""
    assert ask(serve(), "HEAD", "/text.txt", GZIP, "Range: bytes=0-9").fields["Content-Encoding"] == "gzip"


def test_condition_is_about_the_form_that_would_be_sent(serve):
    static = serve()
    plain, coded = ask(static, "GET", "/text.txt"), ask(static, "GET", "/text.txt", GZIP)

    for first, field, second in ((plain, "A: b", coded), (coded, GZIP, plain)):
        own = ask(static, "GET", "/text.txt", field, f"If-None-Match: {first.fields['ETag']}")
        other = ask(static, "GET", "/text.txt", field, f"If-None-Match: {second.fields['ETag']}")
        assert (own.status, other.status) == (304, 200)
        assert own.fields["Vary"] == "Accept-Encoding"


# Beside the file


@pytest.fixture
def twins(site):
    (site / "text.txt.gz").write_bytes(gzip.compress(TEXT))
    (site / "text.txt.br").write_bytes(b"not really brotli")
    return site


def test_file_beside_it_is_sent_for_it(serve, twins, compressor):
    static = serve()
    status, body, fields = ask(static, "GET", "/text.txt", "Accept-Encoding: gzip, br")

    assert (status, body) == (200, b"not really brotli")
    assert fields["Content-Encoding"] == "br"
    assert fields["Content-Type"] == "text/plain; charset=utf-8"
    assert fields["Accept-Ranges"] == "bytes"
    assert ask(static, "GET", "/text.txt", GZIP).body == (twins / "text.txt.gz").read_bytes()
    assert ask(static, "GET", "/text.txt", GZIP, "Range: bytes=0-1")[:2] == (206, b"\x1f\x8b")
    assert compressor.calls == []


def test_file_beside_it_may_be_the_only_form_that_varies(serve, site):
    (site / "file.txt.gz").write_bytes(gzip.compress(b"0123456789"))
    static = serve()

    assert ask(static, "GET", "/file.txt").fields["Vary"] == "Accept-Encoding"
    assert ask(static, "GET", "/file.txt", GZIP).fields["Content-Encoding"] == "gzip"
    assert "Vary" not in ask(serve(precompressed=False), "GET", "/file.txt").fields


def test_file_beside_it_that_it_has_outlived_is_not_sent(serve, twins):
    os.utime(twins / "text.txt.gz", (CHANGED - 1, CHANGED - 1))

    reply = ask(serve(), "GET", "/text.txt", GZIP)

    assert reply.body != (twins / "text.txt.gz").read_bytes()
    assert gzip.decompress(reply.body) == TEXT


def test_file_beside_it_is_seen_as_it_comes_and_goes(serve, twins):
    static = serve(compress=False)
    seen = [ask(static, "GET", "/text.txt", GZIP)]
    for act in (
        (twins / "text.txt.gz").unlink,
        lambda: write(twins / "text.txt.gz", b"another", CHANGED + 1),
        lambda: write(twins / "text.txt", b"newer", CHANGED + 2),
        lambda: os.utime(twins / "text.txt.gz", (CHANGED + 2, CHANGED + 2)),
    ):
        act()
        seen.append(ask(static, "GET", "/text.txt", GZIP))

    assert [reply.fields.get("Content-Encoding") for reply in seen] == ["gzip", None, "gzip", None, "gzip"]
    assert [reply.body for reply in seen][1:] == [TEXT, b"another", b"newer", b"another"]


# By a thread


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", LATER)
def test_long_text_is_compressed_by_a_thread(serve, compressor, method, target):
    static = serve()

    status, body, fields = ask_later(static, method, target, GZIP)

    assert (status, gzip.decompress(body)) == (200, LATER[target])
    assert (fields["Content-Encoding"], fields["Vary"]) == ("gzip", "Accept-Encoding")
    assert compressor.threads != [threading.current_thread()]
    assert ask(static, method, target, GZIP) == (status, body, fields)  # at once from now on
    assert compressor.calls == ["gzip"]


def ask_together(compressor, static, target, wishes):
    """Ask before the thread has done anything for the first, and return what is answered."""

    async def ask_all():
        compressor.gate.clear()
        waiting = [static(request("GET", target, wish)) for wish in wishes]
        compressor.gate.set()
        return await asyncio.gather(*waiting)

    return [read(answer) for answer in asyncio.run(ask_all())]


@pytest.mark.parametrize("target", LATER)
def test_many_at_once_have_it_compressed_once(serve, compressor, target):
    static = serve()

    replies = ask_together(compressor, static, target, [GZIP] * 20)

    assert {reply.body for reply in replies} == {replies[0].body}
    assert gzip.decompress(replies[0].body) == LATER[target]
    assert compressor.calls == ["gzip"]


def test_each_coding_is_made_once(serve, compressor):
    static = serve()

    replies = ask_together(compressor, static, "/long.txt", [GZIP, "Accept-Encoding: br"] * 3)

    assert [reply.fields["Content-Encoding"] for reply in replies] == ["gzip", "br"] * 3
    assert sorted(compressor.calls) == ["br", "gzip"]


@pytest.mark.parametrize("target", LATER)
def test_one_whose_client_has_gone_does_not_keep_others_from_it(serve, compressor, target):
    static = serve()
    compressor.gate.clear()

    async def ask_two():
        first, second = (asyncio.ensure_future(static(request("GET", target, GZIP))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        compressor.gate.set()
        return await second

    assert gzip.decompress(read(asyncio.run(ask_two())).body) == LATER[target]
    assert compressor.calls == ["gzip"]


@pytest.mark.parametrize("target", LATER)
def test_it_is_kept_also_if_all_clients_have_gone(serve, compressor, target):
    static = serve()

    async def ask_and_go():
        compressor.gate.clear()
        waiting = asyncio.ensure_future(static(request("GET", target, GZIP)))
        (work,) = static._files._works.values()
        await asyncio.sleep(0)
        waiting.cancel()
        compressor.gate.set()
        await work.result()

    asyncio.run(ask_and_go())

    assert gzip.decompress(ask(static, "GET", target, GZIP).body) == LATER[target]
    assert compressor.calls == ["gzip"]


def ask_while(compressor, static, target, act, *fields):
    """Ask, do something while the thread is at work, and return what is answered."""

    async def wait():
        compressor.gate.clear()
        waiting = static(request("GET", target, GZIP, *fields))
        act()
        compressor.gate.set()
        return await waiting

    return read(asyncio.run(wait()))


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize("target", LATER)
def test_file_that_vanishes_meanwhile_is_404(serve, site, compressor, target, alone):
    static = serve(alone=alone, headers=(("/*", "X-One", "1"),))

    with pytest.raises(HttpProcessingError) as raised:
        ask_while(compressor, static, target, (site / target[1:]).unlink)

    assert (raised.value.code, raised.value.headers) == (404, (("X-One", "1"),))
    assert len(static.store) == 0


def test_file_that_vanishes_meanwhile_has_the_page_of_that(serve, site, compressor):
    static = serve(alone=False, error_pages=((404, "file.txt"),))

    assert ask_while(compressor, static, "/long.txt", (site / "long.txt").unlink)[:2] == (404, b"0123456789")


def test_file_that_changes_meanwhile_is_sent_as_it_is_now(serve, site, compressor):
    static = serve()

    reply = ask_while(
        compressor, static, "/long.txt", lambda: (site / "long.txt").write_bytes(b"b" * 100_000)
    )

    assert (reply.status, reply.body) == (200, b"b" * 100_000)
    assert "Content-Encoding" not in reply.fields
    again = ask_later(static, "GET", "/long.txt", GZIP)
    assert gzip.decompress(again.body) == b"b" * 100_000


def test_file_that_is_cut_short_before_it_is_read_is_sent_as_it_is_now(serve, site, monkeypatch):
    static = serve()
    is_short = threading.Event()
    real = Representation.read

    def read_when_it_is_short(representation):
        assert is_short.wait(30)
        return real(representation)

    async def wait():
        waiting = static(request("GET", "/huge.txt", GZIP))
        (site / "huge.txt").write_bytes(b"short")
        is_short.set()
        return await waiting

    monkeypatch.setattr(Representation, "read", read_when_it_is_short)

    assert read(asyncio.run(wait()))[:2] == (200, b"short")


def test_file_may_become_a_folder_meanwhile(serve, site, compressor):
    (site / "folder/index.html").write_bytes(LONG)
    static = serve(listing=True)

    reply = ask_while(compressor, static, "/folder/", (site / "folder/index.html").unlink)

    assert reply.status == 200
    assert b"This folder is empty." in gzip.decompress(reply.body)


def test_error_of_the_disk_is_everybodys_and_the_next_one_tries_again(serve, compressor, monkeypatch):
    static = serve()

    def break_down(_representation):
        raise OSError("the disk is broken")

    async def ask_two():
        waiting = [static(request("GET", "/long.txt", GZIP)) for _ in range(2)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    with monkeypatch.context() as patch:
        patch.setattr(Representation, "read", break_down)
        errors = asyncio.run(ask_two())

    assert [str(error) for error in errors] == ["the disk is broken"] * 2
    assert gzip.decompress(ask_later(static, "GET", "/long.txt", GZIP).body) == LONG
    assert compressor.calls == ["gzip"]


def test_long_text_that_is_not_worth_it_is_tried_once(serve, site, compressor):
    noise = os.urandom(100_000)
    (site / "noise.txt").write_bytes(noise)
    static = serve()

    first = ask_later(static, "GET", "/noise.txt", GZIP)

    assert first.body == noise
    assert ask(static, "GET", "/noise.txt", GZIP) == first
    assert compressor.calls == ["gzip"]


def test_condition_of_a_long_text_is_judged_when_it_is_compressed(serve):
    etag = ask_later(serve(), "GET", "/long.txt", GZIP).fields["ETag"]

    assert ask_later(serve(), "GET", "/long.txt", GZIP, f"If-None-Match: {etag}").status == 304


@pytest.mark.parametrize("target", LATER)
def test_what_could_not_be_kept_is_not_made_by_a_thread(serve, compressor, target):
    for cache in (0, 2 * len(LATER[target])):
        reply = ask(serve(cache=cache), "GET", target, GZIP)

        assert reply.body == LATER[target]
        assert reply.fields["Vary"] == "Accept-Encoding"
    assert compressor.calls == []
    assert gzip.decompress(ask(serve(cache=0), "GET", "/text.txt", GZIP).body) == TEXT


def test_what_was_just_changed_is_not_compressed_by_a_thread(serve, compressor, monkeypatch):
    """It would have to be done anew for the next request."""
    monkeypatch.setattr(watch, "_STEP", 10**18)
    static = serve()

    assert isinstance(static(request("GET", "/long.txt", GZIP)), Answer)
    assert gzip.decompress(ask(static, "GET", "/text.txt", GZIP).body) == TEXT
    assert compressor.calls == ["gzip"]


@pytest.mark.parametrize("target", ["/text.txt", *LATER])
def test_what_was_compressed_outlives_the_second_for_which_it_is_trusted(
    serve, compressor, monkeypatch, target
):
    static = serve()
    first = (ask if target == "/text.txt" else ask_later)(static, "GET", target, GZIP)
    monkeypatch.setattr(watch, "_TRUST", -1)
    static.store.find(target).watch._until = 0.0

    assert [ask(static, "GET", target, GZIP) for _ in range(3)] == [first] * 3
    assert compressor.calls == ["gzip"]
