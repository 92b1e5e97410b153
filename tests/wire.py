"""A real server on a real loop, and a client that says what it is told, for what the wire must show.

The client does not judge by our own code: h11 reads the answers, and refuses one that is framed wrongly.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import socket
import struct
from contextlib import asynccontextmanager
from functools import wraps
from typing import NamedTuple

import h11
import pytest

from aioserve import ServerHttpProtocol
from tests.doubles import FakeTransport

try:
    import uvloop
except ImportError:  # pragma: no cover - where it does not exist
    LOOPS = [asyncio.new_event_loop]
else:
    LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
EARLY = "Error handling request GET / HTTP/1.1 from 127.0.0.1"  # what the log says
LATE = f"{EARLY}, after its answer began"
FAKE_EARLY, FAKE_LATE = (text.replace("127.0.0.1", "192.0.2.1") for text in (EARLY, LATE))  # `FakeTransport`
PATIENCE = 30  # seconds; only a test that fails waits so long


def on_both_loops(test):
    """Run an ``async def`` test on a loop of asyncio's and one of uvloop's; neither may report an error."""

    @pytest.mark.parametrize("make_loop", LOOPS, ids=lambda make: make.__module__)
    @wraps(test)
    def run(make_loop, **arguments):
        errors = []
        with asyncio.Runner(loop_factory=make_loop) as runner:
            loop = runner.get_loop()
            loop.set_exception_handler(lambda _loop, context: errors.append(context))
            runner.run(asyncio.wait_for(test(**arguments), PATIENCE))
        assert errors == []

    signature = inspect.signature(test)
    extra = inspect.Parameter("make_loop", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), extra])
    return run


def handler(function):
    """Make a handler class of its one method."""
    return type("Handler", (ServerHttpProtocol,), {"handle_request": function})


@handler
def hello(self, _message, _payload):
    """Answer with a few bytes."""
    self.writer.write_response(200, "hello")


class Slow(ServerHttpProtocol):
    """Answers when the test says so.

    Attributes:
        entered: gets the head of each request.
        go_on: each release lets it read the body of one request and answer.
        bodies: what it read.
    """

    def __init__(self, **options):
        super().__init__(**options)
        self.entered = asyncio.Queue()
        self.go_on = asyncio.Semaphore(0)
        self.bodies = []

    async def handle_request(self, message, payload):
        self.entered.put_nowait(message)
        await self.go_on.acquire()
        self.bodies.append(await payload.read())
        self.writer.write_response(200, "slow")


async def turns(number=5):
    """Let the loop go on for some turns."""
    for _ in range(number):
        await asyncio.sleep(0)


def post(body, *fields):
    """Write a request with a body of known length."""
    lines = ("POST / HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *fields)
    return "\r\n".join((*lines, "", "")).encode() + body


def connected(factory, **options):
    """Connect a handler to a `FakeTransport`, where a test plays the loop; return both."""
    protocol, transport = factory(**options), FakeTransport()
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    return protocol, transport


class Clock:
    """Takes the place of the ticks of the loop, for one connection that has just been made."""

    def __init__(self, protocol):
        self._connection = protocol._connection
        self._ticker = self._connection._parts.ticker
        self._ticker._timer.cancel()
        self._start = self._ticker.now

    def to(self, second):
        """Let the time be so many seconds after the start; a deadline is noticed half a second late."""
        self._ticker.now = self._start + second
        self._connection.check_deadline(self._ticker.now)


def timed(factory, **options):
    """Connect a handler, and give it a clock."""
    protocol, transport = connected(factory, **options)
    return protocol, transport, Clock(protocol)


def errors(caplog):
    """Return the lines of the log that tell of an error."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


class Reply(NamedTuple):
    """One answer as a client sees it."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes
    interim: tuple[int, ...] = ()

    @property
    def closes(self):
        """Whether it says that the connection ends."""
        return self.headers.get("connection") == "close"


class Client:
    """One connection to a server."""

    def __init__(self, sock, reader, writer):
        self._sock = sock
        self._reader = reader
        self._writer = writer
        self._unread = b""

    @classmethod
    async def connect(cls, address):
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET)
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
        return cls(sock, *await asyncio.open_connection(sock=sock))

    def send(self, data):
        """Send bytes, in one segment if they are few."""
        self._writer.write(data)

    async def drained(self):
        """Wait until the server has taken most of what was sent."""
        await self._writer.drain()

    def half_close(self):
        """Send no more, and go on reading."""
        self._writer.write_eof()

    def close(self):
        """Go, in an orderly way."""
        self._writer.close()

    def reset(self):
        """Go, in a way that the server notices at once."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def reply(self, method="GET"):
        """Read one answer."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        parser.send(h11.EndOfMessage())
        if self._unread:  # no bytes are the end, to h11
            parser.receive_data(self._unread)
        body, interim, head = [], [], None
        while True:
            match parser.next_event():
                case h11.NEED_DATA:
                    parser.receive_data(await self._reader.read(65536))
                case h11.InformationalResponse(status_code=status):
                    interim.append(status)
                case h11.Response() as head:
                    pass
                case h11.Data(data=data):
                    body.append(bytes(data))
                case h11.EndOfMessage():
                    break
        self._unread = parser.trailing_data[0]
        headers = {name.decode(): value.decode() for name, value in head.headers}
        return Reply(head.status_code, head.reason.decode(), headers, b"".join(body), tuple(interim))

    async def until(self, end):
        """Read raw bytes up to and with ``end``."""
        while end not in self._unread:
            piece = await self._reader.read(65536)
            if not piece:
                raise EOFError(self._unread)
            self._unread += piece
        found, _, self._unread = self._unread.partition(end)
        return found + end

    async def rest(self):
        """Read raw bytes until the server has ended the connection."""
        rest, self._unread = self._unread + await self._reader.read(), b""
        return rest


class Serving:
    """A server in a test.

    Attributes:
        handlers: one for each connection so far.
    """

    def __init__(self):
        self.handlers = []
        self._server = None
        self._clients = []
        self._is_used = asyncio.Event()

    async def handler(self):
        """Wait for the first connection to be accepted."""
        await self._is_used.wait()
        return self.handlers[0]

    async def connect(self):
        """Open another connection."""
        client = await Client.connect(self._server.sockets[0].getsockname())
        self._clients.append(client)
        return client

    async def ask(self, data=GET, method="GET"):
        """Make one request on a new connection."""
        client = await self.connect()
        client.send(data)
        return await client.reply(method)


@asynccontextmanager
async def serving(factory, defaults=None, **options):
    """Serve what a handler class makes.

    In the end no connection may be left, and no task.

    Args:
        factory: the class, or what is called like it.
        defaults: for `ServerHttpProtocol.use_defaults`.
        **options: of the class.
    """
    serving = Serving()
    loop = asyncio.get_running_loop()

    def make():
        protocol = factory(**options)
        if defaults is not None:
            protocol.use_defaults(defaults)
        serving.handlers.append(protocol)
        serving._is_used.set()
        return protocol

    tasks = asyncio.all_tasks()
    serving._server = await loop.create_server(make, "127.0.0.1", "0")
    try:
        yield serving
    finally:
        serving._server.close()
        for client in serving._clients:
            client.close()
        for handler in serving.handlers:
            await handler.shutdown(1)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == tasks
