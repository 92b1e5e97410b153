"""What can be asked of a request, and what an answer is."""

from __future__ import annotations

import os
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDictProxy, MultiDictProxy

from aioserve.http import messages
from aioserve.http.messages import (
    Answer,
    FileSlice,
    HttpVersion,
    HttpVersion10,
    HttpVersion11,
    RequestMessage,
)
from aioserve.static.shared_file import SharedFile
from tests.steps import Steps, repeats_of


def make(fields=b"", path="/", method="GET", version=HttpVersion11):
    return RequestMessage(method, path, version, fields, b"\n" + fields.lower())


def test_versions_are_pairs():
    assert HttpVersion10 == (1, 0)
    assert HttpVersion11 == HttpVersion(1, 1)
    assert HttpVersion11 > HttpVersion10
    assert HttpVersion11.minor == 1


def test_request_says_what_it_is():
    assert repr(make(path="/a?b", method="POST")) == "<RequestMessage POST /a?b HTTP/1.1>"


def test_request_knows_nothing_that_was_not_judged():
    message = make(b"Connection: close\r\nContent-Length: 5\r\n")

    assert message.should_close is message.chunked is message.expects_continue is False
    assert message.compression is message.upgrade is message.content_length is message.peer is None
    assert message.scheme == "http"


# Header fields

FIELDS = b"Host: a\r\nX-One:  1 \t\r\nx-two: \xc3\xa4\r\nX-ONE:2\r\nX-Empty: \t \r\nX-Raw: \xff\r\n"


def test_headers_keep_order_and_case_and_are_found_without_case():
    headers = make(FIELDS).headers

    assert isinstance(headers, CIMultiDictProxy)
    assert list(headers.items()) == [
        ("Host", "a"),
        ("X-One", "1"),
        ("x-two", "\xe4"),
        ("X-ONE", "2"),
        ("X-Empty", ""),
        ("X-Raw", "\udcff"),
    ]
    assert headers["HOST"] == "a"
    assert headers.getall("x-one") == ["1", "2"]


def test_headers_are_decoded_once():
    message = make(FIELDS)

    assert message.headers is message.headers


def test_raw_headers_are_the_bytes_sent():
    assert make(FIELDS).raw_headers == (
        (b"Host", b"a"),
        (b"X-One", b"1"),
        (b"x-two", b"\xc3\xa4"),
        (b"X-ONE", b"2"),
        (b"X-Empty", b""),
        (b"X-Raw", b"\xff"),
    )
    assert make().raw_headers == ()


@pytest.mark.parametrize(
    ("reason", "name", "value"),
    [
        ("the first", "host", "a"),
        ("names have no case", "HoSt", "a"),
        ("9110 §5.3: repeats are joined", "x-one", "1, 2"),
        ("9110 §5.5: nothing is a value", "x-empty", ""),
        ("not there", "x-three", None),
        ("the end of a name", "one", None),
        ("the beginning of a name", "x-on", None),
        ("UTF-8", "X-Two", "\xe4"),
        ("no UTF-8", "X-Raw", "\udcff"),
    ],
)
def test_field_is_found(reason, name, value):
    assert make(FIELDS).field(name) == value, reason


def test_field_is_no_part_of_a_value():
    assert make(b"A: b: c\r\nB:d\r\n").field("b") == "d"
    assert make(b"A: b: c\r\n").field("b") is None


NAMES = st.sampled_from(["A", "a", "X-A", "X-B", "a!"])
VALUES = st.lists(
    st.sampled_from([b"a", b" ", b"\t", b":", b",", b"\xe4", b"A:", b"\xc3\xa4"]), max_size=8
).map(b"".join)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=6)


