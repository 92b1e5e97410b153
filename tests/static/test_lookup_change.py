"""What changes on the disk is seen by the next request, and a change between two steps leads nowhere else."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from aioserve.static.lookup import FileTree, Found, Missing
from tests.static.trees import CANARY, content

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


def test_present_state_is_found(tree, root):
    (root / "file.txt").write_text("changed")
    assert content(tree.lookup("/file.txt")) == b"changed"

    (root / "other").write_text("moved over")
    (root / "other").rename(root / "file.txt")
    assert content(tree.lookup("/file.txt")) == b"moved over"

    (root / "file.txt").unlink()
    assert tree.lookup("/file.txt") == Missing()


def test_root_that_was_built_anew_is_found(tree, root):
    root.rename(root.parent / "old")
    assert tree.lookup("/file.txt") == Missing()

    root.mkdir()
    (root / "file.txt").write_text("new")
    assert content(tree.lookup("/file.txt")) == b"new"


def test_root_may_be_a_link_and_be_turned(tmp_path):
    for release in ("1", "2"):
        (tmp_path / release).mkdir()
        (tmp_path / release / "file.txt").write_text(release)
    current = tmp_path / "current"
    current.symlink_to("1")
    tree = FileTree(current, ())
    assert content(tree.lookup("/file.txt")) == b"1"

    current.unlink()
    current.symlink_to("2")
    assert content(tree.lookup("/file.txt")) == b"2"


def test_relative_root_stays_where_it_was(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    tree = FileTree(Path("root"), ())
    monkeypatch.chdir(root.parent / "outside")

    assert content(tree.lookup("/file.txt")) == b"file.txt"


@pytest.mark.parametrize(
    ("opens", "expected"),
    [
        (1, Missing()),
        (2, b"folder/inner/file.txt"),
        (3, b"folder/inner/file.txt"),
        (4, b"folder/inner/file.txt"),
    ],
)
def test_folder_exchanged_for_a_link_between_two_steps_leads_nowhere_else(
    tree, root, monkeypatch, opens, expected
):
    (root.parent / "outside/inner").mkdir()
    (root.parent / "outside/inner/file.txt").write_bytes(CANARY)
    real_open, count = os.open, 0

    def open_after_exchange(*args, **kwargs):
        nonlocal count
        count += 1
        if count == opens:
            (root / "folder").rename(root / "folder-was-here")
            (root / "folder").symlink_to(root.parent / "outside")
        return real_open(*args, **kwargs)

    monkeypatch.setattr(os, "open", open_after_exchange)
    outcome = tree.lookup("/folder/inner/file.txt")
    monkeypatch.undo()

    assert outcome == expected or content(outcome) == expected


def test_folder_exchanged_for_a_link_all_the_time_leads_nowhere_else(tree, root):
    folder, link, aside = root / "folder", root / "link-out", root / "aside"
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
            for path in ("/folder/file.txt", "/folder/", "/folder", "/link-out/file.txt"):
                match tree.lookup(path):
                    case Found() as found:
                        seen.add(content(found))
    finally:
        stop.set()
        swapper.join()

    assert seen <= {b"folder/file.txt", b"folder/index.html"}
