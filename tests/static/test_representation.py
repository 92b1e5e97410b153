"""One file in the form it is sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from aioserve.http.conditional import matches_strongly
from aioserve.http.dates import parse_http_date
from aioserve.http.messages import Answer, FileSlice
from aioserve.http.ranges import ByteRange
from aioserve.static.lookup import Found
from aioserve.static.representation import SMALL, Representation

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_700_000_000
CONTENT = b"0123456789"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(CONTENT)
    os.utime(path, ns=(0, (NOW - 100) * 10**9 + 5))
    return path


@pytest.fixture
def represent():
    """Open a file and describe it; all are closed after the test."""
    files = []

    def represent(path: Path, now: int = NOW) -> Representation:
        files.append(path.open("rb", buffering=0))
        return Representation.of(Found(files[-1], path.stat(), path.name), now)

    yield represent
    for file in files:
        file.close()


def large(path: Path) -> Path:
    path.write_bytes(b"x" * (SMALL + 1))
    return path


# Validators


def test_entity_tag_is_strong(path, represent):
    etag = represent(path).validators.etag

    assert matches_strongly(etag, etag)


def test_entity_tag_stays_while_the_file_does(path, represent):
    assert represent(path).validators.etag == represent(path, NOW + 5).validators.etag


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.write_bytes(CONTENT + b"x"), id="size"),
        pytest.param(lambda path: os.utime(path, ns=(0, path.stat().st_mtime_ns + 1)), id="a nanosecond"),
        pytest.param(
            lambda path: (
                (path.parent / "new").write_bytes(CONTENT),
                os.utime(path.parent / "new", ns=(0, path.stat().st_mtime_ns)),
                (path.parent / "new").rename(path),
            ),
            id="another inode of the same time and size",
        ),
    ],
)
def test_entity_tag_changes_with_the_file(path, represent, change):
    before = represent(path).validators.etag

    change(path)

    assert represent(path).validators.etag != before


@pytest.mark.parametrize(
    ("reason", "changed", "expected"),
    [
        ("whole seconds", NOW * 10**9 - 1, NOW - 1),
        ("just now", NOW * 10**9, NOW),
        ("RFC 9110 §8.8.2.1: in the future", (NOW + 5) * 10**9, NOW),
        ("the epoch", 0, 0),
        ("before the epoch", -5 * 10**9, 0),
    ],
)
def test_last_modified_is_never_in_the_future(path, represent, reason, changed, expected):
    os.utime(path, ns=(0, changed))

    assert represent(path).validators.last_modified == expected, reason


def test_time_before_the_epoch_makes_a_valid_entity_tag(path, represent):
    os.utime(path, ns=(0, -5))
    etag = represent(path).validators.etag

    assert matches_strongly(etag, etag)


# Answers


def test_whole_file_has_its_header_fields(path, represent):
    answer = represent(path).whole()

    assert answer.status == 200
    assert answer.body == CONTENT
    fields = dict(answer.headers)
    assert parse_http_date(fields.pop("Last-Modified"), NOW) == NOW - 100
    assert fields.pop("ETag") == represent(path).validators.etag
    assert fields == {
        "Content-Type": "text/html; charset=utf-8",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }


def test_part_has_the_same_fields_and_its_range(path, represent):
    whole, part = represent(path).whole(), represent(path).part(ByteRange(2, 4))

    assert (part.status, part.body) == (206, b"234")
    assert part.headers == (*whole.headers, ("Content-Range", "bytes 2-4/10"))


def test_not_modified_has_the_entity_tag_and_no_body(path, represent):
    representation = represent(path)

    assert representation.not_modified() == Answer(304, (("ETag", representation.validators.etag),))


def test_empty_file_is_read(path, represent):
    path.write_bytes(b"")

    assert represent(path).whole().body == b""


def test_file_of_the_limit_is_read_and_a_larger_one_is_left_to_the_server(path, represent):
    path.write_bytes(b"x" * SMALL)
    assert represent(path).whole().body == b"x" * SMALL

    representation = represent(large(path))
    file = representation.found.file
    assert representation.whole().body == FileSlice(file, 0, SMALL + 1)
    assert representation.part(ByteRange(5, 9)).body == FileSlice(file, 5, 5)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.write_bytes(CONTENT[:-1]), id="shorter"),
        pytest.param(lambda path: path.write_bytes(CONTENT + b"x"), id="longer"),
        pytest.param(lambda path: path.write_bytes(CONTENT[::-1]), id="as long"),
        pytest.param(lambda path: os.truncate(path, 0), id="emptied"),
        pytest.param(
            lambda path: (
                path.write_bytes(CONTENT + b"x"),
                os.utime(path, ns=(0, (NOW - 100) * 10**9 + 5)),
            ),
            id="longer within one tick of the clock",
        ),
    ],
)
def test_file_changed_since_it_was_found_has_no_answer(path, represent, change):
    representations = represent(path), represent(path)

    change(path)

    assert representations[0].whole() is None
    assert representations[1].part(ByteRange(0, 0)) is None


def test_file_moved_over_another_leaves_the_open_one_as_it_was(path, represent):
    representation = represent(path)

    (path.parent / "new").write_bytes(b"new")
    (path.parent / "new").rename(path)

    assert representation.whole().body == CONTENT
