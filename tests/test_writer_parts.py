"""An answer that is written part by part, up to its end and behind it."""

from __future__ import annotations

import asyncio

import pytest

from aioserve.errors import ClientDisconnectedError
from tests.answers import DATE, GET, HEAD, Answering
from tests.doubles import FORMS


def test_chunks_on_the_wire(answering, writer):
    writer.begin(200, "OK", [("A", "1")], length=None)
    writer.write(b"data")
    writer.write(b"")
    writer.write(bytearray(b"more data, and more"))
    writer.write_eof()

    assert answering.sent == (
        b"HTTP/1.1 200 OK\r\nA: 1\r\n"
        + DATE
        + b"Transfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n13\r\nmore data, and more\r\n0\r\n\r\n"
    )
    assert writer.headers_length == answering.sent.index(b"4\r\ndata")
    assert writer.body_length == 23
    assert writer.output_length == len(answering.sent)


def test_a_head_leaves_with_the_first_bytes_of_its_body_or_alone_after_a_turn(answering, writer):
    writer.begin(200, "OK", [], length=None)
    assert answering.transport.writes == []
    writer.write(b"first")
    writer.write(b"second")
    assert len(answering.transport.writes) == 2
    other = Answering()
    other.writer.begin(200, "OK", [], length=None)
    assert other.sent.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("part", ["text", None, 5, [1, 2], object()])
@pytest.mark.parametrize("request_", [GET, HEAD])
def test_a_part_that_is_not_made_of_bytes_is_refused(request_, part):
    answering = Answering(request_)
    answering.writer.begin(200, "OK", [], length=None)
    with pytest.raises(TypeError, match="a body is made of bytes, not of"):
        answering.writer.write(part)
    answering.writer.write_eof()

    assert answering.see().body == b""


def test_no_part_before_the_head_nor_after_the_end(answering, writer):
    with pytest.raises(RuntimeError, match="the head has not been sent"):
        writer.write(b"early")
    writer.write_response(200, b"body")
    with pytest.raises(RuntimeError, match="the answer is finished"):
        writer.write(b"late")

    assert answering.see().body == b"body"


def test_an_answer_begins_once(answering, writer):
    writer.begin(200, "OK", [], length=None)
    with pytest.raises(RuntimeError, match="the answer has begun already"):
        writer.write_response(500)
    writer.write_eof()

    assert answering.see().status == 200


def test_what_is_too_much_is_dropped_and_the_connection_ends(answering, writer):
    writer.begin(200, "OK", [], length=4)
    writer.write(b"bo")
    with pytest.raises(RuntimeError, match="the body is 3 bytes longer than its Content-Length"):
        writer.write(b"dyGET")
    with pytest.raises(RuntimeError, match="1 bytes longer"):
        writer.write(b"x")
    writer.write_eof()

    assert (answering.see().body, answering.see().rest) == (b"body", b"")
    assert not writer.persists
    assert not writer.is_broken


def test_what_is_too_short_breaks_the_answer(answering, writer):
    writer.begin(200, "OK", [], length=9)
    writer.write(b"body")
    assert writer.persists
    writer.write_eof()

    assert writer.is_broken
    assert writer.missing == 5
    assert not writer.persists
    assert not answering.see().is_whole


def test_a_broken_answer_does_not_look_whole(answering, writer):
    writer.begin(200, "OK", [], length=None)
    writer.write(b"body")
    writer.is_broken = True
    writer.write_eof()

    assert not answering.see().is_whole
    assert not writer.persists


def test_finishing_twice_is_harmless_and_before_the_head_nothing(answering, writer):
    writer.write_eof()
    assert not writer.is_finished
    writer.begin(200, "OK", [], length=None)
    writer.write_eof()
    writer.write_eof()

    assert answering.sent.count(b"0\r\n\r\n") == 1


@pytest.mark.parametrize("taken", FORMS)
def test_what_is_returned_may_be_awaited_or_ignored(taken, answering, writer, recwarn):
    assert writer.write_response() is answering.outgoing
    other = Answering(HEAD)
    other.writer.begin(200, "OK", [], length=None)
    for returned in (other.writer.write(b"x"), other.writer.write_eof(), writer.write_eof()):
        assert asyncio.run(taken(returned)) is None
    answering.outgoing.lose()
    with pytest.raises(ClientDisconnectedError):
        asyncio.run(taken(writer.write_eof()))

    assert not recwarn


