"""Bodies made of several pieces, of memory and of files, one behind the other."""

from __future__ import annotations

import os

import pytest

from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer, FileSlice
from tests.doubles import FakeTransport
from tests.wire import GET, errors, hello, on_both_loops, serving, turns

LETTERS = b"abcdefghij"
SIZE = 20_000_000  # more than the system takes for a client that does not read


class Pieces:
    """A responder that answers everything with the pieces that were asked for.

    Args:
        path: of the file.
        pieces: bytes, or offset and length of a part of it.
        headers: of the answer.

    Attributes:
        opened: the files that it handed out.
    """

    def __init__(self, path, pieces, headers=()):
        self._path = path
        self._pieces = pieces
        self._headers = headers
        self.opened = []

    def __call__(self, _message):
        return Answer(206, self._headers, tuple(self._piece(each) for each in self._pieces))

    def _piece(self, piece):
        if isinstance(piece, bytes):
            return piece
        self.opened.append(self._path.open("rb", buffering=0))
        return FileSlice(self.opened[-1], *piece)

    @property
    def options(self):
        """Make a server ask it."""
        return HandlerOptions(responders=(self,))

    @property
    def are_closed(self):
        """Whether nothing was left open."""
        return all(each.closed for each in self.opened)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(LETTERS)
    return path


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ((), b""),
        ((b"",), b""),
        ((b"<", b">"), b"<>"),
        (((0, 10),), LETTERS),
        (((3, 0),), b""),
        (((8, 2), (0, 2)), b"ijab"),
        ((b"<", (0, 3), b"|", (7, 3), b">"), b"<abc|hij>"),
        ((b"", (0, 1), b"", (1, 1), b""), b"ab"),
        ((bytes(1_000_000), (0, 10), bytes(1_000_000)), bytes(1_000_000) + LETTERS + bytes(1_000_000)),
    ],
    ids=lambda each: str(each)[:20] if isinstance(each, tuple) else "",
)
@on_both_loops
async def test_they_are_sent_one_behind_the_other(file, pieces, body):
    responder = Pieces(file, pieces)
    async with serving(hello, responder.options) as server:
        client = await server.connect()
        client.send(GET * 2)
        for _ in range(2):
            reply = await client.reply()
            assert (reply.status, reply.headers["content-length"]) == (206, str(len(body)))
            assert reply.body == body
            assert not reply.closes
    assert responder.are_closed


@on_both_loops
async def test_all_bytes_are_counted(file):
    records = []
    async with serving(
        hello, Pieces(file, (b"<", (0, 10), b">")).options, access_log=records.append
    ) as server:
        client = await server.connect()
        client.send(GET.replace(b"Host", b"Connection: close\r\nHost"))
        sent = await client.rest()
    assert [(record.status, record.body_length) for record in records] == [(206, 12)]
    assert records[0].output_length == len(sent)


@on_both_loops
async def test_head_sends_the_length_of_all_and_no_byte(file):
    """RFC 9110 §9.3.2."""
    responder = Pieces(file, (b"<", (0, 3), (7, 3)))
    async with serving(hello, responder.options) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(GET.replace(b"GET", b"HEAD"))
            reply = await client.reply("HEAD")
            assert (reply.headers["content-length"], reply.body) == ("7", b"")
            assert responder.are_closed
    assert len(responder.opened) == 4


@on_both_loops
async def test_fields_that_cannot_be_sent_are_an_error_and_close_all_files(file):
    responder = Pieces(file, ((0, 3), b"|", (7, 3)), (("X-Bad", "a\r\nb"),))
    async with serving(hello, responder.options) as server:
        assert (await server.ask()).status == 500
        assert responder.are_closed
    assert len(responder.opened) == 2


@on_both_loops
async def test_one_that_is_too_short_ends_the_connection_and_closes_those_behind_it(file, caplog):
    """RFC 9112 §8."""
    responder = Pieces(file, (b"<", (0, 11), b"|", (0, 5)))
    async with serving(hello, responder.options) as server:
        client = await server.connect()
        client.send(GET + GET)
        assert (await client.rest()).partition(b"\r\n\r\n")[2] == b"<" + LETTERS
    assert errors(caplog) == [
        "GET / HTTP/1.1 from 127.0.0.1, after its answer began: the file ends too early"
    ]
    assert responder.are_closed


@pytest.mark.parametrize("is_read", [False, True])
@on_both_loops
async def test_a_client_that_goes_leaves_none_open(file, is_read, caplog):
    os.truncate(file, SIZE)
    responder = Pieces(file, (b"<", (0, SIZE), b"|", (0, 10)))
    async with serving(hello, responder.options) as server:
        client = await server.connect()
        client.send(GET)
        if is_read:
            await client.until(b"\r\n\r\n<")
        client.reset()
        await (await server.handler()).wait_disconnected()
    assert responder.are_closed
    assert errors(caplog) == []


@on_both_loops
async def test_a_client_that_goes_before_the_first_byte_leaves_none_open(file):
    responder = Pieces(file, ((0, 3), b"|", (7, 3)))
    protocol, transport = hello(), FakeTransport()
    protocol.use_defaults(responder.options)
    protocol.connection_made(transport)
    protocol.data_received(GET)
    protocol.pause_writing()
    protocol.connection_lost(None)
    await turns()

    assert len(responder.opened) == 2
    assert responder.are_closed
