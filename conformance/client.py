"""How a row is sent in pieces, and what is read from the answers; what they mean is not known here."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.servers import Server
    from tests.conformance.rows import Row

LAST = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
BYTEWISE = 600  # so many bytes of a stream of more than LONG go one by one
LONG = 3000
CUTS = 12
PAUSE = 0.005  # seconds between the halves of a cut
SHORT = 0.1  # seconds of silence after an answer that there must not be

HEAD = re.compile(rb"(HTTP/\d\.\d) (\d{3})(?: [^\r\n]*)?\r\n((?:[^\r\n]+\r\n)*)\r\n")
FIELD = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
CHUNK = re.compile(rb"([0-9A-Fa-f]+)[^\r\n]*\r\n")


class Reply(NamedTuple):
    """An answer: its status, and what the application says that it read, where it says so."""

    status: int
    body: bytes | None


class Outcome(NamedTuple):
    """What a connection saw.

    Attributes:
        replies: the answers, interim ones included, in order.
        end: closed, reset, open where nothing more came for as long as we waited, or unknown where more was
            served than may be, and the end does not matter.
        oddity: what no answer of HTTP/1 has: another version, or bytes that are no answer or no whole one.
    """

    replies: tuple[Reply, ...]
    end: str
    oddity: str

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses of all answers."""
        return tuple(reply.status for reply in self.replies)


def segmentations(data: bytes) -> dict[str, list[bytes]]:
    """Name the ways in which these bytes are sent."""
    end = BYTEWISE if len(data) > LONG else len(data)
    single = [data[at : at + 1] for at in range(end)] + ([data[end:]] if data[end:] else [])
    ways = {"one piece": [data], "byte by byte": single}
    for number in range(1, CUTS + 1):
        cut = number * len(data) // (CUTS + 1)
        if cut:
            ways[f"cut at {cut}"] = [data[:cut], data[cut:]]
    return ways


def parse(data: bytes) -> tuple[list[Reply], str]:
    """Read answers; also say what about them is odd."""
    replies, at, oddity = [], 0, ""
    while head := HEAD.match(data, at):
        if not head[1].startswith(b"HTTP/1.") or head[1] > b"HTTP/1.1":
            oddity = f"said to be of {head[1].decode('ascii')}"
        fields = {name.lower(): value for name, value in FIELD.findall(head[3])}
        body = bytes.fromhex(fields[b"body"].decode("ascii")) if b"body" in fields else None
        replies.append(Reply(int(head[2]), body))
        end = _end_of_body(data, head.end(), int(head[2]), fields)
        if end is None or end > len(data):
            return replies, "not whole"
        at = end
    return replies, oddity if at == len(data) else "other bytes"


def _end_of_body(data: bytes, at: int, status: int, fields: dict[bytes, bytes]) -> int | None:
    """Find where an answer ends; None where it does not, or ends as the connection does."""
    if status < 200 or status in {204, 304} or fields.get(b"method") == b"HEAD":
        return at
    if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
        return _end_of_chunks(data, at)
    if b"content-length" in fields:
        return at + int(fields[b"content-length"])
    return len(data)


def _end_of_chunks(data: bytes, at: int) -> int | None:
    while line := CHUNK.match(data, at):
        size = int(line[1], 16)
        if size == 0:
            blank = data.find(b"\r\n\r\n", line.end() - 2)
            return blank + 4 if blank >= 0 else None
        at = line.end() + size + 2
    return None


class Connection:
    """A connection on which reading goes on beside writing, so that no reset loses what came before it."""

    def __init__(self, sock: socket.socket) -> None:
        self.data = bytearray()
        self.end = "open"
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while data := await self._loop.sock_recv(self._sock, 65536):
                self.data += data
                self._news.set()
            self.end = "closed"
        except OSError:
            self.end = "reset"
        self._news.set()

    async def send(self, data: bytes) -> None:
        """Send; that nobody listens any more is told by reading."""
        with suppress(OSError):
            await self._loop.sock_sendall(self._sock, data)

    async def until(self, condition: Callable[[bytes], bool], patience: float) -> None:
        """Wait for a condition on what has come, for the end, or for as long a silence."""
        while self.end == "open" and not condition(bytes(self.data)):
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), patience)
            except TimeoutError:
                return

    def half_close(self) -> None:
        """Say that no more is sent."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    async def close(self) -> None:
        """Leave."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._sock.close()


async def connect(server: Server) -> Connection:
    """Connect to a server, which is started again if it has died."""
    loop = asyncio.get_running_loop()
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, ("127.0.0.1", server.port))
        except OSError:
            sock.close()
            await asyncio.sleep(0.1)
            await server.start()
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return Connection(sock)
    raise SystemExit(f"conformance: {server.name} takes no connections")


async def converse(server: Server, row: Row, pieces: list[bytes], patience: float) -> Outcome:
    """Send a row in these pieces and read until the end, or until the server was silent for long."""
    expected = sum(status >= 200 for status in row.statuses)

    def all_answered(data: bytes) -> bool:
        if data.count(b"HTTP/") < expected:
            return False
        replies, oddity = parse(data)
        return oddity != "not whole" and sum(reply.status >= 200 for reply in replies) >= expected

    connection = await connect(server)
    try:
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(PAUSE if len(pieces) == 2 else 0)
            await connection.send(piece)
        if row.later:
            await connection.until(lambda data: b"\r\n\r\n" in data, patience)
            if b"\r\n\r\n" in connection.data:
                await connection.send(row.later)
        if row.stays:
            await connection.until(all_answered, patience)
            await connection.send(LAST)
        if row.half_closes:
            connection.half_close()
        return await _ending(connection, row, patience)
    finally:
        await connection.close()


async def _ending(connection: Connection, row: Row, patience: float) -> Outcome:
    """Wait for the end, which does not matter once more than the good requests was served."""
    good = sum(200 <= status < 300 for status in row.statuses) + row.stays

    def too_much(data: bytes) -> bool:
        return data.count(b"HTTP/") > good and served(parse(data)[0]) > good

    await connection.until(too_much, patience)
    if too_much(bytes(connection.data)):
        await connection.until(lambda _: False, SHORT)
        connection.end = "unknown"
    replies, oddity = parse(bytes(connection.data))
    return Outcome(tuple(replies), connection.end, oddity)


def served(replies: list[Reply]) -> int:
    """Count the answers that say that all is well."""
    return sum(200 <= reply.status < 300 for reply in replies)
