"""Responders that need their time: their answer is sent when it is there, and as any other."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from aioserve import HttpProcessingError
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer, FileSlice
from tests.doubles import FakeTransport
from tests.wire import EARLY, GET, Clock, errors, handler, hello, on_both_loops, post, serving, turns

LATER = Answer(200, (("X-By", "later"),), b"later")


class Waiting:
    """A responder that answers everything when the test says so.

    Attributes:
        asked: there has been one.
        futures: one for each request so far.
    """

    def __init__(self):
        self.asked = asyncio.Event()
        self.futures = []

    def __call__(self, message):
        del message
        self.asked.set()
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


def connected(respond, **options):
    """Connect a handler that asks a responder to a `FakeTransport`; return both."""
    protocol, transport = hello(), FakeTransport()
    protocol.use_defaults(HandlerOptions(responders=(respond,), **{"access_log": None} | options))
    protocol.connection_made(transport)
    return protocol, transport


@pytest.fixture
def files(tmp_path):
    """What makes an open file with some bytes; in the end all of them are closed."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    opened = []

    def open_slice(offset, length):
        opened.append(path.open("rb", buffering=0))
        return FileSlice(opened[-1], offset, length)

    yield open_slice
    assert [file.closed for file in opened] == [True] * len(opened)


# What a responder may return


async def _coroutine():
    return LATER


async def _coroutine_that_waits():
    await asyncio.sleep(0)
    return LATER


def _future():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, LATER)
    return future


def _future_that_is_done():
    future = asyncio.get_running_loop().create_future()
    future.set_result(LATER)
    return future


def _task():
    return asyncio.create_task(_coroutine_that_waits())


class _Awaitable:
    def __await__(self):
        return _coroutine_that_waits().__await__()


@pytest.mark.parametrize(
    "later",
    [_coroutine, _coroutine_that_waits, _future, _future_that_is_done, _task, _Awaitable],
    ids=lambda later: later.__name__,
)
@on_both_loops
async def test_what_can_be_awaited_is_an_answer_that_comes_later(later, caplog):
    asked = []

    def respond(message):
        asked.append(message.path)
        return later()

    async with serving(hello, HandlerOptions(responders=(respond, asked.append))) as server:
        client = await server.connect()
        for request in (GET, post(b"body"), GET):
            client.send(request)
            reply = await client.reply()
            assert (reply.body, reply.headers["x-by"], reply.closes) == (b"later", "later", False)
    assert asked == ["/"] * 3  # nobody behind was asked
    assert errors(caplog) == []


@on_both_loops
async def test_it_leaves_in_one_write_and_those_behind_it_wait():
    waiting = Waiting()
    protocol, transport = connected(waiting)
    protocol.data_received(GET + GET.replace(b"GET", b"HEAD"))
    await turns()
    assert (len(waiting.futures), transport.sent) == (1, b"")

    waiting.futures[0].set_result(LATER)
    await turns()
    assert len(transport.writes) == 1
    assert transport.take_sent().endswith(b"Content-Length: 5\r\n\r\nlater")

    waiting.futures[1].set_result(LATER)
    await turns()
    assert transport.sent.endswith(b"Content-Length: 5\r\n\r\n")  # RFC 9110 §9.3.2
    protocol.connection_lost(None)


@on_both_loops
async def test_it_may_be_a_file_or_several_pieces(files):
    async def respond(message):
        if message.path == "/file":
            return Answer(200, (), files(2, 5))
        return Answer(206, (), (b"<", files(0, 3), b"|", files(7, 3), b">"))

    async with serving(hello, HandlerOptions(responders=(respond,))) as server:
        client = await server.connect()
        for path, status, body in ((b"/file", 200, b"23456"), (b"/", 206, b"<012|789>")) * 2:
            client.send(GET.replace(b"/", path, 1))
            reply = await client.reply()
            assert (reply.status, reply.body) == (status, body)
            client.send(GET.replace(b"/", path, 1).replace(b"GET", b"HEAD"))
            reply = await client.reply("HEAD")
            assert (reply.headers["content-length"], reply.body) == (str(len(body)), b"")


