"""What a folder holds, and in which order."""

from __future__ import annotations

import gc
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.entries import natural_key, read_entries, sort_entries
from tests.static.asking import Entry

FILE_NAMES = st.text(st.characters(exclude_categories=(), exclude_characters="\0/"), min_size=1, max_size=12)
ENTRIES = st.lists(
    st.builds(
        lambda name, is_folder, size, modified: Entry(name, is_folder, 0 if is_folder else size, modified),
        FILE_NAMES | st.text("aAbB01259äÄ._-", min_size=1, max_size=5),
        st.booleans(),
        st.integers(0, 2**63 - 1) | st.integers(0, 2),
        st.floats(-(2.0**62), 2.0**62) | st.integers(0, 2),
    ),
    unique_by=lambda entry: entry.name,
)


@pytest.fixture
def folder(tmp_path):
    for name in ("file.txt", ".env", ".well-known.txt", "_headers", "_redirects", "back\\slash", "a\nb"):
        (tmp_path / name).write_text(name)
    for name in ("folder", ".git", ".well-known"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def read(folder):
    """Read the folder as it is by then."""

    def read(**options):
        found = read_entries(
            descriptor, **{"may_see": lambda _name: True, "follow": follow_nothing} | options
        )
        return [Entry(*each) for each in found]

    descriptor = os.open(folder, os.O_RDONLY)
    yield read
    os.close(descriptor)  # still open


def follow_nothing(name):
    raise AssertionError(f"{name} is no link")


def names(entries):
    return sorted(entry.name for entry in entries)


# Reading


def test_entry_says_what_the_disk_does(folder, read):
    os.truncate(folder / "file.txt", 5_000_000_000)
    os.utime(folder / "file.txt", (0, 1_700_000_000.5))
    os.utime(folder / "folder", (0, -1))

    entries = {entry.name: entry for entry in read()}

    assert entries["file.txt"] == Entry(
        "file.txt", is_folder=False, size=5_000_000_000, modified=1_700_000_000.5
    )
    assert entries["folder"] == Entry("folder", is_folder=True, size=0, modified=-1)


def test_names_that_must_not_be_seen_are_left_out(read):
    shown = read(may_see=lambda name: name.startswith("f"))

    assert names(shown) == ["file.txt", "folder"]


def test_only_files_and_folders_are_shown(folder, read):
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))

        assert {"fifo", "socket"}.isdisjoint(names(read()))


def test_links_are_what_they_are_said_to_lead_to(folder, read):
    for name in ("to-file", "to-folder", "to-fifo", "outside", ".hidden"):
        (folder / name).symlink_to(folder / "file.txt")
    os.mkfifo(folder / "fifo")
    leads = {
        "to-file": (folder / "file.txt").stat(),
        "to-folder": folder.stat(),
        "to-fifo": (folder / "fifo").stat(),
        "outside": None,
    }

    entries = {
        entry.name: entry
        for entry in read(follow=leads.__getitem__, may_see=lambda name: not name.startswith("."))
    }

    assert entries["to-file"][1:] == (False, len("file.txt"), leads["to-file"].st_mtime)
    assert entries["to-folder"][1:] == (True, 0, leads["to-folder"].st_mtime)
    assert entries.keys().isdisjoint(("to-fifo", "outside", ".hidden"))


def test_what_vanishes_meanwhile_is_left_out(folder, read):
    links = {"one", "two"}
    for name in links:
        (folder / name).symlink_to("file.txt")
    followed = []

    def follow(name):
        followed.append(name)
        (folder / (links - {name}).pop()).unlink()
        return (folder / "file.txt").stat()

    assert links.intersection(names(read(follow=follow))) == set(followed)
    assert len(followed) == 1


def test_name_that_does_not_decode_is_read(folder, read):
    (folder / "caf\udce9").touch()

    assert "caf\udce9" in names(read())


