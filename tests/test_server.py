"""What a handler class is and can use: its constructor, its methods, and what the loop tells it."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time

import pytest

from aioserve import Response, ServerHttpProtocol
from aioserve.handler_options import HandlerOptions, server_logger
from tests.doubles import FakeTransport, request
from tests.wire import (
    GET,
    LOOPS,
    Slow,
    connected,
    handler,
    hello,
    on_both_loops,
    serving,
    turns,
)

ANSWER = {"status": 200, "body_length": 5, "output_length": 50}


def get(*fields):
    return "\r\n".join(("GET / HTTP/1.1", "Host: a", *fields, "", "")).encode()


# The constructor


def test_a_handler_has_the_options_of_the_class():
    protocol = ServerHttpProtocol()
    assert protocol.debug is False
    assert protocol.logger is server_logger
    assert protocol.access_log is logging.getLogger("aioserve.access")
    assert protocol.keep_alive_timeout == 75


def test_an_option_that_is_given_stands():
    log = logging.getLogger("mine")
    protocol = ServerHttpProtocol(loop=None, debug=True, log=log, access_log=None, keep_alive=3)
    protocol.use_defaults(HandlerOptions(keep_alive=99.0, debug=False, timeout=5.0))
    assert (protocol.debug, protocol.logger, protocol.access_log) == (True, log, None)
    assert protocol.keep_alive_timeout == 3
    assert protocol._options.timeout == 5


def test_an_option_that_is_not_given_is_the_commands_to_say():
    defaults = HandlerOptions(keep_alive=99.0)
    protocol = ServerHttpProtocol()
    protocol.use_defaults(defaults)
    assert protocol._options is defaults


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"keepalive": 1}, TypeError),
        ({"host": "localhost"}, TypeError),
        ({"responders": ()}, TypeError),
        ({"limits": ()}, TypeError),
        ({"keep_alive": "soon"}, ValueError),
        ({"access_log_format": "pretty"}, ValueError),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options, error):
    with pytest.raises(error):
        ServerHttpProtocol(**options)


def test_arguments_have_names():
    with pytest.raises(TypeError):
        ServerHttpProtocol(75)


@on_both_loops
async def test_a_subclass_need_not_call_the_constructor():
    class Handler(ServerHttpProtocol):
        def __init__(self, text):
            self.text = text

        def handle_request(self, _message, _payload):
            self.writer.write_response(200, self.text)

    async with serving(lambda: Handler("mine")) as server:
        assert (await server.ask()).body == b"mine"
    protocol = Handler("mine")
    protocol.use_defaults(HandlerOptions(debug=True))
    assert protocol.debug


@on_both_loops
async def test_a_port_may_be_a_text_and_the_loop_may_be_named():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: hello(debug=True, keep_alive=75, loop=loop), "0.0.0.0", "0")  # noqa: S104 - the seed's
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET[:-2] + b"Connection: close\r\n\r\n")
    assert (await reader.read()).endswith(b"hello")
    writer.close()
    server.close()


@on_both_loops
async def test_the_default_handler_finds_nothing():
    async with serving(ServerHttpProtocol) as server:
        reply = await server.ask()
        assert (reply.status, reply.reason) == (404, "Not Found")
        assert b"Page Not Found!" in reply.body


@on_both_loops
async def test_a_generator_may_yield_from_native_coroutines_wherever_it_is_written():
    async def answer(protocol):
        await asyncio.sleep(0)
        protocol.writer.write_response(200, "hello")

    class Mixin:
        def handle_request(self, _message, _payload):
            yield from answer(self)

    class Handler(Mixin, ServerHttpProtocol):
        pass

    class Inheriting(Handler):
        pass

    for each in (Handler, Inheriting):
        async with serving(each) as server:
            assert (await server.ask()).body == b"hello"


# Without a connection


@on_both_loops
async def test_a_handler_without_a_connection_can_be_asked_anything():
    protocol = ServerHttpProtocol()
    assert (protocol.transport, protocol.writer, protocol.is_connected()) == (None, None, False)
    assert repr(protocol) == "<ServerHttpProtocol not connected>"
    protocol.keep_alive(True)
    protocol.closing()
    await protocol.shutdown()
    await protocol.wait_disconnected()
    await protocol.wait_closing()
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.resume_writing()
    assert protocol.eof_received() is False
    protocol.connection_lost(None)
    assert protocol.handle_error(404) == ()


@on_both_loops
async def test_only_a_connection_with_a_request_can_be_taken_over():
    protocol = ServerHttpProtocol()
    with pytest.raises(RuntimeError, match="there is no connection"):
        protocol.detach()
    protocol.connection_made(FakeTransport())
    with pytest.raises(RuntimeError, match="only a connection whose request is being answered"):
        protocol.detach()
    protocol.connection_lost(None)


@on_both_loops
async def test_it_shows_what_it_is_doing():
    protocol, _transport = connected(Slow)
    assert repr(protocol) == "<Slow waiting>"
    protocol.data_received(GET)
    assert repr(protocol) == "<Slow answering <RequestMessage GET / HTTP/1.1>>"
    protocol.connection_lost(None)
    assert repr(protocol) == "<Slow lost <RequestMessage GET / HTTP/1.1>>"
    protocol.go_on.release()
    await turns()


@on_both_loops
async def test_between_requests_there_is_a_transport_and_no_writer():
    protocol, transport = connected(hello)
    assert protocol.transport is transport
    assert protocol.is_connected()
    assert protocol.writer is None
    protocol.keep_alive(False)  # no answer that it could be about
    protocol.data_received(GET)
    assert not transport.is_closing()
    protocol.connection_lost(None)
    assert protocol.transport is None
    await protocol.wait_disconnected()
    await protocol.wait_closing()


@on_both_loops
async def test_the_oldest_handlers_write_with_the_transport():
    @handler
    def oldest(self, message, _payload):
        response = Response(self.transport, 200, http_version=message.version)
        response.send_headers()
        response.write(b"hello")

    async with serving(oldest) as server:
        assert (await server.ask()).body == b"hello"


# The transport


@pytest.mark.parametrize(
    ("option", "is_on"), [({}, 1), ({"tcp_keepalive": False}, 0), ({"keep_alive_on": False}, 0)]
)
@on_both_loops
async def test_the_system_looks_after_silent_clients_unless_it_is_told_not_to(option, is_on):
    @handler
    def looks(self, _message, _payload):
        sock = socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))
        with sock:
            self.writer.write_response(200, str(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)))

    async with serving(looks, **option) as server:
        assert (await server.ask()).body == str(is_on).encode()


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
@on_both_loops
async def test_a_socket_that_cannot_do_it_is_served_all_the_same(family):
    class Socket:
        def setsockopt(self, *_arguments):
            assert family == socket.AF_INET
            raise OSError

    sock = Socket()
    sock.family = family
    protocol = hello()
    transport = FakeTransport(socket=sock)
    protocol.connection_made(transport)
    protocol.data_received(GET)
    assert transport.sent.endswith(b"hello")
    protocol.connection_lost(None)


@on_both_loops
async def test_a_unix_socket_serves_too(tmp_path):
    path = str(tmp_path / "socket")
    records = []
    loop = asyncio.get_running_loop()
    server = await loop.create_unix_server(lambda: hello(access_log=records.append), path)
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(get("Connection: close"))
    assert (await reader.read()).endswith(b"hello")
    writer.close()
    server.close()
    assert [record.peer for record in records] == [""]


@on_both_loops
async def test_a_connection_may_be_made_for_somebody_else():
    records = []
    protocol, transport = hello(access_log=records.append), FakeTransport()
    protocol.connection_passed_on(transport, ("192.0.2.7", 5))
    protocol.data_received(GET)
    assert [record.peer for record in records] == [("192.0.2.7", 5)]
    protocol.connection_lost(None)


@on_both_loops
async def test_a_connection_that_is_passed_on_at_the_end_has_one_request():
    protocol, transport = hello(), FakeTransport()
    protocol.connection_passed_on(transport, ("192.0.2.7", 5), 10.0)
    assert not transport.is_closing()
    protocol.data_received(GET)
    assert b"\r\nConnection: close\r\n" in transport.sent
    protocol.connection_lost(None)


@on_both_loops
async def test_what_is_no_request_is_logged_for_who_sent_it():
    records = []
    protocol, transport = hello(access_log=records.append), FakeTransport()
    protocol.connection_passed_on(transport, ("192.0.2.7", 5))
    protocol.data_received(b"nothing\r\n")
    hello(access_log=records.append).log_access(None, None, type("Answer", (), ANSWER), 0)
    assert [(record.message, record.peer) for record in records] == [
        (None, ("192.0.2.7", 5)),
        (None, None),
    ]
    protocol.connection_lost(None)


@on_both_loops
async def test_a_connection_that_an_author_does_not_make_is_nobodys():
    class Handler(hello):
        def connection_made(self, transport):
            transport.abort()

    protocol, transport = Handler(), FakeTransport()
    protocol.connection_passed_on(transport, ("192.0.2.7", 5))
    assert transport.is_aborted
    assert not protocol.was_connected


@on_both_loops
async def test_awaiting_a_write_waits_for_room():
    steps = []

    @handler
    async def writes(self, _message, _payload):
        response = Response(self.writer, 200)
        response.send_headers()
        steps.append("begun")
        self.pause_writing()
        await response.write(b"hello")
        steps.append("written")

    protocol, transport = connected(writes)
    protocol.data_received(GET)
    await turns()
    assert steps == ["begun"]
    protocol.resume_writing()
    await turns()
    assert steps == ["begun", "written"]
    assert transport.sent.endswith(b"0\r\n\r\n")
    protocol.connection_lost(None)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("make_loop", LOOPS, ids=lambda make: make.__module__)
def test_what_ends_the_program_ends_the_loop(make_loop, error):
    @handler
    def ends(_self, _message, _payload):
        raise error

    async def serve():
        async with serving(ends) as server:
            await server.ask()

    loop = make_loop()
    task = loop.create_task(serve())
    with pytest.raises(error):
        loop.run_until_complete(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        loop.run_until_complete(task)
    loop.run_until_complete(turns())
    loop.close()


# What authors override or call


def test_debug_lines_are_for_debug(caplog):
    caplog.set_level(logging.DEBUG)
    ServerHttpProtocol().log_debug("not %s", "seen")
    ServerHttpProtocol(debug=True).log_debug("seen %d", 1)
    assert caplog.messages == ["seen 1"]


def test_an_exception_is_logged_where_the_author_says(caplog):
    protocol = ServerHttpProtocol(logger=logging.getLogger("mine"))
    try:
        {}["key"]
    except KeyError:
        protocol.log_exception("it %s", "failed")
    [record] = caplog.records
    assert (record.name, record.getMessage(), record.exc_info[0]) == ("mine", "it failed", KeyError)


def test_a_request_can_be_logged_without_a_connection():
    records = []
    protocol = ServerHttpProtocol(access_log=records.append)
    message = request()
    answer = type("Answer", (), ANSWER)
    protocol.log_access(message, None, answer, 1.5)
    ServerHttpProtocol(access_log=None).log_access(message, None, answer, 1.5)
    [record] = records
    assert (record.message, record.peer, record.status, record.duration) == (message, None, 200, 1.5)
    assert (record.body_length, record.output_length) == (5, 50)
    assert abs(record.started + 1.5 - time.time()) < 60


@on_both_loops
async def test_log_access_is_called_as_it_always_was():
    calls = []

    class Handler(hello):
        def log_access(self, message, environ, response, time):
            calls.append((message.path, environ, response.status, response.body_length, time >= 0))

    async with serving(Handler) as server:
        await server.ask()
    assert calls == [("/", None, 200, 5, True)]


@on_both_loops
async def test_it_remembers_that_it_was_connected():
    protocol = hello()
    assert not protocol.was_connected
    protocol.connection_made(FakeTransport())
    protocol.connection_lost(None)
    assert protocol.transport is None
    assert protocol.was_connected
