"""Compressing a file once, for all who ask for it."""

from __future__ import annotations

import gzip
import sys
from importlib import import_module
from types import ModuleType

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static import compression
from aioserve.static.compression import LARGEST, SMALLEST, codings, compress, is_worth_compressing

ZSTD = ("compression.zstd", "backports.zstd")
TEXT = b"".join(b"<p>%d times the same words, but for a number.</p>\n" % number for number in range(100))


@pytest.fixture
def forgetful():
    """What was found out about the libraries is forgotten, before and after."""
    forget()
    yield
    forget()


def forget():
    codings.cache_clear()
    compression._compressor.cache_clear()


def decompress(content, coding):
    """Undo a coding by other means than those that made it, where there are any."""
    match coding:
        case "gzip":
            return gzip.decompress(content)
        case "br":
            return brotli.decompress(content)
        case _:
            return compression._import_first(*ZSTD).decompress(content)


# What is compressed


@pytest.mark.parametrize(
    ("reason", "media_type", "size", "expected"),
    [
        ("the smallest", "text/html; charset=utf-8", SMALLEST, True),
        ("smaller", "text/html; charset=utf-8", SMALLEST - 1, False),
        ("empty", "text/html; charset=utf-8", 0, False),
        ("the largest", "text/css; charset=utf-8", LARGEST, True),
        ("larger", "text/css; charset=utf-8", LARGEST + 1, False),
        ("vector graphics", "image/svg+xml", 5000, True),
        ("JSON", "application/json", 5000, True),
        ("compressed in itself", "image/png", 5000, False),
        ("not known", "application/octet-stream", 5000, False),
    ],
)
def test_type_and_size_decide_whether_it_is_tried(reason, media_type, size, expected):
    assert is_worth_compressing(media_type, size) is expected, reason


# Which codings there are


@pytest.mark.usefixtures("forgetful")
def test_all_codings_are_made_where_all_libraries_are():
    assert codings() == ("br", "zstd", "gzip")


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (("brotli",), ("zstd", "gzip")),
        (ZSTD, ("br", "gzip")),
        (("brotli", *ZSTD), ("gzip",)),
    ],
)
def test_coding_without_its_library_is_not_made(monkeypatch, missing, expected):
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)

    assert codings() == expected
    for coding in {"br", "zstd"} - set(expected):
        with pytest.raises(ValueError, match=coding):
            compress(TEXT, coding)


class FakeZstd(ModuleType):
    """The module of Python 3.14."""

    def __init__(self):
        super().__init__(ZSTD[0])

    def compress(self, content, level):
        return bytearray(b"%d at %d" % (len(content), level))


@pytest.mark.usefixtures("forgetful")
def test_zstd_is_that_of_python_itself_where_it_has_one(monkeypatch):
    monkeypatch.setitem(sys.modules, ZSTD[0], FakeZstd())

    assert compress(b"a" * 1000, "zstd") == b"1000 at 6"


@pytest.mark.usefixtures("forgetful")
def test_libraries_are_looked_for_once(monkeypatch):
    asked = []
    monkeypatch.setattr(compression, "import_module", lambda name: asked.append(name) or import_module(name))

    for _ in range(3):
        codings()
        compress(TEXT, "br")

    assert len(asked) == len(set(asked)) <= 3


@pytest.mark.parametrize("coding", ["identity", "deflate", "compress", "x-gzip", ""])
def test_any_other_coding_is_refused(coding):
    with pytest.raises(ValueError, match="cannot be made here"):
        compress(TEXT, coding)


# What comes of it


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_text_gets_much_smaller(coding):
    compressed = compress(TEXT, coding)

    assert decompress(compressed, coding) == TEXT
    assert len(compressed) < len(TEXT) / 4
    assert isinstance(compressed, bytes)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
@given(st.binary() | st.lists(st.sampled_from([b"<p>", b"words ", b"\n", b"\xff"])).map(b"".join))
def test_any_content_comes_back_or_is_left_as_it_is(coding, content):
    compressed = compress(content, coding)

    if compressed is not None:
        assert decompress(compressed, coding) == content
        assert len(compressed) <= 0.9 * len(content)


@pytest.mark.parametrize(("left", "is_kept"), [(899, True), (900, True), (901, False), (1100, False)])
def test_what_saves_too_little_is_not_kept(monkeypatch, left, is_kept):
    monkeypatch.setattr(compression, "_compressor", lambda _: lambda _: b"x" * left)

    assert (compress(b"y" * 1000, "gzip") is not None) is is_kept


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip"])
def test_same_content_gives_the_same_bytes(coding):  # RFC 9110 §8.8.1
    assert compress(TEXT, coding) == compress(bytes(bytearray(TEXT)), coding)


def test_gzip_holds_no_name_and_no_time():  # RFC 1952 §2.3
    compressed = compress(TEXT, "gzip")

    assert compressed[:3] == b"\x1f\x8b\x08"
    assert (compressed[3], compressed[4:8]) == (0, bytes(4))


def test_zstd_needs_no_more_memory_than_a_browser_gives_it():  # RFC 9659 §3: windows of 8 MiB
    zstd = compression._import_first(*ZSTD)
    content = TEXT * (LARGEST // len(TEXT))
    most = {zstd.DecompressionParameter.window_log_max: 23}

    assert zstd.decompress(compress(content, "zstd"), options=most) == content
