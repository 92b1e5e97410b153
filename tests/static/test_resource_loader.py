"""Which forms of a file there are on the disk, and when they are looked for anew."""

from __future__ import annotations

import errno
import os

import pytest

from aioserve.static.representation import SMALL, ChangedMeanwhileError
from aioserve.static.resource import Loader
from aioserve.static.tree import FileTree, Found
from tests.static.files import CHANGED, NOW, BrokenFile, found, write
from tests.static.trees import count_descriptors

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left", "settled")

TEXT = b"The same words again and again. " * 100
LARGE = b"x" * (SMALL + 1)


@pytest.fixture
def root(tmp_path):
    """A folder of its own: nothing in it was changed just now, so that every change shows in a time."""
    root = tmp_path / "files"
    root.mkdir()
    write(root / "page.html", TEXT)
    settle(root)
    return root


def settle(folder):
    os.utime(folder, (CHANGED, CHANGED))


@pytest.fixture
def load(root):
    """Load files; all resources are closed after the test."""
    loaded = []

    def load(name="page.html", *, tree=None, precompressed=True, compress=True, more=()):
        tree = tree or FileTree(root)
        loader = Loader(tree, precompressed=precompressed, compress=compress)
        file = tree.open(tuple(os.fsencode(name).split(b"/")))
        assert isinstance(file, Found)
        loaded.append(loader.load(f"/{name}", file, NOW, more))
        return loaded[-1]

    yield load
    for each in loaded:
        each.close()


def codings_of(resource):
    """The codings that are there on the disk, and the file itself."""
    return resource.offers(in_parts=True, made=True)


# What is loaded


def test_file_is_loaded_under_its_path_and_name(load):
    resource = load()

    assert (resource.path, resource.name) == ("/page.html", "page.html")
    assert resource.identity.media_type == "text/html; charset=utf-8"
    assert (resource.identity.coding, resource.identity.read()) == ("identity", TEXT)
    assert resource.identity.validators.last_modified == CHANGED


@pytest.mark.parametrize(
    ("name", "content", "compress", "expected"),
    [
        ("page.html", TEXT, True, True),
        ("page.html", TEXT, False, False),
        ("page.html", b"short", True, False),
        ("image.png", TEXT, True, False),
    ],
)
def test_file_is_compressible_where_that_is_wanted_and_worth_it(
    load, root, name, content, compress, expected
):
    write(root / name, content)

    assert load(name, compress=compress).is_compressible is expected


# Twins


def test_twins_beside_a_file_are_its_forms(load, root):
    for suffix in ("gz", "zst", "br"):
        write(root / f"page.html.{suffix}", suffix.encode())

    resource = load()

    assert codings_of(resource) == ("br", "zstd", "gzip", "identity")
    for coding, content in (("br", b"br"), ("zstd", b"zst"), ("gzip", b"gz")):
        form = resource.form(coding)
        assert (form.coding, form.read()) == (coding, content)
        assert form.media_type == "text/html; charset=utf-8"
        assert form.has_ranges


def test_twin_has_validators_of_its_own(load, root):
    write(root / "page.html.br", b"br", CHANGED + 5)

    resource = load()

    assert resource.form("br").validators.last_modified == CHANGED + 5
    assert resource.form("br").validators.etag != resource.identity.validators.etag


def test_twins_are_not_looked_for_where_they_are_not_wanted(load, root):
    write(root / "page.html.br", b"br")

    assert codings_of(load(precompressed=False)) == ("identity",)


@pytest.mark.parametrize(
    ("reason", "changed", "expected"),
    [
        ("younger", CHANGED + 1, ("br", "identity")),
        ("of the same time", CHANGED, ("br", "identity")),
        ("older", CHANGED - 1, ("identity",)),
    ],
)
def test_twin_counts_while_it_is_not_older_than_the_file(load, root, reason, changed, expected):
    write(root / "page.html.br", b"br", changed)

    assert codings_of(load()) == expected, reason


def test_a_nanosecond_makes_a_twin_older(load, root):
    write(root / "page.html.br", b"br")
    os.utime(root / "page.html.br", ns=(0, CHANGED * 10**9 - 1))

    assert codings_of(load()) == ("identity",)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda twin, _: twin.mkdir(), id="a folder"),
        pytest.param(lambda twin, _: os.mkfifo(twin), id="a FIFO"),
        pytest.param(lambda twin, _: twin.symlink_to("nowhere"), id="a link to nothing"),
        pytest.param(lambda twin, outside: twin.symlink_to(outside), id="a link that leads out"),
    ],
)
def test_twin_comes_through_the_same_door(load, root, tmp_path, make):
    make(root / "page.html.br", write(tmp_path / "outside", b"not for you", NOW))

    assert codings_of(load()) == ("identity",)


def test_twin_may_be_a_link_that_stays_inside(load, root):
    write(root / "elsewhere", b"br")
    (root / "page.html.br").symlink_to("elsewhere")

    assert load().form("br").read() == b"br"


