"""Content-Type by file name, and what of it is worth compressing."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.negotiation import parse_wishes
from aioserve.static.media_types import (
    _EXTENSIONS,
    COMPRESSIBLE,
    MEDIA_TYPES,
    NAMES,
    UNKNOWN,
    is_compressible,
    media_type_of,
)

# What others rely on, spelled out: a slip in the table must not pass because the test reads the same table.
WELL_KNOWN = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",  # RFC 9239 §6
    "mjs": "text/javascript; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "md": "text/markdown; charset=utf-8",  # RFC 7763
    "csv": "text/csv; charset=utf-8",  # RFC 7111
    "ics": "text/calendar; charset=utf-8",  # RFC 5545
    "vtt": "text/vtt; charset=utf-8",
    "ts": "text/plain; charset=utf-8",
    "py": "text/plain; charset=utf-8",
    "rs": "text/plain; charset=utf-8",
    "json": "application/json",  # RFC 8259 §11
    "jsonld": "application/ld+json",
    "geojson": "application/geo+json",  # RFC 7946
    "webmanifest": "application/manifest+json",
    "xml": "application/xml",  # RFC 7303
    "xhtml": "application/xhtml+xml",
    "atom": "application/atom+xml",  # RFC 4287
    "yaml": "application/yaml",  # RFC 9512
    "wasm": "application/wasm",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "jxl": "image/jxl",
    "heic": "image/heic",
    "ico": "image/vnd.microsoft.icon",
    "woff2": "font/woff2",  # RFC 8081
    "ttf": "font/ttf",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "opus": "audio/ogg",  # RFC 7845 §9
    "flac": "audio/flac",  # RFC 9639
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mkv": "video/matroska",  # RFC 9559
    "m3u8": "application/vnd.apple.mpegurl",  # RFC 8216 §10
    "mpd": "application/dash+xml",
    "m4s": "video/iso.segment",
    "gltf": "model/gltf+json",
    "glb": "model/gltf-binary",
    "pdf": "application/pdf",
    "epub": "application/epub+zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "zip": "application/zip",
    "gz": "application/gzip",  # RFC 6713
    "zst": "application/zstd",  # RFC 8878
    "parquet": "application/vnd.apache.parquet",
    "sqlite": "application/vnd.sqlite3",
    "ipynb": "application/x-ipynb+json",
    "deb": "application/vnd.debian.binary-package",
    "apk": "application/vnd.android.package-archive",
    "exe": "application/vnd.microsoft.portable-executable",
    "torrent": "application/x-bittorrent",
    "cer": "application/pkix-cert",  # RFC 2585
    "p7m": "application/pkcs7-mime",  # RFC 8551
    "pem": "application/pem-certificate-chain",  # RFC 8555 §9.1
    "asc": "application/pgp-signature",  # RFC 3156
    "bin": "application/octet-stream",
}


@pytest.mark.parametrize("extension", WELL_KNOWN)
def test_well_known_extension_has_its_registered_type(extension):
    assert media_type_of(f"x.{extension}") == WELL_KNOWN[extension]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("INDEX.HTM", "text/html; charset=utf-8"),
        ("app.js.map", "application/json"),
        ("photo.min.avif", "image/avif"),
        ("x.tar.gz", "application/gzip"),
        ("x.html.gz", "application/gzip"),
        ("LICENSE", "text/plain; charset=utf-8"),
        ("Makefile", "text/plain; charset=utf-8"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
        ("apple-app-site-association", "application/json"),
        ("license", UNKNOWN),
        ("LICENSE.nosuch", UNKNOWN),
        ("html", UNKNOWN),
        ("x.", UNKNOWN),
        ("x.nosuch", UNKNOWN),
        ("x.html~", UNKNOWN),
        ("", UNKNOWN),
        (".html", "text/html; charset=utf-8"),
        ("\udcff.txt", "text/plain; charset=utf-8"),
    ],
)
def test_last_extension_names_the_type_or_the_whole_name_where_there_is_none(name, expected):
    assert media_type_of(name) == expected


@pytest.mark.parametrize("media_type", _EXTENSIONS)
def test_every_type_is_well_formed_and_every_text_has_its_charset(media_type):
    (wish,) = parse_wishes(media_type)

    # RFC 6838 §4.2; written in lower case, and so compared in one way
    assert re.fullmatch(
        r"(application|audio|font|image|message|model|text|video)/[a-z0-9][a-z0-9.+-]{0,126}", wish.name
    )
    assert media_type == wish.name + ("; charset=utf-8" if wish.name.startswith("text/") else "")


def test_no_extension_has_two_types():
    counted = Counter(extension for extensions in _EXTENSIONS.values() for extension in extensions.split())

    assert [extension for extension, times in counted.items() if times > 1] == []


def test_every_extension_can_be_matched():
    assert [each for each in MEDIA_TYPES if not re.fullmatch(r"[a-z0-9+]+", each)] == []


def test_no_whole_name_has_an_extension():
    assert [name for name in NAMES if "." in name] == []


def test_table_knows_what_a_site_a_library_and_an_archive_hold():
    assert len(MEDIA_TYPES) > 500


@pytest.mark.parametrize(
    "name",
    [
        "index.html",
        "style.css",
        "app.js",
        "data.json",
        "logo.svg",
        "feed.atom",
        "x.geojson",
        "x.ndjson",
        "x.yaml",
        "code.wasm",
        "x.ttf",
        "x.otf",
        "x.eot",
        "favicon.ico",
        "x.bmp",
        "x.py",
        "x.m3u8",
        "site.webmanifest",
        "README",
    ],
)
def test_what_is_text_or_not_compressed_yet_is_worth_compressing(name):
    assert is_compressible(media_type_of(name))


@pytest.mark.parametrize(
    "name",
    [
        "x.png",
        "x.jpg",
        "x.webp",
        "x.avif",
        "x.woff",
        "x.woff2",
        "x.mp3",
        "x.mp4",
        "x.webm",
        "x.pdf",
        "x.zip",
        "x.gz",
        "x.zst",
        "x.br",
        "x.docx",
        "x.epub",
        "x.jar",
        "x.usdz",
        "x.kmz",
        "x.parquet",
        "x.tar",
        "x.iso",
        "x.sqlite",
        "x.bin",
        "x",
    ],
)
def test_what_is_compressed_or_unknown_is_not_worth_it(name):
    assert not is_compressible(media_type_of(name))


def test_every_type_worth_compressing_is_in_the_table():
    assert set(MEDIA_TYPES.values()) >= COMPRESSIBLE


@given(st.text())
def test_any_name_has_a_type(name):
    assert media_type_of(name) in {*MEDIA_TYPES.values(), UNKNOWN}
