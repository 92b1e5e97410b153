"""What stands for a URL: a file, the index of a folder, a page for a name without its ending, or nothing."""

from __future__ import annotations

import errno
import os
import resource
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import ConfigurationError
from aioserve.static.lookup import Lookup, Missing, Redirect
from aioserve.static.tree import FileTree, Folder, Found
from tests.static.trees import (
    CANARY,
    INDEX,
    before_call,
    build,
    content,
    names_of,
    ordinary_user,
    root_for_anybody,
)

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
        ("/link-to-file", "file.txt"),
        ("/link-to-folder/file.txt", "folder/file.txt"),
        ("/link-to-folder/", "folder/index.html"),
        ("/link-absolute/inner/file.txt", "folder/inner/file.txt"),
        ("/folder/link-up/texts/", "texts/index.txt"),
    ],
)
def test_file_is_found(lookup, path, expected):
    assert content(lookup.find(path)) == expected.encode()


def test_index_comes_with_its_own_name_and_status(lookup, root):
    found = lookup.find("/folder/")

    assert content(found) == b"folder/index.html"
    assert found.status.st_ino == (root / "folder/index.html").stat().st_ino
    assert found.name == "index.html"
    assert found.names == (b"folder", b"index.html")


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (["index.html", "file.txt"], "folder/index.html"),
        (["file.txt", "index.html"], "folder/file.txt"),
        (["nosuch", "inner", "file.txt"], "folder/file.txt"),
        (["\udcff"], "bytes"),
    ],
)
def test_index_is_the_first_file_that_exists(root, tree, index, expected):
    (root / "folder/\udcff").write_text("bytes")

    assert content(Lookup(tree, index).find("/folder/")) == expected.encode()


def test_index_may_be_a_link_that_stays_inside(root, lookup):
    (root / "folder/inner/index.html").symlink_to("../../file.txt")

    assert content(lookup.find("/folder/inner/")) == b"file.txt"


def test_name_that_is_no_text_is_found_by_its_bytes(lookup, root):
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.txt")).write_bytes(b"bytes")

    assert content(lookup.find("/%ff.txt")) == b"bytes"


def test_path_of_all_but_the_longest_name_is_found(lookup, root):
    (root / ("n" * 255)).write_bytes(b"long")

    assert content(lookup.find("/" + "n" * 255)) == b"long"
    assert lookup.find("/" + "n" * 256) == Missing()


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
        ("/link-to-folder", "/link-to-folder/"),
        ("/link-absolute/inner", "/link-absolute/inner/"),
    ],
)
def test_folder_without_its_slash_is_redirected_as_it_was_written(lookup, path, expected):
    assert lookup.find(path) == Redirect(expected)


@pytest.mark.parametrize(
    ("reason", "path", "names"),
    [
        ("no index", "/folder/inner/", "folder/inner"),
        ("the index is a folder", "/index-folder/", "index-folder"),
        ("the index is a link out", "/empty/", "empty"),
        ("through a link", "/link-to-folder/inner/", "link-to-folder/inner"),
        ("well-known", "/.well-known/", ".well-known"),
        ("encoded", "/f%6flder/inner/", "folder/inner"),
    ],
)
def test_folder_without_an_index_is_itself(lookup, reason, path, names):
    assert lookup.find(path) == Folder(names_of(names)), reason


def test_root_without_an_index_is_itself(root, tree):
    assert Lookup(tree, ()).find("/") == Folder(())
    assert Lookup(FileTree(root / "empty"), INDEX).find("/") == Folder(())


# Clean URLs


@pytest.fixture
def clean(root, tree):
    """Finds pages without their endings."""
    for name in ("about", "both", "folder", "file.txt", "new\nline", "link-out", "loop"):
        (root / f"{name}.html").write_text(f"page of {name}")
    (root / "both").write_text("file")
    (root / "link.html").symlink_to("folder/index.html")
    (root / "out.html").symlink_to(root.parent / "outside/index.html")
    (root / "inner.html").mkdir()
    return Lookup(tree, INDEX, clean_urls=True)


