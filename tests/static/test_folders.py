"""The answer that lists a folder."""

from __future__ import annotations

import errno
import gzip
import json
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.static import folders, spool
from aioserve.static.folders import Listing
from aioserve.static.listing import CONTENT_SECURITY_POLICY
from aioserve.static.tree import FileTree, Folder
from tests.static.asking import NOW, read, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

JSON = "Accept: application/json"
PAGE = {
    "Content-Type": "text/html; charset=utf-8",
    "Vary": "Accept, Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
}


@pytest.fixture
def root(tmp_path):
    inner = tmp_path / "root/inner"
    inner.mkdir(parents=True)
    for name, size in (("a2.txt", 30), ("a10.txt", 20), ("b.txt", 10), (".hidden", 1), ("_headers", 1)):
        (inner / name).write_bytes(bytes(size))
    (inner / "folder").mkdir()
    (inner / "to-root").symlink_to("..")
    (inner / "out").symlink_to(tmp_path)
    (tmp_path / "root/_headers").write_text("")
    return tmp_path / "root"


def ask(root, *fields, target="/inner/", method="GET", tree=None, **more):
    names = () if target.partition("?")[0] == "/" else (b"inner",)
    listing = Listing(
        tree or FileTree(root),
        Folder(names),
        **{"path": "/inner/", "mount": "/", "compress": True, "site": ()} | more,
    )
    answer = listing.answer(request(method, target, *fields), NOW)
    assert answer.is_current is None
    return read(answer)


def names_in(reply):
    return [entry["name"] for entry in json.loads(reply.body)["entries"]]


# The forms


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("accept", ["A: b", "Accept: */*", "Accept: text/html, */*;q=0.8", "Accept: image/*"])
def test_listing_is_a_page(root, method, accept):
    """RFC 9110 §12.4.1: one who accepts neither form gets the usual one rather than nothing."""
    status, body, fields = ask(root, accept, method=method)

    assert status == 200
    assert body.startswith(b"<!DOCTYPE html>")
    assert b'<a href="a10.txt">' in body
    assert {name: fields[name] for name in PAGE} == PAGE


@pytest.mark.parametrize(
    "accept", [JSON, "Accept: application/*", "Accept: text/html;q=0.5, application/json"]
)
def test_listing_is_json_for_who_likes_that_better(root, accept):
    status, body, fields = ask(root, accept)

    assert status == 200
    assert json.loads(body)["path"] == "/inner/"
    assert fields["Content-Type"] == "application/json"
    assert fields["Vary"] == "Accept, Accept-Encoding"
    assert "Content-Security-Policy" not in fields


def test_folder_may_be_empty(tmp_path):
    assert b"This folder is empty." in ask(tmp_path, target="/").body
    assert json.loads(ask(tmp_path, JSON, target="/").body)["entries"] == []


# What stands in it


def test_only_what_may_be_seen_is_listed(root):
    assert names_in(ask(root, JSON)) == ["folder", "to-root", "_headers", "a2.txt", "a10.txt", "b.txt"]
    assert names_in(ask(root, JSON, target="/")) == ["inner"]


def test_hidden_files_and_links_that_lead_out_are_listed_where_they_are_served(root):
    assert ".hidden" in names_in(ask(root, JSON, tree=FileTree(root, hidden=True)))
    assert "out" in names_in(ask(root, JSON, tree=FileTree(root, follow_symlinks=True)))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["_headers", "a2.txt", "a10.txt", "b.txt"]),
        ("?sort=name&order=desc", ["b.txt", "a10.txt", "a2.txt", "_headers"]),
        ("?sort=size", ["_headers", "b.txt", "a10.txt", "a2.txt"]),
        ("?order=desc&sort=size", ["a2.txt", "a10.txt", "b.txt", "_headers"]),
        ("?sort=nonsense&x", ["_headers", "a2.txt", "a10.txt", "b.txt"]),
    ],
)
def test_listing_is_sorted_as_the_query_says(root, query, names):
    assert names_in(ask(root, JSON, target=f"/inner/{query}"))[2:] == names


def test_page_says_how_it_is_sorted(root):
    assert (
        b'aria-sort="descending"><a href="?sort=size' in ask(root, target="/inner/?sort=size&order=desc").body
    )


def test_page_leads_up_to_the_mount(root):
    body = ask(root, path="/docs/inner/", mount="/docs/").body

    assert b'<li><a href="../">/docs/</a></li>' in body
    assert body.count(b"<li>") == 2


# Conditions


