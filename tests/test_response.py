"""The steps of an answer: what each does to the wire, and what it refuses at its own line."""

from __future__ import annotations

import asyncio
import gzip
from http import HTTPStatus

import pytest

import aioserve
from aioserve.errors import ClientDisconnectedError
from aioserve.http.messages import HttpVersion, HttpVersion10, HttpVersion11
from aioserve.response import Response
from tests.answers import DATE, GET, HEAD, OFFER, OLD_GET, Answering
from tests.doubles import FORMS, FakeTransport

OLD_GET_THAT_STAYS = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
SERVER = Response.SERVER_SOFTWARE


@pytest.fixture
def response(answering):
    return Response(answering.writer, 200)


def send(response, body=b""):
    response.send_headers()
    response.write(body)
    response.write_eof()


# Making one


def test_the_seeds_first_answer_on_the_wire(answering):
    response = Response(answering.writer, 200, http_version=answering.message.version)
    response.add_header("Content-Type", "text/html")
    response.add_header("Content-Length", "18")
    response.send_headers()
    response.write(b"<h1>It Works!</h1>")
    response.write_eof()

    assert answering.sent == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        + DATE
        + b"Server: %b\r\nContent-Length: 18\r\n\r\n<h1>It Works!</h1>" % SERVER.encode()
    )
    assert len(answering.transport.writes) == 1


@pytest.mark.parametrize(
    ("status", "given", "reason", "line"),
    [
        (200, {}, "OK", "HTTP/1.1 200 OK\r\n"),
        (404, {"reason": "Gone fishing"}, "Gone fishing", "HTTP/1.1 404 Gone fishing\r\n"),
        (299, {}, "299", "HTTP/1.1 299 299\r\n"),
        (HTTPStatus.NOT_FOUND, {}, "Not Found", "HTTP/1.1 404 Not Found\r\n"),
        (426, {}, "Upgrade Required", "HTTP/1.1 426 Upgrade Required\r\n"),
        (200, {"http_version": HttpVersion10}, "OK", "HTTP/1.0 200 OK\r\n"),
        (200, {"http_version": (1, 1), "reason": ""}, "", "HTTP/1.1 200 \r\n"),
    ],
)
def test_the_status_line(answering, status, given, reason, line):
    response = Response(answering.writer, status, **given)

    assert (response.status, response.reason, response.status_line) == (status, reason, line)
    assert response.version == HttpVersion(*given.get("http_version", HttpVersion11))
    assert repr(response) == f"<Response {int(status)} {reason}>"
    response.send_headers()
    assert answering.sent.startswith(line.encode())


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"status": 99}, ValueError),
        ({"status": 100}, ValueError),
        ({"status": 103}, ValueError),
        ({"status": 1000}, ValueError),
        ({"status": "200"}, TypeError),
        ({"status": 200.0}, TypeError),
        ({"status": True}, TypeError),
        ({"status": None}, TypeError),
        ({"reason": "OK\r\nX: y"}, ValueError),
        ({"reason": "na\u00efve"}, ValueError),
        ({"reason": b"OK"}, TypeError),
        ({"http_version": (2, 0)}, ValueError),
        ({"http_version": "1.1"}, ValueError),
        ({"http_version": ("1\r\nX: y", 1)}, ValueError),
        ({"transport": None}, TypeError),
        pytest.param({"transport": FakeTransport()}, TypeError, id="another's transport"),
        ({"transport": b"transport"}, TypeError),
    ],
    ids=repr,
)
def test_what_makes_no_answer_is_refused_where_it_is_made(answering, arguments, error):
    with pytest.raises(error):
        Response(**{"transport": answering.writer, "status": 200} | arguments)

    assert answering.writer.response is None


def test_the_oldest_handlers_pass_their_transport(answering):
    class Protocol:
        writer = answering.writer

    answering.transport.set_protocol(Protocol())
    response = Response(answering.transport, 200)
    send(response)

    assert response.transport is answering.transport
    assert answering.see().status == 200


# Header fields


