"""Names beneath a folder open files, and nothing beside it; what links do is in test_tree_links.py."""

from __future__ import annotations

import errno
import os
import resource
import socket
from pathlib import Path

import pytest

from aioserve.errors import ConfigurationError
from aioserve.static.tree import FileTree, Folder
from aioserve.static.watch import signature_of
from tests.static.trees import (
    before_call,
    content,
    names_of,
    ordinary_user,
    root_for_anybody,
)

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


@pytest.fixture(params=[False, True], ids=["beneath", "followed"])
def tree(root, request):
    """A tree of each kind: what is no link must be the same to both."""
    return FileTree(root, follow_symlinks=request.param)


# What is opened


@pytest.mark.parametrize(
    "path", ["file.txt", "folder/file.txt", "folder/inner/file.txt", "two words.txt", ".well-known/token"]
)
def test_file_is_opened_with_its_status_and_its_names(tree, root, path):
    found = tree.open(names_of(path))

    assert content(found) == path.encode()
    assert signature_of(found.status) == signature_of((root / path).stat())
    assert found.names == names_of(path)
    assert found.name == Path(path).name


def test_file_is_opened_for_reading_without_a_buffer_and_not_inherited(tree):
    found = tree.open((b"file.txt",))

    with found.file:
        assert not hasattr(found.file, "peek")
        assert not os.get_inheritable(found.file.fileno())
        with pytest.raises(OSError, match="not open for writing"):
            found.file.write(b"")


def test_name_that_is_no_text_is_opened_by_its_bytes(tree, root):
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.txt")).write_bytes(b"bytes")

    found = tree.open((b"\xff.txt",))

    assert content(found) == b"bytes"
    assert found.name == "\udcff.txt"


def test_longest_name_is_opened_and_a_longer_one_is_nothing(tree, root):
    (root / ("n" * 255)).write_bytes(b"long")

    assert content(tree.open((b"n" * 255,))) == b"long"
    assert tree.open((b"n" * 256,)) is None
    assert tree.open((b"n" * 256, b"file.txt")) is None


def test_depth_has_no_limit_but_that_of_the_system(root):
    inner = root
    for _ in range(200):
        inner /= "x"
    inner.mkdir(parents=True)
    (inner / "file.txt").write_bytes(b"deep")

    assert content(FileTree(root).open((b"x",) * 200 + (b"file.txt",))) == b"deep"


@pytest.mark.parametrize("path", ["folder", "folder/inner", "empty", ".well-known"])
def test_folder_is_said_to_be_one(tree, path):
    assert tree.open(names_of(path)) == Folder(names_of(path))


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("no such file", "nosuch"),
        ("no such folder", "nosuch/file.txt"),
        ("a file holds no files", "file.txt/file.txt"),
        ("FIFO", "fifo"),
        ("FIFO as a folder", "fifo/file.txt"),
        ("loop", "loop"),
        ("dangling", "dangling"),
        ("far too long", "/".join(["folder"] * 5000)),
    ],
)
def test_where_no_file_and_no_folder_is_there_is_nothing(tree, reason, path):
    assert tree.open(names_of(path)) is None, reason


def test_socket_is_nothing(tree, root, monkeypatch):
    monkeypatch.chdir(root)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        listener.listen()

        assert tree.open((b"socket",)) is None


@pytest.mark.parametrize("name", ["null", "zero", "tty", "ptmx"])
@pytest.mark.parametrize("follow_symlinks", [False, True])
def test_device_is_nothing(name, follow_symlinks):
    assert FileTree(Path("/dev"), follow_symlinks=follow_symlinks).open(names_of(name)) is None


def test_hidden_file_is_opened_by_who_asks_for_it(root):
    """What may be asked for is decided before: by `parse` and `may_see`."""
    assert content(FileTree(root, hidden=True).open((b".env",))) == b".env"


def test_whole_file_system_may_be_served(root):
    (root / "absolute").symlink_to(root / "file.txt")
    tree = FileTree(Path("/"))
    names = names_of(str(root)[1:])

    assert content(tree.open((*names, b"file.txt"))) == b"file.txt"
    assert content(tree.open((*names, b"absolute"))) == b"file.txt"
    assert tree.open((*names, b"absolute", b"..", b"file.txt")) is None


# Permissions


