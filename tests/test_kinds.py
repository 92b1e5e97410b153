from __future__ import annotations

import re
import socket
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve import kinds

KINDS = {name: kind for name, kind in vars(kinds).items() if isinstance(kind, kinds.Kind)} | {
    "choice": kinds.choice("auto", "always", "never"),
    "at_least": kinds.at_least(0.5),
}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("TEXT", "index.html", "index.html"),
        ("PATH", "./a b/c", "./a b/c"),
        ("FOLDER", "..", ".."),
        ("BOOLEAN", "true", True),
        ("BOOLEAN", "ON", True),
        ("BOOLEAN", "yes", True),
        ("BOOLEAN", "1", True),
        ("BOOLEAN", "False", False),
        ("BOOLEAN", "off", False),
        ("BOOLEAN", "no", False),
        ("BOOLEAN", "0", False),
        ("DURATION", "0", 0.0),
        ("DURATION", "75", 75.0),
        ("DURATION", "2.5", 2.5),
        ("DURATION", "500ms", 0.5),
        ("DURATION", "10s", 10.0),
        ("DURATION", "0.25s", 0.25),
        ("DURATION", "5m", 300.0),
        ("DURATION", "1h", 3600.0),
        ("SIZE", "0", 0),
        ("SIZE", "8190", 8190),
        ("SIZE", "64K", 65536),
        ("SIZE", "16M", 16777216),
        ("SIZE", "1g", 1073741824),
        ("LENGTH", "8K", 8192),
        ("COUNT", "100", 100),
        ("PORT", "0", 0),
        ("PORT", "8080", 8080),
        ("PORT", "65535", 65535),
        ("MOUNT", "./site", ("/", "./site")),
        ("MOUNT", "a=b", ("/", "a=b")),
        ("MOUNT", "/srv/site", ("/", "/srv/site")),
        ("MOUNT", "/docs=./docs", ("/docs", "./docs")),
        ("MOUNT", "/docs/=./docs", ("/docs", "./docs")),
        ("MOUNT", "/=./site", ("/", "./site")),
        ("MOUNT", "/a/b.c=/srv/x=y", ("/a/b.c", "/srv/x=y")),
        ("MOUNT", "/a%20b=x", ("/a%20b", "x")),
        ("LAYOUT", "json", "json"),
        ("LAYOUT", '%a\t"%r"', '%a\t"%r"'),
        ("SKIP", "/-/*", ("/-/*", "")),
        ("SKIP", " *.css  2xx 304 ", ("*.css", "2xx 304")),
        ("SHARE", "1%", 0.01),
        ("SHARE", "0.01", 0.01),
        ("SHARE", "0", 0.0),
        ("SHARE", "100%", 1.0),
        ("URL_PATH", "/", "/"),
        ("URL_PATH", "/-/live", "/-/live"),
        ("choice", "always", "always"),
        ("at_least", "0", 0.0),
        ("at_least", "500ms", 0.5),
        ("at_least", "1h", 3600.0),
    ],
)
def test_text_means_this_value(kind, text, value):
    assert KINDS[kind].parse(text) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("TEXT", "", "must not be empty"),
        ("TEXT", "a\0b", "'a\\x00b' has a NUL character in it"),
        ("BOOLEAN", "maybe", "'maybe' is not true or false"),
        ("DURATION", "", "'' is not a duration: seconds, or a number with its unit as in 500ms, 10s, 5m, 1h"),
        ("DURATION", "-1", "is not a duration"),
        ("DURATION", "+5", "is not a duration"),
        ("DURATION", "5_0", "is not a duration"),
        ("DURATION", "1e3", "is not a duration"),
        ("DURATION", "10 s", "is not a duration"),
        ("DURATION", "1.5h", "is not a duration"),
        ("DURATION", ".5", "is not a duration"),
        ("DURATION", "nan", "is not a duration"),
        ("DURATION", "٣", "is not a duration"),
        ("DURATION", "5s\n", "is not a duration"),
        ("SIZE", "16MB", "'16MB' is not a size: bytes, or a number with its unit as in 64K, 16M, 1G"),
        ("SIZE", "1.5M", "is not a size"),
        ("SIZE", "-1", "is not a size"),
        ("SIZE", "٣", "is not a size"),
        ("SIZE", "8\u212a", "is not a size"),  # the Kelvin sign is a K where case is folded beyond ASCII
        ("LENGTH", "0", "'0' is not a size from 1 byte on"),
        ("LENGTH", "0K", "is not a size from 1 byte on"),
        ("COUNT", "0", "'0' is not a whole number from 1 on"),
        ("COUNT", "x", "is not a whole number"),
        ("PORT", "x", "'x' is not a port: a number from 0 to 65535 or the name of a known service"),
        ("PORT", "65536", "is not a port"),
        ("PORT", "-1", "is not a port"),
        ("PORT", "", "is not a port"),
        ("PORT", "80\0", "is not a port"),
        ("PORT", "\udc80", "is not a port"),
        ("LAYOUT", "pretty", "'pretty' is not one of common, combined, dev, json, or a line of text"),
        ("LAYOUT", "", "is not one of"),
        ("LAYOUT", "%a\n", "is not one of"),
        ("SKIP", "health", "'health' is not a path with * in it"),
        ("SKIP", "", "is not a path with * in it"),
        ("SKIP", "/health 2x", "is not a path with * in it"),
        ("SKIP", "/health 600", "is not a path with * in it"),
        ("SHARE", "101%", "'101%' is not a share, as in 1% or 0.01"),
        ("SHARE", "2", "is not a share"),
        ("SHARE", "-1", "is not a share"),
        ("URL_PATH", "", "'' is not the path of a URL, such as /docs"),
        ("URL_PATH", "live", "is not the path of a URL"),
        ("URL_PATH", "/live?", "is not the path of a URL"),
        ("MOUNT", "", "must not be empty"),
        ("MOUNT", "/docs=", "must not be empty"),
        ("MOUNT", "/a b=x", "'/a b' is not the path of a URL, such as /docs"),
        ("MOUNT", "/..=x", "is not the path of a URL"),
        ("MOUNT", "/a/./b=x", "is not the path of a URL"),
        ("MOUNT", "//a=x", "is not the path of a URL"),
        ("MOUNT", "/a%4=x", "is not the path of a URL"),
        ("at_least", "1ms", "'1ms' is less than 500ms, and is not 0"),
        ("at_least", "0.499", "'0.499' is less than 500ms, and is not 0"),
        ("at_least", "x", "'x' is not a duration"),
        ("choice", "Auto", "'Auto' is not one of auto, always, never"),
    ],
)
def test_text_is_refused_with_a_sentence(kind, text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        KINDS[kind].parse(text)


def test_known_service_is_a_port_and_keeps_its_name(monkeypatch):
    known = {("http", "tcp"): 80}
    monkeypatch.setattr(socket, "getservbyname", lambda *asked: known[asked])

    assert kinds.PORT.parse("http") == "http"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("BOOLEAN", True, "on"),
        ("BOOLEAN", False, "off"),
        ("DURATION", 0.0, "0"),
        ("DURATION", 0.5, "500ms"),
        ("DURATION", 2.5, "2.5s"),
        ("DURATION", 75.0, "75s"),
        ("DURATION", 300.0, "5m"),
        ("DURATION", 7200.0, "2h"),
        ("SIZE", 0, "0"),
        ("SIZE", 8190, "8190"),
        ("SIZE", 65536, "64K"),
        ("SIZE", 16777216, "16M"),
        ("SIZE", 1 << 30, "1G"),
        ("SKIP", ("/-/*", ""), "/-/*"),
        ("SKIP", ("*", "2xx 304"), "* 2xx 304"),
        ("SHARE", 0.01, "1%"),
        ("SHARE", 1.0, "100%"),
        ("MOUNT", ("/", "./site"), "./site"),
        ("MOUNT", ("/docs", "./docs"), "/docs=./docs"),
        ("MOUNT", ("/", "/a=b"), "/=/a=b"),
    ],
)
def test_value_is_written_the_short_way(kind, value, text):
    assert KINDS[kind].format(value) == text


