"""What answers a request, and what a client sees of a handler that waits, or ends without an answer."""

from __future__ import annotations

import asyncio

import pytest

import aioserve
from aioserve import HttpProcessingError, Response
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer
from tests.wire import EARLY, GET, errors, handler, hello, on_both_loops, post, serving

# What a handler may be


async def native(self, _message, _payload):
    self.writer.write_response(200, "hello")


async def native_that_waits(self, _message, _payload):
    await asyncio.sleep(0)
    await self.writer.write_response(200, "hello")


@aioserve.coroutine
def marked_generator(self, _message, _payload):
    yield from asyncio.sleep(0)
    yield from self.writer.write_response(200, "hello")


def bare_generator(self, _message, _payload):
    yield from asyncio.sleep(0)
    yield from native_that_waits(self, _message, _payload)


@aioserve.coroutine
def marked_function(self, _message, _payload):
    self.writer.write_response(200, "hello")


def function_to_a_future(self, _message, _payload):
    future = asyncio.get_running_loop().create_future()
    future.add_done_callback(lambda _: self.writer.write_response(200, "hello"))
    asyncio.get_running_loop().call_soon(future.set_result, None)
    return future


def function_to_a_coroutine(self, message, payload):
    return native_that_waits(self, message, payload)


def function_to_a_generator(self, message, payload):
    return marked_generator(self, message, payload)


def function_to_a_bare_generator(self, _message, _payload):
    def generator():
        yield
        self.writer.write_response(200, "hello")

    return generator()


def function_to_what_writing_returns(self, _message, _payload):
    return self.writer.write_response(200, "hello")


def function_to_what_reading_returns(self, _message, payload):
    self.writer.write_response(200, "hello")
    return payload.read()


@pytest.mark.parametrize(
    "function",
    [
        native,
        native_that_waits,
        marked_generator,
        bare_generator,
        marked_function,
        hello.handle_request,
        function_to_a_future,
        function_to_a_coroutine,
        function_to_a_generator,
        function_to_a_bare_generator,
        function_to_what_writing_returns,
        function_to_what_reading_returns,
    ],
    ids=lambda function: function.__name__,
)
@on_both_loops
async def test_a_handler_may_be_written_as(function, caplog):
    async with serving(handler(function)) as server:
        client = await server.connect()
        for request in (GET, post(b"body"), GET):
            client.send(request)
            assert (await client.reply()).body == b"hello"
    assert errors(caplog) == []


@on_both_loops
async def test_what_is_neither_none_nor_awaitable_is_an_error(caplog):
    @handler
    def returns_text(_self, _message, _payload):
        return "hello"

    async with serving(returns_text) as server:
        assert (await server.ask()).status == 500
    assert errors(caplog) == [EARLY]
    assert "handle_request() returned 'hello', neither None nor an awaitable" in caplog.text


# Handlers that end without having finished


@pytest.mark.parametrize(
    ("reason", "method", "status", "length"),
    [
        ("an empty body has a length", "GET", 200, "0"),
        ("RFC 9110 §9.3.2: HEAD has the fields of GET", "HEAD", 200, "0"),
        ("RFC 9110 §8.6: no length with 204", "GET", 204, None),
        ("RFC 9110 §15.3.6", "GET", 205, "0"),
    ],
)
@pytest.mark.parametrize("waits", [False, True])
@on_both_loops
async def test_an_answer_made_and_not_sent_goes_out_empty(reason, method, status, length, waits, caplog):
    @handler
    async def makes(self, message, _payload):
        response = Response(self.writer, status, http_version=message.version)
        response.add_header("Content-Length", "18")
        response.add_header("X-Mine", "yes")
        response.add_compression_filter("gzip")
        if waits:
            await asyncio.sleep(0)

    async with serving(makes) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET.replace(b"GET", method.encode()))
            reply = await client.reply(method)
            assert (reply.status, reply.body, reply.headers.get("content-length")) == (status, b"", length), (
                reason
            )
            assert reply.headers["x-mine"] == "yes"
            assert not reply.closes
    assert errors(caplog) == []


@pytest.mark.parametrize("waits", [False, True])
@on_both_loops
async def test_no_answer_at_all_is_an_error_that_says_so(waits, caplog):
    @handler
    async def forgets(_self, _message, _payload):
        if waits:
            await asyncio.sleep(0)

    async with serving(forgets) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET)
            reply = await client.reply()
            assert reply.status == 500
            assert not reply.closes
    assert errors(caplog) == [EARLY] * 2
    assert "handle_request() ended without an answer" in caplog.text


@on_both_loops
async def test_an_answer_whose_end_was_forgotten_is_finished():
    @handler
    def forgets(self, message, _payload):
        response = Response(self.writer, 200)
        response.add_chunking_filter(3)
        if message.path == "/two":
            Response(self.writer, 404)  # made later, and never sent
        response.send_headers()
        response.write(b"hello")

    async with serving(forgets) as server:
        client = await server.connect()
        for path in (b"/", b"/two"):
            client.send(GET.replace(b"/", path, 1))
            reply = await client.reply()
            assert (reply.status, reply.body) == (200, b"hello")
            assert reply.headers["transfer-encoding"] == "chunked"