def test_fields_are_sent_in_their_order_and_with_their_case(answering, response):
    response.add_headers(("X-One", "1"), ("x-two", "2"), ("X-ONE", "3"))
    response.headers["X-Three"] = "4"
    response.send_headers()

    assert b"\r\nX-One: 1\r\nx-two: 2\r\nX-ONE: 3\r\nX-Three: 4\r\nDate: " in answering.sent
    assert response.headers.getall("x-one") == ["1", "3"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(" \tvalue\t ", "value"), ("", ""), (5, "5"), ("a\tb", "a\tb"), (HTTPStatus.OK, "200")],
)
def test_a_value_is_kept_without_the_blanks_around_it(response, given, kept):
    response.add_header("X", given)

    assert response.headers["x"] == kept


BAD_FIELDS = [
    ("X Y", "1", ValueError),
    ("X:", "1", ValueError),
    ("", "1", ValueError),
    ("T\u00eate", "1", ValueError),
    ("X\r\nY", "1", ValueError),
    (b"X", "1", TypeError),
    (1, "1", TypeError),
    ("X", "a\r\nY: b", ValueError),
    ("X", "a\nb", ValueError),
    ("X", "a\0b", ValueError),
    ("X", "\u00e4", ValueError),
    ("X", b"1", TypeError),
    ("X", None, TypeError),
    ("X", True, TypeError),
    ("Content-Length", "+5", ValueError),
    ("Content-Length", "5, 5", ValueError),
    ("Content-Length", "", ValueError),
    ("Content-Length", "\u0663", ValueError),
    ("Content-Length", -1, ValueError),
]


@pytest.mark.parametrize(
    ("name", "value", "error"), [*BAD_FIELDS, ("Transfer-Encoding", "gzip", ValueError)], ids=repr
)
def test_what_cannot_be_sent_is_refused_where_it_is_added(answering, response, name, value, error):
    with pytest.raises(error):
        response.add_header(name, value)
    with pytest.raises(error):
        response.add_headers(("Fine", "1"), (name, value))
    send(response)

    assert answering.see().headers.keys() == {"fine", "date", "server", "transfer-encoding"}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [row for row in BAD_FIELDS if isinstance(row[0], str) and row[1] != -1]
    + [("Content-Length", 5, TypeError), ("X", 5, TypeError)],
    ids=repr,
)
def test_what_is_put_into_the_headers_and_cannot_be_sent_is_refused_with_nothing_sent(
    answering, response, name, value, error
):
    response.headers[name] = value
    with pytest.raises(error):
        response.send_headers()
    assert answering.sent == b""
    assert not response.headers_sent
    response.headers.clear()
    send(response)

    assert answering.see().is_whole


def test_after_the_head_nothing_can_be_changed(answering, response):
    assert not response.headers_sent
    response.send_headers()
    assert response.headers_sent
    assert response.is_headers_sent()
    for change in (
        lambda: response.add_header("X", "1"),
        lambda: response.add_headers(("X", "1")),
        response.send_headers,
        response.enable_chunked_encoding,
        response.force_chunked,
        response.add_chunking_filter,
        response.add_compression_filter,
    ):
        with pytest.raises(RuntimeError, match="the head has been sent"):
            change()
    with pytest.raises(TypeError):
        response.headers["X"] = "1"

    Response(answering.writer, 500)  # too late
    assert answering.writer.response is response
    assert answering.sent.count(b"\r\n\r\n") == 1


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({}, {"date": DATE[6:-2].decode(), "server": SERVER}),
        ({"date": "today"}, {"date": "today", "server": SERVER}),
        ({"SERVER": "mine"}, {"date": DATE[6:-2].decode(), "server": "mine"}),
    ],
)
def test_date_and_server_are_there_unless_the_handler_has_its_own(answering, response, given, sent):
    response.add_headers(*given.items())
    response.add_header("Content-Length", "0")
    response.send_headers()

    assert answering.see().headers == {"content-length": "0"} | sent


def test_a_subclass_may_name_its_server(answering):
    class Mine(Response):
        SERVER_SOFTWARE = "mine/1"

    send(Mine(answering.writer, 200))
    assert answering.see().headers["server"] == "mine/1"


def test_a_subclass_may_name_no_server(answering):
    class Silent(Response):
        SERVER_SOFTWARE = ""

    send(Silent(answering.writer, 200))
    assert "server" not in answering.see().headers
    assert f"aioserve/{aioserve.__version__}" == SERVER


def test_a_subclass_cannot_name_what_cannot_be_sent():
    with pytest.raises(ValueError, match="the value of Server"):
        type("Broken", (Response,), {"SERVER_SOFTWARE": "a\r\nb"})