ALPHABET = st.text(alphabet="0123456789.+-_ msKMGhx=/:\0\n٣éabtrueofn")


@pytest.mark.parametrize("kind", KINDS)
@given(text=ALPHABET | st.text())
def test_any_text_is_a_value_that_can_be_written_back_or_a_value_error(kind, text):
    with suppress(ValueError):
        value = KINDS[kind].parse(text)

        assert KINDS[kind].parse(KINDS[kind].format(value)) == value


@given(st.from_regex(kinds._DURATION, fullmatch=True))
def test_every_duration_is_finite_and_survives_being_written(text):
    seconds = kinds.DURATION.parse(text)

    assert 0 <= seconds < 1e13
    assert kinds.DURATION.parse(kinds.DURATION.format(seconds)) == seconds


@given(st.from_regex(kinds._SIZE, fullmatch=True))
def test_every_size_survives_being_written(text):
    size = kinds.SIZE.parse(text)

    assert kinds.SIZE.parse(kinds.SIZE.format(size)) == size


@given(st.from_regex(kinds._SHARE, fullmatch=True))
def test_every_share_survives_being_written(text):
    with suppress(ValueError):  # more than all
        share = kinds.SHARE.parse(text)

        assert kinds.SHARE.parse(kinds.SHARE.format(share)) == share


@given(
    st.from_regex(kinds._PREFIX, fullmatch=True), st.text(min_size=1).filter(lambda text: "\0" not in text)
)
def test_every_mount_survives_being_written(prefix, folder):
    mount = kinds.MOUNT.parse(f"{prefix}={folder}")

    assert mount[0].startswith("/")
    assert ".." not in mount[0].split("/")
    assert kinds.MOUNT.parse(kinds.MOUNT.format(mount)) == mount


def test_choice_lists_its_words_for_help_and_completion():
    assert KINDS["choice"].metavar == "auto|always|never"
    assert KINDS["choice"].choices == ("auto", "always", "never")
