"""What stands for a path is kept while it is right, and loaded anew when it is not."""

from __future__ import annotations

import os

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.static import finder as finder_module
from aioserve.static import watch
from aioserve.static.finder import Cold, Finder, Unsettled
from aioserve.static.lookup import Lookup, Missing, Redirect
from aioserve.static.resource import Loader, Resource
from aioserve.static.tree import FileTree, Folder

NOW = 1_800_000_000
ROOM = 1_000_000

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left", "settled")


class Loading(Loader):
    """Loads, and counts how often."""

    count = 0

    def load(self, *args):
        self.count += 1
        return super().load(*args)


class Finding:
    """A finder of a site, whose resources are given back at once."""

    def __init__(self, site, room=ROOM):
        tree = FileTree(site)
        self.lookup = Lookup(tree, ["index.html"])
        self.loading = Loading(tree, precompressed=True, compress=True)
        self.finder = Finder(self.lookup, self.loading, (), room, lambda: NOW + 0.9, lambda *_: None)

    def find(self, path, *, may_wait=True):
        found = self.finder.find(path, may_wait=may_wait)
        if isinstance(found, Resource):
            found.close()
        return found


@pytest.fixture
def finding(site):
    finding = Finding(site)
    yield finding
    finding.finder.store.close()


@pytest.fixture
def cold(monkeypatch):
    """Have no file in memory."""
    monkeypatch.setattr(finder_module, "is_in_memory", lambda *_: False)


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/file.txt", Resource), ("/bare/", Folder), ("/bare", Redirect), ("/nothing", Missing)],
)
def test_it_is_what_the_lookup_says(finding, path, kind):
    assert isinstance(finding.find(path), kind)


def test_file_is_loaded_once(finding):
    assert finding.find("/file.txt") is finding.find("/file.txt")
    assert finding.loading.count == 1


def test_file_that_changed_is_loaded_again(finding, site):
    first = finding.find("/file.txt")
    (site / "file.txt").write_bytes(b"other")

    assert finding.find("/file.txt") is not first
    assert finding.loading.count == 2


def test_what_was_made_of_the_same_content_is_taken_over(finding, site):
    first = finding.find("/text.txt")
    first.make("gzip")
    os.utime(site / "text.txt", (NOW, NOW))

    assert finding.find("/text.txt").form("gzip") is first.form("gzip")


def test_file_that_was_just_changed_is_loaded_each_time(finding, monkeypatch):
    """Another change could leave no trace."""
    monkeypatch.setattr(watch, "_STEP", 10**30)

    finding.find("/file.txt")
    finding.find("/file.txt")

    assert finding.loading.count == 2


def test_file_that_has_gone_is_kept_no_more(finding, site):
    finding.find("/large.bin")
    assert len(finding.finder.store) == 1
    (site / "large.bin").unlink()

    assert finding.find("/large.bin") == Missing()
    assert len(finding.finder.store) == 0


def test_nothing_is_kept_without_room(site):
    finding = Finding(site, room=0)

    finding.find("/file.txt")

    assert len(finding.finder.store) == 0


@pytest.mark.parametrize("times", [1, 4])
def test_file_that_is_written_while_it_is_read_is_opened_again(finding, site, monkeypatch, times):
    left = [times]

    def find(path, find=finding.lookup.find):
        outcome = find(path)
        if left[0]:
            left[0] -= 1
            with (site / "file.txt").open("ab") as file:
                file.write(b"+")
        return outcome

    monkeypatch.setattr(finding.lookup, "find", find)

    assert finding.find("/file.txt").identity.content == b"0123456789" + b"+" * times


def test_file_that_is_always_written_while_it_is_read_is_for_later(finding, site, monkeypatch):
    def find(path, find=finding.lookup.find):
        outcome = find(path)
        with (site / "file.txt").open("ab") as file:
            file.write(b"+")
        return outcome

    monkeypatch.setattr(finding.lookup, "find", find)

    with pytest.raises(HttpProcessingError) as raised:
        finding.find("/file.txt")
    assert (raised.value.code, raised.value.headers) == (503, (("Retry-After", "1"),))


# What is not in memory


@pytest.mark.usefixtures("cold")
def test_small_file_that_is_not_in_memory_is_to_be_fetched(finding, site):
    cold = finding.find("/file.txt")

    assert isinstance(cold, Cold)
    assert (cold.fetch.offset, cold.fetch.length) == (0, 10)
    assert os.fstat(cold.fetch.descriptor).st_ino == (site / "file.txt").stat().st_ino
    cold.fetch()
    assert finding.loading.count == 0


@pytest.mark.usefixtures("cold")
def test_what_was_fetched_is_read_wherever_it_is_now(finding):
    """Memory may be short, and some file systems never say that they need not wait."""
    finding.find("/file.txt").fetch()

    assert isinstance(finding.find("/file.txt"), Resource)


@pytest.mark.usefixtures("cold")
def test_it_is_fetched_again_for_the_next(finding):
    finding.find("/file.txt").fetch()
    finding.find("/file.txt")
    finding.finder.store.close()

    cold = finding.find("/file.txt")

    assert isinstance(cold, Cold)
    cold.fetch()


@pytest.mark.usefixtures("cold")
def test_large_file_is_opened_at_once(finding):
    """It is fetched piece by piece, when it is sent."""
    assert isinstance(finding.find("/large.bin"), Resource)


def test_large_file_that_was_changed_just_now_settles_first(finding, monkeypatch):
    """Its entity tag is made of times, and another change could leave them as they are."""
    monkeypatch.setattr(watch, "_STEP", 3600 * 10**9)
    waits = finding.find("/large.bin")

    assert isinstance(waits, Unsettled)
    assert 3590 < waits.delay <= 3600
    assert isinstance(finding.find("/large.bin", may_wait=False), Resource)
    assert isinstance(finding.find("/file.txt"), Resource)


@pytest.mark.usefixtures("cold")
def test_who_cannot_wait_has_it_read(finding):
    assert isinstance(finding.find("/file.txt", may_wait=False), Resource)


@pytest.mark.usefixtures("cold")
def test_fetches_that_nobody_waited_for_are_forgotten(finding, site, monkeypatch):
    monkeypatch.setattr(finder_module, "_MOST_FETCHED", 3)
    for number in range(10):
        (site / f"{number}").write_bytes(b"1")
        finding.find(f"/{number}").fetch()

    assert len(finding.finder._fetched) <= 3


def test_file_is_not_seen_through_a_link_that_took_the_place_of_a_folder_further_up(finding, site, tmp_path):
    """Everything about the file and its own folder is the same then."""
    (site / "folder/inner").mkdir()
    (site / "folder/inner/file.txt").write_bytes(b"seen once")
    assert isinstance(finding.find("/folder/inner/file.txt"), Resource)

    (site / "folder").rename(tmp_path / "outside")
    (site / "folder").symlink_to(tmp_path / "outside")

    assert finding.find("/folder/inner/file.txt") == Missing()


def test_it_is_told_whether_what_is_found_was_kept(finding):
    found = []
    finding.find("/file.txt")
    finding.finder.on_found = found.append
    finding.find("/file.txt")
    finding.finder.store.forget("/file.txt")
    finding.find("/file.txt")

    assert found == [True, False]
