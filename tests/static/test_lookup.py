"""What may be seen of a folder, and nothing beside it."""

from __future__ import annotations

import errno
import os
import resource
import socket
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import ConfigurationError
from aioserve.static.lookup import FileTree, Found, Missing, Redirect, parse_path
from tests.static.trees import CANARY, INDEX, build, content

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")


# What is found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/file.txt", "file.txt"),
        ("/folder/file.txt", "folder/file.txt"),
        ("/folder/inner/file.txt", "folder/inner/file.txt"),
        ("/", "index.html"),
        ("/folder/", "folder/index.html"),
        ("/texts/", "texts/index.txt"),
        ("/two%20words.txt", "two words.txt"),
        ("/f%69le.txt", "file.txt"),
        ("/percent%252e.txt", "percent%2e.txt"),
        ("/semi;colon", "semi;colon"),
        ("/.well-known/token", ".well-known/token"),
    ],
)
def test_file_is_found(tree, path, expected):
    assert content(tree.lookup(path)) == expected.encode()


def test_found_file_comes_with_its_status_and_its_own_name(tree, root):
    outcome = tree.lookup("/folder/")

    assert content(outcome) == b"folder/index.html"
    assert outcome.status.st_ino == (root / "folder/index.html").stat().st_ino
    assert outcome.name == "index.html"


def test_file_is_opened_for_reading_without_a_buffer_and_not_inherited(tree):
    outcome = tree.lookup("/file.txt")

    with outcome.file:
        assert not hasattr(outcome.file, "peek")
        assert not os.get_inheritable(outcome.file.fileno())
        with pytest.raises(OSError, match="not open for writing"):
            outcome.file.write(b"")


def test_name_that_is_no_text_is_found_by_its_bytes(tree, root):
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.txt")).write_bytes(b"bytes")

    outcome = tree.lookup("/%ff.txt")

    assert content(outcome) == b"bytes"
    assert os.fsencode(outcome.name) == b"\xff.txt"


def test_path_of_all_but_the_longest_name_is_found(tree, root):
    (root / ("n" * 255)).write_bytes(b"long")

    assert content(tree.lookup("/" + "n" * 255)) == b"long"
    assert tree.lookup("/" + "n" * 256) == Missing()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/folder", "/folder/"),
        ("/folder/inner", "/folder/inner/"),
        ("/empty", "/empty/"),
        ("/f%6flder", "/f%6flder/"),
        ("/new%0aline", "/new%0aline/"),
        ("/.well-known", "/.well-known/"),
    ],
)
def test_folder_without_its_slash_is_redirected_as_it_was_written(tree, path, expected):
    assert tree.lookup(path) == Redirect(expected)