@pytest.mark.parametrize(
    ("reason", "path", "expected"),
    [
        ("there is a page", "/about", "page of about"),
        ("by its whole name, too", "/about.html", "page of about"),
        ("a file of the very name comes first", "/both", "file"),
        ("also where it has an ending", "/file.txt", "file.txt"),
        ("but not a folder", "/folder", "page of folder"),
        ("whose own page is beneath its slash", "/folder/", "folder/index.html"),
        ("beneath a folder", "/folder/index", "folder/index.html"),
        ("the index by name", "/index", "index.html"),
        ("encoded", "/ab%6fut", "page of about"),
        ("the page is a link inside", "/link", "folder/index.html"),
        ("what has the name is a link out", "/link-out", "page of link-out"),
        ("or one to nowhere", "/loop", "page of loop"),
    ],
)
def test_page_is_found_without_its_ending(clean, reason, path, expected):
    assert content(clean.find(path)) == expected.encode(), reason


@pytest.mark.parametrize(
    ("reason", "path", "expected"),
    [
        ("nothing", "/nosuch", Missing()),
        ("with a slash", "/about/", Missing()),
        ("the page is a link out", "/out", Missing()),
        ("the page is a folder", "/inner", Missing()),
        ("the page is a FIFO", "/fifo", Missing()),
        ("hidden", "/.env", Missing()),
        ("a rule file", "/_headers", Missing()),
        ("a name that with its ending is too long", "/" + "n" * 251, Missing()),
        ("a folder without a page", "/empty", Redirect("/empty/")),
        ("a folder's slash", "/inner.html", Redirect("/inner.html/")),
        ("nothing at all", "", Redirect("/")),
    ],
)
def test_where_there_is_no_page_nothing_is_different(clean, root, reason, path, expected):
    (root / ".env.html").write_bytes(CANARY)
    (root / "_headers.html").write_bytes(CANARY)

    assert clean.find(path) == expected, reason


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("path", ["/about", "/folder/index"])
def test_pages_have_their_endings_unless_that_is_asked_for(lookup, path):
    assert lookup.find(path) == Missing()


# What is missing


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("no such file", "/nosuch"),
        ("no such folder", "/nosuch/file.txt"),
        ("no such folder, with a slash", "/nosuch/"),
        ("a file is no folder", "/file.txt/"),
        ("nor does it hold files", "/file.txt/file.txt"),
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
        ("raw line feed in a name that has one", "/new\nline"),
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
        ("hidden folder, its index", "/.hidden/"),
        ("hidden in .well-known", "/.well-known/.secret"),
        ("like .well-known", "/.well-known2/token"),
        ("link to a hidden file", "/link-to-hidden"),
        ("link to a hidden folder", "/link-to-hidden-folder/file.txt"),
        ("link to a hidden folder, bare", "/link-to-hidden-folder"),
        ("link to a hidden folder, its index", "/link-to-hidden-folder/"),
        ("link out", "/link-out/file.txt"),
        ("link out, bare", "/link-out"),
        ("link out, its index", "/link-out/"),
        ("link to a file outside", "/link-to-canary"),
        ("link upwards", "/link-up/outside/file.txt"),
        ("link upwards, bare", "/link-up"),
        ("link upwards, further down", "/folder/link-up-too-far/outside/file.txt"),
        ("link out and in again", "/link-out-and-in"),
        ("index that is a link out, by name", "/empty/index.html"),
        ("link to itself", "/loop"),
        ("through a link to itself", "/loop/file.txt"),
        ("link to nothing", "/dangling"),
        ("link to nothing, with a slash", "/dangling/"),
        ("FIFO", "/fifo"),
        ("FIFO as a folder", "/fifo/"),
        ("name too long", "/" + "n" * 300),
        ("folder name too long", "/" + "n" * 300 + "/file.txt"),
        ("path too long", "/folder" * 5000),
    ],
)
def test_what_must_not_be_seen_is_missing(lookup, reason, path):
    assert lookup.find(path) == Missing(), reason


@pytest.mark.parametrize("name", ["_headers", "_redirects"])
@pytest.mark.parametrize("options", [{}, {"clean_urls": True}])
def test_rules_in_the_root_are_for_the_server_alone(root, tree, name, options):
    for folder in (root, root / "folder"):
        (folder / name).write_text("rules")
    lookup = Lookup(tree, INDEX, **options)

    for path in (f"/{name}", f"/%5f{name[1:]}", f"/{name}/", f"/{name}/x"):
        assert lookup.find(path) == Missing(), path
    assert content(lookup.find(f"/folder/{name}")) == b"rules"