@on_both_loops
async def test_it_has_one_record():
    records = []
    waiting = Waiting()
    protocol, transport = connected(waiting, access_log=records.append)
    protocol.data_received(GET)
    await turns()
    assert records == []

    waiting.futures[0].set_result(LATER)
    await turns()
    assert [(record.status, record.body_length) for record in records] == [(200, 5)]
    assert records[0].output_length == len(transport.sent)
    protocol.connection_lost(None)


# What goes wrong


@pytest.mark.parametrize(
    ("error", "status", "lines"),
    [
        (HttpProcessingError(403), 403, []),
        (ValueError("x"), 500, [EARLY]),
        (asyncio.CancelledError(), 500, [EARLY]),
    ],
    ids=["an error of HTTP", "any other", "it was cancelled"],
)
@on_both_loops
async def test_what_is_raised_is_answered_as_from_a_handler(error, status, lines, caplog):
    async def respond(_message):
        await asyncio.sleep(0)
        raise error

    async with serving(hello, HandlerOptions(responders=(respond,))) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET)
            reply = await client.reply()
            assert (reply.status, reply.closes) == (status, False)
    assert errors(caplog) == lines * 2


@pytest.mark.parametrize("later", [False, True])
@on_both_loops
async def test_what_is_no_answer_is_an_error(later, caplog):
    async def nothing():
        return "text"

    async with serving(
        hello, HandlerOptions(responders=(lambda _: nothing() if later else "text",))
    ) as server:
        reply = await server.ask()
        assert (reply.status, reply.closes) == (500, False)
    assert errors(caplog) == [EARLY]


@on_both_loops
async def test_fields_that_cannot_be_sent_are_an_error_and_close_the_files(files, caplog):
    async def respond(message):
        body = b"body" if message.path == "/bytes" else (files(0, 1), files(1, 1))
        return Answer(200, (("X-Bad", "a\r\nb"),), body)

    async with serving(hello, HandlerOptions(responders=(respond,))) as server:
        client = await server.connect()
        for path in (b"/bytes", b"/"):
            client.send(GET.replace(b"/", path, 1))
            reply = await client.reply()
            assert (reply.status, reply.closes) == (500, False)
    assert errors(caplog) == [EARLY.replace(" / ", " /bytes "), EARLY]


# When the client goes, or has no more time


@pytest.mark.parametrize(
    "options",
    [{}, {"cancel_on_disconnect": True}, {"handler_timeout": 10.0}],
    ids=["by default", "where handlers end too", "where time is short"],
)
@on_both_loops
async def test_a_client_that_goes_ends_it(options, caplog):
    """Unlike a handler, it does nothing but answer."""
    records = []
    waiting = Waiting()
    protocol, transport = connected(waiting, access_log=records.append, **options)
    protocol.data_received(GET)
    protocol.connection_lost(None)
    await turns()

    assert waiting.futures[0].cancelled()
    assert (transport.sent, [record.status for record in records]) == (b"", [499])
    assert errors(caplog) == []


@pytest.mark.parametrize("steps", range(3))
@on_both_loops
async def test_a_client_that_goes_in_any_moment_leaves_nothing_behind(steps, caplog):
    """Nor a coroutine that was never begun, of which Python would warn."""

    async def respond(_message):
        for _ in range(3):
            await asyncio.sleep(0)
        return LATER

    protocol, transport = connected(respond)
    protocol.data_received(GET)
    await turns(steps)
    protocol.connection_lost(None)
    await turns()

    assert transport.sent == b""
    assert errors(caplog) == []


@on_both_loops
async def test_a_handler_behind_a_responder_is_none_of_it():
    """A responder that was done has left the request before, or left it to the handler."""
    ends = []

    @handler
    async def waits(_self, _message, _payload):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    async def respond():
        return LATER

    protocol, transport = waits(), FakeTransport()
    protocol.use_defaults(
        HandlerOptions(responders=(lambda message: respond() if message.path == "/a" else None,))
    )
    protocol.connection_made(transport)
    protocol.data_received(GET.replace(b"/", b"/a", 1) + GET)
    await turns()
    assert transport.sent.endswith(b"later")
    protocol.connection_lost(None)
    await turns()
    assert ends == []


