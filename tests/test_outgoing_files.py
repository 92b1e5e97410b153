"""Files leave beside the transport where that can be, and through it where not."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import asynccontextmanager

import pytest

from aioserve import file_body
from aioserve.errors import ClientDisconnectedError
from aioserve.file_body import Fetch, Wait
from aioserve.http.messages import FileSlice
from aioserve.outgoing import Outgoing
from tests.doubles import FakeTransport
from tests.sending import Sending
from tests.wire import on_both_loops

SIZE = 20_000_000  # more than the system takes for a client that does not read


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(250)) * (SIZE // 250))
    with path.open("rb", buffering=0) as file:
        yield file


class Protocol(asyncio.Protocol):
    """Sends one file when it is connected.

    Attributes:
        counted: bytes that were sent beside the transport.
        written: bytes that were sent through it.
        end: what was reported in the end.
    """

    def __init__(self, *pieces, before=b""):
        self._pieces = pieces
        self._before = before
        self.counted = self.written = 0
        self.end = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport
        self.outgoing = Outgoing(transport, asyncio.get_running_loop())
        if self._before:
            transport.write(self._before)
        self.outgoing.hold(b"head")
        self.outgoing.send_files(self._pieces, self._write, self._count, self.end.set_result)

    def _write(self, piece):
        self.written += len(piece)
        self.outgoing.send(piece)

    def _count(self, size):
        self.counted += size

    def pause_writing(self):
        self.outgoing.pause()

    def resume_writing(self):
        self.outgoing.resume()

    def connection_lost(self, _exc):
        self.outgoing.lose()


@asynccontextmanager
async def connected(protocol):
    """Connect to it; yields what a client has."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), limit=65_536)
    try:
        yield reader, writer
    finally:
        writer.close()
        protocol.transport.abort()
        server.close()
        await server.wait_closed()


@on_both_loops
async def test_file_is_sent_beside_the_transport_behind_its_head(file):
    protocol = Protocol(FileSlice(file, 250, SIZE - 250))
    async with connected(protocol) as (reader, _):
        received = await reader.readexactly(4 + SIZE - 250)
        assert await protocol.end is None

    assert received == b"head" + bytes(range(250)) * (SIZE // 250 - 1)
    assert (protocol.counted, protocol.written) == (SIZE - 250, 0)
    assert file.closed


@on_both_loops
async def test_what_was_sent_beside_the_transport_is_known_to_be_taken_in_the_end(file):
    protocol = Protocol(FileSlice(file, 0, 1_000_000))
    async with connected(protocol) as (reader, _):
        await reader.readexactly(4 + 1_000_000)
        await protocol.end
        while not protocol.outgoing.is_taken:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)


@on_both_loops
async def test_nothing_overtakes_what_the_transport_still_has(file):
    """Then the file takes the same way, in blocks."""
    protocol = Protocol(FileSlice(file, 0, 1_000_000), before=bytes(SIZE))
    async with connected(protocol) as (reader, _):
        received = await reader.readexactly(SIZE + 4 + 1_000_000)
        assert await protocol.end is None

    assert received[SIZE:] == b"head" + bytes(range(250)) * 4000
    assert (protocol.counted, protocol.written) == (0, 1_000_000)


@on_both_loops
async def test_a_client_that_goes_ends_it_and_closes_the_file(file):
    protocol = Protocol(FileSlice(file, 0, SIZE))
    async with connected(protocol) as (reader, writer):
        await reader.readexactly(100_000)
        writer.transport.abort()
        assert isinstance(await protocol.end, ClientDisconnectedError)

    assert file.closed


@on_both_loops
async def test_connection_that_is_aborted_meanwhile_ends_it(file):
    protocol = Protocol(FileSlice(file, 0, SIZE))
    async with connected(protocol) as (reader, _):
        await reader.readexactly(100_000)
        protocol.transport.abort()
        assert isinstance(await protocol.end, ClientDisconnectedError)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await reader.readexactly(SIZE)

    assert file.closed


@on_both_loops
async def test_what_is_not_in_memory_is_read_by_a_thread(file, monkeypatch):
    threads = []
    known = [0]

    def preadv(_descriptor, _buffers, offset, _flags):
        if offset >= known[0]:
            raise BlockingIOError

    def fetch(self):
        threads.append(self.length)
        known[0] = self.offset + self.length
        os.close(self.descriptor)

    monkeypatch.setattr(file_body, "_NO_WAIT", 0)
    monkeypatch.setattr(os, "preadv", preadv)
    monkeypatch.setattr(Fetch, "__call__", fetch)
    protocol = Protocol(FileSlice(file, 0, SIZE))
    async with connected(protocol) as (reader, _):
        received = await reader.readexactly(4 + SIZE)

    assert received[4:] == bytes(range(250)) * (SIZE // 250)
    assert len(threads) > 10


def test_transport_without_a_socket_sends_in_blocks(file):
    sending = Sending()
    sending.outgoing.hold(b"head ")

    sending.outgoing.send_files(
        (FileSlice(file, 0, 3),), sending.outgoing.send, pytest.fail, sending.ends.append
    )
    sending.loop.advance(1)

    assert b"".join(sending.writes) == b"head \0\1\2"
    assert sending.ends == [None]


def test_tls_sends_in_blocks(file):
    with socket.socket() as sock:
        transport = FakeTransport(sslcontext=object(), socket=sock)
        sending = Sending()
        outgoing = Outgoing(transport, sending.loop)

        outgoing.send_files((FileSlice(file, 0, 3),), outgoing.send, pytest.fail, sending.ends.append)
        sending.loop.advance(1)

    assert transport.sent == b"\0\1\2"


@pytest.mark.parametrize("is_closed", [True, False])
def test_socket_that_cannot_be_had_twice_sends_in_blocks(file, monkeypatch, is_closed):
    def dup(_descriptor):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "dup", dup)
    sending = Sending()
    with socket.socket() as sock:
        if is_closed:
            sock.close()
        transport = FakeTransport(socket=sock)
        outgoing = Outgoing(transport, sending.loop)
        outgoing.send_files((FileSlice(file, 0, 3),), outgoing.send, pytest.fail, sending.ends.append)
        sending.loop.advance(1)

    assert transport.sent == b"\0\1\2"


class Thread:
    """A future that is done when the test says so."""

    def __call__(self, _executor, _work):
        return self

    def add_done_callback(self, callback):
        self._callback = callback

    def end(self):
        self._callback(self)


def test_source_that_waits_for_a_thread_is_left_alone_until_then():
    sending = Sending()
    thread = sending.loop.run_in_executor = Thread()
    log = []

    def source():
        log.append("asked")
        yield Fetch(-1, 0, 1)
        log.append("goes on")
        yield Wait.TURN

    sending.send_from(source())
    sending.loop.turn()
    sending.outgoing.resume()  # for another reason
    sending.loop.turn()
    assert log == ["asked"]

    thread.end()
    assert log == ["asked", "goes on"]


def test_connection_lost_while_a_thread_reads_ends_it_once():
    sending = Sending()
    thread = sending.loop.run_in_executor = Thread()

    def source():
        yield Fetch(-1, 0, 1)
        pytest.fail("nobody is there to send to")

    sending.send_from(source())
    sending.loop.turn()
    sending.outgoing.lose()
    thread.end()

    assert [type(end) for end in sending.ends] == [ClientDisconnectedError]
