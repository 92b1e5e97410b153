"""What aioserve answers: the method as text, and in header fields what it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage


class Handler(aioserve.ServerHttpProtocol):
    """Reads the body and says 200."""

    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:
        """Answer with the method as text."""
        body = await payload.read()
        self.writer.write_response(200, message.method, {"Method": message.method, "Body": body.hex()})
