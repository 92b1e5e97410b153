"""What the tests of the lookup share."""

from __future__ import annotations

import pytest

from aioserve.static.lookup import FileTree
from tests.static.trees import INDEX, build, count_descriptors


@pytest.fixture
def root(tmp_path):
    return build(tmp_path)


@pytest.fixture
def tree(root):
    return FileTree(root, INDEX)


@pytest.fixture
def no_descriptor_is_left():
    before = count_descriptors()
    yield
    assert count_descriptors() <= before  # fewer, where something older was collected meanwhile