@pytest.mark.parametrize("accept", ["A: b", JSON])
def test_same_listing_is_not_sent_again(root, accept):
    whole = ask(root, accept)
    again = ask(root, accept, f"If-None-Match: {whole.fields['ETag']}")

    assert (again.status, again.body) == (304, b"")
    assert again.fields == {name: value for name, value in whole.fields.items() if name != "Content-Type"}


def test_tag_is_another_for_another_listing(root):
    def tag(*fields, **more):
        return ask(root, *fields, **more).fields["ETag"]

    tags = [
        tag(),
        tag(JSON),
        tag("Accept-Encoding: gzip"),
        tag("Accept-Encoding: br"),
        tag(target="/inner/?sort=size"),
    ]
    (root / "inner/new.txt").write_text("")
    tags.append(tag())
    (root / "inner/new.txt").write_text("longer")
    tags.append(tag())

    assert len(set(tags)) == len(tags)
    assert tag() == tags[-1]
    assert all(tag.startswith('"') for tag in tags)


def test_time_is_no_condition(root):
    """RFC 9110 §13.1.3: ignored where there is no Last-Modified."""
    whole = ask(root, "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT")

    assert whole.status == 200
    assert "Last-Modified" not in whole.fields


def test_failed_precondition_is_412(root):
    with pytest.raises(HttpProcessingError) as raised:
        ask(root, 'If-Match: "other"')

    assert raised.value.code == 412


def test_listing_has_no_parts(root):
    reply = ask(root, "Range: bytes=0-1")

    assert reply.status == 200
    assert "Accept-Ranges" not in reply.fields


# Codings


def test_listing_is_compressed_for_who_asks(root):
    plain, coded = ask(root), ask(root, "Accept-Encoding: gzip")

    assert coded.fields["Content-Encoding"] == "gzip"
    assert gzip.decompress(coded.body) == plain.body
    assert {**coded.fields, "ETag": ""} == {**plain.fields, "ETag": "", "Content-Encoding": "gzip"}
    again = ask(root, "Accept-Encoding: gzip", f"If-None-Match: {coded.fields['ETag']}")
    assert again.status == 304
    assert "Content-Encoding" not in again.fields


@pytest.mark.parametrize("wish", ["Accept-Encoding: unknown", "Accept-Encoding: gzip;q=0", "A: b"])
def test_nothing_is_compressed_for_who_does_not(root, wish):
    assert "Content-Encoding" not in ask(root, wish).fields


def test_nothing_is_compressed_where_that_is_switched_off(root):
    fields = ask(root, "Accept-Encoding: gzip", compress=False).fields

    assert "Content-Encoding" not in fields
    assert fields["Vary"] == "Accept"


def test_what_is_too_small_is_sent_as_it_is(tmp_path):
    fields = ask(tmp_path, JSON, "Accept-Encoding: gzip", target="/").fields

    assert "Content-Encoding" not in fields
    assert fields["Vary"] == "Accept, Accept-Encoding"


@pytest.mark.parametrize(("largest", "is_coded"), [(10, False), (1_000_000, True)])
def test_what_is_too_large_is_sent_as_it_is(root, monkeypatch, largest, is_coded):
    monkeypatch.setattr(folders, "LARGEST", largest)

    assert ("Content-Encoding" in ask(root, "Accept-Encoding: gzip").fields) is is_coded


@pytest.mark.parametrize("wish", ["A: b", "Accept-Encoding: gzip"])
def test_long_listing_waits_in_a_file(root, monkeypatch, wish):
    plain = ask(root).body
    monkeypatch.setattr(spool, "_HELD", 100)
    reply = ask(root, wish)

    assert (gzip.decompress(reply.body) if wish != "A: b" else reply.body) == plain


def test_long_listing_that_finds_no_room_leaves_no_file(root, monkeypatch):
    monkeypatch.setattr(spool, "_HELD", 100)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_more: Path("/dev/full").open("w+b"))  # noqa: SIM115

    with pytest.raises(OSError, match="No space left"):
        ask(root)


@pytest.mark.parametrize("fields", [("If-None-Match: *",), ('If-Match: "other"',)])
def test_long_listing_that_is_not_sent_leaves_no_file(root, monkeypatch, fields):
    """What is left behind would show as a descriptor."""
    monkeypatch.setattr(spool, "_HELD", 100)

    with suppress(HttpProcessingError):
        assert ask(root, *fields).status == 304


def test_what_is_not_worth_it_is_sent_as_it_is(root, monkeypatch):
    monkeypatch.setattr(folders, "compress", lambda _content, _coding: None)

    assert "Content-Encoding" not in ask(root, "Accept-Encoding: gzip").fields


