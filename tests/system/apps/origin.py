"""Says whose request it is, as far as it knows."""

from __future__ import annotations

import json

import aioserve


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, payload):
        length = len(await payload.read())
        seen = {"peer": message.peer, "url": message.url.geturl(), "length": length}
        self.writer.write_response(200, json.dumps(seen), content_type="application/json")
