"""The answer that a handler builds step by step, as the seed's users know it.

This file decides what the steps are and in which order they are allowed. Every mistake is an exception at the
line that made it; none is an assertion, which ``python -O`` would take away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from multidict import CIMultiDict, CIMultiDictProxy

from aioserve import __version__
from aioserve.http.messages import HttpVersion, HttpVersion10, HttpVersion11
from aioserve.http.statuses import reason_of
from aioserve.http1.framing import must_be_valid_field, must_be_valid_reason
from aioserve.writer import ResponseWriter, bytes_of, must_be_final

if TYPE_CHECKING:
    import asyncio

    from aioserve.content_coding import Encoder
    from aioserve.outgoing import Outgoing


class Filter(Protocol):
    """Turns the pieces of a body into others."""

    def feed(self, data: bytes) -> list[bytes]:
        """Return what is ready after ``data``."""

    def finish(self) -> list[bytes]:
        """Return the rest."""


class Response:
    """One answer: status, header fields, then the body piece by piece.

    Args:
        transport: the handler's ``self.writer`` (or ``self.transport``, as the oldest handlers have it).
        status: 101, or 200 to 999: other interim answers are the server's to send.
        http_version: what the status line says, (1, 0) or (1, 1); framing follows it and the request's.
        close: end the connection after this answer.
        reason: the phrase of the status line; the registered one where left out.

    Raises:
        TypeError, ValueError: the status, the version or the reason cannot be sent.
    """

    SERVER_SOFTWARE = f"aioserve/{__version__}"
    """The value of the Server field; empty for none. May be set on a subclass."""

    def __init__(
        self,
        transport: ResponseWriter | asyncio.BaseTransport,
        status: int,
        http_version: tuple[int, int] = HttpVersion11,
        close: bool = False,
        reason: str | None = None,
    ) -> None:
        if isinstance(status, bool) or not isinstance(status, int):
            raise TypeError(f"a status is an int, not {status!r}")
        must_be_final(status)
        if http_version not in (HttpVersion10, HttpVersion11):
            raise ValueError(f"the version of an answer is (1, 0) or (1, 1), not {http_version!r}")
        if reason is not None:
            must_be_valid_reason(reason)
        self.transport = transport
        self._writer = _writer_of(transport)
        self._status = int(status)
        self._reason = reason_of(status) if reason is None else reason
        self._version = HttpVersion(*http_version)
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._filters: list[Filter] = []
        self._is_chunked = False
        self._is_compressed = False
        self._upgrade: str | None = None
        self._headers_sent = False
        if close:
            self._writer.keep_alive = False
        if not self._writer.is_started:
            self._writer.response = self

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a `SERVER_SOFTWARE` that cannot be sent."""
        super().__init_subclass__(**kwargs)
        must_be_valid_field("Server", cls.SERVER_SOFTWARE)

    def __repr__(self) -> str:
        return f"<Response {self._status} {self._reason}>"

    # What is known

    @property
    def status(self) -> int:
        """The status code."""
        return self._status

    @property
    def reason(self) -> str:
        """The phrase of the status line."""
        return self._reason

    @property
    def version(self) -> HttpVersion:
        """The version that the status line says."""
        return self._version

    @property
    def status_line(self) -> str:
        """The first line of the answer, with its CRLF."""
        return f"HTTP/{self._version.major}.{self._version.minor} {self._status} {self._reason}\r\n"

    @property
    def headers(self) -> CIMultiDict[str] | CIMultiDictProxy[str]:
        """The header fields so far; read-only once they are sent."""
        return CIMultiDictProxy(self._headers) if self._headers_sent else self._headers

    @property
    def length(self) -> int | None:
        """The Content-Length that was given, in bytes, or None."""
        value = self._headers.get("Content-Length")
        return None if value is None else _length_of(value)

    @property
    def headers_sent(self) -> bool:
        """Whether the head has been sent."""
        return self._headers_sent

    def is_headers_sent(self) -> bool:
        """Return `headers_sent`, under the seed's name."""
        return self._headers_sent

    @property
    def chunked(self) -> bool:
        """Whether the body is sent in chunks; before the head is sent, whether that was asked for."""
        return self._writer.is_chunked if self._headers_sent else self._is_chunked

    @property
    def upgrade(self) -> bool:
        """Whether the connection is to go on in another protocol."""
        return self._upgrade is not None

    @property
    def closing(self) -> bool:
        """Whether the connection ends after this answer, as things are."""
        return not self._writer.persists

    def keep_alive(self) -> bool:
        """Return whether the connection lives on after this answer, as things are."""
        return self._writer.persists

    @property
    def headers_length(self) -> int:
        """Bytes of the head, once sent."""
        return self._writer.headers_length

    @property
    def body_length(self) -> int:
        """Bytes of the body sent so far, after compression and without framing."""
        return self._writer.body_length

    @property
    def output_length(self) -> int:
        """All bytes sent so far."""
        return self._writer.output_length

    # Before the head is sent

    def _must_be_unsent(self) -> None:
        if self._headers_sent:
            raise RuntimeError("the head has been sent")

    def force_close(self) -> None:
        """End the connection after this answer."""
        self._writer.keep_alive = False

    def enable_chunked_encoding(self) -> None:
        """Send the body in chunks, also where its length is known; never to an HTTP/1.0 client."""
        self._must_be_unsent()
        self._is_chunked = True

    force_chunked = enable_chunked_encoding

    def add_header(self, name: str, value: str) -> None:
        """Add one header field.

        ``Connection``, ``Upgrade``, ``Content-Length`` and ``Transfer-Encoding: chunked`` are understood as
        wishes about the connection and the body; the server writes those lines itself.

        Raises:
            RuntimeError: the head has been sent.
            TypeError, ValueError: name or value cannot be sent (RFC 9110 §5).
        """
        self._must_be_unsent()
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # a length is a number to most people
        if isinstance(value, str):
            value = value.strip(" \t")
        must_be_valid_field(name, value)
        match name.lower():
            case "connection":
                self._writer.understand_connection(value)
            case "transfer-encoding":
                if value.lower() != "chunked":
                    raise ValueError("the only transfer coding is chunked")
                self._is_chunked = True
            case "content-length":
                self._headers["Content-Length"] = str(_length_of(value))
            case "upgrade":
                self._upgrade = value
            case "keep-alive":
                pass  # how long a connection may idle is the server's to say
            case _:
                self._headers.add(name, value)

    def add_headers(self, *headers: tuple[str, str]) -> None:
        """Add header fields, each a pair of name and value; see `add_header`."""
        for name, value in headers:
            self.add_header(name, value)

    def add_chunking_filter(self, chunk_size: int = 16_384) -> None:
        """Cut the body anew into pieces of ``chunk_size`` bytes; filters apply in the order they were added.

        Raises:
            RuntimeError: the head has been sent.
            ValueError: the size is not positive.
        """
        self._must_be_unsent()
        if chunk_size <= 0:
            raise ValueError(f"a chunk has at least one byte, not {chunk_size}")
        self._filters.append(_Slicer(chunk_size))

    def add_compression_filter(self, encoding: str = "deflate") -> None:
        """Compress the body: sets Content-Encoding and Vary, and takes back Content-Length.

        Args:
            encoding: ``deflate`` or ``gzip``.

        Raises:
            RuntimeError: the head has been sent, or the body is compressed already.
            ValueError: another encoding.
        """
        from aioserve.content_coding import Encoder  # noqa: PLC0415 - most answers are not compressed

        self._must_be_unsent()
        if self._is_compressed:
            raise RuntimeError("the body is compressed already")
        self._filters.append(_Compressor(Encoder(encoding)))
        self._headers.setdefault("Content-Encoding", encoding)
        varies = ",".join(self._headers.getall("Vary", ())).lower()
        if not {"*", "accept-encoding"} & {name.strip() for name in varies.split(",")}:
            self._headers.add("Vary", "Accept-Encoding")  # RFC 9110 §12.5.5
        self._headers.pop("Content-Length", None)
        self._is_compressed = True

    # Sending

    def _must_be_sent(self) -> None:
        if not self._headers_sent:
            raise RuntimeError("the head has not been sent")

    def send_headers(self) -> None:
        """Send the head; the framing of the body is decided now.

        Raises:
            RuntimeError: a head has been sent for this request, or the request is over.
            TypeError, ValueError: something that was put into `headers` cannot be sent.
        """
        self._must_be_unsent()
        self._writer.server = self.SERVER_SOFTWARE
        self._writer.begin(
            self._status,
            self._reason,
            list(self._headers.items()),
            length=None if self._is_compressed else self.length,
            is_chunked=self._is_chunked,
            version=self._version,
            upgrade=self._upgrade,
        )
        self._headers_sent = True
        self._writer.response = self  # the one to be finished, should its handler forget that

    def send_empty(self) -> None:
        """Send the answer without a body: a handler made it and ended without sending it."""
        self._headers["Content-Length"] = "0"
        if self._is_compressed:
            self._headers.popall("Content-Encoding", None)  # nothing is no whole stream in any coding
        self._is_compressed = self._is_chunked = False
        self._filters = []
        self.send_headers()
        self.write_eof()

    def write(self, chunk: bytes | bytearray | memoryview, *, drain: bool = False) -> Outgoing:  # noqa: ARG002
        """Send a part of the body, at once.

        Args:
            chunk: the bytes.
            drain: accepted for the seed's sake; awaiting the result is what waits.

        Returns:
            An object to await (or yield from) for back-pressure: it waits until the connection has room, and
            raises `ClientDisconnectedError` when the client has gone. It may be ignored.

        Raises:
            TypeError: the chunk is not made of bytes.
            RuntimeError: the head has not been sent, the answer is finished, or longer than announced.
        """
        self._must_be_sent()
        if not self._filters:
            return self._writer.write(chunk)
        self._writer.write(b"")  # refuses what may not be written before a filter has taken it
        return self._send(_through(self._filters, [bytes_of(chunk)]))

    def write_eof(self) -> Outgoing:
        """Finish the answer; doing so twice is harmless.

        Returns:
            An object to await for back-pressure, or to ignore.

        Raises:
            RuntimeError: the head has not been sent, or what a filter held back is longer than announced.
        """
        self._must_be_sent()
        filters, self._filters = self._filters, []
        if not self._writer.is_finished:
            for position, stage in enumerate(filters):
                self._send(_through(filters[position + 1 :], stage.finish()))
        return self._writer.write_eof()

    def _send(self, pieces: list[bytes]) -> Outgoing:
        result = self._writer.write(b"")
        for piece in pieces:
            result = self._writer.write(piece)
        return result


