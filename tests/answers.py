"""An answer on its way to a fake transport, and h11 as the client that judges it."""

from __future__ import annotations

from typing import NamedTuple

import h11

from aioserve.outgoing import Outgoing
from aioserve.writer import ResponseWriter
from tests.doubles import FakeLoop, FakeTransport, request

DATE = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
OFFER = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo, Chat\r\n\r\n"
CONNECT = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
OLD_GET = b"GET / HTTP/1.0\r\n\r\n"


class Seen(NamedTuple):
    """What a client sees of an answer."""

    status: int
    reason: str
    version: str
    headers: dict[str, str]
    body: bytes
    is_whole: bool  # its end was seen
    needs_close: bool  # but only by the connection's
    rest: bytes  # behind it


class Answering:
    """The sending half of a connection, and the writer of the answer to one request.

    Args:
        data: the request; None for one that could not be parsed.
        server: the value of the Server field.
        may_persist: as `ResponseWriter` has it.
    """

    def __init__(self, data=GET, *, server="", may_persist=True):
        self.message = None if data is None else request(data)
        self.loop = FakeLoop()
        self.transport = FakeTransport()
        self.outgoing = Outgoing(self.transport, self.loop)
        self.writer = ResponseWriter(self.outgoing, self.message, DATE, server, may_persist=may_persist)

    @property
    def sent(self):
        """All bytes sent, those included that wait for the loop's next turn."""
        self.loop.advance()
        return self.transport.sent

    def see(self):
        """Read what was sent as a client does."""
        return see(self.sent, method="GET" if self.message is None else self.message.method)


def see(data, method="GET"):
    """Read an answer as a client does.

    Raises:
        h11.RemoteProtocolError: it is malformed.
    """
    client = h11.Connection(h11.CLIENT)
    target = "a:1" if method == "CONNECT" else "/"
    headers = [("Host", "a"), ("Connection", "upgrade"), ("Upgrade", "chat")]
    client.send(h11.Request(method=method, target=target, headers=headers))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    head, body, is_whole, needs_close = None, b"", False, False
    while not is_whole:
        match client.next_event():
            case h11.Response() | h11.InformationalResponse(status_code=101) as head:
                is_whole = head.status_code == 101
            case h11.Data(data=part):
                body += bytes(part)
            case h11.EndOfMessage() | h11.PAUSED:
                is_whole = True
            case h11.NEED_DATA if needs_close or (head is not None and _is_framed(head)):
                break
            case h11.NEED_DATA:
                needs_close = True
                client.receive_data(b"")
    rest = b"" if needs_close else client.trailing_data[0]
    headers = {name.decode(): value.decode() for name, value in head.headers}
    if len(headers) != len(list(head.headers)):
        raise h11.RemoteProtocolError("a field came twice")
    version = head.http_version.decode()
    return Seen(
        head.status_code, head.reason.decode(), version, headers, body, is_whole, needs_close, bytes(rest)
    )


def _is_framed(head):
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in head.headers)