# The connection


@pytest.mark.parametrize(
    ("request_", "act", "lives", "line"),
    [
        (GET, lambda _response: None, True, None),
        (GET, Response.force_close, False, "close"),
        (GET, lambda response: response.add_header("Connection", "Close"), False, "close"),
        (GET, lambda response: response.add_header("connection", "x, close"), False, "close"),
        (GET, lambda response: response.add_header("Connection", "keep-alive"), True, None),
        (GET, lambda response: response.add_header("Keep-Alive", "timeout=5"), True, None),
        (GET, lambda response: response.headers.add("Connection", "close"), False, "close"),
        (OLD_GET_THAT_STAYS, lambda _response: None, True, "keep-alive"),
        (OLD_GET_THAT_STAYS, Response.force_close, False, "close"),
    ],
)
def test_the_connection_lives_on_unless_something_speaks_against_it(request_, act, lives, line):
    answering = Answering(request_)
    response = Response(answering.writer, 200, http_version=answering.message.version)
    act(response)
    response.add_header("Content-Length", "0")
    response.send_headers()

    assert response.keep_alive() is lives
    assert response.closing is not lives
    assert answering.see().headers.get("connection") == line


def test_an_answer_may_be_made_as_the_last(answering):
    response = Response(answering.writer, 200, close=True)

    assert response.closing
    assert not response.keep_alive()


@pytest.mark.parametrize(("status", "line"), [(101, "upgrade"), (426, "upgrade"), (200, None)])
def test_an_upgrade_is_announced_where_it_means_something(status, line):
    answering = Answering(OFFER)
    response = Response(answering.writer, status)
    assert not response.upgrade
    response.add_headers(("Upgrade", "chat"), ("Connection", "Upgrade"), ("Content-Length", "0"))
    response.send_headers()

    assert response.upgrade
    assert answering.see().headers.get("connection") == line
    assert answering.see().headers.get("upgrade") == ("chat" if line else None)


# The body


@pytest.mark.parametrize(
    ("reason", "request_", "act", "framing"),
    [
        ("nothing is known", GET, lambda _response: None, {"transfer-encoding": "chunked"}),
        ("given", GET, lambda response: response.add_header("content-length", 4), {"content-length": "4"}),
        ("the last length counts", GET,
         lambda response: response.add_headers(("Content-Length", "9"), ("content-length", "4")),
         {"content-length": "4"}),
        ("chunks are asked for", GET, Response.enable_chunked_encoding, {"transfer-encoding": "chunked"}),
        ("in the seed's words", GET, Response.force_chunked, {"transfer-encoding": "chunked"}),
        ("by a field", GET, lambda response: response.add_header("Transfer-Encoding", "Chunked"),
         {"transfer-encoding": "chunked"}),
        ("the client is too old", OLD_GET, Response.enable_chunked_encoding, {"connection": "close"}),
    ],
)  # fmt: skip
def test_framing(reason, request_, act, framing):
    answering = Answering(request_)
    response = Response(answering.writer, 200)
    act(response)
    assert response.chunked is ("ask" in reason or "seed" in reason or "field" in reason or "old" in reason)
    send(response, b"body")
    seen = answering.see()

    assert seen.headers == framing | {"date": DATE[6:-2].decode(), "server": SERVER}
    assert seen.body == b"body"
    assert response.chunked is ("transfer-encoding" in framing)


def test_the_length_is_known_once_given(response):
    assert response.length is None
    response.add_header("Content-Length", "042")
    assert response.length == 42
    del response.headers["content-length"]

    assert response.length is None


def test_what_was_sent_is_counted(answering, response):
    response.send_headers()
    response.write(b"body")
    response.write_eof()

    assert response.headers_length == answering.sent.index(b"4\r\nbody")
    assert response.body_length == 4
    assert response.output_length == len(answering.sent)


@pytest.mark.parametrize("has_filter", [False, True])
@pytest.mark.parametrize("part", ["text", None, 5, [1, 2]])
def test_a_part_that_is_not_made_of_bytes_is_refused(answering, response, part, has_filter):
    if has_filter:
        response.add_chunking_filter(2)
    response.send_headers()
    with pytest.raises(TypeError, match="a body is made of bytes, not of"):
        response.write(part)
    response.write(bytearray(b"bo"))
    response.write(memoryview(b"dy!"))
    response.write_eof()

    assert answering.see().body == b"body!"