class _Slicer:
    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        data = self._rest + data
        whole = len(data) - len(data) % self._size
        self._rest = data[whole:]
        return [data[at : at + self._size] for at in range(0, whole, self._size)]

    def finish(self) -> list[bytes]:
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


class _Compressor:
    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def feed(self, data: bytes) -> list[bytes]:
        return [self._encoder.compress(data)]

    def finish(self) -> list[bytes]:
        return [self._encoder.finish()]


def _through(filters: list[Filter], pieces: list[bytes]) -> list[bytes]:
    for stage in filters:
        pieces = [out for piece in pieces for out in stage.feed(piece)]
    return pieces


def _length_of(value: str) -> int:
    if not isinstance(value, str):  # put into `headers` as it is
        raise TypeError(f"the value of a header field is a str, not {value!r}")
    if not (value.isascii() and value.isdigit()):  # RFC 9110 §8.6: digits and nothing else
        raise ValueError(f"a Content-Length is a number, not {value!r}")
    return int(value)


def _writer_of(transport: ResponseWriter | asyncio.BaseTransport) -> ResponseWriter:
    """Find the writer of the current request behind what a handler calls its transport."""
    writer: object = transport
    if hasattr(transport, "get_protocol"):
        writer = getattr(transport.get_protocol(), "writer", None)
    if not isinstance(writer, ResponseWriter):
        raise TypeError(f"a Response is made with the handler's writer, not with {transport!r}")
    return writer