def test_folder_named_like_rules_is_no_file_of_rules(root, lookup):
    (root / "_headers").mkdir()
    (root / "_headers/file.txt").write_bytes(b"a file")

    assert content(lookup.find("/_headers/file.txt")) == b"a file"
    assert lookup.find("/_headers") == Missing()


def test_socket_is_missing(lookup, root, monkeypatch):
    monkeypatch.chdir(root)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        listener.listen()

        assert lookup.find("/socket") == Missing()


def test_hidden_files_and_links_out_are_found_where_both_are_asked_for(root):
    lookup = Lookup(FileTree(root, hidden=True, follow_symlinks=True), [".secret", *INDEX])

    assert content(lookup.find("/.hidden/")) == b".hidden/index.html"
    assert content(lookup.find("/folder/")) == b"folder/.secret"
    assert content(lookup.find("/link-out/file.txt")) == CANARY
    assert content(lookup.find("/empty/")) == CANARY
    assert lookup.find("/link-up") == Redirect("/link-up/")
    assert lookup.find("/link-up/../outside/file.txt") == Missing()


@pytest.mark.parametrize("name", ["null", "zero", "tty", "ptmx"])
def test_device_is_missing(name):
    assert Lookup(FileTree(Path("/dev")), ()).find(f"/{name}") == Missing()


def test_index_that_is_a_fifo_blocks_nobody(tree):
    assert Lookup(tree, ["fifo.html"]).find("/") == Folder(())


def test_unreadable_is_missing():
    with root_for_anybody() as root:
        (root / "folder/file.txt").chmod(0)
        (root / "texts").chmod(0)
        lookup = Lookup(FileTree(root), INDEX)
        with ordinary_user():
            assert content(lookup.find("/folder/")) == b"folder/index.html"
            assert lookup.find("/folder/file.txt") == Missing()
            assert lookup.find("/texts") == Missing()
            assert lookup.find("/texts/") == Missing()


# Errors


def test_exhausted_descriptors_are_not_blamed_on_the_path(lookup):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        for path in ("/file.txt", "/folder/file.txt", "/", "/folder/inner/"):
            with pytest.raises(OSError, match="Too many open files"):
                lookup.find(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("step", range(1, 9))
def test_failing_step_leaves_nothing_open(lookup, step):
    def fail():
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with before_call("open", step, fail), pytest.raises(OSError, match="Input/output error"):
        lookup.find("/folder/inner/")


@pytest.mark.parametrize("name", ["", ".", "..", ".env", "a/b", "../index.html", "a\\b", "a\0"])
def test_index_that_could_not_be_served_is_refused(tree, name):
    with pytest.raises(ConfigurationError, match="cannot be an index"):
        Lookup(tree, ["index.html", name])


# Whatever is asked for

DOTS = ("", ".", "..", "...", "%2e", "%2E%2e", ".%2e", "%252e", "..%2f", "%c0%ae", ".env", ".hidden")
ODD = ("%2f", "%5c", "\\", "%00", "%", "%zz", "%ff", "%0a", "~", ";x", "n" * 300, "outside", "root", "fifo")
NAMES = ("folder", "inner", "file", "file.txt", "index.html", "empty", ".well-known", "token", "new%0aline")
LINKS = ("link-out", "link-up", "link-to-file", "link-to-folder", "link-to-canary", "link-absolute", "loop")
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


@given(PATHS, st.booleans(), st.booleans())
def test_whatever_the_path_nothing_outside_is_opened_and_nothing_is_raised(shared_root, path, hidden, clean):
    lookup = Lookup(FileTree(shared_root, hidden=hidden), INDEX, clean_urls=clean)
    opened: list[str] = []

    with recorded_opens(opened):
        outcome = lookup.find(path)

    assert all(name.startswith(f"{shared_root}/") or name == str(shared_root) for name in opened)
    assert hidden or not [name for name in opened if "/." in name.replace("/.well-known", "")]
    match outcome:
        case Found():
            assert content(outcome) != CANARY
        case Folder(names):
            assert (shared_root / os.fsdecode(b"/".join(names))).is_dir()
            assert path.endswith("/")
        case Redirect(location):
            assert location.startswith("/")
            assert location[1:2] not in {"/", "\\"}
            assert location.isprintable()
            assert location == f"{path}/"
        case Missing():
            pass
