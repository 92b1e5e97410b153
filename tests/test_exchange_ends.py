"""What is left of a request when it is over: one record of it, and nothing else."""

from __future__ import annotations

import asyncio
import gc
import logging
import time

import pytest

import aioserve
from aioserve import HttpProcessingError, Response
from aioserve.exchange import Channel
from aioserve.handler_options import HandlerOptions
from tests.doubles import request
from tests.wire import GET, errors, handler, hello, on_both_loops, post, serving

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


# The access log


@handler
async def mixed(self, message, payload):
    if message.path == "/missing":
        raise HttpProcessingError(404)
    if message.path == "/chunks":
        response = Response(self.writer, 201)
        response.send_headers()
        response.write(b"hello")
        await asyncio.sleep(0)
        response.write(await payload.read())
    elif message.path == "/empty":
        Response(self.writer, 204)
    else:
        await self.writer.write_response(200, "hello")


@pytest.mark.parametrize(
    ("path", "method", "status", "body_length"),
    [
        ("/", "GET", 200, 5),
        ("/", "HEAD", 200, 0),
        ("/chunks", "GET", 201, 5),
        ("/empty", "GET", 204, 0),
        ("/missing", "GET", 404, 14),
    ],
)
@on_both_loops
async def test_a_record_tells_what_was_sent(path, method, status, body_length):
    records = []
    before = time.time()
    async with serving(mixed, access_log=records.append) as server:
        client = await server.connect()
        client.send(f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        sent = await client.rest()
    [record] = records
    assert (record.message.method, record.message.path) == (method, path)
    assert record.peer[0] == "127.0.0.1"
    assert (record.status, record.body_length, record.output_length) == (status, body_length, len(sent))
    assert before <= record.started <= record.started + record.duration <= time.time()


@on_both_loops
async def test_a_record_tells_where_the_time_went_where_that_is_measured():
    records = []
    async with serving(mixed, HandlerOptions(is_timed=True, access_log=records.append)) as server:
        await server.ask()
    [record] = records
    assert sum(record.times) == pytest.approx(record.duration + record.times.queue, abs=0.01)


@on_both_loops
async def test_100_continue_counts_among_the_bytes_sent():
    records = []
    async with serving(mixed, access_log=records.append) as server:
        client = await server.connect()
        client.send(b"POST /chunks HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n")
        client.send(b"Expect: 100-continue\r\n\r\n")
        await client.until(b"5\r\nhello\r\n")
        client.send(b"xy")
        await client.rest()
    assert [(each.status, each.body_length) for each in records] == [(201, 7)]


@on_both_loops
async def test_every_request_has_one_record_and_a_refused_one_too():
    records = []
    async with serving(mixed, access_log=records.append) as server:
        client = await server.connect()
        client.send(GET * 3 + b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
        sent = await client.rest()
    assert [each.status for each in records] == [200, 200, 200, 400]
    assert [each.message is None for each in records] == [False, False, False, True]
    assert sum(each.output_length for each in records) == len(sent)


@on_both_loops
async def test_a_client_that_did_not_wait_is_recorded_as_499(caplog):
    records = []
    entered = asyncio.Event()

    @handler
    async def waits(self, _message, _payload):
        entered.set()
        await self.wait_disconnected()
        assert self.handle_error(404) == ()

    async with serving(waits, access_log=records.append) as server:
        client = await server.connect()
        client.send(GET)
        await entered.wait()
        client.reset()
        await server.handlers[0].wait_disconnected()
        await asyncio.sleep(0)
    assert [(each.status, each.output_length) for each in records] == [(499, 0)]
    assert errors(caplog) == []


@on_both_loops
async def test_without_an_access_log_nothing_is_recorded():
    class Handler(hello):
        def log_access(self, *_arguments):
            raise AssertionError

    async with serving(Handler, access_log=None) as server:
        assert (await server.ask()).status == 200


@on_both_loops
async def test_a_logger_gets_a_line_for_each_request(caplog):
    caplog.set_level(logging.INFO)
    log = logging.getLogger("mine")
    async with serving(hello, access_log=log, access_log_format="common") as server:
        await server.ask()
    [line] = [record.getMessage() for record in caplog.records if record.name == "mine"]
    assert line.startswith("127.0.0.1 - - [")
    assert line.endswith('"GET / HTTP/1.1" 200 5')


@on_both_loops
async def test_what_is_logged_need_not_have_been_written_just_now(caplog):
    calls = []

    class Handler(hello):
        def log_access(self, *arguments):
            calls.append(arguments)

    protocol = Handler()
    message, response = request(), object()
    channel = Channel(protocol, None, None, HandlerOptions(), None)
    channel.log(message, response, time.perf_counter() - 1)
    [(*arguments, seconds)] = calls
    assert arguments == [message, None, response]
    assert 1 <= seconds < 60
    assert errors(caplog) == []


# Nothing else


@handler
async def native(self, message, payload):
    response = Response(self.writer, 200, http_version=message.version)
    response.send_headers()
    await response.write(await payload.read())
    await asyncio.sleep(0)
    await response.write_eof()


@handler
@aioserve.coroutine
def generator(self, message, payload):
    response = Response(self.writer, 200, http_version=message.version)
    response.send_headers()
    data = yield from payload.read()
    yield from response.write(data)
    yield from response.write_eof()


@handler
def not_waiting(self, message, _payload):
    Response(self.writer, 200, http_version=message.version)


@handler
async def failing(_self, _message, payload):
    await payload.read()
    raise HttpProcessingError(404)


@pytest.mark.parametrize(
    "each",
    [native, generator, not_waiting, failing, hello],
    ids=["native", "generator", "not waiting", "failing", "not reading"],
)
@pytest.mark.parametrize(
    "data",
    [GET, post(b"body"), CHUNKED + b"4\r\nbody\r\n0\r\n\r\n"],
    ids=["no body", "length", "chunks"],
)
@on_both_loops
async def test_a_request_leaves_no_reference_cycle(each, data):
    async with serving(each, access_log=None) as server:
        client = await server.connect()
        client.send(data)
        await client.reply()
        while gc.collect():
            pass  # what earlier tests left may take more than one collection
        gc.disable()
        try:
            for _ in range(10):
                client.send(data * 100)
                for _ in range(100):
                    await client.reply()
            found = gc.collect()
        finally:
            gc.enable()
        assert found == 0


@on_both_loops
async def test_whoever_writes_late_is_told_and_disturbs_nobody():
    answered = asyncio.Event()
    tasks = []

    @handler
    async def leaves_a_task(self, _message, _payload):
        async def write_late(sent, unsent):
            await answered.wait()
            with pytest.raises(RuntimeError, match="the answer is finished"):
                sent.write(b"late")
            await sent.write_eof()
            with pytest.raises(RuntimeError, match=r"over|begun"):
                unsent.send_headers()

        sent, unsent = Response(self.writer, 200), Response(self.writer, 404)
        sent.add_header("Content-Length", "5")
        sent.send_headers()
        sent.write(b"hello")
        tasks.append(asyncio.create_task(write_late(sent, unsent)))

    async with serving(leaves_a_task) as server:
        client = await server.connect()
        client.send(GET)
        assert (await client.reply()).body == b"hello"
        answered.set()
        await tasks.pop()
        client.send(GET)
        assert (await client.reply()).body == b"hello"
        await tasks.pop()


@on_both_loops
async def test_whoever_reads_late_is_told():
    answered = asyncio.Event()
    tasks = []

    @handler
    async def leaves_a_task(self, _message, payload):
        async def read_late():
            await answered.wait()
            with pytest.raises(RuntimeError, match="the request is over"):
                await payload.read()

        self.writer.write_response(200, "hello")
        tasks.append(asyncio.create_task(read_late()))

    async with serving(leaves_a_task) as server:
        client = await server.connect()
        client.send(post(b"body")[:-1])
        assert (await client.reply()).body == b"hello"
        answered.set()
        await tasks.pop()
        client.send(b"y" + post(b"body"))
        assert (await client.reply()).body == b"hello"
        await tasks.pop()
