"""A client that asks exactly what it is told, and reads the answer with h11, which refuses wrong framing."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, NamedTuple

import h11

if TYPE_CHECKING:
    from tests.semantics.rows import Request

PATIENCE = 10  # seconds until an answer must have come; only a server that blocks takes so long

_PLACEHOLDER = re.compile(r"\{(etag|weak|opaque) (?:([a-z]+) )?(/[^}]*)\}")


class Answer(NamedTuple):
    """What came back; the names of its fields in lower case, the body as it was sent, chunks undone."""

    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def field(self, name: str) -> str | None:
        """Return a field's value, several of one name as a list (RFC 9110 §5.3)."""
        values = [value for own, value in self.fields if own == name.lower()]
        return ", ".join(values) if values else None


class Failure(NamedTuple):
    """There was no answer, or none of HTTP."""

    reason: str


class Client:
    """Asks one server, on one connection for as long as that stays open."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self._port = port
        self._patience = patience
        self._socket: socket.socket | None = None
        self._tags: dict[str, str] = {}

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: Request) -> Answer | Failure:
        """Ask, with the placeholders in the fields filled in."""
        fields = "".join(f"{name}: {self.fill(value)}\r\n" for name, value in request.fields)
        head = f"{request.method} {request.target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
        data = head.encode("latin-1") + request.body
        is_old = self._socket is not None
        try:
            return self._exchange(data, request.method)
        except (OSError, EOFError, h11.RemoteProtocolError) as error:
            self.close()
            if not is_old or isinstance(error, TimeoutError):
                return Failure(f"{type(error).__name__}: {error}")
        try:  # the server may have closed the connection meanwhile, which is its right
            return self._exchange(data, request.method)
        except (OSError, EOFError, h11.RemoteProtocolError) as error:
            self.close()
            return Failure(f"{type(error).__name__}: {error}")

    def fill(self, text: str) -> str:
        """Put this server's entity tags in the places of their placeholders."""
        return _PLACEHOLDER.sub(self._tag, text)

    def _tag(self, match: re.Match[str]) -> str:
        kind, coding, path = match.groups()
        key = f"{coding} {path}"
        if key not in self._tags:
            self._tags[key] = self._learn(path, coding)
        bare = self._tags[key].removeprefix("W/")
        return {"etag": self._tags[key], "weak": f"W/{bare}", "opaque": bare.strip('"')}[kind]

    def _learn(self, path: str, coding: str | None) -> str:
        wish = f"Accept-Encoding: {coding}\r\n" if coding else ""
        try:
            answer = self._exchange(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{wish}\r\n".encode(), "GET")
        except (OSError, EOFError, h11.RemoteProtocolError):
            self.close()
            return '"there is no tag"'
        return answer.field("etag") or '"there is no tag"'

    def _exchange(self, data: bytes, method: str) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=self._patience)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(data)
        known = method if re.fullmatch("[A-Z]+", method) and method != "CONNECT" else "GET"
        answer, closes = read_answer(self._socket, known)
        if closes:
            self.close()
        return answer


def read_answer(sock: socket.socket, method: str) -> tuple[Answer, bool]:
    """Read one answer; also tell whether the connection ends with it."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    parser.send(h11.EndOfMessage())
    head, body = None, []
    while True:
        match parser.next_event():
            case h11.NEED_DATA:
                data = sock.recv(1 << 18)
                if not data and head is None:
                    raise EOFError("closed without an answer")
                parser.receive_data(data)
            case h11.Response() as head:
                pass
            case h11.Data(data=data):
                body.append(bytes(data))
            case h11.EndOfMessage():
                break
    if parser.trailing_data[0]:
        raise EOFError("more bytes than the answer has")
    fields = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
    return Answer(head.status_code, fields, b"".join(body)), parser.their_state is h11.MUST_CLOSE
