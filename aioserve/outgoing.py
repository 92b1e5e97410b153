"""How bytes leave a connection: joined into few writes, under back-pressure.

This file decides when bytes go to the transport. While the connection is inside a callback of the loop they
are held and leave in one write at its end, so that a head, its body and the answers to pipelined requests
share a packet. Outside of it a head waits for the first bytes of its body, at most for a turn of the loop.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from aioserve import send_buffer
from aioserve.direct_sending import send_directly
from aioserve.errors import ClientDisconnectedError
from aioserve.file_body import Fetch, Wait, read_blocks
from aioserve.send_buffer import Pace

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Generator

    from aioserve.file_body import Pieces, Sending

_HELD_LIMIT = 65_536  # bytes; a handler that writes more in one turn needs the transport to push back

# Nothing tells when the client's system has all that was sent: it is asked again and again. Each time is
# twice as far off as the last, so that the wait is at most doubled.
_FIRST_LOOK, _LAST_LOOK = 0.001, 0.25  # seconds


class Outgoing:
    """The sending half of one connection.

    It is awaitable: ``await outgoing`` (or ``yield from``) waits until the transport has room again. That is
    what the API's ``write`` returns, so an ignored result costs nothing.

    Args:
        transport: where the bytes go.
        loop: the event loop of the transport.
    """

    __slots__ = (
        "_flush_is_due",
        "_held",
        "_held_bytes",
        "_is_corked",
        "_is_fetching",
        "_is_quick",
        "_look",
        "_look_delay",
        "_loop",
        "_on_sent",
        "_pace",
        "_settled",
        "_source",
        "_transport",
        "_waiters",
        "_watched",
        "_write",
        "_written",
        "is_lost",
        "is_paused",
    )

    def __init__(self, transport: asyncio.WriteTransport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._written = 0  # bytes given to the transport
        self._settled = 0  # those of them that the client's system is known to have taken
        self._is_corked = False
        self._flush_is_due = False
        self._waiters: list[asyncio.Future[None]] = []
        self._source: Sending | None = None
        self._write: Callable[[bytes], object] | None = None
        self._on_sent: Callable[[Exception | None], None] | None = None
        self._is_fetching = False  # a thread reads what the source will send
        self._pace: Pace | None = None  # of the file that is being sent beside the transport
        self._is_quick = False  # so was the client when the last one was sent
        self._watched: socket.socket | None = None  # the same, while the loop tells when it has room
        self._look: asyncio.TimerHandle | None = None  # the source is asked again then
        self._look_delay = _FIRST_LOOK
        self.is_paused = False
        self.is_lost = False

    # Bytes

    def hold(self, data: bytes) -> None:
        """Send bytes soon: with the next ones, at the end of this callback, or in the loop's next turn."""
        self._held.append(data)
        self._held_bytes += len(data)
        if not self._is_corked and not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self._flush_due)

    def send(self, data: bytes) -> None:
        """Send bytes, behind those that are held; while corked, at the end of the callback."""
        if self._is_corked or self._held:
            self._held.append(data)
            self._held_bytes += len(data)
            if self._is_corked and self._held_bytes < _HELD_LIMIT:
                return
            self.flush()
        elif not self.is_lost:
            self._written += len(data)
            self._transport.write(data)

    def flush(self) -> None:
        """Give the transport what is held."""
        held, self._held = self._held, []
        size, self._held_bytes = self._held_bytes, 0
        if held and not self.is_lost:
            self._written += size
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))

    def cork(self) -> None:
        """Hold everything until `uncork`."""
        self._is_corked = True

    def uncork(self) -> None:
        """Send what was held."""
        self._is_corked = False
        if self._held:
            self.flush()

    def _flush_due(self) -> None:
        self._flush_is_due = False
        self.flush()

    @property
    def unsent(self) -> int:
        """Bytes that the transport still has to send."""
        return self._transport.get_write_buffer_size()

    @property
    def taken(self) -> int:
        """A number that grows as the client's system takes bytes, and stands while the client reads nothing.

        What our own system holds does not count: it may be megabytes, and it asks for more only when much of
        that is gone. Where it can tell, it counts itself; TLS does not know what its transport still has. Of
        a unix socket it tells what it holds, some bytes of its own included.
        """
        acknowledged = send_buffer.acknowledged(self._transport)
        if acknowledged is not None:
            return acknowledged
        held = send_buffer.unacknowledged(self._transport.get_extra_info("socket"))
        return self._written - self.unsent - held

    @property
    def is_taken(self) -> bool:
        """Whether the client's system has taken everything, as far as one can tell."""
        if self.unsent or self._held:
            return False
        if self._settled != self._written:
            sock = self._transport.get_extra_info("socket")
            if not send_buffer.unacknowledged(sock):
                self._settled = self._written
        return self._settled == self._written

    # A body that is not in memory

    def send_files(
        self,
        pieces: Pieces,
        write: Callable[[bytes], object],
        count: Callable[[int], None],
        on_sent: Callable[[Exception | None], None],
    ) -> None:
        """Send parts of files behind the head that is held, by the system's sendfile where that can be.

        It cannot with TLS, and not behind bytes that the transport has not sent yet.

        Args:
            pieces: the body.
            write: sends a piece of the body through this object.
            count: called for what was sent beside it.
            on_sent: as for `send_from`.
        """
        if not self._transport.get_write_buffer_size():
            self._pace = Pace.of(self._transport, is_quick=self._is_quick)
        if self._pace is None:
            self.send_from(read_blocks(pieces), write, on_sent)
            return
        head, self._held, self._held_bytes = b"".join(self._held), [], 0
        self._written += len(head)
        source = send_directly(self._pace, head, pieces, partial(self._count, count))
        self.send_from(source, write, on_sent)

    def _count(self, count: Callable[[int], None], size: int) -> None:
        self._written += size
        count(size)

    def send_from(
        self,
        source: Sending,
        write: Callable[[bytes], object],
        on_sent: Callable[[Exception | None], None],
    ) -> None:
        """Send what a generator yields, each piece when there is room for it.

        Args:
            source: the pieces, or what to wait for before it is asked again; an exception of it ends the
                sending. It is closed in any case.
            write: sends a piece through this object.
            on_sent: called once, from the loop, with the exception that ended the sending or None.
        """
        self._source, self._write, self._on_sent = source, write, on_sent
        self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        source, write = self._source, self._write
        if self.is_lost:
            self._end_source(ClientDisconnectedError("the client has gone"))
            return
        if source is None or write is None or self.is_paused or self._is_fetching:
            return
        try:
            piece = next(source, None)
            if isinstance(piece, bytes):
                write(piece)
        except (BrokenPipeError, ConnectionResetError):
            self._end_source(ClientDisconnectedError("the client has gone"))
            return
        except Exception as error:  # noqa: BLE001 - it is reported to whoever asked for the sending
            self._end_source(error)
            return
        self._go_on(piece)

    def _go_on(self, piece: bytes | Wait | Fetch | None) -> None:
        """Ask the source again when what it waits for has come."""
        if piece is not Wait.DELIVERY:
            self._look_delay = _FIRST_LOOK
        if piece is None:
            self._end_source(None)
        elif isinstance(piece, Fetch):
            self._watch(None)
            self._is_fetching = True
            self._loop.run_in_executor(None, piece).add_done_callback(self._fetched)
        elif piece is Wait.ROOM and self._pace is not None:
            self._watch(self._pace.sock)
        elif piece is Wait.DELIVERY:
            self._watch(None)
            self._stop_looking()  # it may have been asked for another reason, and must not be asked twice
            self._look = self._loop.call_later(self._look_delay, self._pump)
            self._look_delay = min(self._look_delay * 2, _LAST_LOOK)
        elif not (self.is_paused or self._watched):  # paused by a piece that did not fit: `resume` goes on
            self._loop.call_soon(self._pump)

    def _fetched(self, _: object) -> None:
        self._is_fetching = False
        self._pump()

    def _watch(self, sock: socket.socket | None) -> None:
        """Be told, from now to the end of the source, whenever the system has room; or not any more."""
        if self._watched is not sock:
            if self._watched is not None:
                self._loop.remove_writer(self._watched.fileno())
            if sock is not None:
                self._loop.add_writer(sock.fileno(), self._pump)
            self._watched = sock

    def _stop_looking(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _end_source(self, error: Exception | None) -> None:
        source, on_sent = self._source, self._on_sent
        self._source = self._write = self._on_sent = None
        self._watch(None)
        self._stop_looking()
        if source is not None:
            source.close()
        if self._pace is not None:
            self._is_quick = self._pace.is_quick
            self._pace.close()
            self._pace = None
        if on_sent is not None:
            on_sent(error)

    # Back-pressure

    def pause(self) -> None:
        """The transport has enough (`asyncio.Protocol.pause_writing`)."""
        self.is_paused = True

    def resume(self) -> None:
        """The transport has room again (`asyncio.Protocol.resume_writing`)."""
        self.is_paused = False
        self._wake()
        if self._source is not None:
            # Not now: asyncio is about to look whether it has been closed, and to end such a connection. One
            # that is closed in here, at the end of the source, it would end twice.
            self._loop.call_soon(self._pump)

    def lose(self) -> None:
        """The connection is gone: nothing is sent any more, and whoever waits is told."""
        self.is_lost = True
        self.flush()
        self._wake()
        self._pump()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def __await__(self) -> Generator[Any, Any, None]:
        while self.is_paused and not self.is_lost:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            yield from waiter
        if self.is_lost:
            raise ClientDisconnectedError("the client has gone")

    __iter__ = __await__
