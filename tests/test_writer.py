"""One answer: framed so that a client finds its end, and checked before any of it is sent."""

from __future__ import annotations

import array
from http import HTTPStatus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve.http.messages import HttpVersion10, HttpVersion11
from tests.answers import CONNECT, DATE, GET, HEAD, OFFER, OLD_GET, Answering

OLD_GET_THAT_STAYS = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"


# A whole answer


def test_a_whole_answer_on_the_wire():
    answering = Answering(server="aioserve")
    answering.writer.write_response(404, b"body", {"X-One": "1", "x-two": "2"}, content_type="text/html")

    assert answering.sent == (
        b"HTTP/1.1 404 Not Found\r\nX-One: 1\r\nx-two: 2\r\nContent-Type: text/html\r\n"
        + DATE
        + b"Server: aioserve\r\nContent-Length: 4\r\n\r\nbody"
    )
    assert len(answering.transport.writes) == 1


def test_the_shortest_answer(answering, writer):
    writer.write_response()

    assert answering.sent == b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 0\r\n\r\n"
    assert writer.is_finished
    assert writer.persists


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b"bytes", b"bytes"),
        (bytearray(b"bytes"), b"bytes"),
        (memoryview(b"bytes")[1:3], b"yt"),
        (memoryview(array.array("H", [1, 1])), bytes(memoryview(array.array("H", [1, 1])))),
        ("т", "т".encode()),
    ],
)
def test_a_body_is_bytes_or_text(answering, writer, body, sent):
    writer.write_response(200, body)
    seen = answering.see()

    assert (seen.body, seen.headers["content-length"]) == (sent, str(len(sent)))


@pytest.mark.parametrize(
    ("reason", "body", "headers", "content_type", "expected"),
    [
        ("text says what it is", "text", None, None, "text/plain; charset=utf-8"),
        ("bytes say nothing", b"bytes", None, None, None),
        ("unless it is said", "text", None, "text/html", "text/html"),
        ("or stands among the fields", "text", {"content-TYPE": "text/css"}, None, "text/css"),
        ("which is stronger", b"bytes", [("Content-Type", "text/css")], "text/html", "text/css"),
    ],
)
def test_the_content_type(answering, writer, reason, body, headers, content_type, expected):
    writer.write_response(200, body, headers, content_type=content_type)

    assert answering.see().headers.get("content-type") == expected, reason


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, None, b"HTTP/1.1 200 OK"),
        (HTTPStatus.IM_A_TEAPOT, None, b"HTTP/1.1 418 I'm a Teapot"),
        (999, None, b"HTTP/1.1 999 999"),
        (200, "Fine, thanks", b"HTTP/1.1 200 Fine, thanks"),
        (200, "", b"HTTP/1.1 200 "),
    ],
)
def test_the_status_line(answering, writer, status, reason, line):
    writer.write_response(status, reason=reason)

    assert answering.sent.startswith(line + b"\r\n")
    assert answering.see().status == writer.status == status


BAD_ANSWERS = [
    pytest.param({"status": 99}, ValueError, id="no status"),
    pytest.param({"status": 100}, ValueError, id="an interim answer"),
    pytest.param({"status": 199}, ValueError, id="another interim answer"),
    pytest.param({"status": 1000}, ValueError, id="too large a status"),
    pytest.param({"status": "200"}, TypeError, id="a status of text"),
    pytest.param({"status": 200.5}, ValueError, id="a broken status"),
    pytest.param({"reason": "OK\r\nSet-Cookie: a=b"}, ValueError, id="a reason that splits the answer"),
    pytest.param({"reason": "na\u00efve"}, ValueError, id="a reason that is not ASCII"),
    pytest.param({"reason": b"OK"}, TypeError, id="a reason of bytes"),
    pytest.param({"headers": {"X": "a\r\nY: b"}}, ValueError, id="a value that splits the answer"),
    pytest.param({"headers": {"X": "a\0b"}}, ValueError, id="a value with NUL"),
    pytest.param({"headers": {"X": "\u00e4"}}, ValueError, id="a value that is not ASCII"),
    pytest.param({"headers": {"X": 1}}, TypeError, id="a value that is no text"),
    pytest.param({"headers": {b"X": "1"}}, TypeError, id="a name of bytes"),
    pytest.param({"headers": {"X Y": "1"}}, ValueError, id="a name that is no token"),
    pytest.param({"headers": {"": "1"}}, ValueError, id="no name"),
    pytest.param({"headers": {"X:": "1"}}, ValueError, id="a name with a colon"),
    pytest.param(
        {"headers": {"Connection": "close\r\nX: y"}}, ValueError, id="a bad value that is not copied"
    ),
    pytest.param({"content_type": "text/html\r\nX: y"}, ValueError, id="a type that splits the answer"),
    pytest.param({"body": None}, TypeError, id="no body"),
    pytest.param({"body": [1, 2]}, TypeError, id="a list as body"),
]


