"""Answers that an exchange lets others have who ask the same."""

from __future__ import annotations

import pytest

from aioserve import HttpProcessingError
from aioserve.exchange import Channel, Exchange
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer, FileSlice
from aioserve.http1.parser import RequestParser
from aioserve.incoming import Incoming
from tests.answers import DATE, GET, HEAD, Answering
from tests.wire import connected, errors, hello, on_both_loops

OLD_GET_THAT_STAYS = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


def holds():
    """Say that an answer still holds."""
    return True


class Answered:
    """A request that a responder has answered, or what is no request and was refused.

    Attributes:
        ready: the answer for others.
        sent: what was sent.
    """

    def __init__(self, respond, data=GET, *, may_persist=True):
        answering = Answering(data, may_persist=may_persist)
        options = HandlerOptions(responders=(respond,), access_log=None)
        protocol, transport = connected(hello, access_log=None)
        incoming = Incoming(transport, RequestParser(options.limits))
        channel = Channel(protocol, incoming, answering.outgoing, options, None)
        exchange = Exchange(channel, answering.message, answering.writer, list)
        self.message = answering.message
        if self.message is None:
            exchange.refuse(HttpProcessingError(400))
        else:
            self.is_over = exchange.run(self.message)
        self.ready = exchange.ready_answer(DATE)
        self.sent = answering.sent
        protocol.connection_lost(None)


@pytest.mark.parametrize(
    ("reason", "data", "status", "body"),
    [
        ("a page", GET, 200, b"body"),
        ("no page", GET, 404, b"body"),
        ("an empty one", GET, 200, b""),
        ("RFC 9110 §9.3.2: the length and no byte", HEAD, 200, b"body"),
        ("RFC 9110 §15.4.5: no content", GET, 304, b""),
        ("RFC 9110 §15.3.5: not even where there is some", GET, 204, b"body"),
        ("RFC 9112 §9.3: an older client that stays", OLD_GET_THAT_STAYS, 200, b"body"),
        ("RFC 9110 §9.3.7: a method without a body", GET.replace(b"GET", b"OPTIONS"), 204, b""),
    ],
)
@on_both_loops
async def test_others_who_ask_the_same_get_the_same(reason, data, status, body):
    answered = Answered(lambda _: Answer(status, (("X-By", "me"),), body, holds), data)
    ready = answered.ready

    assert ready.render(DATE) == answered.sent, reason
    assert (ready.status, ready.message, ready.is_current) == (status, answered.message, holds)
    assert ready.headers_length == answered.sent.index(b"\r\n\r\n") + 4
    assert ready.output_length == len(answered.sent)


@pytest.mark.parametrize(
    ("reason", "respond"),
    [
        ("it says so", lambda _: Answer(200, (), b"body")),
        ("it ends the connection", lambda _: Answer(200, (("Connection", "close"),), b"body", holds)),
        ("it could not be sent", lambda _: Answer(200, (("X-Bad", "a\r\nb"),), b"body", holds)),
    ],
)
@on_both_loops
async def test_an_answer_may_be_good_only_once(reason, respond):
    assert Answered(respond).ready is None, reason


@on_both_loops
async def test_a_page_of_an_error_is_good_only_once(caplog):
    def respond(_message):
        raise HttpProcessingError(404)

    answered = Answered(respond)
    assert answered.is_over
    assert answered.ready is None
    assert errors(caplog) == []


@pytest.mark.parametrize("is_single", [False, True])
@on_both_loops
async def test_a_file_is_read_anew_each_time(is_single, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"body")
    with path.open("rb", buffering=0) as file:
        piece = FileSlice(file, 0, 4)
        body = piece if is_single else (piece, b"more")
        for data in (HEAD, GET):
            answered = Answered(lambda _: Answer(200, (), body, holds), data)
            assert answered.is_over is (data is HEAD)
            assert answered.ready is None


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("it has a body", POST + b"Content-Length: 4\r\n\r\n"),
        ("it has an empty body", POST + b"Content-Length: 0\r\n\r\n"),
        ("it has chunks", POST + b"Transfer-Encoding: chunked\r\n\r\n"),
        ("it has a body that waits", POST + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"),
    ],
)
@on_both_loops
async def test_a_request_may_be_one_that_nobody_else_makes(reason, data):
    assert Answered(lambda _: Answer(200, (), b"body", holds), data).ready is None, reason


@on_both_loops
async def test_the_last_answer_on_a_connection_is_none_for_others():
    assert Answered(lambda _: Answer(200, (), b"body", holds), may_persist=False).ready is None


@on_both_loops
async def test_what_was_no_request_has_no_answer_for_others():
    assert Answered(lambda _: None, None).ready is None
