"""The values that stand for a request and for a ready answer.

This file decides what a handler and a responder can ask of a request. Header text is decoded when it is
asked for: most requests are answered without anybody reading most of their fields, and decoding thirteen
of them costs more than everything else that happens to a small request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import SplitResult, parse_qsl, urlsplit

from multidict import CIMultiDict, MultiDict

from aioserve.multidict import CIMultiDictProxy, MultiDictProxy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Responder = Callable[["RequestMessage"], "Answer | Awaitable[Answer] | None"]
    Peer = tuple[str, int] | str | None

_FIELD_LINE = re.compile(rb"([^:]++):[\t ]*+((?:[\t ]*+[^\t\r ]++)*+)[\t ]*+\r\n")
_ABSOLUTE = re.compile(r"https?+://", re.ASCII | re.IGNORECASE)  # RFC 3986 §3.1: schemes have no case


class HttpVersion(NamedTuple):
    """The version of a message (RFC 9110 §2.5)."""

    major: int
    minor: int


HttpVersion10 = HttpVersion(1, 0)
HttpVersion11 = HttpVersion(1, 1)


class RequestMessage:
    """The head of one request (RFC 9112 §3 and §5).

    Attributes:
        method: the method as sent; methods are case-sensitive (RFC 9110 §9.1).
        path: the request target as sent, query included, never decoded.
        version: an `HttpVersion`; 1.0 or 1.1.
        should_close: the client asked for the connection to end after the answer, or its version implies it.
        compression: the one content coding of the body (``gzip``, ``deflate``, ``br``, ``zstd``), or None.
            Where the server decodes bodies, `payload` has already been decoded.
        upgrade: the value of ``Upgrade`` where ``Connection`` names it (RFC 9110 §7.8), or None.
        chunked: the body came with ``Transfer-Encoding: chunked``.
        content_length: the announced length of the body in bytes, or None.
        expects_continue: the client waits for ``100 Continue`` before it sends the body (RFC 9110 §10.1.1).
        scheme: ``http`` or ``https``; where a trusted proxy tells, as the client speaks.
        peer: the address of the client: ``(host, port)``, the name of a unix socket, which may be empty, or
            None where it is not known. Where a trusted proxy tells, the port is 0 unless it told that, too.
        request_id: by which the request is found in logs; empty unless ``--request-id`` is on.
    """

    __slots__ = (
        "_authority",
        "_fields",
        "_headers",
        "_lowered",
        "_original",
        "_query",
        "_request_id",
        "chunked",
        "compression",
        "content_length",
        "expects_continue",
        "method",
        "path",
        "peer",
        "scheme",
        "should_close",
        "upgrade",
        "version",
    )

    def __init__(self, method: str, path: str, version: HttpVersion, fields: bytes, lowered: bytes) -> None:
        r"""Keep a head whose syntax has been judged.

        Args:
            method: the method token.
            path: the request target.
            version: the version of the request line.
            fields: the header section, each line with its CRLF, without the empty line.
            lowered: ``fields`` in lower case behind one LF, so that ``\nname:`` finds every field.
        """
        self.method = method
        self.path = path
        self.version = version
        self.should_close = False
        self.compression: str | None = None
        self.upgrade: str | None = None
        self.chunked = False
        self.content_length: int | None = None
        self.expects_continue = False
        self.scheme = "http"
        self.peer: Peer = None
        self._authority = ""
        self._fields = fields
        self._lowered = lowered
        self._headers: CIMultiDictProxy[str] | None = None
        self._original: RequestMessage | None = None
        self._query: MultiDictProxy[str] | None = None

    def again(self, method: str, path: str) -> RequestMessage:
        """Return the head of another request, one whose header section is the same to the byte.

        What has been judged and decoded of the section is shared.
        """
        other = RequestMessage(method, path, self.version, self._fields, self._lowered)
        other.should_close = self.should_close
        other.compression = self.compression
        other.upgrade = self.upgrade
        other._original = self
        return other

    def __repr__(self) -> str:
        return f"<RequestMessage {self.method} {self.path} HTTP/{self.version.major}.{self.version.minor}>"

    @property
    def request_id(self) -> str:  # noqa: D102 - above
        # Where there are no ids nothing is kept, for each request would pay for it.
        return getattr(self, "_request_id", "")

    @request_id.setter
    def request_id(self, value: str) -> None:
        self._request_id = value

    # Header fields

    @property
    def headers(self) -> CIMultiDictProxy[str]:
        """All header fields in the order sent, looked up without regard to case.

        Bytes that are not UTF-8 are kept as surrogate escapes; `raw_headers` has them as sent.
        """
        if self._headers is None and self._original is not None:
            self._headers = self._original.headers
        if self._headers is None:
            self._headers = CIMultiDictProxy(
                CIMultiDict(
                    (name.decode("ascii"), value.decode("utf-8", "surrogateescape"))
                    for name, value in self.raw_headers
                )
            )
        return self._headers

    @property
    def raw_headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The header fields as pairs of bytes, names as sent, values without surrounding blanks."""
        return tuple(_FIELD_LINE.findall(self._fields))

    def field(self, name: str) -> str | None:
        """Return the value of one header field, or None where the request has none of that name.

        Repeated fields are joined by ``", "`` (RFC 9110 §5.3). Quicker than `headers` for one or two names.
        """
        key = b"\n" + name.lower().encode("ascii") + b":"
        at = self._lowered.find(key)
        if at < 0:
            return None
        values = []
        while at >= 0:
            start = at + len(key) - 1  # `lowered` is one byte ahead of `fields`
            values.append(self._fields[start : self._fields.index(b"\r", start)].strip(b" \t"))
            at = self._lowered.find(key, start)
        return b", ".join(values).decode("utf-8", "surrogateescape")

    # The target

    @property
    def raw_path(self) -> str:
        """The path of the target as sent: without query, percent-encoding kept (RFC 9112 §3.2)."""
        if self.path.startswith("/"):
            return self.path.partition("?")[0]
        return self.url.path

    @property
    def query(self) -> MultiDictProxy[str]:
        """The parameters of the target's query, decoded; blank values are kept."""
        if self._query is None:
            text = self.path.partition("?")[2]
            self._query = MultiDictProxy(MultiDict(parse_qsl(text, keep_blank_values=True)))
        return self._query

    def set_origin(self, scheme: str, authority: str) -> None:
        """Have other values for `scheme` and `host`; an empty authority leaves `host` to the request."""
        self.scheme = scheme
        self._authority = authority

    @property
    def host(self) -> str:
        """The authority that the request is for, as a trusted proxy tells it.

        Else it is that of an absolute target, else ``Host``, else empty.
        """
        if self._authority:
            return self._authority
        if _ABSOLUTE.match(self.path):
            return urlsplit(self.path).netloc  # RFC 9112 §3.2.2: Host is ignored then
        return self.field("host") or ""

    @property
    def url(self) -> SplitResult:
        """The target URI in parts (RFC 9110 §7.1); path and query as sent."""
        if _ABSOLUTE.match(self.path):
            parts = urlsplit(self.path)
            if self._authority:
                parts = parts._replace(scheme=self.scheme, netloc=self._authority)
            return parts if parts.path else parts._replace(path="/")
        path, _, query = self.path.partition("?")
        return SplitResult(self.scheme, self.host, path, query, "")


class OpenFile(Protocol):
    """A file that is open for reading, however many share it."""

    def fileno(self) -> int:
        """Return its descriptor."""

    def close(self) -> None:
        """Need it no more."""


class FileSlice(NamedTuple):
    """A run of bytes of an open file, to be sent without reading it whole.

    Whoever sends it closes ``file``, also when the sending fails.

    Attributes:
        file: where the bytes are.
        offset: of the first.
        length: how many.
        is_unchanged: tells whether the file is still the version that was promised; None where nobody knows.
            The sending fails when it is not, so that no client takes parts of two versions for one.
    """

    file: OpenFile
    offset: int
    length: int
    is_unchanged: Callable[[], bool] | None = None


class Answer(NamedTuple):
    """A whole answer that a responder has ready.

    The server adds Date, Server, Content-Length (of ``body``, where the status allows one) and Connection,
    and leaves the body out for HEAD.

    Attributes:
        status: the status code.
        headers: the header fields.
        body: bytes, a part of a file, or several of those, one behind the other.
        is_current: tells whether the same request would be answered by the same bytes now; None where the
            answer is good only once.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | FileSlice | tuple[bytes | FileSlice, ...] = b""
    is_current: Callable[[], bool] | None = None