@pytest.mark.parametrize(("arguments", "error"), BAD_ANSWERS)
def test_what_cannot_be_sent_is_refused_before_anything_is_sent(answering, writer, arguments, error):
    with pytest.raises(error):
        writer.write_response(**{"status": 200, "body": b"body"} | arguments)
    assert answering.sent == b""
    assert not writer.is_started
    writer.write_response(500, b"instead")

    assert answering.see().body == b"instead"


def test_a_server_name_that_cannot_be_sent_is_refused_too():
    answering = Answering(server="a\r\nb")
    with pytest.raises(ValueError, match="the value of Server"):
        answering.writer.write_response()
    answering.writer.server = "fine"
    answering.writer.write_response()

    assert answering.see().headers["server"] == "fine"


# Framing


@pytest.mark.parametrize(
    ("clause", "request_", "status", "given", "fields", "written"),
    [
        ("9112 §6.2", GET, 200, {"length": 4}, {"content-length": "4"}, b"body"),
        ("9112 §7.1", GET, 200, {"length": None}, {"transfer-encoding": "chunked"}, b"body"),
        ("9112 §6.3: asked for", GET, 200, {"length": 4, "is_chunked": True},
         {"transfer-encoding": "chunked"}, b"body"),
        ("9112 §6.3: until the end", OLD_GET, 200, {"length": None}, {"connection": "close"}, b"body"),
        ("9112 §6.1: no chunks for 1.0", OLD_GET, 200, {"length": None, "is_chunked": True},
         {"connection": "close"}, b"body"),
        ("9112 §9.3: told to stay", OLD_GET_THAT_STAYS, 200, {"length": 4},
         {"connection": "keep-alive", "content-length": "4"}, b"body"),
        ("9112 §9.3: cannot stay", OLD_GET_THAT_STAYS, 200, {"length": None},
         {"connection": "close"}, b"body"),
        ("9110 §9.3.2", HEAD, 200, {"length": 4}, {"content-length": "4"}, b""),
        ("9110 §9.3.2", HEAD, 200, {"length": None}, {}, b""),
        ("9110 §9.3.2, §15.3.5", HEAD, 204, {"length": 4}, {}, b""),
        ("9110 §9.3.6", CONNECT, 200, {"length": 4}, {}, b""),
        ("9110 §9.3.6", CONNECT, 400, {"length": 4}, {"content-length": "4"}, b"body"),
        ("9110 §15.3.5", GET, 204, {"length": 4}, {}, b""),
        ("9110 §15.3.5", GET, 204, {"length": None, "is_chunked": True}, {}, b""),
        ("9110 §15.3.6", GET, 205, {"length": None}, {"content-length": "0"}, b""),
        ("9110 §15.3.6", GET, 205, {"length": 4, "is_chunked": True}, {"content-length": "0"}, b""),
        ("9110 §15.4.5", GET, 304, {"length": 4}, {}, b""),
        ("9110 §7.8", OFFER, 101, {"length": None, "upgrade": "chat"},
         {"connection": "upgrade", "upgrade": "chat"}, b""),
        ("9110 §15.5.22", GET, 426, {"length": 4, "upgrade": "chat"},
         {"connection": "upgrade", "upgrade": "chat", "content-length": "4"}, b"body"),
        ("9112 §6.1: by the status line", GET, 200, {"length": None, "version": HttpVersion10},
         {"connection": "close"}, b"body"),
        ("9110 §2.5", OLD_GET, 200, {"length": 4, "version": HttpVersion11},
         {"connection": "keep-alive", "content-length": "4"}, b"body"),
        ("no request", None, 400, {"length": 4}, {"content-length": "4"}, b"body"),
    ],
)  # fmt: skip
def test_framing(clause, request_, status, given, fields, written):
    answering = Answering(request_)
    answering.writer.begin(status, "reason", [], **given)
    answering.writer.write(b"body")
    answering.writer.write_eof()
    seen = answering.see()

    assert {**seen.headers} == {**fields, "date": DATE[6:-2].decode()}, clause
    assert seen.body == written
    assert seen.is_whole
    assert seen.rest == b""
    assert not answering.writer.persists or fields.get("connection") != "close"
    assert answering.writer.has_body is (written != b"")
    assert answering.writer.is_chunked is ("transfer-encoding" in fields)
    assert answering.writer.ends_by_close is seen.needs_close
    assert answering.writer.ends_http is ((request_, status) == (CONNECT, 200) or status == 101)
    assert seen.version == ("1.0" if given.get("version") == HttpVersion10 else "1.1")


