"""One form of a file: its validators, its bytes, and how long it is open."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from aioserve.http.conditional import Validators, matches_strongly
from aioserve.static import watch
from aioserve.static.representation import SMALL, ChangedMeanwhileError, Representation
from tests.static.files import CHANGED, NOW, BrokenFile, find, found, write

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

CONTENT = b"0123456789"
LARGE = b"x" * (SMALL + 1)


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "page.html", CONTENT)


@pytest.fixture
def represent():
    """Make the form of a file; all are closed after the test."""
    made = []

    def represent(path, now=NOW, **more) -> Representation:
        made.append(Representation.of(find(path), "text/html; charset=utf-8", now, **more))
        return made[-1]

    yield represent
    for each in made:
        each.close()


# Validators


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("content", [b"", CONTENT, LARGE], ids=["empty", "small", "large"])
def test_entity_tag_is_strong_and_stays_while_the_file_does(path, represent, content):
    write(path, content)
    etag = represent(path).validators.etag

    assert matches_strongly(etag, etag)
    assert represent(path, NOW + 5).validators.etag == etag


def replaced_by_a_copy(path):
    write(path.parent / "new", path.read_bytes()).rename(path)


def touched(path):
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def grown(path):
    write(path, path.read_bytes() + b"x")


def with_another_byte(path):
    """As long as it was, and of the same time."""
    write(path, b"y" + path.read_bytes()[1:])


@pytest.mark.parametrize(
    ("content", "change", "is_same"),
    [
        pytest.param(CONTENT, grown, False, id="small, longer"),
        pytest.param(CONTENT, with_another_byte, False, id="small, another byte at the same time"),
        pytest.param(CONTENT, touched, True, id="small, only the time is another"),
        pytest.param(CONTENT, replaced_by_a_copy, True, id="small, another file of the same bytes"),
        pytest.param(LARGE, grown, False, id="large, longer"),
        pytest.param(LARGE, touched, False, id="large, a nanosecond"),
        pytest.param(LARGE, replaced_by_a_copy, False, id="large, another file of the same time and size"),
    ],
)
def test_entity_tag_changes_with_the_bytes_or_with_what_the_system_says(
    path, represent, content, change, is_same
):
    write(path, content)
    before = represent(path).validators.etag

    change(path)

    assert (represent(path).validators.etag == before) is is_same


@pytest.mark.parametrize(("content", "is_same"), [(CONTENT, True), (LARGE, False)], ids=["small", "large"])
def test_file_that_could_be_changed_without_a_trace_has_a_tag_for_this_once(
    path, represent, monkeypatch, content, is_same
):
    """RFC 9110 §8.8.1: two contents never have one strong tag. A small one's is made of the bytes."""
    monkeypatch.setattr(watch, "_STEP", 10**18)
    write(path, content)

    assert (represent(path).validators.etag == represent(path).validators.etag) is is_same


def test_entity_tag_of_a_small_file_is_the_same_wherever_it_is(tmp_path, represent):
    here, there = write(tmp_path / "here.html", CONTENT), write(tmp_path / "there.txt", CONTENT, CHANGED - 5)

    assert represent(here).validators.etag == represent(there).validators.etag


def test_entity_tag_shows_nothing_of_the_system(path, represent):
    etag = represent(write(path, LARGE)).validators.etag
    status = path.stat()

    for number in (status.st_ino, status.st_mtime_ns, status.st_ctime_ns):
        assert f"{number:x}" not in etag
        assert str(number) not in etag


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
@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
def test_last_modified_is_never_in_the_future(path, represent, content, reason, changed, expected):
    write(path, content)
    os.utime(path, ns=(0, changed))

    assert represent(path).validators.last_modified == expected, reason


def test_time_before_the_epoch_makes_a_valid_entity_tag(path, represent):
    write(path, LARGE)
    os.utime(path, ns=(0, -5))
    etag = represent(path).validators.etag

    assert matches_strongly(etag, etag)


# Bytes


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1])
def test_small_file_is_in_memory_and_a_larger_one_is_open(path, represent, size):
    form = represent(write(path, b"x" * size))

    assert (form.content is not None, form.file is None) == (size <= SMALL, size <= SMALL)
    assert (form.size, form.read()) == (size, b"x" * size)


def test_small_file_is_closed_as_soon_as_it_is_read(path):
    file = find(path)
    form = Representation.of(file, "text/html", NOW)

    assert file.file.closed
    form.close()  # and has nothing to close


def test_large_file_is_open_until_it_is_closed_and_no_answer_needs_it(path):
    file = find(write(path, LARGE))
    form = Representation.of(file, "text/html", NOW)
    answer = form.whole(())

    form.close()
    assert not file.file.closed

    answer.body.file.close()
    assert file.file.closed


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: path.write_bytes(CONTENT[:-1]), id="shorter"),
        pytest.param(lambda path: path.write_bytes(CONTENT + b"x"), id="longer"),
        pytest.param(lambda path: path.write_bytes(CONTENT[::-1]), id="as long"),
        pytest.param(lambda path: os.truncate(path, 0), id="emptied"),
        pytest.param(lambda path: write(path, CONTENT + b"x"), id="longer within one tick of the clock"),
    ],
)
def test_small_file_changed_since_it_was_found_is_no_version_of_it(path, change):
    file = find(path)

    change(path)

    with pytest.raises(ChangedMeanwhileError):
        Representation.of(file, "text/html", NOW)
    assert file.file.closed


def test_file_that_cannot_be_read_is_closed(path):
    file = BrokenFile(path)

    with pytest.raises(OSError, match="cannot read") as raised:
        Representation.of(found(file, path), "text/html", NOW)
    assert raised.value.errno == errno.EIO
    assert file.closed


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
def test_file_moved_over_another_leaves_the_open_one_as_it_was(path, represent, content):
    form = represent(write(path, content))

    write(path.parent / "new", b"new").rename(path)

    assert form.read() == content


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda path: os.truncate(path, SMALL), id="cut short"),
        pytest.param(lambda path: write(path, LARGE + b"x"), id="longer"),
        pytest.param(lambda path: write(path, LARGE[::-1], CHANGED + 1), id="as long"),
    ],
)
def test_large_file_that_was_written_is_not_read_as_what_it_was(path, represent, change):
    form = represent(write(path, LARGE))

    change(path)

    with pytest.raises(ChangedMeanwhileError):
        form.read()


def test_file_that_holds_more_than_the_system_says_is_not_cut():
    path = Path("/proc/self/status")
    assert path.stat().st_size == 0

    with pytest.raises(ChangedMeanwhileError):
        Representation.of(find(path), "text/plain", NOW)


# Compressed


@pytest.mark.parametrize("content", [CONTENT, LARGE], ids=["small", "large"])
def test_what_was_compressed_here_has_a_tag_of_its_own_and_the_time_of_the_file(path, represent, content):
    identity = represent(write(path, content))

    form = identity.compressed(b"smaller", "zstd")

    opaque = identity.validators.etag.strip('"')
    assert form.validators == Validators(f'"{opaque}-zstd"', CHANGED)
    assert (form.media_type, form.coding) == (identity.media_type, "zstd")
    assert (form.content, form.size, form.file, form.has_ranges) == (b"smaller", 7, None, False)


def test_forms_differ_in_their_tags(path, represent):
    identity = represent(path)
    codings = ("br", "zstd", "gzip")

    tags = {identity.compressed(b"", coding).validators.etag for coding in codings}

    assert len(tags | {identity.validators.etag}) == 4
