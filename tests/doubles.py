"""What stands in for the real thing, in the tests of more than one file; `test_doubles.py` compares them."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

from aioserve.http1.parser import ParserLimits, RequestParser
from aioserve.http1.rules import REGISTERED_METHODS

PEER = ("192.0.2.1", 40000)


class FakeTransport(asyncio.Transport):
    """A transport that keeps what is written to it, and reports nothing by itself.

    Args:
        extra: more for `get_extra_info`, such as ``sslcontext`` or another ``peername``.

    Attributes:
        writes: the bytes of each write.
        unsent: what `get_write_buffer_size` returns; set it to play a client that does not read.
        is_aborted: `abort` was called.
        is_eof_written: `write_eof` was called.
    """

    def __init__(self, **extra):
        super().__init__({"peername": PEER} | extra)
        self.writes = []
        self.unsent = 0
        self.is_aborted = False
        self.is_eof_written = False
        self._is_closing = False
        self._is_reading = True
        self._protocol = None

    @property
    def sent(self):
        """All bytes that were written."""
        return b"".join(self.writes)

    def take_sent(self):
        """Return the bytes written since the last call."""
        sent = self.sent
        self.writes.clear()
        return sent

    def write(self, data):
        """Keep bytes; like the real ones, throw them away after `close` and refuse them after `write_eof`."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"a transport writes bytes, not {data!r}")
        if self.is_eof_written:
            raise RuntimeError("Cannot call write() after write_eof()")
        if data and not self._is_closing:
            self.writes.append(bytes(data))

    def writelines(self, list_of_data):
        """Keep bytes, as one write."""
        self.write(b"".join(list_of_data))

    def write_eof(self):
        """Refuse writes from now on; TLS has no such thing."""
        if not self.can_write_eof():
            raise NotImplementedError
        self.is_eof_written = True

    def can_write_eof(self):
        """Whether this is no TLS, which cannot be half-closed."""
        return self.get_extra_info("sslcontext") is None

    def get_write_buffer_size(self):
        """Return `unsent`."""
        return self.unsent

    def set_write_buffer_limits(self, high=None, low=None):
        """Pause nobody: a test calls `pause_writing` itself."""

    def pause_reading(self):
        """Note that nothing is wanted."""
        self._is_reading = False

    def resume_reading(self):
        """Note that bytes are wanted."""
        self._is_reading = True

    def is_reading(self):
        """Whether bytes are wanted."""
        return self._is_reading and not self._is_closing

    def close(self):
        """Close; a test calls the protocol's `connection_lost` itself."""
        self._is_closing = True

    def abort(self):
        """Close at once."""
        self.is_aborted = self._is_closing = True

    def is_closing(self):
        """Whether it was closed."""
        return self._is_closing

    def set_protocol(self, protocol):
        """Keep who is told of bytes."""
        self._protocol = protocol

    def get_protocol(self):
        """Return who is told of bytes."""
        return self._protocol


class FakeLoop:
    """A loop whose clock stands still until a test moves it; it has callbacks, but no futures or tasks."""

    def __init__(self):
        self._now = 0.0
        self._numbers = count()
        self._heap = []

    @property
    def pending(self):
        """How many callbacks are still to be called."""
        return sum(not handle.is_cancelled for _, _, handle in self._heap)

    def time(self):
        """Return the time of its clock, in seconds."""
        return self._now

    def call_soon(self, callback, *args):
        """Call in the next turn."""
        return self.call_later(0, callback, *args)

    def call_later(self, delay, callback, *args):
        """Call in the first turn after so many seconds."""
        handle = _FakeHandle(callback, args)
        heapq.heappush(self._heap, (self._now + delay, next(self._numbers), handle))
        return handle

    def block(self, seconds):
        """Let so many seconds pass in which nothing is called, as a callback that does not return does."""
        self._now += seconds

    def turn(self):
        """Take one turn: call what is due, and not yet what that adds."""
        due = []
        while self._heap and self._heap[0][0] <= self._now:
            due.append(heapq.heappop(self._heap)[-1])
        for handle in due:
            handle.run()

    def advance(self, seconds=0.0):
        """Let so many seconds pass, turn by turn; what is due at their end is called too."""
        end = self._now + seconds
        while self._heap and self._heap[0][0] <= end:
            self._now = max(self._now, self._heap[0][0])
            self.turn()
        self._now = end


class _FakeHandle:
    def __init__(self, callback, args):
        self._callback = callback
        self._args = args
        self.is_cancelled = False

    def cancel(self):
        self.is_cancelled = True

    def run(self):
        if not self.is_cancelled:
            self._callback(*self._args)


async def awaited(operation):
    """Take the steps of an operation as ``async def`` does."""
    return await operation


async def yielded_from(operation):
    """Take the steps of an operation as a plain generator does, which no native coroutine would let."""

    def plain():
        return (yield from operation)

    class Plain:
        def __await__(self):
            return plain()

    return await Plain()


FORMS = (awaited, yielded_from)


def request(data=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", **limits):
    """Parse the head of a request, as a server would.

    Args:
        data: its bytes, the empty line included; what stands behind is ignored.
        **limits: of `ParserLimits`.
    """
    parser = RequestParser(ParserLimits(**limits), methods=REGISTERED_METHODS | {b"CONNECT": "CONNECT"})
    parser.receive_data(data)
    message = parser.next_request()
    if message is None:
        raise ValueError(f"{data!r} is no whole head")
    return message
