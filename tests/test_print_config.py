from __future__ import annotations

import re
import tomllib
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioserve.config_file import read_config_file
from aioserve.errors import ConfigurationError
from aioserve.options import Given, Reach
from aioserve.print_config import format_config
from aioserve.settings import OPTIONS, SECTIONS, Settings, build_settings

IN_FILES = {key: one for key, one in OPTIONS.items() if one.reach is Reach.FILE}
NO_FIXED_VALUE = re.compile(r"\S+ = +#|(?:bind|host|port) ")
DEFAULT_LINE = re.compile(r"^# (?P<line>[a-z-]+ = \S.*)$", re.MULTILINE)


def printed(**texts):
    return format_config(SECTIONS, {key.replace("_", "-"): one for key, one in texts.items()})


def line_of(text, key):
    """Return the line of a key, with its comment."""
    (line,) = re.findall(rf"^(?:# )?{key} = ?.*$", text, re.MULTILINE)
    return line


def read(folder, text):
    """Return the settings that a file with this text makes, without their sources."""
    (folder / "a.toml").write_bytes(text.encode())
    return replace(build_settings(read_config_file(str(folder / "a.toml"), OPTIONS.values())), sources={})


@pytest.mark.parametrize(
    ("key", "texts", "source", "line"),
    [
        ("port", ("8000",), "--port", "port = 8000  # --port"),
        ("port", ("http",), "AIOSERVE_PORT", 'port = "http"  # AIOSERVE_PORT'),
        ("workers", ("3",), "WEB_CONCURRENCY", "workers = 3  # WEB_CONCURRENCY"),
        ("workers", ("auto",), "--workers", 'workers = "auto"  # --workers'),
        ("debug", ("True",), "--debug", "debug = true  # --debug"),
        ("access-log", ("off",), "x.toml: access_log", "access-log = false  # x.toml: access_log"),
        ("keep-alive", ("300",), "--keep-alive", 'keep-alive = "5m"  # --keep-alive'),
        ("keep-alive", ("0",), "--keep-alive", "keep-alive = 0  # --keep-alive"),
        ("limit-body", ("1048576",), "--limit-body", 'limit-body = "1M"  # --limit-body'),
        ("limit-body", ("1000",), "--limit-body", "limit-body = 1000  # --limit-body"),
        ("static", ("a", "/b=c"), "--static", 'static = ["a", "/b=c"]  # --static'),
        ("static", (), "x.toml: static", "static = []  # x.toml: static"),
        ("cors", ("*",), "--cors", 'cors = "*"  # --cors'),
        ("header", ("A: \"b\\'",), "--header", 'header = ["A: \\"b\\\\\'"]  # --header'),
        ("app-dir", ("é\x7f\t\u202e\U000e0001",), "APP", r'app-dir = "é\u007F\u0009\u202E\U000E0001"  # APP'),
        ("app", ("a:B",), "x\n\x1b[1m\udce9: app", 'app = "a:B"  # x\\n\\x1b[1m\\xe9: app'),
    ],
)
def test_what_was_given_is_a_line_that_counts_with_its_source(key, texts, source, line):
    text = format_config(SECTIONS, {key: Given(texts, source)})

    assert line_of(text, key) == line
    assert tomllib.loads(text).keys() == {key}


@pytest.mark.parametrize(
    "line",
    [
        '# host = "127.0.0.1"  # default',
        "# port = 8080  # default",
        "# bind = []  # default: sockets that systemd hands over, or else --host and --port",
        '# keep-alive = "75s"  # default',
        '# index = ["index.html"]  # default',
        '# app-dir = "."  # default: the current folder',
        "# uvloop =  # default: on where it is installed",
        "# app =  # default: none",
    ],
)
def test_default_is_a_comment(line):
    assert line_of(printed(), line.split()[1]) == line


def test_what_is_shut_out_by_another_option_says_so():
    text = printed(bind=Given((":80",), "--bind"))

    assert line_of(text, "port") == "# port = 8080  # not used, because of bind"
    assert line_of(text, "bind") == 'bind = [":80"]  # --bind'


