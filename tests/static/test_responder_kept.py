"""What is kept of files between requests, and that it is never an old answer."""

from __future__ import annotations

import os

import pytest

from aioserve.static import resource, watch
from tests.static.asking import LARGE, TEXT, ask, read, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


@pytest.fixture
def loads(monkeypatch):
    """The paths of files that were loaded, each as often as it was."""
    loaded = []
    real = resource.Loader.load

    def load(loader, path, found, now, more):
        loaded.append(path)
        return real(loader, path, found, now, more)

    monkeypatch.setattr(resource.Loader, "load", load)
    return loaded


# The same file


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("target", ["/file.txt", "/large.bin", "/folder/"])
def test_file_is_loaded_once(serve, loads, target):
    static = serve()

    answers = [ask(static, "GET", target) for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert loads == [target]
    assert len(static.store) == 1


def test_file_that_was_just_changed_is_loaded_each_time(serve, loads, monkeypatch):
    """Times move in steps: it could be changed again, and look the same."""
    monkeypatch.setattr(watch, "_STEP", 10**18)
    static = serve()

    for _ in range(3):
        ask(static, "GET", "/file.txt")

    assert loads == ["/file.txt"] * 3


def test_file_is_looked_at_anew_after_a_second(serve, loads, monkeypatch):
    monkeypatch.setattr(watch, "_STEP", -1)
    monkeypatch.setattr(watch, "_TRUST", -1)
    static = serve()

    for _ in range(3):
        ask(static, "GET", "/file.txt")

    assert loads == ["/file.txt"] * 3


def test_nothing_is_kept_where_nothing_may_be(serve):
    static = serve(cache=0)

    assert ask(static, "GET", "/file.txt") == ask(static, "GET", "/file.txt")
    assert len(static.store) == 0


def test_half_of_the_memory_is_for_files(serve):
    static = serve(cache=2 * 4000)
    for target in ("/file.txt", "/text.txt", "/folder/"):
        ask(static, "GET", target)

    assert 0 < static.store.size <= 4000
    assert len(static.store) == 2


# A changed file


def test_changed_file_is_served_by_the_next_request(serve, site):
    static = serve()
    first = ask(static, "GET", "/file.txt")
    (site / "file.txt").write_text("changed")
    second = ask(static, "GET", "/file.txt")
    (site / "new").write_text("moved")
    (site / "new").rename(site / "file.txt")
    third = ask(static, "GET", "/file.txt")

    assert [body for _, body, _ in (first, second, third)] == [b"0123456789", b"changed", b"moved"]
    assert len({fields["ETag"] for _, _, fields in (first, second, third)}) == 3


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("target", ["/file.txt", "/large.bin"])
def test_change_is_seen_that_keeps_size_and_time(serve, site, target):
    path = site / target[1:]
    before = path.stat()
    static = serve()
    first = ask(static, "GET", target)
    path.write_bytes(bytes(before.st_size))
    while path.stat().st_ctime_ns == before.st_ctime_ns or path.stat().st_mtime_ns != before.st_mtime_ns:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # until the system's clock has moved
    second = ask(static, "GET", target)

    assert second.body == bytes(before.st_size)
    assert first.fields["ETag"] != second.fields["ETag"]
    assert first.fields["Last-Modified"] == second.fields["Last-Modified"]


def test_what_stands_for_a_path_may_become_something_else(serve, site):
    static = serve()
    assert ask(static, "GET", "/folder/").body == b"the folder"

    (site / "folder/index.html").unlink()
    assert refusal(static, "GET", "/folder/").code == 404
    assert len(static.store) == 0

    (site / "folder/index.html").write_text("again")
    assert ask(static, "GET", "/folder/").body == b"again"

    (site / "file.txt").unlink()
    (site / "file.txt").mkdir()
    assert ask(static, "GET", "/file.txt").status == 308


class ChangingLookup:
    """Looks up, and lets somebody write to the file before it is read, some times."""

    def __init__(self, lookup, path, times):
        self.lookup = lookup
        self.path = path
        self.times = times

    def find(self, path):
        outcome = self.lookup.find(path)
        if self.times:
            self.times -= 1
            with self.path.open("a") as file:
                file.write("+")
        return outcome


def test_file_changed_while_it_is_read_is_opened_again(serve, site):
    static = serve()
    static._finder._lookup = ChangingLookup(static._finder._lookup, site / "file.txt", times=2)

    first = ask(static, "GET", "/file.txt")

    assert first.body == b"0123456789++"
    assert first == ask(static, "GET", "/file.txt")


def test_file_changed_as_often_as_it_is_read_is_for_later(serve, site):
    static = serve()
    static._finder._lookup = ChangingLookup(static._finder._lookup, site / "file.txt", times=1000)

    error = refusal(static, "GET", "/file.txt")

    assert error.code == 503
    assert error.headers == (("Retry-After", "1"),)


def test_page_may_ask_to_come_back_later_as_well(serve, site):
    (site / "503.html").write_text("later")
    static = serve(error_pages=((503, "503.html"),))
    static._finder._lookup = ChangingLookup(static._finder._lookup, site / "file.txt", times=5)

    reply = ask(static, "GET", "/file.txt")

    assert reply[:2] == (503, b"later")
    assert reply.fields["Retry-After"] == "1"


# Answers that are good for the same request again


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("target", "field"),
    [
        ("/file.txt", "A: b"),
        ("/file.txt", "If-None-Match: *"),
        ("/text.txt", "Accept-Encoding: gzip"),
        ("/folder/", "A: b"),
        ("/large.bin", "A: b"),
    ],
)
def test_answer_of_a_file_holds_until_something_changes(serve, site, method, target, field):
    answer = serve()(request(method, target, field))
    read(answer)

    assert answer.is_current()
    assert answer.is_current()
    (site / "_headers").write_text("/*\n X-One: 1\n")
    assert not answer.is_current()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "change",
    [
        lambda site: (site / "file.txt").write_text("another"),
        lambda site: (site / "file.txt").unlink(),
        lambda site: (site / "file.txt.gz").write_text("a twin"),
        lambda site: (site / "_redirects").write_text("/file.txt / 301!"),
        lambda site: site.rename(site.with_name("elsewhere")),
    ],
    ids=["changed", "removed", "twin", "rule", "folder"],
)
def test_answer_holds_no_more_when_another_would_be_given(serve, site, change):
    answer = serve()(request("GET", "/file.txt"))
    assert answer.is_current()

    change(site)

    assert not answer.is_current()


