"""One answer on its way to the wire.

This file decides what state an answer is in: not begun, its body open, finished or broken. It counts the
bytes against what the head announced, so that no client ever sees a second answer inside of one, or a body
that is longer than its Content-Length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from aioserve.errors import pairs_of
from aioserve.http.messages import HttpVersion11
from aioserve.http.statuses import has_no_content, reason_of
from aioserve.http1.framing import (
    FRAMING_FIELDS,
    LAST_CHUNK,
    Framing,
    choose_framing,
    must_be_valid_reason,
    render_chunk,
    render_field,
    render_status_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aioserve.errors import HeadersArgument
    from aioserve.http.messages import HttpVersion, RequestMessage
    from aioserve.outgoing import Outgoing


class Draft(Protocol):
    """An answer that a handler builds in steps, for which a writer has to answer when it is left unsent."""

    @property
    def headers_sent(self) -> bool:
        """Whether its head has been sent."""

    def send_empty(self) -> None:
        """Send it without a body."""

    def write_eof(self) -> object:
        """Finish it."""


class ResponseWriter:
    """Writes the answer to one request; a handler finds it as ``self.writer``.

    `write_response` writes a whole answer in one call. For anything else make a `Response` with it.

    Attributes:
        status: of the answer, 0 before it has begun.
        head: all bytes of the head as it was sent.
        headers_length: bytes of the head, body_length: of the content, output_length: of everything sent.
        may_persist: the connection can serve another request after this one.
        leaves_body: nobody has begun to read a body that is worth no reading away, so the connection ends.
        refused: the first line of what is no request, where there is none.
        request_id: is sent along, unless the handler sends one; empty where there is none.
        keep_alive: what the handler said about that: False ends the connection, None and True leave it.
    """

    __slots__ = (
        "_date",
        "_framing",
        "_left",
        "_method",
        "_offered",
        "_outgoing",
        "_version",
        "body_length",
        "closes",
        "head",
        "headers_length",
        "is_broken",
        "is_closed",
        "is_detached",
        "is_finished",
        "is_started",
        "keep_alive",
        "leaves_body",
        "may_persist",
        "output_length",
        "refused",
        "request_id",
        "response",
        "server",
        "status",
    )

    times: Any = None  # nobody asks for them

    def __init__(
        self,
        outgoing: Outgoing,
        message: RequestMessage | None,
        date: bytes,
        server: str,
        *,
        may_persist: bool,
        refused: bytes = b"",
    ) -> None:
        self._outgoing = outgoing
        if message is not None:
            self._method = message.method
        else:  # RFC 9110 §9.3.2: no content for HEAD, whatever else is wrong with the request
            self._method = "HEAD" if refused.startswith(b"HEAD ") else "GET"
        self._version = message.version if message is not None else HttpVersion11
        self._offered = message.upgrade if message is not None else None
        self._date = date
        self._framing = Framing.NONE
        self._left: int | None = None  # bytes of the announced body still to come
        self.server = server
        self.refused = refused
        self.request_id = ""
        self.may_persist = may_persist
        self.leaves_body = False
        self.keep_alive: bool | None = None
        self.closes = False  # what the head said
        self.response: Draft | None = None  # the last that a handler made before the answer began
        self.is_started = False
        self.is_finished = False
        self.is_closed = False  # the request is over, whatever became of the answer
        self.is_broken = False  # only the end of the connection can tell the client
        self.is_detached = False  # the connection is another protocol's now
        self.status = 0
        self.head = b""
        self.headers_length = 0
        self.body_length = 0
        self.output_length = 0

    @property
    def persists(self) -> bool:
        """Whether the connection lives on after this answer, as things are."""
        return (
            self.may_persist
            and not self.leaves_body
            and self.keep_alive is not False
            and not self.closes
            and not self.is_broken
            and self._framing is not Framing.CLOSE
        )

    @property
    def has_body(self) -> bool:
        """Whether the answer, once begun, has a body to be written."""
        return self._framing is not Framing.NONE

    @property
    def ends_http(self) -> bool:
        """Whether what follows this answer is another protocol's (RFC 9110 §9.3.6, §15.2.2)."""
        return self.status == 101 or (self._method == "CONNECT" and 200 <= self.status < 300)

    @property
    def ends_by_close(self) -> bool:
        """Whether the client can tell the end of the body only from the end of the connection."""
        return self._framing is Framing.CLOSE

    @property
    def is_chunked(self) -> bool:
        """Whether the body is sent in chunks."""
        return self._framing is Framing.CHUNKED

    # A whole answer

    def write_response(
        self,
        status: int = 200,
        body: bytes | bytearray | memoryview | str = b"",
        headers: HeadersArgument = None,
        *,
        content_type: str | None = None,
        reason: str | None = None,
    ) -> Outgoing:
        """Write a whole answer: status, header fields, and a body of known length.

        Args:
            status: 200 to 999.
            body: sent as it is; text is sent in UTF-8, as ``text/plain`` where nothing else is said.
            headers: a mapping or pairs.
            content_type: shorthand for that header field.
            reason: the phrase of the status line; the registered one where left out.

        Returns:
            An object to await for back-pressure, or to ignore.

        Raises:
            RuntimeError: the answer has begun already, or its request is over.
            TypeError, ValueError: something in it cannot be sent.
        """
        fields = pairs_of(headers)
        if isinstance(body, str):
            body = body.encode()
            content_type = content_type or "text/plain; charset=utf-8"
        body = bytes_of(body)
        if content_type is not None and not any(name.lower() == "content-type" for name, _ in fields):
            fields = (*fields, ("Content-Type", content_type))
        if reason is None:
            reason = reason_of(status)
        else:
            must_be_valid_reason(reason)
        self.begin(status, reason, fields, length=len(body))
        self.write(body)
        return self.write_eof()

    # The steps of an answer

    def begin(
        self,
        status: int,
        reason: str,
        fields: Iterable[tuple[str, str]],
        *,
        length: int | None,
        is_chunked: bool = False,
        version: HttpVersion = HttpVersion11,
        upgrade: str | None = None,
    ) -> None:
        """Decide the framing and send the head, with the next bytes if they come soon.

        Raises:
            RuntimeError: the answer has begun already, or its request is over.
            TypeError, ValueError: a field cannot be sent.
        """
        if self.is_started or self.is_closed:
            raise RuntimeError("the request is over" if self.is_closed else "the answer has begun already")
        must_be_final(status)
        lines = [render_status_line(*version, status, reason)]
        wishes = self._add_fields(lines, fields)
        # RFC 9110 §7.8: in other answers it would only be an advertisement.
        upgrade = wishes.get("upgrade", upgrade) if status in (101, 426) else None
        if status == 101:
            must_be_offered(upgrade, self._offered)
        minor = min(self._version, version).minor  # the client reads by the status line (RFC 9112 §6.1)
        self._framing = choose_framing(
            method=self._method, status=status, minor=minor, length=length, is_chunked=is_chunked
        )
        if status == 205:
            length = 0
        elif self._framing is Framing.NONE and self._method != "HEAD":  # RFC 9110 §8.6, §9.3.6
            length = None
        self.is_started = True
        self.status = status
        self._left = length if self._framing is Framing.LENGTH else None
        self.closes = not self.persists
        lines += self._own_lines(status, length, minor, upgrade)
        self.head = head = b"".join(lines)
        self.headers_length = len(head)
        self.output_length += len(head)
        self._outgoing.hold(head)

    def _add_fields(self, lines: list[bytes], fields: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Add the lines of a handler's fields, and return those that are the server's to write."""
        names = set()
        wishes = {}
        for name, value in fields:
            line, lowered = render_field(name, value)
            if lowered in FRAMING_FIELDS:
                wishes[lowered] = value
            else:
                lines.append(line)
                names.add(lowered)
        if "date" not in names:
            lines.append(self._date)  # RFC 9110 §6.6.1
        if self.server and "server" not in names:
            lines.append(render_field("Server", self.server)[0])
        if self.request_id and "x-request-id" not in names:
            lines.append(f"X-Request-Id: {self.request_id}\r\n".encode("ascii"))
        if "connection" in wishes:
            self.understand_connection(wishes["connection"])
        return wishes

    def _own_lines(self, status: int, length: int | None, minor: int, upgrade: str | None) -> Iterator[bytes]:
        """Make the lines about body and connection, which are the server's, and the empty line."""
        if self._framing is Framing.CHUNKED:
            yield b"Transfer-Encoding: chunked\r\n"
        elif length is not None and not has_no_content(status):  # RFC 9110 §8.6; also in answer to HEAD
            yield b"Content-Length: %d\r\n" % length
        if upgrade is not None:  # RFC 9110 §7.8: with the connection option of the same name
            option = b"upgrade, close" if self.closes and status != 101 else b"upgrade"
            yield b"Upgrade: %b\r\nConnection: %b\r\n" % (upgrade.encode("ascii"), option)
        elif self.closes:
            yield b"Connection: close\r\n"  # RFC 9112 §9.6
        elif not minor:
            yield b"Connection: keep-alive\r\n"  # RFC 9112 §9.3: HTTP/1.0 must be told
        yield b"\r\n"

    def understand_connection(self, value: str) -> None:
        """Take what a handler says in a Connection field as what it says by `keep_alive`."""
        options = {option.strip().lower() for option in value.split(",")}
        if "close" in options:
            self.keep_alive = False
        elif "keep-alive" in options:
            self.keep_alive = True

    def write_continue(self) -> None:
        """Tell a client that waits for it to send the body (RFC 9110 §15.2.1)."""
        if not self.is_started and not self.is_finished:
            line = b"HTTP/1.1 100 Continue\r\n\r\n"
            self.output_length += len(line)
            self._outgoing.send(line)
            self._outgoing.flush()

    def write(self, data: bytes | bytearray | memoryview) -> Outgoing:
        """Send a part of the body.

        Returns:
            An object to await for back-pressure, or to ignore.

        Raises:
            TypeError: it is not made of bytes.
            RuntimeError: the head has not been sent, the answer is finished, or this is more than its
                Content-Length; what fits of it is sent.
        """
        data = bytes_of(data)
        if self.is_finished or not self.is_started:
            raise RuntimeError("the answer is finished" if self.is_finished else "the head has not been sent")
        excess = 0
        if self._framing is Framing.NONE:
            return self._outgoing
        if self._left is not None:
            excess = len(data) - self._left
            if excess > 0:
                data = data[: self._left]
            self._left -= len(data)
        if data:
            self.body_length += len(data)
            if self._framing is Framing.CHUNKED:
                data = render_chunk(data)
            self.output_length += len(data)
            self._outgoing.send(data)
        if excess > 0:
            self.keep_alive = False
            raise RuntimeError(f"the body is {excess} bytes longer than its Content-Length")
        return self._outgoing

    def count(self, size: int) -> None:
        """Take note of bytes of the announced body that were sent another way."""
        self._left = (self._left or 0) - size
        self.body_length += size
        self.output_length += size

    def write_eof(self) -> Outgoing:
        """Finish the answer; once it is finished this does nothing.

        Returns:
            An object to await for back-pressure, or to ignore.
        """
        if not self.is_finished and self.is_started:
            self.is_finished = True
            if self._framing is Framing.CHUNKED and not self.is_broken:
                self.output_length += len(LAST_CHUNK)
                self._outgoing.send(LAST_CHUNK)
            if self._left:
                self.is_broken = True
        return self._outgoing

    @property
    def is_written(self) -> bool:
        """Whether all of the answer was given to the transport: a client may have it."""
        return self.is_finished or self._left == 0

    @property
    def missing(self) -> int:
        """Bytes of the announced body that were never written."""
        return self._left or 0

    def close(self) -> None:
        """The request is over: whoever kept this writer can write no more."""
        self.is_finished = self.is_closed = True
        self.response = None


def must_be_final(status: int) -> None:
    """Refuse what is no status of an answer (RFC 9110 §15.2: an interim answer is no answer yet).

    Raises:
        ValueError: it is none; 101 is one here, as what follows it is no HTTP.
    """
    if status != 101 and not 200 <= status <= 999:
        raise ValueError(f"{status!r} is not the status of a final answer")


def must_be_offered(upgrade: str | None, offered: str | None) -> None:
    """Refuse to switch to a protocol that the request did not offer (RFC 9110 §7.8).

    Raises:
        ValueError: it is none of those in the request's Upgrade field.
    """
    protocols = {protocol.strip().lower() for protocol in (offered or "").split(",")}
    if not upgrade or upgrade.lower() not in protocols:
        raise ValueError(f"101 switches to a protocol that the request offers: {offered}, not {upgrade}")


def bytes_of(data: bytes | bytearray | memoryview) -> bytes:
    """Return a part of a body as bytes.

    Raises:
        TypeError: it is not made of bytes.
    """
    if isinstance(data, bytes):
        return data
    if not isinstance(data, bytearray | memoryview):
        raise TypeError(f"a body is made of bytes, not of {type(data).__name__}")
    return bytes(data)