def test_every_option_of_a_file_stands_once_in_its_section():
    blocks = dict(block.split("\n", 1) for block in printed().split("\n\n"))

    assert {title: re.findall(r"^# (\S+) =", lines, re.MULTILINE) for title, lines in blocks.items()} == {
        f"# {part.title}": [one.key for one in part.options.values() if one.key in IN_FILES]
        for part in SECTIONS
        if part.title != "Information"
    }


def test_defaults_are_no_configuration_and_are_the_defaults_once_they_count(tmp_path):
    text = printed()

    assert tomllib.loads(text) == {}
    lines = [found for found in DEFAULT_LINE.findall(text) if not NO_FIXED_VALUE.match(found)]
    assert len(lines) > 30
    assert read(tmp_path, "\n".join(lines)) == Settings()


@pytest.mark.parametrize("one", IN_FILES.values(), ids=lambda one: one.key)
def test_default_in_one_word_is_a_value(one):
    if one.default is None and one.default_text and " " not in one.default_text:
        assert one.kind.format(one.kind.parse(one.default_text)) == one.default_text


def test_name_that_is_no_unicode_is_refused():
    with pytest.raises(ConfigurationError, match=r"^--static: 'caf\\udce9' has bytes in it"):
        printed(static=Given(("caf\udce9",), "--static"))


# Round trip

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
NUMBERS = st.integers(1, 999_999_999).map(str)
BY_KIND = {
    "APP": TEXTS,
    "TEXT": TEXTS,
    "PATH": TEXTS,
    "DIR": TEXTS,
    "": st.sampled_from(["True", "False", "on", "off"]),
    "DURATION": NUMBERS
    | st.builds("{}{}".format, NUMBERS, st.sampled_from(["ms", "s", "m", "h"]))
    | st.builds("{}.{}".format, NUMBERS, st.integers(1, 999)),
    "SIZE": st.builds("{}{}".format, NUMBERS, st.sampled_from(["", "K", "m", "G"])),
    "N": NUMBERS,
    "N|auto": NUMBERS | st.just("auto"),
    "PORT": st.integers(0, 65535).map(str) | st.just("http"),
    "ADDRESS": TEXTS.map(lambda path: f"unix:./{path}?mode=600")
    | st.sampled_from([":80", "[::1]:http", "systemd:a", "fd://3"]),
    "[/URL=]DIR": TEXTS | TEXTS.map(lambda folder: f"/a%20b/={folder}"),
    "STATUS=FILE": TEXTS.map(lambda name: f"404={name}"),
    "FIELD": TEXTS.map(lambda value: f"/a/* X-A: {value}"),
    "DIRECTIVES": st.sampled_from(["no-cache", 'private="a\\"b", max-age=5']),
    "ORIGIN": st.sampled_from(["*", "http://A.example:80", "https://[::1]:1"]),
    "/URL": st.sampled_from(["/", "/-/live"]),
    "SHARE": st.sampled_from(["1%", "0.291785178", "1"]),
    "GLOB": st.sampled_from(["/-/*", "* 2xx 304"]),
    "CIDR[,...]": st.sampled_from(["10.0.0.0/8,unix", "::1"]),
}


def texts_for(one):
    return st.sampled_from(one.kind.choices) if one.kind.choices else BY_KIND[one.kind.metavar]


def is_usable(one, text):
    try:
        one.kind.parse(text)
    except ValueError:
        return False
    return True


@st.composite
def anything_given(draw):
    """Draw texts for some options; addresses come from either of the two ways to give them."""
    chosen = draw(st.sets(st.sampled_from(sorted(IN_FILES))))
    if "bind" in chosen:
        chosen -= {"host", "port"}
    drawn = {}
    for key in sorted(chosen):
        one = IN_FILES[key]
        texts = texts_for(one).filter(lambda text, one=one: is_usable(one, text))
        many = st.lists(texts, max_size=3) if one.repeatable else texts.map(lambda text: [text])
        drawn[key] = Given(tuple(draw(many)), draw(st.text()))
    return drawn


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
@given(anything_given())
def test_what_is_printed_is_a_file_that_says_the_same(tmp_path, drawn):
    text = format_config(SECTIONS, drawn)

    assert read(tmp_path, text) == replace(build_settings(drawn), sources={})


def test_every_kind_has_been_thought_of():
    assert {one.kind.metavar for one in IN_FILES.values() if not one.kind.choices} == BY_KIND.keys()