# What is missing


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("no such file", "/nosuch"),
        ("no such folder", "/nosuch/file.txt"),
        ("a file is no folder", "/file.txt/"),
        ("nor does it hold files", "/file.txt/file.txt"),
        ("a folder without an index", "/folder/inner/"),
        ("a folder whose index is a folder", "/index-folder/"),
        ("a folder whose index is a link", "/empty/"),
        ("parent", "/../outside/file.txt"),
        ("parent inside", "/folder/../file.txt"),
        ("parent at the end", "/folder/.."),
        ("parent at the end, with a slash", "/folder/../"),
        ("encoded parent", "/%2e%2e/outside/file.txt"),
        ("half encoded parent", "/.%2E/outside/file.txt"),
        ("encoded separator", "/..%2foutside%2ffile.txt"),
        ("encoded separator inside", "/folder%2ffile.txt"),
        ("all encoded", "/%2e%2e%2foutside%2ffile.txt"),
        ("encoded backslash", "/..%5coutside%5cfile.txt"),
        ("backslash", "/..\\outside\\file.txt"),
        ("encoded twice", "/%252e%252e/outside/file.txt"),
        ("encoded twice, with separator", "/%252e%252e%252foutside%252ffile.txt"),
        ("overlong UTF-8", "/%c0%ae%c0%ae/outside/file.txt"),
        ("fullwidth", "/%ef%bc%8e%ef%bc%8e/outside/file.txt"),
        ("not encoded", "/\uff0e\uff0e/outside/file.txt"),
        ("this folder", "/./file.txt"),
        ("this folder, encoded", "/%2e/file.txt"),
        ("this folder at the end", "/folder/."),
        ("three dots", "/.../file.txt"),
        ("empty segment", "//file.txt"),
        ("empty segment inside", "/folder//file.txt"),
        ("empty segment at the end", "/folder//"),
        ("absolute", "//etc/passwd"),
        ("absolute, encoded", "/%2fetc/passwd"),
        ("encoded slash at the end", "/folder%2f"),
        ("NUL", "/file.txt%00"),
        ("NUL before an extension", "/file.txt%00.html"),
        ("raw NUL", "/file.txt\0"),
        ("line feed", "/file.txt\n"),
        ("carriage return", "/new\r\nline"),
        ("raw space", "/two words.txt"),
        ("query", "/file.txt?x"),
        ("fragment", "/file.txt#x"),
        ("percent without digits", "/file.txt%"),
        ("percent with one digit", "/file.tx%7"),
        ("percent without hexadecimal digits", "/file.t%zzt"),
        ("percent with digits that are not ASCII", "/file.tx\u0667\u0664"),
        ("path parameter", "/file.txt;x"),
        ("no slash", "file.txt"),
        ("no path", "*"),
        ("lone surrogate", "/\ud800"),
        ("hidden file", "/.env"),
        ("hidden file, encoded", "/%2eenv"),
        ("hidden file in a folder", "/folder/.secret"),
        ("in a hidden folder", "/.hidden/file.txt"),
        ("hidden folder", "/.hidden"),
        ("hidden in .well-known", "/.well-known/.secret"),
        ("like .well-known", "/.well-known2/token"),
        ("link to a file", "/link-to-file"),
        ("link to a folder", "/link-to-folder/file.txt"),
        ("link to a folder, bare", "/link-to-folder"),
        ("link to a folder, its index", "/link-to-folder/"),
        ("link out", "/link-out/file.txt"),
        ("link out, bare", "/link-out"),
        ("link out, its index", "/link-out/"),
        ("link to a file outside", "/link-to-canary"),
        ("link upwards", "/link-up/outside/file.txt"),
        ("link to itself", "/loop"),
        ("through a link to itself", "/loop/file.txt"),
        ("link to nothing", "/dangling"),
        ("FIFO", "/fifo"),
        ("FIFO as a folder", "/fifo/"),
        ("name too long", "/" + "n" * 300),
        ("folder name too long", "/" + "n" * 300 + "/file.txt"),
        ("path too long", "/folder" * 5000),
    ],
)
def test_what_must_not_be_seen_is_missing(tree, reason, path):
    assert tree.lookup(path) == Missing(), reason


def test_socket_is_missing(tree, root, monkeypatch):
    monkeypatch.chdir(root)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        listener.listen()

        assert tree.lookup("/socket") == Missing()


@pytest.mark.parametrize("name", ["null", "zero", "tty", "ptmx"])
def test_device_is_missing(name):
    assert FileTree(Path("/dev"), ()).lookup(f"/{name}") == Missing()


def test_index_that_is_a_fifo_blocks_nobody(root):
    assert FileTree(root, ["fifo.html"]).lookup("/") == Missing()


