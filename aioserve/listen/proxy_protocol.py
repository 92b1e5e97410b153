"""Connections that begin with a PROXY header, by which a proxy says for whom it has connected.

This file decides what becomes of a connection before its first byte of HTTP. A listener either speaks the
PROXY protocol or does not: where it does, a trusted proxy must send a header, and others are not served at
all, since they could name any client. Behind the header the connection is a handler's like every other, and
only then it is asked whether there is room for it.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING

from aioserve.http1.proxy_header import ProxyHeaderError, read_proxy_header
from aioserve.incoming import peer_of
from aioserve.news import News
from aioserve.observe.formats import format_peer
from aioserve.observe.seldom import Seldom
from aioserve.phase import Phase
from aioserve.server import ServerHttpProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import Peer
    from aioserve.http1.proxy_header import ProxyHeader
    from aioserve.ticker import Ticker
    from aioserve.trusted import TrustedPeers

_A_SECOND = 1.0

logger = logging.getLogger(__name__)


def make_refusals() -> Seldom:
    """Make what all connections of a process tell of why they were closed."""
    return Seldom(logger, logging.WARNING)


class ProxyProtocol(asyncio.Protocol):
    """Reads the header of one connection, and hands the connection on.

    Args:
        make_protocol: makes what serves the connection.
        trusted: the proxies.
        ticker: looks at the time, and knows the connection from its first moment.
        timeout: seconds in which the header must have come; 0 for no limit.
        refusals: writes to the log why a connection was closed; anybody can open some.

    Attributes:
        phase, is_between_requests: what the connection is doing, for whoever asks that of all connections.
        message: no request has come.
        peer: the proxy.
    """

    phase = Phase.WAITING
    is_between_requests = False
    message = None

    def __init__(
        self,
        make_protocol: Callable[[], asyncio.Protocol],
        trusted: TrustedPeers,
        ticker: Ticker,
        timeout: float,
        refusals: Seldom,
    ) -> None:
        self._make_protocol = make_protocol
        self._trusted = trusted
        self._ticker = ticker
        self._timeout = timeout
        self._refusals = refusals
        self._transport: asyncio.Transport | None = None  # while it is for us to use
        self.peer: Peer = None
        self._data = b""
        self._until = inf
        self._closing_in: float | None = None
        self._news = News()

    # What the transport reports

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the header of a trusted proxy."""
        self._transport = transport
        self.peer = peer_of(transport)
        if not self._trusted.covers(self.peer):
            self._refuse("it is no trusted proxy")
            return
        self._ticker.add(self, self._timeout or _A_SECOND)
        if self._timeout:
            self._until = self._ticker.deadline_in(self._timeout)

    def data_received(self, data: bytes) -> None:
        """Take bytes, until the header is complete."""
        self._data += data  # some kilobytes at most, or it is no header
        try:
            header = read_proxy_header(self._data)
        except ProxyHeaderError as error:
            self._refuse(str(error))
            return
        if header is not None and self._transport is not None:
            self._hand_on(self._transport, header)

    def eof_received(self) -> bool:
        """The proxy sends no more; one that has sent nothing only looked whether there is a server."""
        if self._data:
            self._refuse("the PROXY header broke off")
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why does not matter
        """The connection is gone."""
        self._transport = None
        self._ticker.discard(self)
        self._news.tell()

    def _hand_on(self, transport: asyncio.Transport, header: ProxyHeader) -> None:
        self._transport = None
        self._ticker.discard(self)
        self._news.tell()
        protocol = self._make_protocol()
        transport.set_protocol(protocol)
        if isinstance(protocol, ServerHttpProtocol):
            peer = header.peer if header.tells_peer else self.peer
            protocol.connection_passed_on(transport, peer, self._closing_in)
        else:  # there is no room
            protocol.connection_made(transport)
        if rest := self._data[header.length :]:
            protocol.data_received(rest)

    def _refuse(self, reason: str) -> None:
        if self._transport is not None:
            self._refusals.say(reason, f"{format_peer(self.peer)}: closed: {reason}")
            self.abort()
            self._transport = None

    # What the ticker asks for

    @property
    def idle_until(self) -> None:
        """None: it has a request to make, as far as anybody can tell."""

    def check_deadline(self, now: float) -> None:
        """Close the connection if the header has not come in time."""
        if now >= self._until:
            self._refuse("the PROXY header did not come in time")

    def close(self, timeout: float, *, patiently: bool = False) -> None:
        """Close the connection; with patience it may bring one request first, in so many seconds."""
        if patiently:
            self._closing_in = timeout
            self._until = min(self._until, self._ticker.deadline_in(timeout))
        else:
            self.abort()

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_lost(self) -> None:
        """Wait until the connection is gone, or a handler's."""
        while self in self._ticker.connections:
            await self._news.wait()
