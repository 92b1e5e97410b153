"""A URL belongs to one folder, whether or not that has something for it."""

from __future__ import annotations

import pytest

from aioserve.static.mounts import Mounts
from tests.static.asking import request


class Folder:
    """A folder that has some paths."""

    def __init__(self, prefix, *paths):
        self.prefix = prefix
        self.store = object()
        self._paths = paths

    def owns(self, path):
        return path == self.prefix or path.startswith(f"{self.prefix}/")

    def __call__(self, message):
        return (self.prefix, message.raw_path) if message.raw_path in self._paths else None


@pytest.fixture
def folders():
    return [
        Folder("/docs", "/docs/a"),
        Folder("", "/a", "/docs/b", "/docs/api/c", "/docsx"),
        Folder("/docs/api", "/docs/api/a"),
    ]


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/a", ("", "/a")),
        ("/docsx", ("", "/docsx")),
        ("/docs/a", ("/docs", "/docs/a")),
        ("/docs/api/a", ("/docs/api", "/docs/api/a")),
        ("/docs/b", None),
        ("/docs/api/c", None),
        ("/docs", None),
        ("/b", None),
    ],
)
def test_url_belongs_to_the_folder_with_the_longest_place_and_to_no_other(folders, path, answer):
    assert Mounts(folders)(request("GET", path)) == answer


def test_url_beneath_no_folder_is_left_to_others():
    assert Mounts([Folder("/docs", "/docs/a")])(request("GET", "/a")) is None


def test_all_that_is_kept_is_known(folders):
    assert {*Mounts(folders).stores} == {each.store for each in folders}