@contextmanager
def ordinary_user():
    """For whom permissions hold: root may read everything."""
    user = os.geteuid()
    os.seteuid(user or 65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_unreadable_is_missing():
    with tempfile.TemporaryDirectory() as base:  # unlike tmp_path, below folders that anybody may enter
        Path(base).chmod(0o755)
        root = build(Path(base))
        (root / "folder/file.txt").chmod(0)
        (root / "texts").chmod(0)
        tree = FileTree(root, INDEX)
        with ordinary_user():
            assert content(tree.lookup("/folder/")) == b"folder/index.html"
            assert tree.lookup("/folder/file.txt") == Missing()
            assert tree.lookup("/texts") == Missing()
            assert tree.lookup("/texts/") == Missing()
        (root / "texts").chmod(0o755)


def test_folder_that_may_be_entered_but_not_listed_is_no_obstacle():
    with tempfile.TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        root = build(Path(base))
        (root / "folder").chmod(0o711)
        with ordinary_user():
            assert content(FileTree(root, INDEX).lookup("/folder/file.txt")) == b"folder/file.txt"


# Errors


def test_exhausted_descriptors_are_not_blamed_on_the_path(tree):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        for path in ("/file.txt", "/folder/file.txt", "/"):
            with pytest.raises(OSError, match="Too many open files"):
                tree.lookup(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("step", [1, 2, 3])
def test_failing_step_leaves_nothing_open(tree, monkeypatch, step):
    real_open, count = os.open, 0

    def failing_open(*args, **kwargs):
        nonlocal count
        count += 1
        if count == step:
            raise OSError(errno.EIO, "Input/output error")
        return real_open(*args, **kwargs)

    monkeypatch.setattr(os, "open", failing_open)

    with pytest.raises(OSError, match="Input/output error"):
        tree.lookup("/folder/inner/file.txt")


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
        FileTree(make(root.parent), INDEX)

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["", ".", "..", ".env", "a/b", "../index.html", "a\\b", "a\0"])
def test_index_that_could_not_be_served_is_refused(root, name):
    with pytest.raises(ConfigurationError, match="cannot be an index"):
        FileTree(root, ["index.html", name])


# Whatever is asked for

DOTS = ("", ".", "..", "...", "%2e", "%2E%2e", ".%2e", "%252e", "..%2f", "%c0%ae", ".env", ".hidden")
ODD = ("%2f", "%5c", "\\", "%00", "%", "%zz", "%ff", "%0a", "~", ";x", "n" * 300, "outside", "root", "fifo")
NAMES = ("folder", "inner", "file.txt", "index.html", "empty", ".well-known", "token", "new%0aline")
LINKS = ("link-out", "link-up", "link-to-file", "link-to-folder", "link-to-canary", "loop")
SEGMENTS = st.sampled_from(DOTS + ODD + NAMES + LINKS)
PATHS = (
    st.lists(SEGMENTS).map("/".join) | st.lists(SEGMENTS).map(lambda parts: "/" + "/".join(parts)) | st.text()
)


@contextmanager
def recorded_opens(paths: list[str]):
    """Note where every descriptor that is opened really leads."""
    real_open = os.open

    def recording_open(*args, **kwargs):
        descriptor = real_open(*args, **kwargs)
        paths.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        return descriptor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", recording_open)
        yield


@pytest.fixture(scope="module")
def shared_root(tmp_path_factory):
    return build(tmp_path_factory.mktemp("jail"))


@given(PATHS)
def test_whatever_the_path_nothing_outside_is_opened_and_nothing_is_raised(shared_root, path):
    tree = FileTree(shared_root, INDEX)
    opened: list[str] = []

    with recorded_opens(opened):
        outcome = tree.lookup(path)

    assert all(name.startswith(f"{shared_root}/") for name in opened)
    match outcome:
        case Found():
            assert content(outcome) != CANARY
        case Redirect(location):
            assert location.startswith("/")
            assert location[1:2] not in {"/", "\\"}
            assert location.isprintable()
            assert location == f"{path}/"
        case Missing():
            pass


@given(PATHS)
def test_parsed_path_has_only_names_that_may_be_seen(path):
    names = parse_path(path)

    if names is not None:
        *folders, last = names
        for name in [*folders, last] if last else folders:
            assert name == b".well-known" or not name.startswith(b".")
            assert name
            assert not set(name) & set(b"/\\\0")


def test_path_has_at_most_257_names():
    assert len(parse_path("/a" * 257)) == 257
    assert parse_path("/a" * 258) is None
