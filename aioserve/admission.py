"""What becomes of a connection that the system has accepted: a handler, or a refusal.

This file alone decides how many connections are served at once. Beyond that, connections that wait for no
answer make room for new ones; where there are none, a new one is told to come back, and a flood of them is
cut off. So descriptors are left for files, and those who are served go on.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING
from weakref import WeakSet, WeakValueDictionary

from aioserve.errors import HttpProcessingError
from aioserve.server import ServerHttpProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.handler_options import HandlerOptions
    from aioserve.http.messages import RequestMessage
    from aioserve.payload import Payload
    from aioserve.ticker import Ticker, Ticking

    Factory = Callable[[], ServerHttpProtocol]

logger = logging.getLogger(__name__)

_RESERVE = 128  # descriptors, or a quarter of them: for files being sent, for logs and for the application
_LEAST_RESERVE = 64  # or half of them, where somebody asks for more connections than that leaves
_MOST_TOLD = 128  # connections at a time that are told to come back; others are cut off
_STRANGERS = 4  # one in so many of the descriptors that connections leave is for those who are told
_PATIENCE = 1.0  # seconds in which they must have read that
_SHARE = 10  # one in so many idle connections makes room,
_FEW = 8  # but so many at least, where there are as many
_WARNING_PERIOD = 10.0  # seconds

_COME_BACK = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 45\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
    b"503 Service Unavailable\n\nToo many connections"
)


def allowed_connections(wanted: int = 0) -> int:
    """Raise the limit of file descriptors, and return how many connections there may be.

    Args:
        wanted: so many, where there is room for them; 0 for what there is room for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems say more than they allow
            hard = soft
    if not wanted:
        return max(hard - max(_RESERVE, hard // 4), hard // 2, 1)
    most = max(hard - _LEAST_RESERVE, hard // 2, 1)
    if wanted > most:  # said here, as uvloop cuts off those without a descriptor and says nothing
        logger.warning("%d connections were asked for; the system has descriptors for %d", wanted, most)
    return min(wanted, most)


def allowed_strangers(limit: int) -> int:
    """Return how many connections beyond their limit may have a descriptor until they are turned away.

    Those who are told to come back have them for a second, and those that asyncio accepts in one turn until
    they are looked at. With more of either than are left, accepting fails, and asyncio pauses for a second
    each time, in which nobody who came since is served.
    """
    return max((resource.getrlimit(resource.RLIMIT_NOFILE)[0] - limit) // _STRANGERS, 1)


class Admission:
    """Makes the protocol of each connection; a loop's server calls it.

    Args:
        factory: makes a handler.
        options: what its constructor leaves open.
        ticker: knows the connections.
        limit: the most of them.
    """

    def __init__(self, factory: Factory, options: HandlerOptions, ticker: Ticker, limit: int) -> None:
        self._factory = factory
        self._options = options
        self._ticker = ticker
        self._limit = limit
        self._most_told = min(_MOST_TOLD, allowed_strangers(limit))
        # Accepted, and perhaps not connected yet; by their ids, since a handler need not be hashable.
        self._expected: WeakValueDictionary[int, ServerHttpProtocol] = WeakValueDictionary()
        self._told: WeakSet[_TurnedAway] = WeakSet()  # weak: nobody hears of a handshake that fails
        self._looked = self._warned = -inf  # when idle connections were looked for, and somebody told
        self._leaving: set[Ticking] = set()  # closed to make room, and not gone yet

    @property
    def told(self) -> int:
        """How many connections are just being told to come back."""
        return len(self._told)

    @property
    def is_expecting(self) -> bool:
        """Whether anybody who was accepted is no connection yet: the two have not agreed on TLS so far."""
        self._forget_connected()
        return bool(self._expected)

    def __call__(self) -> asyncio.Protocol:
        """Make the protocol of one connection."""
        if not self._has_room():
            if self._options.counters is not None:
                self._options.counters.refuse("limit")
            return self._turn_away() if self.told < self._most_told else _CutOff()
        try:
            protocol = self._factory()
            protocol.use_defaults(self._options)
        except Exception:  # a loop that is told of it may accept no more
            logger.exception("No handler could be made for a connection")
            protocol = _Unmade()
            protocol.use_defaults(self._options)
        self._expected[id(protocol)] = protocol
        return protocol

    def _turn_away(self) -> _TurnedAway:
        protocol = _TurnedAway(self._told.discard)
        self._told.add(protocol)
        return protocol

    def _has_room(self) -> bool:
        if self._number() < self._limit:
            return True
        self._forget_connected()
        if self._number() >= self._limit and self._looked != self._ticker.now:
            self._looked = self._ticker.now  # looking through all of them for each one would take too long
            self._make_room()
        return self._number() < self._limit

    def _forget_connected(self) -> None:
        for number, protocol in [*self._expected.items()]:
            if protocol.was_connected:
                del self._expected[number]

    def _number(self) -> int:
        """Count the connections: those there are and those that come, without those that go."""
        self._leaving &= self._ticker.connections
        return len(self._ticker.connections) - len(self._leaving) + len(self._expected)

    def _make_room(self) -> None:
        """Close the connections that have been idle longest."""
        if self._ticker.now - self._warned >= _WARNING_PERIOD:
            self._warned = self._ticker.now
            logger.warning("%d connections are open, which is the limit", self._limit)
        idle = [each for each in self._ticker.connections if each.idle_until is not None]
        idle.sort(key=lambda each: each.idle_until or 0.0)
        for connection in idle[: max(-(-len(idle) // _SHARE), _FEW)]:
            self._leaving.add(connection)
            connection.close(0)


class _Unmade(ServerHttpProtocol):
    """Serves a connection whose handler could not be made."""

    def handle_request(self, message: RequestMessage, payload: Payload) -> None:  # noqa: ARG002
        raise HttpProcessingError(503, "The application is out of order.")


class _TurnedAway(asyncio.Protocol):
    """Says that there are too many connections, whatever it is asked."""

    def __init__(self, on_end: Callable[[_TurnedAway], object]) -> None:
        self._on_end = on_end

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.write(_COME_BACK)
        # Closed at once, what the client asks would reset the connection before it has read this.
        if transport.can_write_eof():
            with suppress(OSError):  # asyncio's shuts the socket down at once: the client may have gone
                transport.write_eof()
        else:
            transport.close()
        asyncio.get_running_loop().call_later(_PATIENCE, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._on_end(self)


class _CutOff(asyncio.Protocol):
    """Ends a connection at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.abort()
