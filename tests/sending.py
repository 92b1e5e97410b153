"""The sending half of a connection on a fake transport and a fake loop, for the tests of `Outgoing`."""

from __future__ import annotations

from aioserve.outgoing import Outgoing
from tests.doubles import FakeLoop, FakeTransport


class Sending:
    """It, and what it reported of the sources that it sent."""

    def __init__(self):
        self.loop = FakeLoop()
        self.transport = FakeTransport()
        self.outgoing = Outgoing(self.transport, self.loop)
        self.ends = []

    @property
    def writes(self):
        return self.transport.writes

    def send_from(self, source):
        self.outgoing.send_from(source, self.outgoing.send, self.ends.append)
