"""What a client sees when the answer to its request fails, and what authors can change about that."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import pytest

from aioserve import HttpProcessingError, Response, ServerHttpProtocol
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer, FileSlice
from tests.doubles import FakeTransport
from tests.wire import (
    EARLY,
    GET,
    LATE,
    Slow,
    connected,
    errors,
    handler,
    hello,
    on_both_loops,
    post,
    serving,
    turns,
)


@pytest.mark.parametrize("waits", [False, True])
@on_both_loops
async def test_an_error_before_the_head_is_answered_and_the_connection_lives(waits, caplog):
    @handler
    async def fails(self, message, _payload):
        if waits:
            await asyncio.sleep(0)
        if message.path == "/":
            Response(self.writer, 200)
            raise ValueError("secret")
        self.writer.write_response(200, "hello")

    async with serving(fails) as server:
        client = await server.connect()
        client.send(GET)
        reply = await client.reply()
        assert (reply.status, reply.closes) == (500, False)
        assert b"secret" not in reply.body
        assert b"Traceback" not in reply.body
        client.send(GET.replace(b"/", b"/fine", 1))
        assert (await client.reply()).body == b"hello"
    assert errors(caplog) == [EARLY]
    assert "ValueError: secret" in caplog.text


@pytest.mark.parametrize("waits", [False, True])
@on_both_loops
async def test_an_http_error_is_answered_with_its_status_and_fields(waits, caplog):
    @handler
    async def moves(_self, _message, _payload):
        if waits:
            await asyncio.sleep(0)
        raise HttpProcessingError(302, "It is there now.", {"Location": "/there"})

    async with serving(moves) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET)
            reply = await client.reply()
            assert (reply.status, reply.reason, reply.closes) == (302, "Found", False)
            assert reply.headers["location"] == "/there"
            assert reply.body == b"302 Found\n\nIt is there now.\n"
    assert errors(caplog) == []


@on_both_loops
async def test_fields_of_an_error_that_cannot_be_sent_cost_the_page_only(caplog):
    @handler
    def fails(_self, _message, _payload):
        raise HttpProcessingError(404, headers={"X-Bad": "a\r\nb"})

    async with serving(fails) as server:
        reply = await server.ask()
        assert (reply.status, reply.body) == (500, b"500 Internal Server Error\n")
    assert errors(caplog) == ["Error in handle_error"]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("error", [ValueError("late"), HttpProcessingError(404)], ids=repr)
@on_both_loops
async def test_an_error_behind_the_head_cuts_the_connection(waits, error, caplog):
    """RFC 9112 §8: no last chunk, and never a second answer inside of the first."""

    @handler
    async def fails(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(b"hello")
        if waits:
            await asyncio.sleep(0)
        raise error

    async with serving(fails) as server:
        client = await server.connect()
        client.send(GET + GET)
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert body == b"5\r\nhello\r\n"
    assert errors(caplog) == [LATE]


@on_both_loops
async def test_an_error_behind_a_whole_answer_ends_the_connection_only(caplog):
    @handler
    def fails(self, _message, _payload):
        self.writer.write_response(200, "hello")
        raise ValueError("late")

    async with serving(fails) as server:
        client = await server.connect()
        client.send(GET + GET)
        assert (await client.reply()).body == b"hello"
        assert await client.rest() == b""
    assert errors(caplog) == [LATE]


@on_both_loops
async def test_a_body_that_only_the_close_would_end_is_reset_when_it_breaks():
    """Else an HTTP/1.0 client would take half of it for all."""

    @handler
    def fails(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(b"x" * 10_000_000)
        raise ValueError("late")

    async with serving(fails) as server:
        client = await server.connect()
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert len(await client.rest()) < 10_000_000


@pytest.mark.parametrize("waits", [False, True])
@on_both_loops
async def test_a_cancellation_of_its_own_is_an_error_of_the_handler(waits, caplog):
    """Such as that of a future it awaits; only ours, and that of a client that has gone, is none."""

    @handler
    async def is_cancelled(_self, _message, _payload):
        if waits:
            await asyncio.sleep(0)
        raise asyncio.CancelledError

    async with serving(is_cancelled, access_log=None) as server:
        client = await server.connect()
        client.send(GET)
        assert (await client.reply()).status == 500
    assert "CancelledError" in caplog.text


@on_both_loops
async def test_a_connection_that_is_cut_cancels_its_handler():
    protocol, transport = connected(Slow)
    protocol._connection.abort()  # nothing to cancel
    assert transport.is_aborted

    protocol, transport = connected(Slow)
    protocol.data_received(GET)
    protocol._connection.abort()
    assert transport.is_aborted
    await turns()
    assert protocol.writer is None
    assert transport.sent == b""


@on_both_loops
async def test_a_connection_that_is_cut_may_be_sending_a_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    file = path.open("rb")
    protocol = hello()
    protocol.use_defaults(HandlerOptions(responders=(lambda _: Answer(200, (), FileSlice(file, 0, 5)),)))
    transport = FakeTransport()
    protocol.connection_made(transport)
    protocol.data_received(GET)
    protocol._connection.abort()
    assert transport.is_aborted
    protocol.connection_lost(None)
    assert file.closed


# What authors override


@on_both_loops
async def test_an_overridden_handle_error_makes_the_answer():
    seen = []

    class Handler(ServerHttpProtocol):
        async def handle_request(self, message, payload):
            await payload.read()
            seen.append((message, payload))
            raise error

        def handle_error(self, *arguments):
            seen.append(arguments)
            response = Response(self.writer, 418)
            response.send_headers()
            response.write(b"my own")  # and its end is forgotten

    error = HttpProcessingError(404, headers=[("X-Mine", "yes")])
    async with serving(Handler) as server:
        reply = await server.ask(post(b"body"))
        assert (reply.status, reply.body) == (418, b"my own")
    assert seen[1] == (404, *seen[0], error, (("X-Mine", "yes"),))


@on_both_loops
async def test_a_handle_error_that_fails_is_replaced(caplog):
    class Handler(ServerHttpProtocol):
        def handle_error(self, *_arguments):
            raise ValueError("from handle_error")

    async with serving(Handler) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET)
            reply = await client.reply()
            assert (reply.status, reply.body) == (500, b"500 Internal Server Error\n")
    assert errors(caplog) == ["Error in handle_error"] * 2
    assert "ValueError: from handle_error" in caplog.text


@on_both_loops
async def test_a_handle_error_that_fails_behind_its_head_cuts_the_connection(caplog):
    class Handler(ServerHttpProtocol):
        def handle_error(self, *_arguments):
            response = Response(self.writer, 500)
            response.send_headers()
            response.write(b"half")
            raise ValueError("from handle_error")

    async with serving(Handler) as server:
        client = await server.connect()
        client.send(GET + GET)
        assert (await client.rest()).partition(b"\r\n\r\n")[2] == b"4\r\nhalf\r\n"
    assert errors(caplog) == ["Error in handle_error"]


@on_both_loops
async def test_a_handle_error_that_answers_nothing_is_answered_for():
    class Handler(ServerHttpProtocol):
        def handle_error(self, *_arguments):
            pass

    async with serving(Handler) as server:
        assert (await server.ask()).status == 500


@on_both_loops
async def test_an_async_handle_error_is_an_error_that_loses_nothing(caplog):
    class Handler(ServerHttpProtocol):
        def handle_request(self, _message, _payload):
            raise ValueError("from the handler")

        async def handle_error(self, *_arguments):
            """Never awaited: it is a plain function's place."""

    async with serving(Handler) as server:
        assert (await server.ask()).status == 500
    assert "handle_error() is a plain function" in caplog.text
    assert "from the handler" in caplog.text


@on_both_loops
async def test_a_log_access_that_fails_costs_its_line_only(caplog):
    class Handler(hello):
        def log_access(self, *_arguments):
            raise ValueError("from log_access")

    async with serving(Handler) as server:
        client = await server.connect()
        client.send(GET + GET)
        for _ in range(2):
            assert (await client.reply()).body == b"hello"
    assert errors(caplog) == ["Error in logging"] * 2


@on_both_loops
async def test_a_broken_body_is_no_error_of_the_servers_even_after_the_answer_began(caplog):
    """Clients could fill the log with tracebacks."""
    caplog.set_level(logging.INFO)

    @handler
    async def echoes(self, _message, payload):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(await payload.read())

    async with serving(echoes, access_log=None) as server:
        client = await server.connect()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n")
        assert b"Transfer-Encoding: chunked" in await client.until(b"\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert await client.rest() == b""
    assert errors(caplog) == []
    assert "after its answer began: A chunk does not begin with its size." in caplog.text
