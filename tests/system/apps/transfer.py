"""Takes and sends more than fits into little memory."""

from __future__ import annotations

import aioserve

CHUNK = b"x" * 65_536


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, payload):
        if message.method == "POST":
            size = 0
            async for piece in payload.iter_chunked(65_536):
                size += len(piece)
            self.writer.write_response(200, str(size))
        else:
            response = aioserve.Response(self.writer, 200, http_version=message.version)
            response.send_headers()
            for _ in range(int(message.query["chunks"])):
                await response.write(CHUNK)
