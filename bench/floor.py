"""The floor: uvloop writing a constant for whatever it reads, nothing parsed. `floor.py PORT`."""

from __future__ import annotations

import asyncio
import sys

import uvloop

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n"
    b"Date: Tue, 24 Nov 2026 06:00:00 GMT\r\nServer: aioserve/0.1.0\r\n\r\nHello, World!\n"
)


class Floor(asyncio.Protocol):
    """Answers every read."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport's method that answers."""
        self.write = transport.write  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        """Answer."""
        self.write(ANSWER)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Floor, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


uvloop.run(main())