@on_both_loops
async def test_an_answer_written_without_a_response_is_finished_too():
    @handler
    def forgets(self, _message, _payload):
        self.writer.begin(200, "OK", (), length=None)
        self.writer.write(b"hello")

    async with serving(forgets) as server:
        assert (await server.ask()).body == b"hello"


@on_both_loops
async def test_an_unsent_answer_that_cannot_be_sent_is_an_error(caplog):
    @handler
    def makes(self, _message, _payload):
        Response(self.writer, 200).headers["X-Bad"] = "two\r\nlines"

    async with serving(makes) as server:
        client = await server.connect()
        client.send(GET)
        reply = await client.reply()
        assert reply.status == 500
        assert not reply.closes
    assert errors(caplog) == [EARLY]


@pytest.mark.parametrize("says_so", [False, True], ids=["forgotten", "ended"])
@on_both_loops
async def test_a_body_shorter_than_announced_ends_the_connection(says_so, caplog):
    """RFC 9112 §8: the client must see that the answer is incomplete."""

    @handler
    def short(self, _message, _payload):
        response = Response(self.writer, 200)
        response.add_header("Content-Length", "10")
        response.send_headers()
        response.write(b"abc")
        if says_so:
            response.write_eof()

    async with serving(short) as server:
        client = await server.connect()
        client.send(GET + GET)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert b"Content-Length: 10" in head
        assert body == b"abc"
    assert errors(caplog) == ["GET / HTTP/1.1 from 127.0.0.1: the body is 7 bytes short"]


@pytest.mark.parametrize("size", [None, 2], ids=["written", "left in a filter"])
@on_both_loops
async def test_a_body_longer_than_announced_is_cut_there(size, caplog):
    @handler
    def long(self, _message, _payload):
        response = Response(self.writer, 200)
        response.add_header("Content-Length", "4")
        if size:
            response.add_chunking_filter(size)
        response.send_headers()
        response.write(b"abcde")

    async with serving(long) as server:
        client = await server.connect()
        client.send(GET + GET)
        assert (await client.rest()).partition(b"\r\n\r\n")[2] == b"abcd"
    assert errors(caplog) == ["Error handling request GET / HTTP/1.1 from 127.0.0.1, after its answer began"]


# Who answers


@on_both_loops
async def test_responders_are_asked_in_their_order_and_then_the_handler():
    asked = []

    def responder(name):
        def respond(message):
            asked.append((name, message.path))
            return Answer(200, (("X-By", name),), name.encode()) if message.path == f"/{name}" else None

        return respond

    defaults = HandlerOptions(responders=(responder("one"), responder("two")))
    async with serving(hello, defaults) as server:
        for path, body in ((b"/one", b"one"), (b"/two", b"two"), (b"/", b"hello")):
            assert (await server.ask(GET.replace(b"/", path, 1))).body == body
    assert asked == [("one", "/one"), ("one", "/two"), ("two", "/two"), ("one", "/"), ("two", "/")]


@pytest.mark.parametrize(("error", "status"), [(HttpProcessingError(403), 403), (ValueError("x"), 500)])
@on_both_loops
async def test_what_a_responder_raises_is_answered_as_from_a_handler(error, status):
    def respond(_message):
        raise error

    async with serving(hello, HandlerOptions(responders=(respond,))) as server:
        reply = await server.ask()
        assert (reply.status, reply.closes) == (status, False)


@pytest.mark.parametrize(
    ("reason", "request_bytes", "closes"),
    [
        ("nothing is unread", GET, False),
        ("a small body is read away", post(b"body"), False),
        (
            "RFC 9112 §9.3: a large one is not",
            post(b"")[:-4].replace(b": 0", b": 999999") + b"\r\n\r\n",
            True,
        ),
        ("the client may or may not send it", post(b"body", "Expect: 100-continue")[:-4], True),
    ],
)
@on_both_loops
async def test_a_method_that_is_not_allowed_is_refused(reason, request_bytes, closes):
    """RFC 9110 §15.5.6: with Allow, and the connection lives on where it can."""
    async with serving(hello, allowed_methods=["PUT", "PURGE"]) as server:
        reply = await server.ask(request_bytes)
        assert (reply.status, reply.headers["allow"]) == (405, "PUT, PURGE")
        assert reply.interim == ()
        assert reply.closes is closes, reason


@pytest.mark.parametrize(("method", "status"), [("PUT", 200), ("PURGE", 200), ("FROB", 501), ("get", 501)])
@on_both_loops
async def test_allowed_methods_add_to_those_that_are_known(method, status):
    """RFC 9110 §9.1: 501 for a method that nobody knows."""
    async with serving(hello, allowed_methods=["PUT", "PURGE"]) as server:
        reply = await server.ask(GET.replace(b"GET", method.encode()))
        assert reply.status == status