@given(PAIRS, NAMES)
def test_the_ways_to_ask_for_a_field_agree(pairs, name):
    message = make(b"".join(b"%b:%b\r\n" % (each.encode(), value) for each, value in pairs))
    stripped = [(each.encode(), value.strip(b" \t")) for each, value in pairs]
    values = [
        value.decode("utf-8", "surrogateescape")
        for each, value in stripped
        if each.decode().lower() == name.lower()
    ]

    assert message.raw_headers == tuple(stripped)
    assert [each for each, _ in message.headers.items()] == [each for each, _ in pairs]
    assert message.headers.getall(name, []) == values
    assert message.field(name) == (", ".join(values) if values else None)


def test_blanks_in_a_value_cost_no_more_than_other_bytes():
    pattern = messages._FIELD_LINE
    few, many = (Steps(pattern, b"A: b" + b" \t" * size + b"b\r\n") for size in (50, 100))

    assert many.count < 2.1 * few.count
    assert many.end == 207
    assert set(repeats_of(pattern)) == {"POSSESSIVE_REPEAT"}


def test_another_request_shares_what_is_known_of_its_section():
    first = make(FIELDS)
    first.should_close, first.compression, first.upgrade = True, "gzip", "websocket"
    first.peer, first.content_length, first.expects_continue, first.chunked = ("a", 1), 5, True, True

    second = first.again("POST", "/b?c=d")

    assert (second.method, second.path, second.version) == ("POST", "/b?c=d", HttpVersion11)
    assert (second.should_close, second.compression, second.upgrade) == (True, "gzip", "websocket")
    assert second.headers is first.headers
    assert second.raw_headers == first.raw_headers
    assert second.field("x-one") == "1, 2"
    assert second.query["c"] == "d"
    assert (second.peer, second.content_length, second.expects_continue, second.chunked) == (
        None,
        None,
        False,
        False,
    )


# The target


@pytest.mark.parametrize(
    ("clause", "path", "raw_path", "host", "url"),
    [
        ("9112 §3.2.1: a path", "/a", "/a", "h:1", "http://h:1/a"),
        ("9112 §3.2.1: a query", "/a?b=c&d", "/a", "h:1", "http://h:1/a?b=c&d"),
        ("3986 §2.1: encoding is kept", "/%C3%A4%2F?%C3", "/%C3%A4%2F", "h:1", "http://h:1/%C3%A4%2F?%C3"),
        ("3986 §3.3: an empty segment", "//b/c", "//b/c", "h:1", "http://h:1//b/c"),
        ("3986 §3.3: what looks like a URI", "/http://b/c", "/http://b/c", "h:1", "http://h:1/http://b/c"),
        ("9112 §3.2.2: a URI, whose host counts", "http://b:2/c?d", "/c", "b:2", "http://b:2/c?d"),
        ("9110 §4.2.3: no path is '/'", "http://b?d=e", "/", "b", "http://b/?d=e"),
        ("9110 §4.2.2: https", "https://b", "/", "b", "https://b/"),
        ("3986 §3.1: schemes have no case", "HTTP://B/c", "/c", "B", "http://B/c"),
    ],
)
def test_target_is_taken_apart(clause, path, raw_path, host, url):
    message = make(b"Host: h:1\r\n", path)

    assert (message.raw_path, message.host, message.url.geturl()) == (raw_path, host, url), clause


def test_target_of_the_server_itself_is_a_star():  # RFC 9112 §3.2.4
    message = make(b"Host: h:1\r\n", "*", "OPTIONS")

    assert (message.raw_path, message.host, list(message.query)) == ("*", "h:1", [])


@pytest.mark.parametrize(
    ("reason", "query", "pairs"),
    [
        ("none", "", []),
        ("an empty one", "?", []),
        ("one of a kind", "?a=b", [("a", "b")]),
        ("in their order", "?a=b&c=d&a=e", [("a", "b"), ("c", "d"), ("a", "e")]),
        ("blank values are kept", "?a=&b", [("a", ""), ("b", "")]),
        ("decoded", "?%C3%A4=%26+%2B", [("\xe4", "& +")]),
        ("3986 §3.4: a question mark is a letter", "?a?=b?", [("a?", "b?")]),
    ],
)
def test_query_is_decoded(reason, query, pairs):
    for path in ("/" + query, "http://a" + query):
        read = make(path=path).query

        assert isinstance(read, MultiDictProxy)
        assert list(read.items()) == pairs, reason


