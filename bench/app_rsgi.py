"""The same for granian's own interface."""

from __future__ import annotations

from typing import Any


async def app(scope: Any, protocol: Any) -> None:  # noqa: ARG001
    """Answer with 14 bytes."""
    protocol.response_bytes(200, [("content-type", "text/plain; charset=utf-8")], b"Hello, World!\n")