@pytest.mark.parametrize("kind", ["bytes", "file", "pieces"])
@on_both_loops
async def test_what_comes_as_its_client_goes_is_not_sent_and_no_file_stays_open(kind, files, caplog):
    waiting = Waiting()
    protocol, transport = connected(waiting)
    protocol.data_received(GET)

    match kind:
        case "bytes":
            body = b"body"
        case "file":
            body = files(0, 10)
        case _:
            body = (b"<", files(0, 10), files(0, 10))
    waiting.futures[0].set_result(Answer(200, (), body))
    protocol.connection_lost(None)
    await turns()

    assert transport.sent == b""
    assert errors(caplog) == []


@on_both_loops
async def test_a_socket_that_is_gone_is_not_opened_again_for_a_file(files, caplog):
    """Its number may be another file's by now."""
    asked = asyncio.Event()

    async def respond(_message):
        asked.set()
        with suppress(asyncio.CancelledError):  # it answers all the same
            await asyncio.Event().wait()
        return Answer(200, (), files(0, 10))

    async with serving(hello, HandlerOptions(responders=(respond,))) as server:
        client = await server.connect()
        client.send(GET)
        protocol = await server.handler()
        await asked.wait()
        client.reset()
        await protocol.shutdown()
        await turns()
        assert protocol._connection._outgoing._pace is None
    assert errors(caplog) == []


@on_both_loops
async def test_one_that_takes_longer_than_a_handler_may_is_answered_by_503(caplog):
    waiting = Waiting()
    protocol, transport = connected(waiting, handler_timeout=10.0)
    clock = Clock(protocol)
    protocol.data_received(GET)
    clock.to(9)
    await turns()
    assert transport.sent == b""
    clock.to(11)
    await turns()

    assert waiting.futures[0].cancelled()
    assert transport.take_sent().startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert errors(caplog) == []
    protocol.data_received(GET)
    waiting.futures[1].set_result(LATER)
    await turns()
    assert transport.sent.endswith(b"later")
    protocol.connection_lost(None)


@on_both_loops
async def test_the_sending_of_a_file_is_none_of_its_time(files, caplog):
    waiting = Waiting()
    protocol, transport = connected(waiting, handler_timeout=10.0)
    clock = Clock(protocol)
    protocol.data_received(GET)
    waiting.futures[0].set_result(Answer(200, (), files(0, 10)))
    protocol.pause_writing()
    await turns()
    for second in (11, 22):
        clock.to(second)
        await turns()
    protocol.resume_writing()
    await turns()

    assert transport.sent.endswith(b"\r\n\r\n0123456789")
    assert caplog.records == []
    protocol.connection_lost(None)


@on_both_loops
async def test_a_connection_that_is_cut_ends_it(caplog):
    waiting = Waiting()
    protocol, transport = connected(waiting)
    protocol.data_received(GET)
    protocol._connection.abort()
    await turns()

    assert waiting.futures[0].cancelled()
    assert (transport.is_aborted, transport.sent) == (True, b"")
    assert errors(caplog) == []
    protocol.connection_lost(None)


@on_both_loops
async def test_a_server_that_stops_waits_for_it():
    waiting = Waiting()
    protocol, transport = connected(waiting)
    protocol.data_received(GET)
    protocol.closing(10)
    await turns()
    assert not transport.is_closing()
    waiting.futures[0].set_result(LATER)
    await turns()

    assert b"\r\nConnection: close\r\n" in transport.sent
    assert transport.sent.endswith(b"later")
    assert transport.is_closing()
    protocol.connection_lost(None)


@on_both_loops
async def test_a_body_that_nobody_reads_meanwhile_is_read_away():
    waiting = Waiting()
    protocol, transport = connected(waiting)
    protocol.data_received(post(bytes(10_000))[:-9_000])
    waiting.futures[0].set_result(LATER)
    await turns()
    assert transport.take_sent().endswith(b"later")

    protocol.data_received(bytes(9_000) + GET)
    waiting.futures[1].set_result(LATER)
    await turns()
    assert transport.sent.endswith(b"later")
    protocol.connection_lost(None)