def test_parts_of_the_url_are_known():
    url = make(b"Host: h:1\r\n", "/a?b").url

    assert (url.scheme, url.netloc, url.hostname, url.port, url.path, url.query) == (
        "http",
        "h:1",
        "h",
        1,
        "/a",
        "b",
    )


@pytest.mark.parametrize(
    ("path", "url"),
    [("/a?b", "https://p:1/a?b"), ("http://b:2/c?d", "https://p:1/c?d"), ("http://b", "https://p:1/")],
)
def test_origin_may_be_another_than_the_request_says(path, url):
    message = make(b"Host: h\r\n", path)

    message.set_origin("https", "p:1")

    assert (message.scheme, message.host, message.url.geturl()) == ("https", "p:1", url)
    assert message.again("GET", path).host != "p:1"


def test_host_is_left_to_the_request_by_an_empty_authority():
    message = make(b"Host: h\r\n", "/a")
    message.set_origin("https", "p:1")

    message.set_origin("https", "")

    assert (message.host, message.url.geturl()) == ("h", "https://h/a")


def test_scheme_of_the_url_is_that_of_the_connection():
    message = make(b"Host: h\r\n", "/a")
    message.scheme = "https"

    assert message.url.geturl() == "https://h/a"


def test_request_without_a_host_is_for_nobody():
    message = make(version=HttpVersion10)

    assert message.host == ""
    assert message.url.netloc == ""


def test_query_is_decoded_once():
    message = make(path="/?a")

    assert message.query is message.query


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#")))
def test_any_target_can_be_asked_everything(text):
    for path in ("/" + text, "http://a/" + text):
        message = make(b"Host: h\r\n", path)

        assert message.raw_path == path.removeprefix("http://a").partition("?")[0]
        assert message.url.path == message.raw_path
        assert message.url.query == path.partition("?")[2]
        assert all(isinstance(part, str) for pair in message.query.items() for part in pair)


# Answers


def test_answer_is_a_value():
    assert Answer(404) == Answer(404, (), b"")
    assert Answer(200, (("A", "b"),), b"c").headers == (("A", "b"),)
    with pytest.raises(AttributeError):
        Answer(200).status = 201


def test_answer_is_good_only_once_unless_it_can_tell_whether_it_still_holds():
    assert Answer(200).is_current is None
    assert Answer(200, (), b"a", bool).is_current is bool


def test_body_may_be_of_several_pieces():
    file = BytesIO()
    body = (b"head", FileSlice(file, 1, 2), b"end")

    assert Answer(206, (), body).body == (b"head", FileSlice(file, 1, 2), b"end")


def test_file_of_a_slice_has_a_descriptor_and_can_be_closed(tmp_path):
    """Whoever opened it, a sender needs no more of it than `OpenFile` says."""
    (tmp_path / "file").write_bytes(b"0123456789")
    plain, shared = ((tmp_path / "file").open("rb") for _ in range(2))

    for file in (plain, SharedFile(shared, os.fstat(shared.fileno()))):
        part = FileSlice(file, 2, 3)
        assert os.pread(part.file.fileno(), part.length, part.offset) == b"234"
        part.file.close()
        with pytest.raises(ValueError, match="closed"):
            file.fileno()


def test_slice_of_a_file_is_a_value():
    file = BytesIO()

    assert FileSlice(file, 1, 2) == FileSlice(file, 1, 2)
    assert FileSlice(file, 1, 2).is_unchanged is None
    assert FileSlice(file, 1, 2, bool) != FileSlice(file, 1, 2)
    with pytest.raises(AttributeError):
        FileSlice(file, 1, 2).offset = 3


def test_request_has_no_id_until_it_is_given_one():
    message = make()
    assert message.request_id == ""

    message.request_id = "8f1e"
    assert message.request_id == "8f1e"
    assert message.again("GET", "/").request_id == ""
