"""What stands in for the real thing, in the tests of more than one file; `test_doubles.py` compares them."""

from __future__ import annotations

import asyncio

from aioserve.http1.parser import ParserLimits, RequestParser

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


def request(data=b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", **limits):
    """Parse the head of a request, as a server would.

    Args:
        data: its bytes, the empty line included; what stands behind is ignored.
        **limits: of `ParserLimits`.
    """
    parser = RequestParser(ParserLimits(**limits))
    parser.receive_data(data)
    message = parser.next_request()
    if message is None:
        raise ValueError(f"{data!r} is no whole head")
    return message
