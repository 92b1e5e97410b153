"""The same as app.py for aiohttp's server, which runs here: `python app_aiohttp.py PORT`."""

from __future__ import annotations

import sys
from typing import Any

from aiohttp import web


@web.middleware
async def answer(request: web.Request, handler: Any) -> web.Response:  # noqa: ARG001
    """Read the body and answer with the method as text, whatever the target: a route has no `*`."""
    body = await request.read()
    return web.Response(text=request.method, headers={"Method": request.method, "Body": body.hex()})


if __name__ == "__main__":
    web.run_app(
        web.Application(middlewares=[answer]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=None,
    )
