"""Whether the server lives, and whether it wants requests: what load balancers and orchestrators ask.

This file decides what they are answered. A process that answers at all lives; it wants requests until it is
told to stop. It is asked before files and the application, so that neither can hide it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.http.messages import Answer

if TYPE_CHECKING:
    from aioserve.http.messages import RequestMessage
    from aioserve.settings import Health

_FIELDS = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
_ALLOW = ("Allow", "GET, HEAD")


class HealthAnswers:
    """Answers GET and HEAD of two paths; a responder.

    Args:
        health: the paths.

    Attributes:
        is_ready: whether more requests are wanted.
    """

    __slots__ = ("_bodies", "_ready", "is_ready")

    def __init__(self, health: Health) -> None:
        self.is_ready = True
        self._ready = health.ready
        self._bodies = {health.live: b"live\n", health.ready: b"ready\n"}

    def __call__(self, message: RequestMessage) -> Answer | None:
        """Answer a request, or return None where it is not about health.

        Live is 200. Ready is 200, and 503 (RFC 9110 §15.6.4) from the moment when the server is told to stop:
        a load balancer then sends its clients elsewhere, and those that still come are served all the same.
        """
        path = message.path
        if "?" in path:
            path = path.partition("?")[0]
        body = self._bodies.get(path)
        if body is None:
            return None
        if message.method not in ("GET", "HEAD"):
            return Answer(405, (*_FIELDS, _ALLOW), b"405 Method Not Allowed\n")
        if path == self._ready and not self.is_ready:
            return Answer(503, _FIELDS, b"stopping\n")
        return Answer(200, _FIELDS, body)

    def drain(self) -> None:
        """Say from now on that no more requests are wanted."""
        self.is_ready = False