@pytest.mark.parametrize("has_filter", [False, True])
def test_no_part_before_the_head_nor_after_the_end(answering, response, has_filter):
    if has_filter:
        response.add_compression_filter("gzip")
    for early in (lambda: response.write(b"early"), response.write_eof):
        with pytest.raises(RuntimeError, match="the head has not been sent"):
            early()
    send(response, b"body")
    with pytest.raises(RuntimeError, match="the answer is finished"):
        response.write(b"late")
    response.write_eof()
    body = answering.see().body

    assert (gzip.decompress(body) if has_filter else body) == b"body"
    assert answering.see().rest == b""


@pytest.mark.parametrize("has_filter", [False, True])
def test_what_is_longer_than_announced_is_cut_and_ends_the_connection(answering, response, has_filter):
    if has_filter:
        response.add_chunking_filter(3)
    response.add_header("Content-Length", "4")
    response.send_headers()
    with pytest.raises(RuntimeError, match="longer than its Content-Length"):
        response.write(b"body, longer")
    response.write_eof()

    assert (answering.see().body, answering.see().rest) == (b"body", b"")
    assert response.closing


@pytest.mark.parametrize("taken", FORMS)
def test_what_write_returns_may_be_awaited_or_ignored(taken, answering, response, recwarn):
    response.send_headers()
    for returned in (response.write(b"part"), response.write(b"part", drain=True), response.write_eof()):
        assert returned  # `if not response.write(chunk): break`, in handlers of old
        assert asyncio.run(taken(returned)) is None
    answering.outgoing.lose()
    with pytest.raises(ClientDisconnectedError):
        asyncio.run(taken(response.write_eof()))

    assert not recwarn


# Filters


def test_a_chunking_filter_cuts_anew(answering, response):
    response.add_chunking_filter(2)
    response.send_headers()
    head = answering.sent
    for part in (b"data1", b"", b"data2"):
        response.write(part)
    response.write_eof()

    assert answering.sent.removeprefix(head) == b"".join(
        b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (b"da", b"ta", b"1d", b"at", b"a2", b"")
    )


@pytest.mark.parametrize("size", [0, -1])
def test_a_chunk_has_at_least_one_byte(response, size):
    with pytest.raises(ValueError, match="at least one byte"):
        response.add_chunking_filter(size)


@pytest.mark.parametrize(
    ("reason", "given", "expected"),
    [
        ("there was none", [], ["Accept-Encoding"]),
        ("there was another", ["Cookie"], ["Cookie", "Accept-Encoding"]),
        ("it was there", ["Cookie, accept-encoding"], ["Cookie, accept-encoding"]),
        ("it varies by everything", ["*"], ["*"]),
    ],
)
def test_a_compressed_answer_varies(response, reason, given, expected):
    for value in given:
        response.add_header("Vary", value)
    response.add_compression_filter()

    assert response.headers.getall("Vary") == expected, reason
    assert response.headers["Content-Encoding"] == "deflate"


def test_a_body_is_compressed_once_and_in_a_coding_that_is_known(response):
    with pytest.raises(ValueError, match="not one of 'deflate' and 'gzip'"):
        response.add_compression_filter("br")
    response.add_compression_filter("gzip")
    with pytest.raises(RuntimeError, match="the body is compressed already"):
        response.add_compression_filter("deflate")

    assert response.headers.getall("Content-Encoding") == ["gzip"]


# Left unsent


@pytest.mark.parametrize("has_filter", [False, True])
@pytest.mark.parametrize("request_", [GET, HEAD, OLD_GET])
def test_an_answer_that_is_left_unsent_goes_out_empty(request_, has_filter):
    answering = Answering(request_)
    response = Response(answering.writer, 200)
    response.headers.extend([("Content-Length", "99"), ("Content-Length", "98"), ("X", "1")])
    if has_filter:
        response.add_chunking_filter(2)
        response.add_compression_filter()
        response.enable_chunked_encoding()
    response.send_empty()
    seen = answering.see()

    assert (seen.headers["content-length"], seen.headers["x"], seen.body) == ("0", "1", b"")
    assert not {"content-encoding", "transfer-encoding"} & seen.headers.keys()
    assert answering.writer.is_finished