def test_twin_stands_in_the_folder_of_its_file(load, root):
    (root / "folder").mkdir()
    write(root / "folder/page.html", b"inner")
    write(root / "page.html.br", b"outer")
    write(root / "folder/page.html.gz", b"inner gz")

    assert load("folder/page.html").form("gzip").read() == b"inner gz"
    assert codings_of(load("folder/page.html")) == ("gzip", "identity")


def test_twin_is_a_file_as_well(load, root):
    write(root / "page.html.gz", TEXT)

    resource = load("page.html.gz")

    assert resource.identity.media_type == "application/gzip"
    assert (resource.identity.coding, resource.varies) == ("identity", False)


# Descriptors


class FailingTree(FileTree):
    """A tree in which the twin of one name cannot be had, in one of the ways there are."""

    def __init__(self, root, name, fail):
        super().__init__(root)
        self._folder = root
        self._name = name
        self._fail = fail

    def open(self, names):
        file = super().open(names)
        return self._fail(file, self._folder / os.fsdecode(names[-1])) if names[-1] == self._name else file


def write_more(file, place):
    with place.open("ab") as other:
        other.write(b"more")
    return file


def break_disk(file, place):
    file.file.close()
    return found(BrokenFile(place), place)


def run_out(file, _):
    file.file.close()
    raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.parametrize("name", [b"page.html.br", b"page.html.zst", b"page.html.gz"])
@pytest.mark.parametrize(
    ("fail", "error"), [(write_more, ChangedMeanwhileError), (break_disk, OSError), (run_out, OSError)]
)
@pytest.mark.parametrize("content", [b"small", LARGE], ids=["small", "large"])
def test_nothing_stays_open_where_a_twin_cannot_be_had(root, content, name, fail, error):
    write(root / "page.html", content)
    for suffix in ("gz", "zst", "br"):
        own = b"small" if f"page.html.{suffix}".encode() == name else content
        write(root / f"page.html.{suffix}", own)
    tree = FailingTree(root, name, fail)
    before = count_descriptors()
    file = tree.open((b"page.html",))

    with pytest.raises(error):
        Loader(tree, precompressed=True, compress=True).load("/page.html", file, NOW, ())

    assert count_descriptors() <= before  # fewer, where something older was collected meanwhile
    assert file.file.closed


def test_large_forms_are_open_and_closed_with_the_resource(load, root):
    write(root / "page.html", LARGE)
    write(root / "page.html.gz", LARGE)
    write(root / "page.html.br", b"br")

    resource = load()

    assert resource.descriptors == 2


# What it depends on


def add_twin(root):
    write(root / "page.html.gz", b"gz")


def remove_twin(root):
    (root / "page.html.br").unlink()


def change_twin(root):
    write(root / "page.html.br", b"another br", NOW)


def outlive_twin(root):
    write(root / "page.html", TEXT, CHANGED + 5)


def refresh_outlived_twin(root):
    """In its place, so that the folder shows nothing."""
    write(root / "page.html.zst", b"zst", CHANGED + 5)


def change(root):
    write(root / "page.html", TEXT + b"more")


def replace_by_what_looks_the_same(root):
    write(root / "new", TEXT).rename(root / "page.html")
    settle(root)


def retarget(root):
    """Lead the path elsewhere."""
    write(root / "other", TEXT)
    (root / "page.html").unlink()
    (root / "page.html").symlink_to("other")
    settle(root)


def remove(root):
    (root / "page.html").unlink()


def add_neighbour(root):
    """What could be a better index, or the file that a page stood for."""
    write(root / "index.html", b"")


def exchange_folder(root):
    root.rename(root.with_name("old"))
    root.mkdir()
    for name in ("page.html", "page.html.br", "page.html.zst"):
        (root.with_name("old") / name).rename(root / name)
    settle(root)


@pytest.mark.parametrize(
    "happen",
    [
        add_twin,
        remove_twin,
        change_twin,
        outlive_twin,
        refresh_outlived_twin,
        change,
        replace_by_what_looks_the_same,
        retarget,
        remove,
        add_neighbour,
        exchange_folder,
    ],
)
def test_resource_is_current_until_something_happens(load, root, happen):
    write(root / "page.html.br", b"br")
    write(root / "page.html.zst", b"zst", CHANGED - 5)
    settle(root)
    resource = load()
    assert codings_of(resource) == ("br", "identity")
    assert resource.is_current is not None
    assert resource.is_current()

    happen(root)

    assert not resource.is_current()


@pytest.mark.parametrize("precompressed", [True, False])
def test_more_may_be_watched(load, root, precompressed):
    resource = load(precompressed=precompressed, more=[os.fsencode(root.parent / "_headers")])
    assert resource.watch.holds()

    (root.parent / "_headers").write_text("/*\n")

    assert not resource.watch.holds()


def test_what_happens_elsewhere_does_not_matter(load, root):
    resource = load()

    (root.parent / "elsewhere").write_text("")

    assert resource.watch.holds()
