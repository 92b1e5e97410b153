"""Tells what arrives through a proxy, and over which connection; streams piece by piece, as it is told."""

from __future__ import annotations

import asyncio
import json

import aioserve

connections = 0
go_on = asyncio.Event()


class Handler(aioserve.ServerHttpProtocol):
    def connection_made(self, transport):
        global connections  # noqa: PLW0603 - one worker, one number
        connections += 1
        self._number = connections
        super().connection_made(transport)

    async def handle_request(self, message, payload):
        match message.path:
            case "/echo":
                self.writer.write_response(200, await payload.read(), content_type="application/octet-stream")
            case "/streamed":
                response = aioserve.Response(self.writer, 200, http_version=message.version)
                response.send_headers()
                await response.write(b"one ")
                await go_on.wait()
                await response.write(b"two")
                await response.write_eof()
            case "/received":
                # What has come of a body whose rest is not sent before this is known.
                first = await payload.readany()
                go_on.set()
                self.writer.write_response(200, first + await payload.read())
            case "/go-on":
                await go_on.wait() if message.query.get("wait") else go_on.set()
                self.writer.write_response(200, "gone on\n")
            case _:
                seen = {"peer": message.peer, "url": message.url.geturl(), "connection": self._number}
                self.writer.write_response(200, json.dumps(seen), content_type="application/json")