@pytest.mark.parametrize(
    ("request_", "upgrade"), [(GET, "chat"), (OFFER, "other"), (OFFER, ""), (OFFER, None), (None, "chat")]
)
def test_nobody_is_switched_to_what_it_did_not_offer(request_, upgrade):
    """RFC 9110 §7.8: a server MUST NOT."""
    answering = Answering(request_)
    with pytest.raises(ValueError, match="101 switches to a protocol that the request offers"):
        answering.writer.begin(101, "reason", [], length=None, upgrade=upgrade)
    assert not answering.writer.is_started


PIECES = st.lists(st.binary(max_size=40) | st.builds(bytes, st.integers(0, 100_000)), max_size=6)


@settings(deadline=None)
@given(PIECES, st.sampled_from([GET, OLD_GET, HEAD, None]), st.booleans(), st.booleans())
def test_what_is_written_is_what_a_client_reads(pieces, request_, is_known, is_corked):
    answering = Answering(request_)
    body = b"".join(pieces)
    if is_corked:
        answering.outgoing.cork()
    answering.writer.begin(200, "OK", [], length=len(body) if is_known else None)
    for piece in pieces:
        answering.writer.write(piece)
    answering.writer.write_eof()
    answering.outgoing.uncork()
    seen = answering.see()

    assert seen.body == (body if request_ != HEAD else b"")
    assert seen.is_whole
    assert seen.rest == b""
    assert answering.writer.body_length == len(seen.body)
    assert answering.writer.output_length == len(answering.sent)
    assert seen.needs_close is answering.writer.ends_by_close
    assert not (seen.needs_close and answering.writer.persists)


@settings(deadline=None)
@given(PIECES, st.integers(0, 100_000))
def test_a_body_is_never_longer_than_announced(pieces, length):
    answering = Answering()
    writer = answering.writer
    writer.begin(200, "OK", [], length=length)
    written = 0
    for piece in pieces:
        written += len(piece)
        if written > length:
            with pytest.raises(RuntimeError, match="longer than its Content-Length"):
                writer.write(piece)
            break
        writer.write(piece)
    writer.write_eof()
    seen = answering.see()

    assert seen.body == b"".join(pieces)[:length]
    assert seen.rest == b""
    assert seen.is_whole is (written >= length)
    assert writer.persists is (written == length)
    assert writer.missing == max(length - written, 0)


# The connection


@pytest.mark.parametrize("may_persist", [True, False])
@pytest.mark.parametrize("keep_alive", [None, True, False])
@pytest.mark.parametrize("leaves_body", [True, False])
def test_a_connection_lives_on_if_nothing_speaks_against_it(may_persist, keep_alive, leaves_body):
    answering = Answering(may_persist=may_persist)
    writer = answering.writer
    writer.keep_alive = keep_alive
    writer.leaves_body = leaves_body
    expected = may_persist and keep_alive is not False and not leaves_body
    assert writer.persists is expected
    writer.write_response()

    assert writer.persists is expected
    assert answering.see().headers.get("connection") == (None if expected else "close")


def test_once_it_has_been_said_that_it_ends_it_ends(writer):
    writer.keep_alive = False
    writer.write_response()
    writer.keep_alive = True

    assert not writer.persists


def test_it_may_still_end_when_nothing_has_been_said(answering, writer):
    writer.write_response()
    writer.keep_alive = False

    assert not writer.persists
    assert "connection" not in answering.see().headers


@pytest.mark.parametrize(
    ("value", "line"),
    [("close", "close"), ("Keep-Alive, CLOSE", "close"), ("keep-alive", None), ("upgrade", None), ("", None)],
)
def test_a_connection_field_is_a_wish(answering, writer, value, line):
    writer.write_response(200, b"", {"Connection": value})

    assert answering.see().headers.get("connection") == line


def test_fields_about_the_body_are_the_writers_own(answering, writer):
    fields = [
        ("Content-Length", "999"),
        ("Transfer-Encoding", "gzip"),
        ("Keep-Alive", "timeout=5"),
        ("Upgrade", "h2c"),
    ]
    writer.write_response(200, b"body", fields)

    assert answering.see().headers == {"date": DATE[6:-2].decode(), "content-length": "4"}


@pytest.mark.parametrize("server", ["", "aioserve"])
def test_date_and_server_may_be_the_handlers(server):
    answering = Answering(server=server)
    answering.writer.write_response(200, b"", {"DATE": "today", "server": "mine"})

    assert answering.see().headers == {"date": "today", "server": "mine", "content-length": "0"}
