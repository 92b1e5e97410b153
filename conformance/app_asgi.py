"""The same as app.py for ASGI servers."""

from __future__ import annotations

from typing import Any


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Read the body and answer with the method as text; a body that ends too early gets no answer."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        event = await receive()
        if event["type"] != "http.request":
            return
        body += event.get("body", b"")
        if not event.get("more_body", False):
            break
    method = scope["method"].encode("latin-1")
    fields = {
        b"content-type": b"text/plain",
        b"content-length": b"%d" % len(method),
        b"method": method,
        b"body": body.hex().encode("ascii"),
    }
    await send({"type": "http.response.start", "status": 200, "headers": list(fields.items())})
    await send({"type": "http.response.body", "body": method})
