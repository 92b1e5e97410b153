"""Requests out of bytes: the same ones however the bytes are cut."""

from __future__ import annotations

from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import BadStatusLine, HttpProcessingError
from aioserve.http.messages import HttpVersion10, HttpVersion11, RequestMessage
from aioserve.http1 import parser
from aioserve.http1.parser import ParserLimits, RequestParser
from aioserve.http1.rules import REGISTERED_METHODS

SMALL = ParserLimits(line=64, field=64, head=128, headers=4, body=32)


def read_all(pieces, limits=SMALL, told=attrgetter("code"), **kwargs):
    """Feed the pieces; give back what came out: heads, bodies, and what is told of a refusal at the end."""
    parser = RequestParser(limits, **kwargs)
    out = []
    body = None
    try:
        for piece in pieces:
            parser.receive_data(piece)
            while True:
                if body is None:
                    message = parser.next_request()
                    if message is None:
                        break
                    out.append((message.method, message.path, message.raw_headers))
                    body = []
                body.append(parser.read_body())
                if not parser.body_is_complete:
                    break
                out.append(b"".join(body))
                body = None
    except HttpProcessingError as error:
        out.append(told(error))
    return out


def one_by_one(data):
    return [data[i : i + 1] for i in range(len(data))]


FIFTY = b"A: " + b"a" * 50 + b"\r\n"
CASES = {
    "a plain request": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", [("GET", "/", ((b"Host", b"a"),)), b""]),
    "9112 2.2: one empty line before a request is ignored": (
        b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        [("GET", "/", ((b"Host", b"a"),)), b""],
    ),
    "9112 2.2: two empty lines are not": (b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 2.2: a bare LF ends no line": (b"GET / HTTP/1.1\nHost: a\n\n", [400]),
    "9112 2.2: a bare LF ends no field": (b"GET / HTTP/1.1\r\nHost: a\n\r\n", [400]),
    "9112 2.2: a bare CR is refused": (b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", [400]),
    "9112 2.2: a blank before the first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", [400]),
    "9112 3: two blanks": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 3: a tab": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 3: a blank in the target": (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 3: an 8-bit target": (b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 3.2: a fragment": (b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 3.2.2: a whole URI": (
        b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n",
        [("GET", "http://b/", ((b"Host", b"a"),)), b""],
    ),
    "9110 7.4: a URI of another scheme": (b"GET https://b/ HTTP/1.1\r\nHost: a\r\n\r\n", [421]),
    "9112 3.2.4: a target of another method": (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", [400]),
    "9112 3.2: no Host": (b"GET / HTTP/1.1\r\n\r\n", [400]),
    "9112 C: HTTP/0.9": (b"GET /\r\n", [400]),
    "9110 9.1: another method": (b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", [501]),
    "9110 9.1: methods have a case": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", [501]),
    "9112 3: a method longer than a line may be": (b"A" * 100 + b" / HTTP/1.1\r\n", [501]),
    "9112 3: a target longer than a line may be": (b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n", [414]),
    "9110 2.5: a later minor version": (
        b"GET / HTTP/1.9\r\nHost: a\r\n\r\n",
        [("GET", "/", ((b"Host", b"a"),)), b""],
    ),
    "9110 15.6.6: another major version": (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", [505]),
    "9113 3.4: the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    "9112 2.3: a long version": (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", [400]),
    "9112 5.1: a blank before the colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", [400]),
    "9112 5.2: a folded field": (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", [400]),
    "9112 5: a line without a colon": (b"GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n", [400]),
    "9110 5.5: NUL in a value": (b"GET / HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n", [400]),
    "6585 5: a long field": (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 100 + b"\r\n\r\n", [431]),
    "6585 5: as many fields as the limit": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A:\r\n" * 3 + b"\r\n",
        [("GET", "/", ((b"Host", b"a"), *[(b"A", b"")] * 3)), b""],
    ),
    "6585 5: one too many, and malformed": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 3 + b"A\r\n\r\n",
        [431],
    ),
    "6585 5: as large a section as the limit": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + FIFTY * 2 + b"B: cdef\r\n\r\n",
        [("GET", "/", ((b"Host", b"a"), *[(b"A", b"a" * 50)] * 2, (b"B", b"cdef"))), b""],
    ),
    "6585 5: too large a section, and malformed behind": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + FIFTY * 2 + b"B: cdefg\0\r\n\r\n",
        [431],
    ),
    "6585 5: many fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 4 + b"\r\n", [431]),
    "6585 5: a large section": (
        b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"A: " + b"a" * 55 + b"\r\n") * 3 + b"\r\n",
        [431],
    ),
    "8446 5.1: TLS": (b"\x16\x03\x01\x02\x00\x01", [400]),
    "a good one, then a bad one": (
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2\r\n",
        [("GET", "/1", ((b"Host", b"a"),)), b"", 400],
    ),
    "two with bodies": (
        b"".join(
            [
                b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
                b"POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nT: 1\r\n\r\n",
                b"GET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
                b"GET /4 HTTP/1.1\r\nHost: a\r\n\r\n",
            ]
        ),
        [
            ("POST", "/1", ((b"Host", b"a"), (b"Content-Length", b"3"))),
            b"abc",
            ("POST", "/2", ((b"Host", b"a"), (b"Transfer-Encoding", b"chunked"))),
            b"abcd",
            ("GET", "/3", ((b"Host", b"a"),)),
            b"",
            ("GET", "/4", ((b"Host", b"a"),)),
            b"",
        ],
    ),
    "a body over its limit": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 33\r\n\r\n", [413]),
}


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_whole(data, expected):
    assert read_all([data]) == expected


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_byte_by_byte(data, expected):
    assert read_all(one_by_one(data)) == expected


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_cut_in_two_anywhere(data, expected):
    for cut in range(len(data)):
        assert read_all([data[:cut], data[cut:]]) == expected