# Bytes that are sent another way


def test_bytes_sent_beside_count_as_if_they_had_been_written(answering, writer):
    writer.begin(200, "OK", [], length=9)
    writer.write(b"<")
    writer.count(3)
    writer.count(4)
    assert writer.missing == 1
    writer.write(b">")
    writer.write_eof()

    assert (writer.missing, writer.is_broken, writer.persists) == (0, False, True)
    assert writer.body_length == 9
    assert writer.output_length == len(answering.sent) + 7


def test_too_few_of_them_break_the_answer_and_no_more_can_be_written_behind_all(writer):
    writer.begin(200, "OK", [], length=9)
    writer.count(9)
    with pytest.raises(RuntimeError, match="1 bytes longer"):
        writer.write(b"x")
    other = Answering().writer
    other.begin(200, "OK", [], length=9)
    other.count(8)
    other.write_eof()

    assert (writer.missing, writer.body_length) == (0, 9)
    assert (other.missing, other.is_broken) == (1, True)


# The head


@pytest.mark.parametrize("request_", [GET, HEAD])
def test_the_head_is_kept_as_it_was_sent(request_):
    answering = Answering(request_)
    writer = answering.writer
    assert writer.head == b""
    writer.write_response(200, b"body", {"A": "1"})

    assert writer.head == b"HTTP/1.1 200 OK\r\nA: 1\r\n" + DATE + b"Content-Length: 4\r\n\r\n"
    assert answering.sent == writer.head + (b"body" if request_ is GET else b"")
    assert writer.headers_length == len(writer.head)


def test_a_head_that_cannot_be_sent_is_none(writer):
    with pytest.raises(ValueError, match="Bad"):
        writer.write_response(200, headers={"Bad": "a\r\nb"})

    assert writer.head == b""


# 100 Continue


def test_a_client_may_be_told_to_go_on_before_the_answer(answering, writer):
    answering.outgoing.cork()
    writer.write_continue()
    assert answering.transport.take_sent() == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write_response(200, b"body")
    answering.outgoing.uncork()

    assert answering.see().body == b"body"
    assert writer.output_length == len(answering.sent) + 25


@pytest.mark.parametrize("end", ["begun", "over"])
def test_nobody_is_told_to_go_on_after_the_answer_began_or_the_request_is_over(answering, writer, end):
    if end == "begun":
        writer.begin(200, "OK", [], length=None)
    else:
        writer.close()
    writer.write_continue()

    assert b"100 Continue" not in answering.sent


# After the request


@pytest.mark.parametrize("was_begun", [False, True])
def test_who_kept_the_writer_can_write_nothing_after_its_request(answering, writer, was_begun):
    if was_begun:
        writer.begin(200, "OK", [], length=None)
        writer.write(b"body")
        writer.write_eof()
    writer.close()
    sent = answering.sent
    for write in (
        lambda: writer.write(b"stale"),
        lambda: writer.write_response(200, b"stale"),
        lambda: writer.begin(200, "OK", [], length=0),
    ):
        with pytest.raises(RuntimeError):
            write()
    writer.write_eof()

    assert answering.sent == sent


def test_to_a_client_that_has_gone_nothing_is_written(answering, writer):
    answering.outgoing.lose()
    writer.write_response(200, b"body")

    assert answering.sent == b""
    assert writer.is_finished


# The id of the request


@pytest.mark.parametrize(
    ("fields", "value"), [((), "8f1e"), ((("x-request-ID", "mine"),), "mine"), ((("X", "1"),), "8f1e")]
)
def test_the_id_is_sent_along_unless_the_handler_sends_one(answering, writer, fields, value):
    writer.request_id = "8f1e"
    writer.write_response(200, b"", fields)

    assert answering.sent.lower().count(b"x-request-id") == 1
    assert answering.see().headers["x-request-id"] == value


@pytest.mark.parametrize(("length", "written"), [(4, [False, True]), (None, [False, False])])
def test_client_may_have_an_answer_whose_end_is_known_before_anybody_says_so(writer, length, written):
    states = []
    writer.begin(200, "OK", [], length=length)
    for part in (b"bo", b"dy"):
        writer.write(part)
        states.append(writer.is_written)
    writer.write_eof()

    assert (states, writer.is_written) == (written, True)
