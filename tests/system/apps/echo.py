"""Gives back what it gets, and more on request."""

from __future__ import annotations

import aioserve


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, payload):
        if message.path == "/large":
            await self.stream(message)
        elif message.method in ("GET", "HEAD", "POST"):
            body = await payload.read() if message.method == "POST" else b"hello"
            self.writer.write_response(200, body, {"X-Method": message.method}, content_type="text/plain")
        else:
            raise aioserve.HttpMethodNotAllowed(["GET", "HEAD", "POST"])

    async def stream(self, message):
        response = aioserve.Response(self.writer, 200, http_version=message.version)
        response.send_headers()
        for _ in range(16):
            await response.write(bytes(65_536))
        await response.write_eof()
