"""What changes on the disk is seen by the next request, and a change between two steps leads nowhere else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from aioserve.static.tree import FileTree, Folder, Found
from tests.static.trees import CANARY, before_call, content, names_of

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

FILE = (b"file.txt",)


def turn(link, target):
    """Lead a link elsewhere at one blow."""
    new = link.with_name("new-link")
    new.symlink_to(target)
    new.rename(link)


def test_present_state_is_opened(tree, root):
    (root / "file.txt").write_text("changed")
    assert content(tree.open(FILE)) == b"changed"

    (root / "other").write_text("moved over")
    (root / "other").rename(root / "file.txt")
    assert content(tree.open(FILE)) == b"moved over"

    (root / "file.txt").unlink()
    assert tree.open(FILE) is None

    (root / "file.txt").mkdir()
    assert tree.open(FILE) == Folder(FILE)


def test_link_that_was_turned_leads_to_its_new_target(tree, root):
    turn(root / "link-to-file", "folder/file.txt")
    assert content(tree.open((b"link-to-file",))) == b"folder/file.txt"

    turn(root / "link-to-file", root.parent / "outside/file.txt")
    assert tree.open((b"link-to-file",)) is None

    turn(root / "link-to-file", "file.txt")
    assert content(tree.open((b"link-to-file",))) == b"file.txt"


# The root


def test_root_that_was_built_anew_is_found(tree, root):
    root.rename(root.parent / "old")
    assert tree.open(FILE) is None

    root.mkdir()
    (root / "file.txt").write_text("new")
    assert content(tree.open(FILE)) == b"new"


@pytest.fixture
def current(tmp_path):
    """A link to the first of two releases, each with an absolute link to its own file."""
    for release in ("1", "2"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "file.txt").write_text(release)
        (tmp_path / release / "own").symlink_to(tmp_path / release / "file.txt")
        (tmp_path / release / "present").symlink_to(tmp_path / "current/file.txt")
    (tmp_path / "current").symlink_to("1")
    return tmp_path / "current"


def test_root_may_be_a_link_and_be_turned(current):
    tree = FileTree(current)
    for release in (b"1", b"2"):
        turn(current, os.fsdecode(release))

        assert [content(tree.open((name,))) for name in (b"file.txt", b"own", b"present")] == [release] * 3


def test_root_that_is_turned_during_a_walk_is_still_one_of_the_two(current):
    tree = FileTree(current)
    for step in (1, 2):
        for release in ("1", "2"):
            with before_call("open", step, lambda to=release: turn(current, to)):
                assert content(tree.open(FILE)) in {b"1", b"2"}


def test_relative_root_stays_where_it_was(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    tree = FileTree(Path("root"))
    monkeypatch.chdir(root.parent / "outside")

    assert content(tree.open(FILE)) == b"file.txt"


# Between two steps


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        (1, None),
        (2, None),
        (3, b"folder/inner/file.txt"),
        (4, b"folder/inner/file.txt"),
    ],
)
def test_folder_exchanged_for_a_link_between_two_steps_leads_nowhere_else(tree, root, opens, expected):
    (root.parent / "outside/inner").mkdir()
    (root.parent / "outside/inner/file.txt").write_bytes(CANARY)

    def exchange():
        (root / "folder").rename(root / "folder-was-here")
        (root / "folder").symlink_to(root.parent / "outside")

    with before_call("open", opens, exchange):
        outcome = tree.open(names_of("folder/inner/file.txt"))

    assert outcome == expected or content(outcome) == expected


@pytest.mark.parametrize(
    ("call", "number"),
    [("open", 1), ("open", 2), ("open", 4), ("open", 6), ("readlink", 1), ("readlink", 2), ("readlink", 3)],
)
def test_link_turned_outwards_during_the_walk_leads_nowhere_else(tree, root, call, number):
    (root / "two").symlink_to("link-to-folder/link-up/folder")
    walk = names_of("two/file.txt")

    with before_call(call, number, lambda: turn(root / "link-to-folder", root.parent / "outside")):
        outcome = tree.open(walk)

    assert outcome is None or content(outcome) == b"folder/file.txt"


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_link_turned_inside_during_the_walk_leads_to_one_of_the_two(tree, root, number):
    with before_call("open", number, lambda: turn(root / "link-to-folder", "folder/inner")):
        outcome = tree.open(names_of("link-to-folder/file.txt"))

    assert content(outcome) in {b"folder/file.txt", b"folder/inner/file.txt"}


def test_file_that_takes_the_place_of_a_link_is_opened(tree, root):
    """It has been there all the time: no request may miss it."""

    def exchange():
        (root / "new").write_text("new")
        (root / "new").rename(root / "link-to-file")

    with before_call("readlink", 1, exchange):
        assert content(tree.open((b"link-to-file",))) == b"new"


def test_link_that_goes_in_the_moment_in_which_it_is_read_is_nothing(tree, root):
    for name, path in (("link-to-file", "link-to-file"), ("link-to-folder", "link-to-folder/file.txt")):
        with before_call("readlink", 1, (root / name).unlink):
            assert tree.open(names_of(path)) is None


def test_link_turned_at_each_step_is_given_up(tree, root):
    """However fast somebody is, a walk ends."""
    real, targets = os.readlink, 0

    def readlink(*args, **kwargs):
        nonlocal targets
        targets += 1
        turn(root / "link-to-file", f"x/../{targets}")
        return real(*args, **kwargs)

    (root / "x").symlink_to("folder/..")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "readlink", readlink)
        assert tree.open((b"link-to-file",)) is None

    assert targets < 50


def test_folder_exchanged_for_a_link_all_the_time_leads_nowhere_else(tree, root):
    folder, link, aside = root / "folder", root / "link-out", root / "aside"
    (root / "link-out-later").symlink_to("folder/inner/../file.txt")
    stop = threading.Event()
    swaps = 0

    def swap():
        nonlocal swaps
        while not stop.is_set():
            folder.rename(aside)
            link.rename(folder)
            swaps += 1
            folder.rename(link)
            aside.rename(folder)

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        seen = set()
        while swaps < 5_000 or not seen:
            for path in ("folder/file.txt", "folder", "link-out/file.txt", "link-to-folder/file.txt"):
                match tree.open(names_of(path)):
                    case Found() as found:
                        seen.add(content(found))
    finally:
        stop.set()
        swapper.join()

    assert seen == {b"folder/file.txt"}
