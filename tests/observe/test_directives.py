"""Lines of the access log with the directives of Apache's httpd."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.observe.directives import compile_format

FIELDS = b"Host: a\r\nReferer: http://a/\r\nUser-Agent: curl/8\r\nX-Empty:\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Id:  7 \r\nX-Empty:\r\nX-Id: 8\r\n\r\n"


@pytest.fixture
def usual(message, record):
    return record(message(path="/x/y?z=1", fields=FIELDS), length=1234, duration=1.2345678, head=HEAD)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("%%", "%"),
        ("%a", "192.0.2.1"),
        ("%h %l %u", "192.0.2.1 - -"),
        ("%t", "[24/Nov/2026:06:00:00 +0000]"),
        ("%{%Y-%m-%d %H:%M}t", "2026-11-24 06:00"),
        ("%{sec}t %{msec}t %{usec}t", "1795500000 1795500000250 1795500000250000"),
        ('"%r"', '"GET /x/y?z=1 HTTP/1.1"'),
        ("%m %U %q %H", "GET /x/y ?z=1 HTTP/1.1"),
        ("%s %>s %<s", "200 200 200"),
        ("%b %B %O", "1234 1234 1354"),
        ("%T %Tf %D", "1 1.234568 1234567"),
        ("%{s}T %{ms}T %{us}T", "1 1234 1234567"),
        ("%{Referer}i %{user-agent}i", "http://a/ curl/8"),
        ("%{None}i %{X-Empty}i %{é}i", "- - -"),
        ("%{content-type}o %{X-Id}o", "text/html 7"),
        ("%{None}o %{X-Empty}o %{OK}o", "- - -"),
        ("%{AIOSERVE_TEST}e %{AIOSERVE_NONE}e", r"a\"b -"),
        ("100% %X %{a}X %{h}T %(name)s 5%", "100% %X %{a}X %{h}T %(name)s 5%"),
        ("a\t%a", "a\t192.0.2.1"),
        ("", ""),
    ],
)
@pytest.mark.usefixtures("utc")
def test_each_directive_says_its_part(usual, monkeypatch, text, line):
    monkeypatch.setenv("AIOSERVE_TEST", 'a"b')

    assert compile_format(text)(usual) == line


def test_the_process_is_that_which_writes(usual):
    assert compile_format("%P")(usual) == f"<{os.getpid()}>"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("%r %m %U %q %H", r"\x16\x03 - -  -"),
        ("%{Referer}i %{Server}o %s", "- - 400"),
    ],
)
def test_what_is_no_request_has_a_line(record, text, line):
    assert compile_format(text)(record(None, status=400, refused="\x16\x03")) == line


@pytest.mark.parametrize("text", ["%a\n", "\r%a", "\x1b[0m%a", "%a\u2028"])
def test_a_layout_of_several_lines_is_refused(text):
    with pytest.raises(ValueError, match="would not make one line"):
        compile_format(text)


ALL = '%a "%r" "%m" "%U" "%q" "%{User-Agent}i" "%{X}o" %s'
QUOTED = r'"(?:[^"\\]|\\.)*"'
LINE = re.compile(rf"\S+ {' '.join([QUOTED] * 6)} 200")


def test_every_byte_leaves_one_parsable_line_of_printable_ascii(message, record):
    write = compile_format(ALL)
    for byte in set(range(256)) - {0x0D}:  # no field of an answer has one
        foreign = b"a%cb" % byte
        text = foreign.decode("utf-8", "surrogateescape")
        asked = message(method=text, path=text, fields=b"User-Agent: %b\r\n" % foreign)
        line = write(record(asked, peer=text, head=b"HTTP/1.1 200 OK\r\nX: %b\r\n\r\n" % foreign))

        assert line.isascii(), byte
        assert line.isprintable(), byte
        assert LINE.fullmatch(line), byte


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])).map(lambda text: text + " %%{}T"))
def test_any_printable_text_is_a_layout(text):
    class Record:
        """Answers nothing: no directive is asked for here."""

    without = re.sub(r"%(?!%)", "", text)

    assert compile_format(without)(Record()) == without.replace("%%", "%")


@pytest.mark.parametrize("value", ["", "8f1e-7"])
def test_a_request_may_have_an_id(message, record, value):
    made = record(message())
    made.message.request_id = value

    assert compile_format("%L")(made) == (value or "-")
    assert compile_format("%L")(record(None)) == "-"
