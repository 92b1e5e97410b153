"""The same for ASGI servers."""

from __future__ import annotations

from typing import Any

HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"14")],
}
BODY = {"type": "http.response.body", "body": b"Hello, World!\n"}


async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    """Answer with 14 bytes."""
    await send(HEAD)
    await send(BODY)
