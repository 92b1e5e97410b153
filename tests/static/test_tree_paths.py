"""Which names a path of a URL is made of, and which of them may be seen."""

from __future__ import annotations

import os
import re
from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aioserve.static.tree import FileTree, parse_path

NAMES = (
    st.binary(min_size=1, max_size=12) | st.sampled_from([b"...", b".env", b".well-known", b"..x", b"%2e"])
).filter(lambda name: name not in (b".", b"..") and not set(name) & set(b"/\\\0"))
PIECES = st.sampled_from(
    [*"/.%\\~;", "//", "..", "%2", "%2e", "%2F", "%5c", "%00", "%ff", "a", " ", "?", "#", "\n", "é", "\ud800"]
)
TEXTS = st.text() | st.lists(PIECES).map("".join) | st.lists(PIECES).map(lambda some: "/" + "".join(some))


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    """One that hides what begins with a dot, and one that does not."""
    root = tmp_path_factory.mktemp("root")
    return FileTree(root), FileTree(root, hidden=True)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", [b""]),
        ("/a", [b"a"]),
        ("/a/", [b"a", b""]),
        ("/a/b.txt", [b"a", b"b.txt"]),
        ("/%61%2Ebc", [b"a.bc"]),
        ("/%7E/~", [b"~", b"~"]),
        ("/a%20b+c", [b"a b+c"]),
        ("/%252e%252e/a", [b"%2e%2e", b"a"]),
        ("/caf%c3%a9", ["café".encode()]),
        ("/%ff", [b"\xff"]),
        ("/%c0%ae%c0%ae", [b"\xc0\xae\xc0\xae"]),
        ("/a%0ab%09%7f", [b"a\nb\t\x7f"]),
        ("/a;b=c,d:@!$&'()*", [b"a;b=c,d:@!$&'()*"]),
        ('/"<>[]^_`{|}-', [b'"<>[]^_`{|}-']),
        ("/a./b..c", [b"a.", b"b..c"]),
        ("/%3f%23%25", [b"?#%"]),
        ("/.well-known/a", [b".well-known", b"a"]),
        ("/a/.well-known/", [b"a", b".well-known", b""]),
        ("/%2ewell-known", [b".well-known"]),
    ],
)
def test_path_is_split_and_decoded_once(trees, path, names):
    assert parse_path(path) == tuple(names)
    assert [tree.parse(path) for tree in trees] == [tuple(names)] * 2


@pytest.mark.parametrize(
    "path",
    [
        *("/.env", "/%2eenv", "/.env/", "/.git/config", "/a/.b", "/...", "/.../a", "/..a", "/.well-known/.a"),
        *("/.well-known2", "/.well-know", "/.Well-Known/a", "/.%c0%ae/a", "/.%20", "/.%0a", "/..%0a"),
    ],
)
def test_hidden_name_is_one_where_it_is_asked_for(trees, path):
    usual, hidden = trees

    assert usual.parse(path) is None
    assert hidden.parse(path) == parse_path(path) == tuple(unquote_to_bytes(path[1:]).split(b"/"))


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        ("no path", ""),
        ("asterisk", "*"),
        ("no slash", "a"),
        ("a whole URL", "http://host/a"),
        ("parent", "/.."),
        ("parent with a slash", "/../"),
        ("parent inside", "/a/../b"),
        ("encoded parent", "/%2e%2E/a"),
        ("half encoded parent", "/.%2e/a"),
        ("this folder", "/."),
        ("this folder inside", "/a/./b"),
        ("encoded this folder", "/%2e"),
        ("empty segment", "//a"),
        ("empty segment inside", "/a//b"),
        ("empty segment at the end", "/a//"),
        ("encoded separator", "/a%2fb"),
        ("encoded separator at the end", "/a%2F"),
        ("backslash", "/a\\b"),
        ("encoded backslash", "/a%5Cb"),
        ("NUL", "/a\0"),
        ("encoded NUL", "/a%00b"),
        ("raw line feed", "/a\n"),
        ("raw carriage return", "/a\r"),
        ("raw tab", "/a\tb"),
        ("raw blank", "/a b"),
        ("raw DEL", "/a\x7f"),
        ("raw letter that is not ASCII", "/é"),
        ("fullwidth dots", "/\uff0e\uff0e/a"),
        ("lone surrogate", "/\ud800"),
        ("query", "/a?b"),
        ("fragment", "/a#b"),
        ("percent without digits", "/a%"),
        ("percent with one digit", "/a%7"),
        ("percent with digits that are none", "/a%zz"),
        ("percent with a sign", "/a%+5"),
        ("percent with a blank", "/a% 5"),
        ("percent with digits of another script", "/a%\u0667\u0664"),
        ("percent with a letter u", "/%u002e%u002e/a"),
    ],
)
def test_what_can_name_nothing_is_no_path(trees, reason, path):
    assert parse_path(path) is None, reason
    assert [tree.parse(path) for tree in trees] == [None, None], reason