def test_answer_of_a_file_that_was_just_changed_is_good_once(serve, monkeypatch):
    monkeypatch.setattr(watch, "_STEP", 10**18)

    assert serve()(request("GET", "/file.txt")).is_current is None


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    ("method", "target", "field"),
    [
        ("GET", "/file.txt", "Range: bytes=0-1"),
        ("GET", "/text.txt", "Range: bytes=0-1, 5-6"),
        ("GET", "/folder", "A: b"),
        ("OPTIONS", "/file.txt", "A: b"),
        ("GET", "/as/file.txt", "A: b"),
        ("GET", "/as/file.txt", "If-None-Match: *"),
        ("GET", "/gone/file.txt", "A: b"),
        ("GET", "/old", "A: b"),
        ("GET", "/page", "A: b"),
        ("GET", "/nosuch.txt", "A: b"),
    ],
)
def test_every_other_answer_is_good_once(serve, site, method, target, field):
    (site / "_redirects").write_text("/as/* /:splat 200\n/gone/* /:splat 404\n/old /new\n")

    answer = serve(spa=True, error_pages=((404, "file.txt"),))(request(method, target, field))

    assert answer.is_current is None


# Pages in the place of something else


@pytest.mark.usefixtures("settled")
def test_what_is_shown_for_another_path_is_kept_under_its_own(serve, site, loads):
    (site / "_redirects").write_text("/as/* /:splat 200\n/gone/* /text.txt 404\n")
    static = serve(spa=True, error_pages=((404, "large.bin"),))

    for target in ("/as/file.txt", "/gone/x", "/page", "/nosuch.png"):
        for _ in range(2):
            ask(static, "GET", target)

    assert loads == ["/file.txt", "/text.txt", "/", "/large.bin"]
    assert len(static.store) == 4
    for target, body in (("/file.txt", b"0123456789"), ("/text.txt", TEXT), ("/", b"the root")):
        assert ask(static, "GET", target).body == body
    assert ask(static, "GET", "/large.bin").body == LARGE
    assert len(loads) == 4


@pytest.mark.usefixtures("settled")
def test_file_takes_the_place_of_a_page_as_soon_as_it_is_there(serve, site):
    (site / "_redirects").write_text("/as/* /file.txt 200\n/gone/* /text.txt 404\n")
    (site / "gone").mkdir()
    (site / "as").mkdir()
    static = serve(spa=True)
    for target in ("/as/x", "/gone/x", "/page"):
        ask(static, "GET", target)
        (site / target[1:]).write_text("here")
        assert ask(static, "GET", target)[:2] == (200, b"here")