@pytest.mark.parametrize(("data", "expected"), CASES.values(), ids=CASES)
def test_with_a_section_that_is_known(data, expected):
    sections = {}
    assert read_all([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"], sections=sections)
    assert list(sections) == [b"Host: a\r\n"]

    assert read_all([data], sections=sections) == expected
    assert read_all([data], sections=sections) == expected


FRAGMENTS = [
    *(
        b"GET / HTTP/1.1\r\n",
        b"GET /b HTTP/1.0\r\n",
        b"POST /x HTTP/1.1\r\n",
        b"FOO / HTTP/1.1\r\n",
        b"HTTP/2.0",
    ),
    *(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET http://b HTTP/1.1\r\nHost: a\r\n\r\n"),
    *(b"Host: a\r\n", b"Content-Length: 3\r\n", b"Content-Length: 40\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Expect: 100-continue\r\n", b"A: b\r\n", b"A:\r\n" * 3, FIFTY, b"x" * 70, b"abc", b" ", b"\0", b":"),
    *(b"\r\n", b"\n", b"\r", b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12), st.data())
def test_neither_cuts_nor_what_was_known_change_what_comes_out(fragments, data):
    stream = b"".join(fragments)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    sections = {}

    whole = read_all([stream], told=str, sections=sections)

    assert read_all(pieces, told=str) == whole
    assert read_all(one_by_one(stream), told=str) == whole
    assert read_all([stream], told=str, sections=sections) == whole
    assert read_all(pieces, told=str, sections=sections) == whole


@given(st.binary(max_size=300))
def test_any_bytes_give_requests_or_a_refusal(stream):
    for item in read_all([stream]):
        assert isinstance(item, bytes | tuple) or item in {400, 413, 414, 417, 421, 431, 501, 505}


def test_http_1_0_is_told_from_1_1():
    parser = RequestParser(SMALL)
    parser.receive_data(b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")

    first, second = parser.next_request(), parser.next_request()

    assert (first.version, first.should_close) == (HttpVersion10, True)
    assert (second.version, second.should_close) == (HttpVersion11, False)


def test_the_rest_can_be_taken_over():
    parser = RequestParser(SMALL)
    parser.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nsomething else")
    parser.next_request()

    assert parser.buffered == len(b"something else")
    assert parser.take_rest() == b"something else"
    assert parser.buffered == 0
    assert parser.next_request() is None


def test_what_is_left_of_a_body_is_known_until_it_is_chunked():
    parser = RequestParser(SMALL)
    parser.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na")
    parser.next_request()
    assert parser.read_body() == b"a"
    assert parser.body_left == 2
    parser.receive_data(b"bcPOST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert parser.read_body() == b"bc"
    parser.next_request()
    assert parser.body_left is None


# Header sections that are known


def next_of(data, **kwargs):
    parser = RequestParser(SMALL, **kwargs)
    parser.receive_data(data)
    return parser.next_request()


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: a\r\n",
        b"Host: a\r\nConnection: close\r\n",
        b"Host: a\r\nConnection: upgrade\r\nUpgrade: b\r\n",
        b"Host: a\r\nContent-Encoding: gzip\r\n",
    ],
)
def test_known_section_means_what_it_meant(fields):
    sections = {}

    first = next_of(b"GET /1 HTTP/1.1\r\n" + fields + b"\r\n", sections=sections)
    first.should_close, first.upgrade, first.compression, first.peer = "changed", "by", "a", "handler"
    second = next_of(b"POST /2 HTTP/1.9\r\n" + fields + b"\r\n", sections=sections, scheme="https")
    alone = next_of(b"POST /2 HTTP/1.9\r\n" + fields + b"\r\n", scheme="https")

    names = [name for name in RequestMessage.__slots__ if not name.startswith("_")]
    assert {name: getattr(second, name) for name in names} == {name: getattr(alone, name) for name in names}
    assert second.raw_headers == alone.raw_headers
    assert second.headers == alone.headers
    assert second.headers is first.headers


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("a length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"),
        ("no length, but said", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        ("chunks", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("the rules of 1.0 are others", b"GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
    ],
)
def test_section_is_not_kept(reason, data):
    sections = {}

    next_of(data, sections=sections)

    assert not sections, reason


def test_known_section_of_1_1_says_nothing_to_1_0():
    sections = {}
    fields = b"Host: a\r\nConnection: keep-alive\r\n\r\n"

    assert next_of(b"GET / HTTP/1.1\r\n" + fields, sections=sections).version == HttpVersion11
    assert next_of(b"GET / HTTP/1.0\r\n" + fields, sections=sections).version == HttpVersion10


def test_sections_are_kept_up_to_a_size_and_a_number(monkeypatch):
    monkeypatch.setattr(parser, "_KEPT_BYTES", 14)
    monkeypatch.setattr(parser, "_KEPT_SECTIONS", 2)
    sections = {}

    for host in (b"123456789", b"1", b"2", b"1"):
        next_of(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", sections=sections)
    assert list(sections) == [b"Host: 1\r\n", b"Host: 2\r\n"]

    next_of(b"GET / HTTP/1.1\r\nHost: 3\r\n\r\n", sections=sections)
    assert list(sections) == [b"Host: 3\r\n"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", b""),
        (b"GET / HT", b"GET / HT"),
        (b"GET /\r\nHost: a\r\n", b"GET /"),
        (b"\x16\x03\n\x01", b"\x16\x03"),
        (b"a" * 2_000, b"a" * 1_000),
    ],
)
def test_first_line_is_there_for_logs(data, line):
    parser = RequestParser(ParserLimits())
    parser.receive_data(data)
    assert parser.first_line == line


def test_tunnel_needs_its_target_even_with_fields_that_were_judged_before():
    parser = RequestParser(ParserLimits(), methods=REGISTERED_METHODS | {b"CONNECT": "CONNECT"})
    parser.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nCONNECT / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert parser.next_request().method == "GET"
    with pytest.raises(BadStatusLine, match="not host:port"):
        parser.next_request()


def test_it_is_at_the_start_of_a_request_when_nothing_of_one_has_come():
    parser = RequestParser(SMALL)
    assert parser.is_at_start
    for piece, expected in (
        (b"\r", False),
        (b"\n", False),  # it has been used up; another one would be too many
        (b"GET / HTTP/1.1\r\n", False),
        (b"Host: a\r\n\r\n", True),
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nG", False),
    ):
        parser.receive_data(piece)
        parser.next_request()
        assert parser.is_at_start is expected, piece
