"""The receiving half of a connection on a fake transport, for the tests of `Incoming`."""

from __future__ import annotations

from aioserve.handler_options import HandlerOptions
from aioserve.http1.parser import RequestParser
from aioserve.incoming import Incoming
from aioserve.outgoing import Outgoing
from aioserve.writer import ResponseWriter
from tests.doubles import FakeLoop, FakeTransport


class Receiving:
    """A connection's receiving half, and the last request with its payload and the writer of its answer."""

    def __init__(self, **options):
        self.options = HandlerOptions(**options)
        self.transport = FakeTransport()
        self.incoming = Incoming(self.transport, RequestParser(self.options.limits))
        self.message = self.writer = self.payload = None

    @property
    def is_reading(self):
        return self.transport.is_reading()

    def begin(self, data=b""):
        """Take bytes and open the next request; whether there is one."""
        self.incoming.receive(data)
        self.message = self.incoming.next_request()
        if self.message is None:
            return False
        outgoing = Outgoing(self.transport, FakeLoop())
        self.writer = ResponseWriter(outgoing, self.message, b"", "", may_persist=True)
        self.payload = self.incoming.open_payload(self.message, self.writer, self.options)
        return True

    def more(self, data):
        """Take bytes while the request is being answered."""
        self.incoming.receive(data)
        self.incoming.feed()