@pytest.mark.parametrize("follow_symlinks", [False, True])
def test_unreadable_is_nothing(follow_symlinks):
    with root_for_anybody() as root:
        (root / "folder/file.txt").chmod(0)
        (root / "texts").chmod(0)
        tree = FileTree(root, follow_symlinks=follow_symlinks)
        with ordinary_user():
            assert content(tree.open(names_of("folder/index.html"))) == b"folder/index.html"
            assert tree.open(names_of("folder/file.txt")) is None
            assert tree.open(names_of("texts/index.txt")) is None
            assert tree.open(names_of("texts")) is None
            with pytest.raises(PermissionError), tree.open_folder(names_of("texts")):
                pass


def test_folder_that_may_be_entered_but_not_listed_is_no_obstacle():
    with root_for_anybody() as root:
        (root / "folder").chmod(0o711)
        root.chmod(0o711)
        tree = FileTree(root)
        with ordinary_user():
            assert content(tree.open(names_of("folder/file.txt"))) == b"folder/file.txt"
            for names in ((b"folder",), ()):
                with pytest.raises(PermissionError), tree.open_folder(names):
                    pass


# Folders and statuses


@pytest.mark.parametrize(
    ("path", "expected"),
    [("", {"file.txt", "folder", ".env"}), ("folder", {"file.txt", "inner", ".secret"}), ("empty", set())],
)
def test_folder_is_opened_to_be_read(tree, root, path, expected):
    names = names_of(path) if path else ()

    with tree.open_folder(names) as descriptor:
        assert expected <= set(os.listdir(descriptor))  # noqa: PTH208 - of a descriptor
        assert os.fstat(descriptor).st_ino == (root / path).stat().st_ino
        assert not os.get_inheritable(descriptor)


def test_folder_is_closed_when_reading_it_fails(tree):
    with pytest.raises(ZeroDivisionError), tree.open_folder(()):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("file.txt", errno.ENOTDIR),
        ("fifo", errno.ENOTDIR),
        ("nosuch", errno.ENOENT),
        ("nosuch/inner", errno.ENOENT),
        ("loop", errno.ELOOP),
    ],
)
def test_what_is_no_folder_is_an_error(tree, path, code):
    with pytest.raises(OSError, match=os.strerror(code)) as error, tree.open_folder(names_of(path)):
        pass

    assert error.value.errno == code


@pytest.mark.parametrize("path", ["file.txt", "folder", "folder/inner/file.txt", "fifo"])
def test_status_is_that_of_the_system(tree, root, path):
    assert signature_of(tree.status_of(names_of(path))) == signature_of((root / path).stat())


@pytest.mark.parametrize("path", ["nosuch", "nosuch/file.txt", "file.txt/file.txt", "loop", "dangling"])
def test_nothing_has_no_status(tree, path):
    assert tree.status_of(names_of(path)) is None


def test_place_is_a_path_for_the_system(root, monkeypatch):
    monkeypatch.chdir(root.parent)
    tree = FileTree(Path("root"))

    assert tree.place_of(()) == os.fsencode(root)
    assert tree.place_of((b"folder", b"\xff")) == os.fsencode(root) + b"/folder/\xff"


# Errors


def test_exhausted_descriptors_are_not_blamed_on_the_names(tree):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        for path in ("file.txt", "folder/file.txt"):
            for ask in (tree.open, tree.status_of):
                with pytest.raises(OSError, match="Too many open files"):
                    ask(names_of(path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO])
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_failing_step_is_not_blamed_on_the_names_and_leaves_nothing_open(root, code, step):
    def fail():
        raise OSError(code, os.strerror(code))

    tree = FileTree(root)
    for ask in (tree.open, tree.status_of):
        with before_call("open", step, fail), pytest.raises(OSError, match=os.strerror(code)):
            ask(names_of("folder/inner/file.txt"))


def test_file_is_closed_where_the_system_does_not_say_what_it_is(tree):
    def fail():
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with before_call("fstat", 1, fail), pytest.raises(OSError, match="Input/output error"):
        tree.status_of((b"file.txt",))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda base: base / "nosuch", "No such file or directory"),
        (lambda base: base / "root/file.txt", "not a folder"),
        (lambda base: base / "root/file.txt/x", "Not a directory"),
        (lambda base: base / "root/loop", "Too many levels of symbolic links"),
        (lambda base: base / "with\0nul", "null"),
    ],
)
def test_root_that_is_no_folder_is_refused_in_one_line(root, make, problem):
    with pytest.raises(ConfigurationError, match=problem) as refusal:
        FileTree(make(root.parent))

    assert "\n" not in str(refusal.value)