def test_garbage_collector_has_nothing_to_do_with_entries(folder):
    """To go through 100,000 at one blow would keep the event loop waiting."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        entries = read_entries(descriptor, may_see=lambda _name: True, follow=follow_nothing)
    finally:
        os.close(descriptor)
    gc.collect()

    assert entries
    assert not any(map(gc.is_tracked, sort_entries(entries, "size", descending=True)))


def test_folder_is_read_anew_each_time(folder, read):
    before = read()
    (folder / "new").touch()

    assert names(read()) == sorted([*names(before), "new"])


def test_what_is_no_folder_is_an_error(folder):
    descriptor = os.open(folder / "file.txt", os.O_RDONLY)
    try:
        with pytest.raises(NotADirectoryError):
            read_entries(descriptor, may_see=lambda _name: True, follow=follow_nothing)
    finally:
        os.close(descriptor)


# Sorting


def file(name, size=0, modified=0.0):
    return Entry(name, is_folder=False, size=size, modified=modified)


def folder_named(name, modified=0.0):
    return Entry(name, is_folder=True, size=0, modified=modified)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("by value", "file2 file10 file100"),
        ("zeros before a number say nothing", "01 1 001a 2"),
        ("a number of any length", f"{'9' * 40} 1{'0' * 40}"),
        ("several numbers", "1.9.10 1.10.2 1.10.10"),
        ("whatever the case", "a B c"),
        ("whatever the accent", "apfel Äpfel b"),
        ("whatever the form of the accent", "cafe cafe\u0301 café cafes"),
        ("digits of other scripts have no value", "a1 a2 a\u0661"),
        ("numbers before letters", "1 10 a"),
        ("the shorter one first", "a a.b ab"),
        ("nothing but the case differs", "A a"),
        ("undecoded bytes", "a \udcff"),
    ],
)
def test_names_sort_naturally(reason, expected):
    expected = expected.split(" ")
    entries = [file(name) for name in expected[1:] + expected[:1]]

    assert [each.name for each in sort_entries(entries, "name", descending=False)] == expected, reason
    assert [each.name for each in sort_entries(entries, "name", descending=True)] == expected[::-1], reason


SOME = [
    file("b", 10, 3.0),
    folder_named("y", 5.0),
    file("a", 10, 4.0),
    file("c", 9, -5.0),
    folder_named("x", 6.0),
]


@pytest.mark.parametrize(
    ("by", "descending", "expected"),
    [
        ("name", False, "x y a b c"),
        ("name", True, "y x c b a"),
        ("size", False, "x y c a b"),
        ("size", True, "x y a b c"),
        ("date", False, "y x c b a"),
        ("date", True, "x y a b c"),
    ],
)
def test_folders_come_first_and_names_decide_the_rest(by, descending, expected):
    assert " ".join(each.name for each in sort_entries(SOME, by, descending=descending)) == expected


def test_dates_count_by_the_second():
    entries = [file("b", modified=1.1), file("a", modified=1.9)]

    assert [each.name for each in sort_entries(entries, "date", descending=True)] == ["a", "b"]


@pytest.mark.parametrize("descending", [False, True])
def test_many_are_sorted_as_few(descending):
    numbers = [number * 7919 % 20_000 for number in range(20_000)]
    entries = [file(f"file{number}", number // 2) for number in numbers]

    by_name = sort_entries(entries, "name", descending=descending)
    by_size = sort_entries(entries, "size", descending=descending)

    assert [each.name for each in by_name] == [
        f"file{number}" for number in sorted(numbers, reverse=descending)
    ]
    assert [each.size for each in by_size] == sorted([n // 2 for n in numbers], reverse=descending)


@given(ENTRIES, st.sampled_from(["name", "size", "date"]), st.booleans(), st.randoms())
def test_order_is_total_and_does_not_depend_on_the_order_before(entries, by, descending, random):
    result = sort_entries(entries, by, descending=descending)
    shuffled = random.sample(entries, len(entries))

    assert result == sort_entries(shuffled, by, descending=descending)
    assert sorted(result) == sorted(entries)
    assert [each.is_folder for each in result] == sorted((each.is_folder for each in entries), reverse=True)
    if by == "size":
        sizes = [each.size for each in result if not each.is_folder]
        assert sizes == sorted(sizes, reverse=descending)


@given(st.lists(FILE_NAMES, unique=True))
def test_no_two_names_have_one_key(names):
    assert len({natural_key(name) for name in names}) == len(names)


@given(st.integers(0), st.integers(0), st.text("ab", max_size=2))
def test_numbers_sort_by_their_value(one, other, around):
    keys = natural_key(f"{around}{one}{around}"), natural_key(f"{around}{other}{around}")

    assert (keys[0] < keys[1]) == (one < other)
