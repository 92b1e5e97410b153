"""A handler that tells which worker answers, and can be made to misbehave."""

from __future__ import annotations

import asyncio
import os
import time

import aioserve

FOR_EVER = 3600


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, _payload):
        match message.path:
            case "/block":
                print("blocked", flush=True)  # noqa: T201 - to the test
                time.sleep(FOR_EVER)  # noqa: ASYNC251 - as people do
            case "/stream":
                response = aioserve.Response(self.writer, 200)
                response.send_headers()
                response.write(b"begun\n")
                await self.wait_closing()
                response.write(b"told\n")
                await response.write_eof()
            case "/wait":
                await asyncio.sleep(FOR_EVER)
            case _:
                self.writer.write_response(200, f"{os.getpid()}\n")
