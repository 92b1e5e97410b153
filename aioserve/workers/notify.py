"""What the service manager is told (sd_notify(3)), and how often it wants to hear that all is well.

This file decides how it is reached: by a datagram to the socket that the environment names, and how long it
is waited for when it has too much to read. Without a socket nobody is told anything.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# Seconds that the parent waits at most. What it says of its state is not said again, and a manager that
# misses it ends the service when the time for that is over.
_PATIENCE = 1.0


class ServiceManager:
    """The service manager.

    Args:
        environ: where it says how to reach it. What is read is taken out, so that no worker and no program
            that a handler starts answers in our place.

    Attributes:
        period: seconds in which it wants to hear `alive` at least once; 0 where it does not.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        address = environ.pop("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        period = environ.pop("WATCHDOG_USEC", "")
        watched = environ.pop("WATCHDOG_PID", "")
        is_ours = period.isdecimal() and watched in ("", str(os.getpid()))
        self.period = int(period) / 1_000_000 if self._address and is_ours else 0.0
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            # By the system: Python's own timeout asks whether the socket takes something, and it does always.
            patience = struct.pack("ll", int(_PATIENCE), int(_PATIENCE % 1 * 1_000_000))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, patience)

    def ready(self, status: str) -> None:
        """Say that requests are answered, for the first time or with what has been loaded anew."""
        self._tell("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def status(self, status: str) -> None:
        """Say in words how things are."""
        self._tell(f"STATUS={status}", is_waited_for=False)

    def reloading(self) -> None:
        """Say that everything is being loaded anew; `ready` is said when that is over."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reloading")

    def stopping(self, seconds: float, status: str) -> None:
        """Say that the end has begun, and may take so long."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}", f"STATUS={status}")

    def alive(self) -> None:
        """Say that all is well."""
        self._tell("WATCHDOG=1", is_waited_for=False)

    def close(self) -> None:
        """Say nothing more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, *lines: str, is_waited_for: bool = True) -> None:
        if self._socket is not None:
            flags = 0 if is_waited_for else socket.MSG_DONTWAIT
            with suppress(OSError):  # nobody listens any more, or it has too much to read
                self._socket.sendto("\n".join(lines).encode(), flags, self._address)
