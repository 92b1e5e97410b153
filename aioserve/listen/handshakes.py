"""TLS handshakes that fail, and who hears of it.

This file decides that the log says so in one line, and why. asyncio and uvloop tell nobody of them unless
they are debugged; both have Python's ssl shake hands, so the object that does it can tell. It does not know
the client, and neither loop lets one ask. Rejected: a TLS of our own between transport and handler, which
would know it, at the price of what uvloop's does in C.
"""

from __future__ import annotations

import logging
import ssl

from aioserve.observe.seldom import Seldom

logger = logging.getLogger(__name__)

_PERIOD = 60.0  # seconds between two lines for the same reason: somebody tries open ports all day

# Ended by us, when the client had said what it wants. Whoever does that has said what there is to say.
_OURS = "CALLBACK_FAILED"

_REASONS = {
    "HTTP_REQUEST": "the client speaks plain HTTP",
    "HTTPS_PROXY_REQUEST": "the client speaks plain HTTP, and takes this for a proxy",
}


def watch_handshakes(context: ssl.SSLContext, failures: Seldom | None = None) -> None:
    """Have the log told of handshakes that fail, of those that a loop begins with the context from now on.

    Args:
        context: a server's.
        failures: writes the lines.
    """
    told = failures or Seldom(logger, logging.INFO, period=_PERIOD)

    class WatchedHandshake(ssl.SSLObject):
        """Tells of its end, if that is none that was wanted."""

        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                if error.reason != _OURS:
                    reason = _explain(error)
                    told.say(reason, f"TLS handshake failed: {reason}")
                raise

    context.sslobject_class = WatchedHandshake


def _explain(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    words = _REASONS.get(reason) or reason.replace("_", " ").lower()
    details = getattr(error, "verify_message", "")
    return f"{words}: {details}" if details else words
