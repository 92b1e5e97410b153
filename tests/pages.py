"""Pages that may be answered again by the same bytes, and connections on which a client asks for them."""

from __future__ import annotations

from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer
from tests.doubles import FakeTransport
from tests.wire import Clock, hello


class Pages:
    """A responder that answers everything that is not ``/slow``, and lets it be answered again.

    Attributes:
        asked: how often it was asked.
        looked: how often it was asked whether an answer still holds.
        holds: what it says then.
    """

    def __init__(self):
        self.asked = self.looked = 0
        self.holds = True

    def __call__(self, message):
        if message.path == "/slow":
            return None
        self.asked += 1
        return Answer(200, (("X-Asked", str(self.asked)),), b"page", self._is_current)

    def _is_current(self):
        self.looked += 1
        return self.holds


class Site:
    """A server of pages whose connections are made on fake transports."""

    def __init__(self, factory=hello, **options):
        self.pages = Pages()
        options = {"access_log": None, "responders": (self.pages,), "ready_limit": 1_000_000} | options
        self.options = HandlerOptions(**options)
        self._factory = factory
        self._protocols = []

    def connect(self, **extra):
        """Make a connection; return its handler and its transport."""
        protocol, transport = self._factory(), FakeTransport(**extra)
        protocol.use_defaults(self.options)
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        self._protocols.append(protocol)
        return protocol, transport

    def timed(self):
        """Make a connection, and give it a clock."""
        protocol, transport = self.connect()
        return protocol, transport, Clock(protocol)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for protocol in self._protocols:
            protocol.connection_lost(None)


def said(protocol, transport, data):
    """Send bytes in one segment, and return what is answered at once."""
    transport.take_sent()
    protocol.data_received(data)
    return transport.take_sent()
