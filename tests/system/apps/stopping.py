"""Handlers that are at work when the server is told to stop, some of which do not let go."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aioserve

FOR_EVER = 3600


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, payload):
        await getattr(self, message.path[1:])(payload)

    async def hello(self, _payload):
        self.writer.write_response(200, "Hello\n")

    async def echo(self, payload):
        self.writer.write_response(200, await payload.read())

    async def begun(self, payload):
        response = aioserve.Response(self.writer, 200)
        response.send_headers()
        response.write(b"begun ")
        await response.write(await payload.read())

    async def waits_for_pipe(self, _payload):
        with open("pipe", "rb") as pipe:  # noqa: ASYNC230, PTH123 - the loop is to stand still
            pipe.read()
        self.writer.write_response(200)

    async def blocks(self, _payload):
        self.logger.info("busy")
        time.sleep(FOR_EVER)  # noqa: ASYNC251 - as people do

    async def spins(self, _payload):
        self.logger.info("busy")
        while True:
            pass

    async def stays(self, _payload):
        self.logger.info("busy")
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(FOR_EVER)

    async def threads(self, _payload):
        self.logger.info("busy")
        await asyncio.to_thread(time.sleep, FOR_EVER)
