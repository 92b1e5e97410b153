"""What the tests of files share."""

from __future__ import annotations

import pytest

from aioserve.static import watch
from aioserve.static.lookup import Lookup
from aioserve.static.tree import FileTree
from tests.static import asking
from tests.static.trees import INDEX, build, count_descriptors


@pytest.fixture
def root(tmp_path):
    return build(tmp_path)


@pytest.fixture
def tree(root):
    return FileTree(root)


@pytest.fixture
def lookup(tree):
    return Lookup(tree, INDEX)


@pytest.fixture
def no_descriptor_is_left():
    before = count_descriptors()
    yield
    assert count_descriptors() <= before  # fewer, where something older was collected meanwhile


@pytest.fixture
def site(tmp_path):
    return asking.build(tmp_path)


@pytest.fixture
def serve(site):
    """Make responders of the site; in the end they leave nothing open."""
    serving = asking.Serving(site)
    yield serving
    serving.close()


@pytest.fixture
def settled(monkeypatch):
    """Let all that was changed have been changed long ago, and the present second not end."""
    monkeypatch.setattr(watch, "_STEP", -1)
    monkeypatch.setattr(watch, "_TRUST", 3600.0)
