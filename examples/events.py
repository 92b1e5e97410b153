"""Server-Sent Events, until the client leaves. Run it with: aioserve examples/events.py:Handler."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:
        response = aioserve.Response(self.writer, 200, http_version=message.version)
        response.add_header("Content-Type", "text/event-stream")
        response.add_header("Cache-Control", "no-store")
        response.send_headers()
        for number in count():
            # Awaiting waits for a slow client, and raises ClientDisconnectedError when it has gone, which
            # ends this handler without a word.
            await response.write(b"data: %d\n\n" % number)
            await asyncio.sleep(1)
