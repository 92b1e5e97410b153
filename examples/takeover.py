"""A connection that goes on in another protocol, here one that gives every line back in upper case.

Run it with: aioserve examples/takeover.py:Handler. Any client that asks for ``Upgrade: shout`` is served.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import aioserve

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage


class Shout(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data.upper())


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:
        if message.upgrade != "shout":
            raise aioserve.HttpProcessingError(426, "This resource speaks shout.", {"Upgrade": "shout"})
        response = aioserve.Response(self.writer, 101, http_version=message.version)
        response.add_header("Upgrade", "shout")
        response.send_headers()
        transport, already_sent = self.detach()
        shout = Shout()
        transport.set_protocol(shout)
        shout.connection_made(transport)
        if already_sent:
            shout.data_received(already_sent)
