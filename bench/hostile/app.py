"""The handler that the hostile clients talk to: for each of their tricks a path that gives it a chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aioserve
from aioserve.http.negotiation import preferred_coding

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage

_BLOCK = bytes(65_536)
_STREAM_BYTES = 100_000_000


class Handler(aioserve.ServerHttpProtocol):
    """Answers by the first part of the path; anything else gets a small hello."""

    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:
        """Do what the path says."""
        match message.path.partition("?")[0]:
            case "/read":
                text = f"{len(await payload.read())}\n"
            case "/pieces":
                text = f"{sum([len(piece) async for piece in payload.iter_any()])}\n"
            case "/lines":
                text = f"{sum([len(line) async for line in payload])}\n"
            case "/form":
                text = f"{len(await payload.form())}\n"
            case "/head":
                text = f"{len(message.headers)} {len(message.query)} {len(message.url.path)}\n"
            case "/coding":
                text = f"{preferred_coding(message.headers.get('Accept-Encoding'), ['gzip', 'identity'])}\n"
            case "/missing":
                raise aioserve.HttpProcessingError(404)
            case "/stream":
                await self._stream(int(message.path.partition("?")[2] or _STREAM_BYTES))
                return
            case _:  # a body is left unread
                text = "Hello, World!\n"
        self.writer.write_response(200, text.encode(), content_type="text/plain; charset=utf-8")

    async def _stream(self, left: int) -> None:
        """Send so many bytes, waiting while the client is slow."""
        response = aioserve.Response(self.writer, 200)
        response.add_header("Content-Length", str(left))
        response.send_headers()
        while left:
            piece = _BLOCK[:left]
            left -= len(piece)
            await response.write(piece)
        await response.write_eof()
