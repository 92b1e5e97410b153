"""The same as app.py for WSGI servers."""

from __future__ import annotations

from typing import Any


def app(environ: Any, start_response: Any) -> list[bytes]:
    """Read the body and answer with the method as text."""
    body = environ["wsgi.input"].read()
    method = environ["REQUEST_METHOD"]
    fields = {
        "Content-Type": "text/plain",
        "Content-Length": str(len(method)),
        "Method": method,
        "Body": body.hex(),
    }
    start_response("200 OK", list(fields.items()))
    return [] if method == "HEAD" else [method.encode("latin-1")]