def test_path_has_at_most_257_names():
    assert len(parse_path("/a" * 257)) == 257
    assert parse_path("/a" * 258) is None
    assert len(parse_path("/a" * 256 + "/")) == 257
    assert parse_path("/a" * 257 + "/") is None


def test_root_and_index_of_names_may_be_seen(trees):
    for tree in trees:
        assert tree.may_see([])
        assert tree.may_see([b".well-known", b"a"])
        assert not any(tree.may_see([b"a", name]) for name in (b"", b".", b"..", b"/", b"a/b", b"a\\", b"\0"))

    assert [tree.may_see([b"a", b".b"]) for tree in trees] == [False, True]


@pytest.mark.parametrize(
    ("name", "sight"),
    [
        (".env", [False, True]),
        (".well-known", [True, True]),
        (".well-known.txt", [False, True]),
        ("back\\slash", [False, False]),
        ("\\", [False, False]),
        ("a\nb\t\x1b[31m\x7f\x9b", [True, True]),
        ("  ", [True, True]),
        ("a?b#c", [True, True]),
        ("%2e%2e%2f", [True, True]),
        ("\u202egpj.exe", [True, True]),
        ("\udcff", [True, True]),
    ],
)
def test_entry_of_a_folder_may_be_seen_where_a_url_can_reach_it(trees, name, sight):
    path = f"/{quote_from_bytes(os.fsencode(name))}"

    assert [tree.sight_of(())(name) for tree in trees] == sight
    assert [tree.sight_of((b"folder",))(name) for tree in trees] == sight
    assert [tree.parse(path) is not None for tree in trees] == sight


@pytest.mark.parametrize("name", ["_headers", "_redirects"])
def test_rules_stand_in_the_root_and_nowhere_else(trees, name):
    for tree in trees:
        assert not tree.sight_of(())(name)
        assert tree.parse(f"/{name}") is None
        assert tree.sight_of((b"folder",))(name)
        assert tree.parse(f"/folder/{name}") is not None


@given(NAMES)
def test_any_entry_may_be_seen_where_a_url_can_reach_it(trees, name):
    for tree in trees:
        is_reached = tree.parse(f"/{quote_from_bytes(name)}") is not None
        assert tree.sight_of(())(os.fsdecode(name)) is is_reached


@given(st.lists(NAMES, min_size=1, max_size=6), st.booleans())
def test_any_names_are_found_in_their_path_again(names, with_slash):
    names = [*names, b""] if with_slash else names
    path = "/" + "/".join(map(quote_from_bytes, names))
    all_encoded = "".join("/" + "".join(f"%{byte:02x}" for byte in name) for name in names)

    assert parse_path(path) == parse_path(all_encoded) == tuple(names)


@given(TEXTS)
@example("/" + "%2e" * 1000)
@example("/" + "a/" * 256)
def test_any_text_is_no_path_or_one_of_names(trees, text):
    names = parse_path(text)

    if names is None:
        assert [tree.parse(text) for tree in trees] == [None, None]
    else:
        assert text.isascii()
        assert text.isprintable()
        assert b"/" + b"/".join(names) == unquote_to_bytes(text)
        assert len(names) == text.count("/")
        *folders, last = names
        for name in [*folders, last] if last else folders:
            assert name not in (b"", b".", b"..")
            assert not set(name) & set(b"/\\\0")


@given(TEXTS)
def test_only_a_dot_at_the_beginning_hides(trees, text):
    usual, hidden = trees
    names = parse_path(text)

    assert hidden.parse(text) == names
    if names is None or any(re.match(rb"\.(?!well-known\Z)", name) for name in names):
        assert usual.parse(text) is None
    else:
        assert usual.parse(text) == names
