"""Whether files and folders are still what they were."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

import pytest

from aioserve.static.watch import Watch, is_settled, signature_of, status_of, time_to_settle, version_of

SECOND = 1_000_000_000  # ns


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"content")
    return path


class Clock:
    """Stands for the time, and is moved by the test."""

    def __init__(self):
        self.since_epoch = time.time_ns()
        self.seconds = 1000.0

    def time_ns(self):
        return self.since_epoch

    def monotonic(self):
        return self.seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("aioserve.static.watch.time", clock)
    return clock


def watch(*paths):
    return Watch((), map(os.fsencode, paths))


# Changes


def write_as_long(file):
    file.write_bytes(b"CONTENT")


def write_in_place(file):
    with file.open("r+b") as opened:
        opened.write(b"C")


def write_and_hide_it(file):
    """Write as much, and set the time of the content back."""
    before = file.stat()
    write_as_long(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(file):
    """Put another file in its place that looks the same but for its number."""
    before = file.stat()
    new = file.with_name("new")
    new.write_bytes(b"CONTENT")
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.rename(file)


def lead_elsewhere(file):
    """Put a link in its place to a file that looks the same."""
    replace(file)
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


CHANGES = [
    write_as_long,
    write_in_place,
    write_and_hide_it,
    replace,
    lead_elsewhere,
    *(lambda file: file.write_bytes(b"longer content"), lambda file: os.truncate(file, 0)),
    *(lambda file: os.utime(file, (0, 0)), lambda file: file.chmod(0o600)),
    *(lambda file: file.unlink(), lambda file: file.rename(file.with_name("away"))),
    *(lambda file: (file.unlink(), file.mkdir()), lambda file: (file.unlink(), file.symlink_to("nowhere"))),
]


def wait_for_another_time(tmp_path):
    """Wait until the time of the file system has moved on, without which a change could have no trace."""
    probe = tmp_path.parent / f"{tmp_path.name}-probe"
    probe.touch()
    before = probe.stat().st_ctime_ns
    while probe.stat().st_ctime_ns == before:
        probe.touch()


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_a_file_is_noticed(file, change):
    watched = watch(file)
    wait_for_another_time(file.parent)
    assert watched.holds()

    change(file)

    assert not watched.holds()


@pytest.mark.parametrize("change", CHANGES)
def test_change_of_what_a_link_leads_to_is_noticed(file, change):
    link = file.with_name("link")
    link.symlink_to("file.txt")
    watched = watch(link)
    wait_for_another_time(file.parent)
    assert watched.holds()

    change(file)

    assert not watched.holds()


def test_link_that_leads_elsewhere_is_noticed(file):
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    link = file.with_name("link")
    link.symlink_to("file.txt")
    watched = watch(link)

    new = file.with_name("new")
    new.symlink_to("other")
    new.rename(link)

    assert not watched.holds()


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "new").touch(),
        lambda folder: (folder / "file.txt").unlink(),
        lambda folder: (folder / "file.txt").rename(folder / "other"),
        lambda folder: folder.rename(folder.with_name("away")),
        lambda folder: (folder.rename(folder.with_name("away")), folder.mkdir()),
    ],
)
def test_change_of_a_folder_is_noticed(tmp_path, change):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file.txt").touch()
    watched = watch(folder)
    wait_for_another_time(tmp_path)
    assert watched.holds()

    change(folder)

    assert not watched.holds()


def test_what_is_not_there_may_not_come(file):
    twin = file.with_name("file.txt.gz")
    watched = watch(file, twin, file / "inner", file.with_name("nosuch") / "inner")
    assert watched.holds()

    twin.touch()

    assert not watched.holds()


@pytest.mark.parametrize("changed", range(4))
def test_one_of_several_is_enough(tmp_path, changed):
    files = [tmp_path / str(number) for number in range(4)]
    for each in files:
        each.touch()
    watched = watch(*files)
    assert watched.holds()

    files[changed].write_bytes(b"changed")

    assert not watched.holds()


def test_reading_changes_nothing(file):
    watched = watch(file, file.parent)

    file.read_bytes()
    list(file.parent.iterdir())

    assert watched.holds()


def test_what_was_seen_before_counts_and_not_what_is_there_by_now(file):
    seen = file.stat()
    wait_for_another_time(file.parent)
    write_as_long(file)

    assert not Watch([(os.fsencode(file), seen)], ()).holds()
    assert Watch([(os.fsencode(file), file.stat())], ()).holds()


def test_nothing_to_be_watched_holds():
    watched = watch()

    assert watched.holds()
    assert watched.is_settled


# Time


def test_nothing_is_trusted_for_longer_than_a_second(file, clock):
    watched = watch(file)

    for passed, holds in ((0.0, True), (0.5, True), (1.0, True), (1.001, False), (3600.0, False)):
        clock.seconds = 1000.0 + passed
        assert watched.holds() is holds, passed


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0, False),
        (4_000_000, False),
        (50_000_000, False),
        (50_000_001, True),
        (SECOND, True),
        (3600 * SECOND, True),
        (-4_000_000, False),
        (-3600 * SECOND, True),
    ],
    ids=lambda value: f"{value:,}" if value is not True and value is not False else str(value),
)
def test_what_was_changed_a_moment_ago_could_change_again_without_a_trace(file, clock, age, expected):
    clock.since_epoch = file.stat().st_ctime_ns + age

    assert is_settled(file.stat(), clock.since_epoch) is expected
    later = clock.since_epoch + int(time_to_settle(file.stat(), clock.since_epoch) * SECOND) + 1
    assert is_settled(file.stat(), later)
    assert watch(file).is_settled is expected
    assert Watch([(os.fsencode(file), file.stat())], ()).is_settled is expected


def test_one_that_was_changed_a_moment_ago_is_enough(file, clock):
    clock.since_epoch += 3600 * SECOND
    new = SimpleNamespace(st_dev=1, st_ino=1, st_size=1, st_mtime_ns=0, st_ctime_ns=clock.since_epoch)

    assert watch(file).is_settled
    assert not Watch([(b"new", new)], [os.fsencode(file)]).is_settled


def test_time_of_the_content_does_not_settle_anything(file, clock):
    """Anybody can set it."""
    os.utime(file, (0, 0))
    clock.since_epoch = file.stat().st_ctime_ns

    assert not watch(file).is_settled


def test_what_is_not_there_is_settled(file):
    assert watch(file.with_name("nosuch")).is_settled


# What the system says


def test_status_is_that_of_the_system_and_follows_links(file):
    link = file.with_name("link")
    link.symlink_to("file.txt")

    for path in (link, file):
        assert signature_of(status_of(os.fsencode(path))) == signature_of(file.stat())


@pytest.mark.parametrize("name", ["nosuch", "file.txt/x", "loop", "dangling", "n" * 300])
def test_nothing_has_no_status(file, name):
    file.with_name("loop").symlink_to("loop")
    file.with_name("dangling").symlink_to("nowhere")

    assert status_of(os.fsencode(f"{file.parent}/{name}")) is None


def test_signature_says_nothing_about_reading(file):
    before = signature_of(file.stat())
    os.utime(file, ns=(0, file.stat().st_mtime_ns))
    after = signature_of(file.stat())

    assert before[:4] == after[:4]


# The content of a file


@pytest.mark.parametrize(
    ("act", "is_other"),
    [
        (lambda path: path.write_bytes(b"longer than before"), True),
        (lambda path: os.utime(path, (1, 1)), True),
        (lambda path: path.chmod(0o600), False),
        (lambda path: path.rename(path.with_name("other")), False),
        (lambda path: path.unlink(), False),
    ],
    ids=["written", "dated", "closed to others", "renamed", "removed"],
)
def test_version_is_that_of_the_content_whatever_becomes_of_the_name(tmp_path, act, is_other):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        before = version_of(os.fstat(file.fileno()))
        act(path)

        assert (version_of(os.fstat(file.fileno())) != before) is is_other
