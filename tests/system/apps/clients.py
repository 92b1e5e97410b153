"""What the clients are tried on: greets, echoes, and sends much."""

from __future__ import annotations

import aioserve

LARGE = bytes(range(256)) * 16_384  # 4 MiB


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, payload):
        fields = {"X-Peer": str(message.peer)}
        match message.method, message.path:
            case "GET" | "HEAD", "/hello":
                self.writer.write_response(200, "Hello\n", fields)
            case "POST", "/echo":
                fields["X-Framing"] = "chunked" if message.chunked else "length"
                fields["X-Expects"] = "100-continue" if message.expects_continue else "nothing"
                body = await payload.read()
                self.writer.write_response(200, body, fields, content_type="application/octet-stream")
            case "GET", "/large":
                self.writer.write_response(200, LARGE, fields, content_type="application/octet-stream")
            case "GET", "/streamed":
                response = aioserve.Response(self.writer, 200, http_version=message.version)
                response.send_headers()
                for start in range(0, len(LARGE), 100_000):
                    await response.write(LARGE[start : start + 100_000])
            case _:
                raise aioserve.HttpProcessingError(404)
