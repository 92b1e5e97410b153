"""Where the time of a request went, for those who ask for slow ones.

This file decides what is measured: how long a request waited for its turn when it had been read, how long its
handler took until the answer began, and how long the rest took. Connections are made of these parts only
where ``--slow`` asks for it: the clock is read three times for each request.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from aioserve.incoming import Incoming
from aioserve.observe.access import Times
from aioserve.writer import ResponseWriter

if TYPE_CHECKING:
    from aioserve.http.messages import RequestMessage


class TimedIncoming(Incoming):
    """The receiving half of a connection, which knows how long the current request had to wait.

    Attributes:
        waited: seconds.
    """

    __slots__ = ("_received", "waited")

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._received = perf_counter()
        self.waited = 0.0

    def receive(self, data: bytes) -> None:
        """Keep bytes, and when they came."""
        self._received = perf_counter()
        super().receive(data)

    def next_request(self) -> RequestMessage | None:
        """Return the next request, and remember how long it was here."""
        message = super().next_request()
        if message is not None:
            self.waited = perf_counter() - self._received
        return message


class TimedWriter(ResponseWriter):
    """Writes an answer, and knows when it began.

    Attributes:
        times: of its request, from `note` on.
    """

    __slots__ = ("_began", "times")

    def __init__(self, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self._began: float | None = None

    def begin(self, *head: Any, **more: Any) -> None:
        """Send the head."""
        super().begin(*head, **more)
        self._began = perf_counter()

    def note(self, waited: float, called: float) -> None:
        """Say where the time went, now that it is over.

        Args:
            waited: seconds until the handler was called.
            called: when that was, by `time.perf_counter`.
        """
        now = perf_counter()
        began = now if self._began is None else self._began
        self.times = Times(waited, began - called, now - began)
