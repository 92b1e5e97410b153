"""Where symbolic links lead: as far as the root, and no further unless that is asked for."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static.tree import FileTree, Folder, Found
from aioserve.static.watch import signature_of
from tests.static.trees import CANARY, content, names_of

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


def link(root, links):
    """Make links, each ``name -> target``; ``{root}`` and ``{base}`` in a target stand for absolute paths."""
    for each in links.split(", "):
        name, target = each.split(" -> ")
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target.format(root=root, base=root.parent))


def seen(tree, path):
    """Say what is opened: the content of a file, a folder, or nothing."""
    match tree.open(names_of(path)):
        case Found() as found:
            assert found.names == names_of(path)
            return content(found).decode()
        case Folder(names):
            assert names == names_of(path)
            return Folder
        case nothing:
            return nothing


# What is followed. The third column is what is opened, the last what is in it.
FOLLOWED = [
    ("to a file", "l -> file.txt", "l", "file.txt"),
    ("to a file further down", "l -> folder/inner/file.txt", "l", "folder/inner/file.txt"),
    ("to a file further up", "folder/l -> ../file.txt", "folder/l", "file.txt"),
    ("to a file beside the folder", "texts/l -> ../folder/file.txt", "texts/l", "folder/file.txt"),
    ("two folders up", "folder/inner/l -> ../../file.txt", "folder/inner/l", "file.txt"),
    ("to a folder", "l -> folder", "l", Folder),
    ("through a folder", "l -> folder", "l/file.txt", "folder/file.txt"),
    ("through a folder with a slash", "l -> folder/", "l/file.txt", "folder/file.txt"),
    ("to a folder with a slash", "l -> folder/", "l", Folder),
    ("to a link to a folder with slashes", "l -> m/./, m -> folder/", "l", Folder),
    ("up from a link with a slash", "l -> m/../file.txt, m -> folder/inner/.", "l", "folder/file.txt"),
    ("through a folder further down", "l -> folder/inner", "l/file.txt", "folder/inner/file.txt"),
    ("in the middle", "folder/l -> inner", "folder/l/file.txt", "folder/inner/file.txt"),
    ("in the middle, upwards", "folder/l -> ..", "folder/l/texts/index.txt", "texts/index.txt"),
    ("to the root from inside", "folder/l -> ..", "folder/l", Folder),
    ("to the root from itself", "l -> .", "l/l/l/file.txt", "file.txt"),
    ("absolute", "l -> {root}/folder/file.txt", "l", "folder/file.txt"),
    ("absolute, from further down", "folder/inner/l -> {root}/file.txt", "folder/inner/l", "file.txt"),
    ("absolute, through a folder", "l -> {root}/folder", "l/inner/file.txt", "folder/inner/file.txt"),
    ("absolute, to the root", "l -> {root}", "l/file.txt", "file.txt"),
    ("absolute, to the root with a slash", "l -> {root}/", "l", Folder),
    ("dots and slashes that say nothing", "l -> ./folder//./inner/./file.txt", "l", "folder/inner/file.txt"),
    ("down and up again", "l -> folder/inner/../file.txt", "l", "folder/file.txt"),
    ("down and up to the root", "l -> folder/..", "l/file.txt", "file.txt"),
    ("down and up to a folder", "l -> folder/inner/..", "l", Folder),
    ("up, down, up", "folder/l -> ../texts/../file.txt", "folder/l", "file.txt"),
    ("absolute, down and up", "l -> {root}/folder/../file.txt", "l", "file.txt"),
    ("a chain", "l -> m, m -> n, n -> file.txt", "l", "file.txt"),
    ("a chain through folders", "l -> m/inner, m -> n, n -> folder", "l/file.txt", "folder/inner/file.txt"),
    ("a chain of both kinds", "l -> {root}/m, m -> folder/n, folder/n -> ../file.txt", "l", "file.txt"),
    ("two on one way", "l -> folder, folder/m -> inner", "l/m/file.txt", "folder/inner/file.txt"),
    ("up from where a link leads", "l -> folder/inner, m -> l/../file.txt", "m", "folder/file.txt"),
    ("the same one twice", "l -> folder, m -> l/../l/file.txt", "m", "folder/file.txt"),
    ("to a name that looks like one of a URL", "l -> two words.txt", "l", "two words.txt"),
    ("to a name that looks encoded", "l -> percent%2e.txt", "l", "percent%2e.txt"),
    ("into .well-known", "l -> .well-known/token", "l", ".well-known/token"),
    ("out of .well-known", ".well-known/l -> ../file.txt", ".well-known/l", "file.txt"),
]


@pytest.mark.parametrize(("reason", "links", "path", "expected"), FOLLOWED)
def test_link_that_stays_inside_is_followed(root, reason, links, path, expected):
    link(root, links)

    for tree in (FileTree(root), FileTree(root, hidden=True), FileTree(root, follow_symlinks=True)):
        assert seen(tree, path) == expected, reason


@pytest.mark.parametrize(("reason", "links", "path", "expected"), FOLLOWED)
def test_status_is_that_of_what_the_link_leads_to(root, reason, links, path, expected):
    link(root, links)
    tree = FileTree(root)

    assert signature_of(tree.status_of(names_of(path))) == signature_of((root / path).stat()), reason
    if expected is Folder:
        with tree.open_folder(names_of(path)) as descriptor:
            assert sorted(os.listdir(descriptor)) == sorted(os.listdir(root / path))  # noqa: PTH208 - names
    else:
        with pytest.raises(NotADirectoryError), tree.open_folder(names_of(path)):
            pass


@pytest.mark.parametrize(
    ("reason", "links", "path"),
    [
        ("to them", "l -> _headers", "l"),
        ("absolute", "l -> {root}/_redirects", "l"),
        ("from further down", "folder/l -> ../_headers", "folder/l"),
        ("down and up again", "l -> folder/../_headers", "l"),
        ("through the root", "l -> .", "l/_headers"),
        ("through the root from further down", "folder/l -> ..", "folder/l/_redirects"),
        ("a chain", "l -> folder/m, folder/m -> ../n, n -> _headers", "l"),
    ],
)
def test_link_shows_no_rules_for_the_server(root, reason, links, path):
    for name in ("_headers", "_redirects"):
        (root / name).write_text("rules")
    link(root, links)

    for tree in (FileTree(root), FileTree(root, hidden=True)):
        assert seen(tree, path) is None, reason
        assert tree.status_of(names_of(path)) is None, reason


def test_link_to_what_only_looks_like_rules_is_followed(root):
    (root / "folder/_headers").write_text("no rules")
    link(root, "l -> folder/_headers, m -> folder")

    assert [seen(FileTree(root), path) for path in ("l", "m/_headers")] == ["no rules", "no rules"]


def test_where_links_may_lead_anywhere_their_targets_are_not_judged(root):
    """Whoever asks for that has to look where they lead."""
    (root / ".secret").write_text("hidden")
    link(root, "l -> .secret")

    assert seen(FileTree(root), "l") is None
    assert seen(FileTree(root, follow_symlinks=True), "l") == "hidden"


OUT = [
    ("absolute", "l -> {base}/outside/file.txt", "l"),
    ("absolute, to a folder", "l -> {base}/outside", "l"),
    ("absolute, through a folder", "l -> {base}/outside", "l/file.txt"),
    ("to the folder above", "l -> ..", "l"),
    ("relative", "l -> ../outside/file.txt", "l"),
    ("relative, through a folder", "l -> ../outside", "l/file.txt"),
    ("further up than it is deep", "folder/l -> ../../outside/file.txt", "folder/l"),
    ("in the middle", "folder/l -> ../..", "folder/l/outside/file.txt"),
    ("down, and further up", "l -> folder/../../outside/file.txt", "l"),
    ("down, and further up at once", "l -> folder/inner/../../../outside/file.txt", "l"),
    ("absolute, and up", "l -> {root}/../outside/file.txt", "l"),
    ("absolute, down, and up", "l -> {root}/folder/../../outside/file.txt", "l"),
    (
        "where the name only begins like the root's",
        "../root-2/file.txt -> ../root/file.txt, l -> {root}-2",
        "l",
    ),
    ("the last of a chain", "l -> m, m -> folder/n, folder/n -> ../../outside", "l/file.txt"),
    ("the first of a chain", "l -> ../outside/m, ../outside/m -> ../root/file.txt", "l"),
    ("up from where a link leads", "l -> folder/inner, m -> l/../../../outside/file.txt", "m"),
    ("up from a link", "folder/l -> .., m -> folder/l/../outside/file.txt", "m"),
    ("out, and in again", "l -> ../root/file.txt", "l"),
    ("out, and in again by a folder", "folder/l -> ../../root/folder", "folder/l/file.txt"),
    ("out by an absolute link, and in again", "l -> {root}/../root/file.txt", "l"),
    ("the whole file system", "l -> /", "l/{root}/file.txt"),
]


@pytest.mark.parametrize(("reason", "links", "path"), OUT)
def test_link_that_leads_out_is_followed_only_where_that_is_asked_for(root, reason, links, path):
    link(root, links)
    path = path.format(root=str(root)[1:])

    for tree in (FileTree(root), FileTree(root, hidden=True)):
        assert tree.open(names_of(path)) is None, reason
        assert tree.status_of(names_of(path)) is None, reason
        with pytest.raises(OSError, match=os.strerror(errno.EXDEV)), tree.open_folder(names_of(path)):
            pass
    followed = FileTree(root, follow_symlinks=True)
    assert seen(followed, path) == (Folder if (root / path).is_dir() else (root / path).read_text()), reason
    assert signature_of(followed.status_of(names_of(path))) == signature_of((root / path).stat())


HIDDEN = [
    ("a file", "l -> .env", "l", ".env"),
    ("a file, absolute", "l -> {root}/.env", "l", ".env"),
    ("a file, from further down", "folder/l -> ../.env", "folder/l", ".env"),
    ("a folder", "l -> .hidden", "l", Folder),
    ("through a folder", "l -> .hidden", "l/file.txt", ".hidden/file.txt"),
    ("into a folder", "l -> .hidden/file.txt", "l", ".hidden/file.txt"),
    ("the last of a chain", "l -> m, m -> .env", "l", ".env"),
    ("through a hidden link", "l -> .m, .m -> file.txt", "l", "file.txt"),
    ("in .well-known", "l -> .well-known/.secret", "l", ".well-known/.secret"),
    ("into a folder and out again", "l -> .hidden/../file.txt", "l", "file.txt"),
]


@pytest.mark.parametrize(("reason", "links", "path", "expected"), HIDDEN)
def test_link_to_what_is_hidden_is_followed_only_where_that_may_be_seen(root, reason, links, path, expected):
    link(root, links)

    assert FileTree(root).open(names_of(path)) is None, reason
    assert FileTree(root).status_of(names_of(path)) is None, reason
    assert seen(FileTree(root, hidden=True), path) == expected, reason


def test_whoever_follows_links_anywhere_follows_them_to_what_is_hidden(root):
    """That a link was made is what counts then; names in URLs stay hidden."""
    link(root, "l -> .env")
    tree = FileTree(root, follow_symlinks=True)

    assert seen(tree, "l") == ".env"
    assert tree.parse("/.env") is None


@pytest.mark.parametrize(
    ("reason", "links", "path"),
    [
        ("to itself", "l -> l", "l"),
        ("through itself", "l -> l", "l/file.txt"),
        ("into itself", "l -> l/x", "l"),
        ("to one another", "l -> m, m -> l", "l"),
        ("around folders", "folder/l -> ../texts/l, texts/l -> ../folder/l", "folder/l"),
        ("absolute, to itself", "l -> {root}/l", "l"),
        ("up from itself", "l -> l/..", "l"),
        ("to nothing", "l -> nosuch", "l"),
        ("through nothing", "l -> nosuch", "l/file.txt"),
        ("to nothing, absolute", "l -> {root}/nosuch", "l"),
        ("to nothing, in a chain", "l -> m, m -> nosuch/file.txt", "l"),
        ("up from nothing", "l -> nosuch/../file.txt", "l"),
        ("up from a file", "l -> file.txt/../index.html", "l"),
        ("to a FIFO", "l -> fifo", "l"),
        ("through a FIFO", "l -> fifo/../file.txt", "l"),
        ("through a file", "l -> file.txt", "l/file.txt"),
        ("to a file as if it were a folder", "l -> file.txt/", "l"),
        ("into a file", "l -> file.txt/.", "l"),
        ("to a link to a file as if it were a folder", "l -> m/, m -> file.txt", "l"),
        ("to a name that no URL may hold", "back\\slash -> file.txt, l -> back\\slash", "l/x"),
    ],
)
def test_link_to_nothing_is_nothing(root, reason, links, path):
    link(root, links)

    for tree in (FileTree(root), FileTree(root, hidden=True), FileTree(root, follow_symlinks=True)):
        assert tree.open(names_of(path)) is None, reason


@pytest.mark.parametrize("target", ["{}", "../folder/{}", "{root}/folder/{}"])
def test_chain_of_many_links_ends_where_that_of_the_system_ends(root, target):
    (root / "folder/0").symlink_to("file.txt")
    for number in range(1, 41):
        (root / "folder" / str(number)).symlink_to(target.format(number - 1, root=root))

    for tree in (FileTree(root), FileTree(root, follow_symlinks=True)):
        assert seen(tree, "folder/39") == "folder/file.txt"
        assert tree.open((b"folder", b"40")) is None


def test_link_to_a_device_is_nothing(root):
    link(root, "l -> /dev/zero")

    for tree in (FileTree(root), FileTree(root, follow_symlinks=True)):
        assert tree.open((b"l",)) is None


def test_name_is_that_of_the_link(root):
    link(root, "l.txt -> index.html")
    found = FileTree(root).open((b"l.txt",))

    assert content(found) == b"index.html"
    assert (found.name, found.names) == ("l.txt", (b"l.txt",))
    assert found.status.st_ino == (root / "index.html").stat().st_ino


# The root


@pytest.fixture
def current(root):
    """A link to the root, which is itself one of a chain."""
    (root.parent / "newest").symlink_to("root")
    (root.parent / "current").symlink_to(root.parent / "newest")
    return root.parent / "current"


@pytest.mark.parametrize(
    ("reason", "target", "expected"),
    [
        ("relative", "folder/file.txt", "folder/file.txt"),
        ("absolute, by the name of the root", "{current}/folder/file.txt", "folder/file.txt"),
        ("absolute, by the name that it really has", "{root}/folder/file.txt", "folder/file.txt"),
        ("absolute, to the root by its name", "{current}", Folder),
        ("absolute, to the root by its real name", "{root}", Folder),
        ("to the folder above the link", "{current}/../outside/file.txt", None),
        ("to the folder above the root", "{root}/../outside/file.txt", None),
        ("out", "{base}/outside/file.txt", None),
        ("out and in", "../root/file.txt", None),
        ("by another name of the root", "{base}/newest/file.txt", None),
    ],
)
def test_root_that_is_a_link_has_two_names(root, current, reason, target, expected):
    (root / "l").symlink_to(target.format(root=root, current=current, base=root.parent))
    tree = FileTree(current)

    assert seen(tree, "file.txt") == "file.txt"
    assert seen(tree, "folder/inner/file.txt") == "folder/inner/file.txt"
    assert seen(tree, "l") == expected, reason
    with tree.open_folder(()) as descriptor:
        assert os.fstat(descriptor).st_ino == root.stat().st_ino


def test_root_beneath_a_link_has_two_names(root, current):
    """As ``/tmp`` is a link on some systems."""
    link(
        root / "folder", f"l -> {root}/folder/file.txt, m -> {current}/folder/file.txt, n -> {root}/file.txt"
    )
    tree = FileTree(current / "folder")

    assert [seen(tree, name) for name in "lmn"] == ["folder/file.txt", "folder/file.txt", None]


def test_absolute_link_in_a_root_with_dots_in_its_path(root):
    link(root, f"l -> {root}/file.txt")

    assert seen(FileTree(root / "folder" / ".."), "l") == "file.txt"


# The system itself says what is right.

STEPS = st.sampled_from(["..", ".", "folder", "inner", "texts", "a", "b", "c", "file.txt", "index.txt", ""])
TARGETS = st.lists(STEPS, min_size=1, max_size=6).map(lambda steps: "/".join(steps).lstrip("/") or ".")
THREE = st.tuples(*[st.tuples(TARGETS, st.booleans())] * 3)


@given(THREE, st.sampled_from(["a", "a/file.txt", "folder/b", "folder/b/inner"]))
def test_any_links_lead_where_the_system_says_or_nowhere(tmp_path_factory, targets, path):
    root = tmp_path_factory.mktemp("links") / "root"
    for name in ("folder/inner/file.txt", "folder/file.txt", "texts/index.txt", "file.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root.parent / "file.txt").write_bytes(CANARY)
    for name, (target, is_absolute) in zip(("a", "folder/b", "texts/c"), targets, strict=True):
        (root / name).symlink_to(f"{root}/{target}" if is_absolute else target)

    opened = FileTree(root).open(names_of(path))

    if opened is None:
        assert not (root / path).exists() or leads_out(root, path)
    else:
        assert not leads_out(root, path)
        assert (root / path).is_dir() == isinstance(opened, Folder)
        assert isinstance(opened, Folder) or content(opened) == (root / path).read_bytes()


def leads_out(root, path):
    """Whether a step on the way is outside, also when a later one is inside again."""
    todo, place = path.split("/"), root
    while todo and place.is_relative_to(root):
        step = todo.pop(0)
        if step == "..":
            place = place.parent
        elif (place / step).is_symlink():
            target = str((place / step).readlink())
            if target.startswith("/"):
                place, target = root, target.removeprefix(str(root))
            todo = [*target.split("/"), *todo]
        else:
            place /= step
    return not place.is_relative_to(root)
