"""What changes on the disk is found by the next request, and a change while it is looked for does no harm."""

from __future__ import annotations

import pytest

from aioserve.static.lookup import Lookup, Missing, Redirect
from aioserve.static.tree import Folder
from tests.static.trees import INDEX, before_call, content

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


def test_present_state_is_found(lookup, root):
    (root / "file.txt").write_text("changed")
    assert content(lookup.find("/file.txt")) == b"changed"

    (root / "other").write_text("moved over")
    (root / "other").rename(root / "file.txt")
    assert content(lookup.find("/file.txt")) == b"moved over"

    (root / "file.txt").unlink()
    assert lookup.find("/file.txt") == Missing()

    (root / "file.txt").mkdir()
    assert lookup.find("/file.txt") == Redirect("/file.txt/")


def test_index_that_comes_and_goes_is_found(lookup, root):
    folder = root / "folder/inner"
    assert lookup.find("/folder/inner/") == Folder((b"folder", b"inner"))

    (folder / "index.txt").write_text("second")
    assert content(lookup.find("/folder/inner/")) == b"second"

    (folder / "index.html").write_text("first")
    assert content(lookup.find("/folder/inner/")) == b"first"

    (folder / "index.html").unlink()
    assert content(lookup.find("/folder/inner/")) == b"second"


def test_root_that_was_built_anew_is_found(lookup, root):
    root.rename(root.parent / "old")
    assert lookup.find("/file.txt") == Missing()
    assert lookup.find("/folder/") == Missing()

    root.mkdir()
    (root / "file.txt").write_text("new")
    assert content(lookup.find("/file.txt")) == b"new"


@pytest.mark.parametrize("step", range(1, 12))
def test_folder_that_becomes_a_file_at_any_step_is_missing(tree, root, step):
    folder = root / "folder/inner"

    def become_a_file():
        (folder / "file.txt").unlink()
        folder.rmdir()
        folder.write_text("a file by now")

    with before_call("open", step, become_a_file):
        assert Lookup(tree, INDEX).find("/folder/inner/") == Missing()


def test_page_that_vanishes_before_it_is_looked_at_is_missing(tree, root):
    (root / "about.html").write_text("about")
    lookup = Lookup(tree, INDEX, clean_urls=True)

    with before_call("open", 3, (root / "about.html").unlink):
        assert lookup.find("/about") == Missing()