# Fields that are added


def test_fields_are_added_and_take_the_place_of_its_own(root):
    site = (
        ("X-One", "1"),
        ("cache-control", "no-store"),
        ("content-security-policy", "none"),
        ("Vary", "Cookie"),
        ("content-type", "text/plain"),
    )
    reply = ask(root, site=site)

    assert {name.lower(): value for name, value in reply.fields.items() if name != "ETag"} == {
        "x-one": "1",
        "cache-control": "no-store",
        "content-security-policy": "none",
        "vary": "Accept, Accept-Encoding, Cookie",
        "content-type": "text/plain",
        "x-content-type-options": "nosniff",
    }
    again = ask(root, f"If-None-Match: {reply.fields['ETag']}", site=site)
    assert "content-type" not in again.fields


# Folders that are none


def refusal(root, **more):
    with pytest.raises(HttpProcessingError) as raised:
        ask(root, **more)
    return raised.value.code


def test_folder_that_has_vanished_is_404(root):
    for path in (root / "inner").iterdir():
        path.rmdir() if path.name == "folder" else path.unlink()
    (root / "inner").rmdir()

    assert refusal(root) == 404


def test_root_that_has_vanished_is_404(root):
    tree = FileTree(root)
    root.rename(root.with_name("elsewhere"))

    assert refusal(root, tree=tree, target="/") == 404


@pytest.mark.parametrize("target", [None, "../..", "/nowhere", "inner", "_headers", ".."])
def test_folder_that_has_become_something_else_is_404(root, target):
    """A file, or a link: out of the root, to nowhere, to itself, or to a file."""
    (root / "inner").rename(root / "other")
    if target is None:
        (root / "inner").write_text("a file")
    else:
        (root / "inner").symlink_to(target)

    assert refusal(root) == 404


class BrokenTree:
    """Its folders cannot be read."""

    def __init__(self, number):
        self._number = number

    @contextmanager
    def open_folder(self, _names):
        raise OSError(self._number, os.strerror(self._number))
        yield


def test_folder_that_may_not_be_read_is_404(root):
    assert refusal(root, tree=BrokenTree(errno.EACCES)) == 404


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO, errno.ENOMEM])
def test_error_of_the_machine_is_not_the_folders(root, number):
    with pytest.raises(OSError, match=os.strerror(number)):
        ask(root, tree=BrokenTree(number))


# Which requests have the same answer


def key_of(*fields, target="/inner/", method="GET", **more):
    listing = Listing(
        None, Folder((b"inner",)), **{"path": "/inner/", "site": ()} | more, mount="/", compress=True
    )
    return listing.key_of(request(method, target, *fields))


@pytest.mark.parametrize(
    "more",
    [
        {"target": "/inner/?sort=size"},
        {"path": "/inne%72/"},
        {"site": (("X-One", "1"),)},
    ],
)
def test_another_request_may_have_another_answer(more):
    assert key_of(**more) != key_of()


@pytest.mark.parametrize(
    "name",
    [
        "Accept",
        "Accept-Encoding",
        "If-Match",
        "If-Unmodified-Since",
        "If-None-Match",
        "If-Modified-Since",
        "Range",
        "If-Range",
    ],
)
def test_another_field_may_have_another_answer(name):
    assert len({key_of(), key_of(f"{name}: a"), key_of(f"{name}: b")}) == 3


def test_same_request_has_the_same_answer():
    assert key_of(JSON, "User-Agent: a") == key_of("User-Agent: b", JSON, method="HEAD")


class ObservedMessage:
    """A request that notes what is asked of it."""

    def __init__(self, message):
        self._message = message
        self.asked = set()

    def __getattr__(self, name):
        self.asked.add(name)
        return getattr(self._message, name)

    def field(self, name):
        self.asked.add(name)
        return self._message.field(name)


@pytest.mark.parametrize(
    "fields",
    [(), ('If-Match: "a"',), ("If-Match: *", "If-None-Match: *"), ("Range: bytes=0-1", "If-Range: a")],
)
def test_answer_depends_on_nothing_else(root, monkeypatch, fields):
    monkeypatch.setattr(folders, "SMALLEST", 0)
    listing = Listing(FileTree(root), Folder((b"inner",)), "/inner/", "/", compress=True, site=())
    message, other = (ObservedMessage(request("GET", "/inner/?sort=size", *fields)) for _ in range(2))

    listing.key_of(message)
    with suppress(HttpProcessingError):
        listing.answer(other, NOW)

    assert other.asked <= message.asked | {"method"}  # and GET and HEAD have the same
