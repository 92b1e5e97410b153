"""The shortest useful handler. Run it with: aioserve examples/hello.py:Handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from aioserve.payload import Payload


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message: aioserve.RequestMessage, payload: Payload) -> None:
        self.writer.write_response(200, "Hello, World!\n")
