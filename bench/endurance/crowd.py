"""A client that checks every byte, with many connections in one thread.

One thread, so that whoever kills a worker between two turns of it knows which requests were in flight then.
Each connection asks again as soon as it has its answer, over and over, each time for another path; the answer
has to be the one to that path, to the byte.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import SIZE, body_for

if TYPE_CHECKING:
    from collections.abc import Iterator

LATE = 20.0  # seconds after which a request counts as not answered
_HEAD = re.compile(
    rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n(?:[^\r\n]+\r\n)*?Content-Length: (\d+)\r\n", re.IGNORECASE
)
_CLOSES = re.compile(rb"\r\nConnection: close\r\n", re.IGNORECASE)


@dataclass
class Failure:
    """A request that was not answered as it should be.

    Attributes:
        what: refused, reset, closed (before the first byte), short, late, wrong, or status N.
        port: of the client.
        when: by the monotonic clock.
    """

    what: str
    port: int
    when: float


@dataclass
class Connection:
    """One connection of the crowd.

    Attributes:
        sock: its socket.
        port: of the client.
        keeps: it is used for more than one request.
        path: what was asked for, or "" where nothing is in flight.
        asked: when.
        received: of the answer.
        is_over: the answer is whole, and the server is to close.
    """

    sock: socket.socket
    port: int
    keeps: bool
    path: str = ""
    asked: float = 0.0
    received: bytes = b""
    is_over: bool = False
    failed: bool = field(default=False)


class Crowd:
    """Many connections.

    Args:
        port: of the server.
        keeping: how many are used until the server closes them.
        changing: how many are used for one request each.
        prefix: of the paths.

    Attributes:
        answers: how many were right.
        failures: all others.
        seen: of each worker that has answered, when it did for the first time.
        slowest: seconds of the slowest answer.
    """

    def __init__(self, port: int, *, keeping: int, changing: int, prefix: str = "/") -> None:
        self.answers = 0
        self.failures: list[Failure] = []
        self.seen: dict[int, float] = {}
        self.slowest = 0.0
        self._address = ("127.0.0.1", port)
        self._prefix = prefix
        self._number = 0
        self._selector = selectors.DefaultSelector()
        self._looked = time.monotonic()
        for at in range(keeping + changing):
            self._connect(keeps=at < keeping)

    def run(self, seconds: float) -> None:
        """Go on for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, events in self._selector.select(left):
                if events & selectors.EVENT_WRITE:
                    self._begin(key.data)
                else:
                    self._read(key.data)
            if time.monotonic() - self._looked > 1:
                self._looked = time.monotonic()
                for each in [*self._connections()]:
                    if self._looked - each.asked > LATE:
                        self._fail(each, "late")

    def finish(self, seconds: float = LATE) -> None:
        """Ask nothing new, wait for what is in flight, and leave."""
        self._prefix = ""
        end = time.monotonic() + seconds
        while self._selector.get_map() and time.monotonic() < end:
            self.run(0.05)
        for each in [*self._connections()]:
            self._fail(each, "late")

    def in_flight(self, ports: set[int]) -> int:
        """Count the requests that wait for an answer on connections of these ports."""
        return sum(1 for each in self._connections() if each.port in ports and not each.is_over)

    def kinds(self) -> Counter[str]:
        """Count the failures by what they were."""
        return Counter(each.what for each in self.failures)

    def _connections(self) -> Iterator[Connection]:
        return (key.data for key in self._selector.get_map().values())

    def _connect(self, *, keeps: bool) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(self._address)
        connection = Connection(sock, sock.getsockname()[1], keeps, asked=time.monotonic())
        self._selector.register(sock, selectors.EVENT_WRITE, connection)

    def _begin(self, connection: Connection) -> None:
        if connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail(connection, "refused")
            return
        self._selector.modify(connection.sock, selectors.EVENT_READ, connection)
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ask(connection)

    def _ask(self, connection: Connection) -> None:
        self._number += 1
        connection.path = f"{self._prefix or '/'}{self._number}"
        connection.received, connection.asked = b"", time.monotonic()
        more = "" if connection.keeps else "Connection: close\r\n"
        request = f"GET {connection.path} HTTP/1.1\r\nHost: crowd.example\r\n{more}\r\n"
        try:
            connection.sock.send(request.encode("ascii"))
        except OSError:
            self._fail(connection, "reset")

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(65_536)
        except OSError:
            self._fail(connection, "reset")
            return
        if connection.is_over:
            if data:
                self._fail(connection, "wrong")
            else:
                self._leave(connection)
            return
        if not data:
            self._fail(connection, "short" if connection.received else "closed")
            return
        connection.received += data
        self._judge(connection)

    def _judge(self, connection: Connection) -> None:
        head, end, body = connection.received.partition(b"\r\n\r\n")
        if not end:
            return
        found = _HEAD.match(head + b"\r\n")
        if found is None or len(body) > int(found[2]):
            self._fail(connection, "wrong")
        elif len(body) < int(found[2]):
            return
        elif found[1] != b"200":
            self._fail(connection, f"status {found[1].decode()}")
        elif len(body) != SIZE or body != body_for(connection.path, pid := int(body[:10])):
            self._fail(connection, "wrong")
        else:
            now = time.monotonic()
            self.answers += 1
            self.seen.setdefault(pid, now)
            self.slowest = max(self.slowest, now - connection.asked)
            self._go_on(connection, is_last=_CLOSES.search(head + b"\r\n") is not None)

    def _go_on(self, connection: Connection, *, is_last: bool) -> None:
        if is_last:
            connection.is_over = True  # and the server has to close, without a reset
        elif self._prefix:
            self._ask(connection)
        else:
            self._leave(connection)

    def _fail(self, connection: Connection, what: str) -> None:
        if not (connection.is_over and what == "late"):  # the answer is there
            self.failures.append(Failure(what, connection.port, time.monotonic()))
        if what == "refused":
            time.sleep(0.001)
        self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        self._selector.unregister(connection.sock)
        connection.sock.close()
        if self._prefix:
            self._connect(keeps=connection.keeps)
