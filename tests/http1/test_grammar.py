"""The patterns take what the RFCs define, in time linear in their input."""

from __future__ import annotations

import re
import string
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http1 import grammar
from aioserve.http1.grammar import (
    CHUNK_LINE,
    FIELD_LINE,
    FIELD_LINE_BYTES,
    HEAD,
    HOST,
    REQUEST_LINE,
    REQUEST_LINE_BYTES,
)
from tests.steps import Steps, repeats_of

PATTERNS = {name: value for name, value in vars(grammar).items() if isinstance(value, re.Pattern)}
EVERY_BYTE = [bytes([value]) for value in range(256)]

# RFC 9110 §5.6.2, §5.5; RFC 9112 §3.2 with what browsers send raw. Written once more, from the RFCs' text.
TCHAR = set((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())
FIELD_VCHAR = {*range(0x21, 0x7F), *range(0x80, 0x100)}
TARGET = set(range(0x21, 0x7F)) - {ord("#")}


@pytest.mark.parametrize(
    ("clause", "pattern", "line", "allowed"),
    [
        ("9110 §5.6.2: a token", "TOKEN", b"a%ba", TCHAR),
        ("9110 §9.1: a method", "REQUEST_LINE", b"G%bT / HTTP/1.1\r\n", TCHAR),
        ("9112 §3.2: a target", "REQUEST_LINE", b"GET /a%bb HTTP/1.1\r\n", TARGET),
        ("9110 §5.1: a name", "FIELD_LINE", b"A%bB: c\r\n", TCHAR | {ord(":")}),
        ("9110 §5.5: a value", "FIELD_LINE", b"A: b%bc\r\n", FIELD_VCHAR | {*b" \t"}),
        ("9112 §7.1.1: an extension's name", "CHUNK_LINE", b"1;a%bb=c\r\n", TCHAR | {ord(";")}),
        ("9112 §7.1.1: an extension's value", "CHUNK_LINE", b"1;a=b%bc\r\n", TCHAR | {ord(";")}),
        (
            "9110 §5.6.4: a quoted string",
            "CHUNK_LINE",
            b'1;a="b%bc"\r\n',
            FIELD_VCHAR - {*b'"'} | {*b" \t"},
        ),
        ("9110 §5.6.4: a quoted pair", "CHUNK_LINE", b'1;a="b\\%bc"\r\n', FIELD_VCHAR | {*b" \t"}),
    ],
)
def test_a_byte_is_taken_where_the_clause_allows_it(clause, pattern, line, allowed):
    assert {byte[0] for byte in EVERY_BYTE if PATTERNS[pattern].fullmatch(line % byte)} == allowed, clause


def test_bytes_of_a_line_are_those_of_its_parts():
    assert set(REQUEST_LINE_BYTES) == TARGET | {*b" #"}  # a '#' is in a method
    assert set(FIELD_LINE_BYTES) == FIELD_VCHAR | {*b" \t"}


@pytest.mark.parametrize(
    ("clause", "line"),
    [
        ("9112 §3: a plain one", b"GET / HTTP/1.1\r\n"),
        ("9112 §2.3: any digit; whether it is served is another question", b"GET / HTTP/9.9\r\n"),
        ("9112 §3.2: the four forms are not told apart here", b"OPTIONS * HTTP/1.1\r\n"),
        ("9112 §3.2.3: authority-form", b"CONNECT a:1 HTTP/1.1\r\n"),
    ],
)
def test_a_request_line_is_three_parts(clause, line):
    assert REQUEST_LINE.fullmatch(line), clause


@pytest.mark.parametrize(
    ("clause", "line"),
    [
        ("9112 §3: two blanks", b"GET  / HTTP/1.1\r\n"),
        ("9112 §3: a tab between", b"GET\t/ HTTP/1.1\r\n"),
        ("9112 §3: a vertical tab between", b"GET\x0b/ HTTP/1.1\r\n"),
        ("9112 §3: a blank in the target", b"GET /a b HTTP/1.1\r\n"),
        ("9112 §3: a blank before", b" GET / HTTP/1.1\r\n"),
        ("9112 §3: a blank behind", b"GET / HTTP/1.1 \r\n"),
        ("9112 §3: no target", b"GET HTTP/1.1\r\n"),
        ("9112 §3: no method", b"/ HTTP/1.1\r\n"),
        ("9112 C: no version", b"GET /\r\n"),
        ("9112 §2.2: LF alone", b"GET / HTTP/1.1\n"),
        ("9112 §2.2: CR alone", b"GET / HTTP/1.1\r"),
        ("9112 §2.2: two CR", b"GET / HTTP/1.1\r\r\n"),
        ("9112 §2.3: HTTP has a case", b"GET / http/1.1\r\n"),
        ("9112 §2.3: no minor version", b"GET / HTTP/1\r\n"),
        ("9112 §2.3: no digit behind the point", b"GET / HTTP/1.\r\n"),
        ("9112 §2.3: two digits", b"GET / HTTP/1.10\r\n"),
        ("9112 §2.3: a leading zero", b"GET / HTTP/01.1\r\n"),
        ("9112 §2.3: a letter behind", b"GET / HTTP/1.1x\r\n"),
        ("9112 §2.3: a blank inside", b"GET / HTTP/ 1.1\r\n"),
        ("9112 §2.3: another protocol", b"GET / ICY/1.1\r\n"),
    ],
)
def test_anything_else_is_no_request_line(clause, line):
    assert not REQUEST_LINE.fullmatch(line), clause
    assert not HEAD.fullmatch(line + b"\r\n"), clause


@pytest.mark.parametrize(
    ("clause", "line"),
    [
        ("9112 §5: no blank is needed", b"A:b\r\n"),
        ("9110 §5.5: nothing is a value", b"A:\r\n"),
        ("9110 §5.5: blanks are nothing", b"A: \t \r\n"),
        ("9110 §5.5: a colon in the value", b"A: b:c\r\n"),
        ("9110 §5.5: bytes over 0x7f are kept", b"A: \x80\xff\r\n"),
    ],
)
def test_a_field_line_is_a_name_and_a_value(clause, line):
    assert FIELD_LINE.fullmatch(line), clause


@pytest.mark.parametrize(
    ("clause", "line"),
    [
        ("9112 §5.1: a blank before the colon", b"A : b\r\n"),
        ("9112 §5.1: a tab before the colon", b"A\t: b\r\n"),
        ("9112 §5.2: a folded line", b" b\r\n"),
        ("9112 §5: no colon", b"A\r\n"),
        ("9112 §5: no name", b": b\r\n"),
        ("9112 §5: nothing", b"\r\n"),
        ("9112 §2.2: LF alone", b"A: b\n"),
        ("9112 §2.2: CR alone", b"A: b\rc\r\n"),
        ("9112 §2.2: two CR", b"A: b\r\r\n"),
        ("9110 §5.5: NUL", b"A: \0\r\n"),
        ("9110 §5.5: DEL", b"A: \x7f\r\n"),
    ],
)
def test_anything_else_is_no_field_line(clause, line):
    assert not FIELD_LINE.fullmatch(line), clause
    assert not HEAD.fullmatch(b"GET / HTTP/1.1\r\n" + line + b"\r\n"), clause


def test_a_head_is_matched_with_its_parts():
    match = HEAD.match(b"GET /a HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\nA: body\r\n\r\n")

    assert match.groups() == (b"GET", b"/a", b"1", b"Host: a\r\nB: c\r\n")
    assert match.string[match.end() :] == b"A: body\r\n\r\n"


def test_a_head_of_another_major_version_is_none():
    assert not HEAD.match(b"GET / HTTP/2.0\r\n\r\n")


LINES = st.sampled_from(
    [b"GET / HTTP/1.1\r\n", b"A: b\r\n", b"\r\n", b"A:\r\n", b" b\r\n", b"A: b\n", b"\r", b"A"]
)


@given(st.lists(LINES, max_size=6).map(b"".join))
def test_a_head_is_a_request_line_and_field_lines_and_nothing_else(data):
    end = len(match[0]) if (match := REQUEST_LINE.match(data)) else -1
    while match := end >= 0 and FIELD_LINE.match(data, end):
        end = match.end()

    match = HEAD.match(data)

    assert (match.end() if match else None) == (
        end + 2 if data[end:].startswith(b"\r\n") and end > 0 else None
    )


@pytest.mark.parametrize(
    ("clause", "host"),
    [
        ("3986 §3.2.2: a name", b"example.com"),
        ("3986 §3.2.2: a name with a port", b"example.com:8080"),
        ("3986 §3.2.3: an empty port", b"example.com:"),
        ("3986 §3.2.2: upper case", b"EXAMPLE.com"),
        ("1034 §3.1: the point of the root", b"example.com."),
        ("3986 §2.1: encoded", b"ex%C3%A4mple"),
        ("3986 §3.2.2: sub-delims", b"a!$&'()*+;=~_b"),
        ("3986 §3.2.2: an IPv4 address", b"127.0.0.1:80"),
        ("3986 §3.2.2: an IPv6 address", b"[::1]"),
        ("3986 §3.2.2: an IPv6 address and a port", b"[fe80::1:2.3.4.5]:80"),
        ("3986 §3.2.2: an address of the future", b"[v1F.a:b]:80"),
    ],
)
def test_a_host_is_a_host_and_a_port(clause, host):
    assert HOST.fullmatch(host), clause


@pytest.mark.parametrize(
    ("clause", "host"),
    [
        ("9110 §4.2.1: an http URI has a host", b""),
        ("9110 §4.2.1: a port is no host", b":80"),
        ("9110 §4.2.4: user information", b"u@a"),
        ("3986 §3.2.2: a blank", b"a b"),
        ("3986 §3.2.2: a slash", b"a/b"),
        ("9110 §5.3: a list of two", b"a,b"),
        ("3986 §3.2.2: half a bracket", b"[::1"),
        ("3986 §3.2.2: an address without brackets", b"::1"),
        ("3986 §3.2.2: an empty address", b"[]"),
        ("3986 §3.2.2: something behind the bracket", b"[::1]a"),
        ("3986 §3.2.3: a port of letters", b"a:x"),
        ("3986 §3.2.3: two ports", b"a:1:2"),
        ("3986 §2.1: half an encoding", b"a%C"),
        ("3986 §2.1: an encoding of letters", b"a%GG"),
        ("3986 §3.2.2: raw bytes", b"\xe4"),
        ("a line feed behind", b"a\n"),
    ],
)
def test_anything_else_is_no_host(clause, host):
    assert not HOST.fullmatch(host), clause


@pytest.mark.parametrize(
    ("clause", "line", "size"),
    [
        ("9112 §7.1: a size", b"5\r\n", 5),
        ("9112 §7.1: either case", b"aB\r\n", 0xAB),
        ("9112 §7.1: leading zeros", b"0005\r\n", 5),
        ("9112 §7.1: the last chunk has any number of zeros", b"000\r\n", 0),
        ("9112 §7.1: sixteen digits", b"f" * 16 + b"\r\n", 2**64 - 1),
        ("9112 §7.1.1: a name", b"5;a\r\n", 5),
        ("9112 §7.1.1: a token", b"5;a=b\r\n", 5),
        ("9112 §7.1.1: a quoted string", b'5;a="b c"\r\n', 5),
        ("9110 §5.6.4: an empty quoted string", b'5;a=""\r\n', 5),
        ("9110 §5.6.4: quoted pairs", b'5;a="\\"\\\\;"\r\n', 5),
        ("9112 §7.1.1: several", b'5;a;b=c;d="e"\r\n', 5),
        ("9112 §7.1.1: bad blanks", b'5 \t; a \t= "b" ; c\r\n', 5),
    ],
)
def test_a_chunk_line_is_a_size_and_extensions(clause, line, size):
    assert int(CHUNK_LINE.fullmatch(line)[1], 16) == size, clause


@pytest.mark.parametrize(
    ("clause", "line"),
    [
        ("9112 §7.1: nothing", b"\r\n"),
        ("9112 §7.1: no hexadecimal digit", b"g\r\n"),
        ("9112 §7.1: a prefix", b"0x5\r\n"),
        ("9112 §7.1: a sign", b"+5\r\n"),
        ("9112 §7.1: another sign", b"-5\r\n"),
        ("9112 §7.1: an underscore", b"5_0\r\n"),
        ("9112 §7.1: a blank before", b" 5\r\n"),
        ("9112 §7.1.1: a blank behind, without a semicolon", b"5 \r\n"),
        ("9112 §7.1: more digits than a size has", b"0" * 17 + b"\r\n"),
        ("9112 §7.1: LF alone", b"5\n"),
        ("9112 §7.1.1: no name", b"5;\r\n"),
        ("9112 §7.1.1: no name, but a value", b"5;=b\r\n"),
        ("9112 §7.1.1: no value", b"5;a=\r\n"),
        ("9112 §7.1.1: two values", b"5;a=b=c\r\n"),
        ("9112 §7.1.1: a blank at the end", b"5;a \r\n"),
        ("9110 §5.6.4: no end of the string", b'5;a="b\r\n'),
        ("9110 §5.6.4: its end is quoted", b'5;a="b\\"\r\n'),
        ("9110 §5.6.4: something behind its end", b'5;a="b"c\r\n'),
        ("9112 §7.1.1: a CR inside", b'5;a="\r"\r\n'),
        ("9112 §7.1.1: an LF inside", b'5;a="\n"\r\n'),
    ],
)
def test_anything_else_is_no_chunk_line(clause, line):
    assert not CHUNK_LINE.fullmatch(line), clause


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_every_repeat_is_possessive(pattern):
    assert set(repeats_of(pattern)) <= {"POSSESSIVE_REPEAT"}


# Where each repeat of a pattern begins, and what may be repeated there.
BEGINNINGS = {
    "HEAD": (b"", b"A ", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA", b"GET / HTTP/1.1\r\nA:"),
    "REQUEST_LINE": (b"", b"A "),
    "REQUEST_LINE_1": (b"", b"A "),
    "FIELD_LINE": (b"", b"A", b"A:"),
    "TOKEN": (b"",),
    "TOKENS": (b"", b",", b"a", b"a,"),
    "HOST": (b"", b"[", b"[v", b"[v1.", b"a:"),
    "PLAIN_CHUNK_LINE": (b"", b"1"),
    "CHUNK_LINE": (b"", b"1", b"1;", b"1;a", b"1;a=", b'1;a="', b'1;a="\\'),
}
REPEATED = [
    *(b"A", b"1", b":", b" ", b"\t ", b"/", b"A: b\r\n", b"A:\r\n", b"\r\n", b"\xff", b"%ab", b"%", b"."),
    *(b";a", b" ;a", b"; a", b";a=b", b' ; a = "b"', b"=", b'"', b"\\", b'\\"', b'""', b'";a="', b'";a ="\\'),
]
ENDS = [b"", b"\0", b"\r\n", b" ", b'"']


@pytest.mark.parametrize("name", PATTERNS)
def test_steps_grow_with_the_input_and_not_with_its_square(name):
    pattern = PATTERNS[name]
    for begin, repeated, end in product(BEGINNINGS[name], REPEATED, ENDS):
        few, many = (Steps(pattern, begin + repeated * times + end) for times in (10, 20))

        assert many.count - few.count <= few.count + 5, (begin, repeated, end)
        match = pattern.match(begin + repeated * 20 + end)
        assert many.end == (match.end() if match else None)
