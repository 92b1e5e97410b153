"""The handler that is measured: a constant, as short as the API allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aioserve

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage


class Handler(aioserve.ServerHttpProtocol):
    """Says hello."""

    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:  # noqa: ARG002
        """Answer with 14 bytes."""
        self.writer.write_response(200, b"Hello, World!\n", content_type="text/plain; charset=utf-8")
