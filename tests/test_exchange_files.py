"""Files that responders answer with: what is sent of them, and that every one of them is closed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer, FileSlice
from tests.doubles import FakeTransport
from tests.wire import GET, errors, hello, on_both_loops, serving

SIZE = 20_000_000  # more than the system takes for a client that does not read


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(250)) * (SIZE // 250))
    return path


def open_files():
    """Return what the system knows that is open."""
    return [each.resolve() for each in Path("/proc/self/fd").iterdir()]


class Files:
    """A responder that answers everything with a slice of one file.

    Attributes:
        opened: the files that it handed out.
    """

    def __init__(self, path, offset=0, length=SIZE, headers=()):
        self._path = path
        self._slice = offset, length
        self._headers = headers
        self.opened = []

    def __call__(self, _message):
        self.opened.append(self._path.open("rb"))
        return Answer(200, self._headers, FileSlice(self.opened[-1], *self._slice))

    @property
    def options(self):
        """Make a server ask it."""
        return HandlerOptions(responders=(self,))

    @property
    def are_closed(self):
        """Whether nothing was left open."""
        return all(each.closed for each in self.opened)


@pytest.mark.parametrize(
    ("offset", "length"),
    [(0, SIZE), (250, 250), (SIZE - 1, 1), (0, 262_144), (7, 262_145), (10, 0)],
)
@on_both_loops
async def test_a_slice_is_sent_as_it_is(file, offset, length):
    files = Files(file, offset, length)
    async with serving(hello, files.options) as server:
        client = await server.connect()
        client.send(GET * 3)
        for _ in range(3):
            reply = await client.reply()
            assert reply.headers["content-length"] == str(length)
            assert reply.body == file.read_bytes()[offset : offset + length]
            assert files.opened[0].closed
    assert files.are_closed


@on_both_loops
async def test_head_sends_the_length_and_no_byte(file):
    """RFC 9110 §9.3.2; and the connection lives on."""
    files = Files(file)
    async with serving(hello, files.options) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET.replace(b"GET", b"HEAD"))
            reply = await client.reply("HEAD")
            assert (reply.headers["content-length"], reply.body) == (str(SIZE), b"")
            assert files.are_closed


@on_both_loops
async def test_fields_that_cannot_be_sent_are_an_error_and_close_the_file(file):
    files = Files(file, headers=(("X-Bad", "a\r\nb"),))
    async with serving(hello, files.options) as server:
        assert (await server.ask()).status == 500
    assert files.are_closed


@on_both_loops
async def test_a_file_that_becomes_shorter_ends_the_connection(file, caplog):
    """RFC 9112 §8: a client must see that it has not got all."""
    files = Files(file)
    async with serving(hello, files.options) as server:
        client = await server.connect()
        client.send(GET + GET)
        head = await client.until(b"\r\n\r\n")
        assert f"Content-Length: {SIZE}\r\n".encode() in head
        os.truncate(file, SIZE - 1)
        assert len(await client.rest()) == SIZE - 1
    line = "GET / HTTP/1.1 from 127.0.0.1, after its answer began: the file ends too early"
    assert errors(caplog) == [line]
    assert "Traceback" not in caplog.text  # it is none of the author's
    assert files.are_closed


@pytest.mark.parametrize("pieces", [0, 1])
@on_both_loops
async def test_a_client_that_goes_leaves_no_file_open(file, pieces, caplog):
    files = Files(file)
    records = []
    async with serving(hello, files.options, access_log=records.append) as server:
        client = await server.connect()
        client.send(GET)
        if pieces:
            await client.until(b"\r\n\r\n")
        client.reset()
        await (await server.handler()).wait_disconnected()
    assert files.are_closed
    assert file not in open_files()
    assert errors(caplog) == []
    assert [record.status for record in records] == [200] * len(files.opened)


@on_both_loops
async def test_a_client_that_goes_before_the_first_byte_leaves_no_file_open(file):
    files = Files(file)
    protocol = hello()
    protocol.use_defaults(files.options)
    transport = FakeTransport()
    protocol.connection_made(transport)
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.connection_lost(None)

    assert len(files.opened) == 1
    assert files.are_closed


@on_both_loops
async def test_memory_holds_a_block_of_a_file_at_a_time(file):
    class Stalled(FakeTransport):
        def write(self, data):
            super().write(data)
            protocol.pause_writing()

    protocol = hello()
    protocol.use_defaults(Files(file).options)
    transport = Stalled()
    protocol.connection_made(transport)
    protocol.data_received(GET)
    for _ in range(3):
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(transport.take_sent()) < 400_000
        protocol.resume_writing()
    protocol.connection_lost(None)


@on_both_loops
async def test_the_next_request_is_answered_behind_the_file(file):
    class Once(Files):
        def __call__(self, message):
            return super().__call__(message) if message.path == "/file" else None

    async with serving(hello, Once(file).options) as server:
        client = await server.connect()
        client.send(GET.replace(b"/", b"/file", 1) + GET)
        assert len((await client.reply()).body) == SIZE
        assert (await client.reply()).body == b"hello"
