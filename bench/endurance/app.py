"""The handler behind these scripts: every answer says which worker gave it, and to which request."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage

SIZE = 256  # bytes of an ordinary answer
LONG_PIECES, LONG_PIECE, LONG_PAUSE = 20, 50_000, 0.1  # of an answer that takes two seconds
_FOR_EVER = 3600


def body_for(path: str, pid: int) -> bytes:
    """Return what that worker answers; always of the same length, for clients that compare lengths."""
    return f"{pid:10} {path}\n".encode().ljust(SIZE, b".")


class Handler(aioserve.ServerHttpProtocol):
    """Answers by the beginning of the path."""

    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:  # noqa: ARG002
        """Do what the path says."""
        match message.path.partition("/")[2].partition("/")[0]:
            case "block":
                time.sleep(_FOR_EVER)  # noqa: ASYNC251 - as people do
            case "long":
                await self._send(LONG_PIECES)
                return
            case "endless":
                await self._send(_FOR_EVER)
                return
            case "slow":  # so that there is always something in flight
                await asyncio.sleep(0.01)
        self.writer.write_response(200, body_for(message.path, os.getpid()), content_type="text/plain")

    async def _send(self, pieces: int) -> None:
        """Send so many pieces, with pauses, whatever the server is told meanwhile."""
        response = aioserve.Response(self.writer, 200)
        response.add_header("Content-Length", str(pieces * LONG_PIECE))
        response.send_headers()
        for number in range(pieces):
            await response.write(b"%d" % (number % 10) * LONG_PIECE)
            await asyncio.sleep(LONG_PAUSE)
        await response.write_eof()
