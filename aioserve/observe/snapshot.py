"""What a server says of itself at one moment.

This file decides the words: what counts, and by which classes and bounds. All numbers are of all workers
together, and counted from the start of the server, those of workers that have ended included; whoever wants a
rate takes two snapshots. A snapshot is one line of JSON on its way between processes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other")
STATUS_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")
CONNECTION_STATES = ("idle", "reading", "answering", "leaving")

DURATION_BOUNDS = tuple(
    digit * 10.0**power for power in range(-5, 2) for digit in (1, 2, 5) if 5e-5 <= digit * 10.0**power <= 20
)
"""Upper bounds in seconds, 1-2-5 from 50 us to 20 s; there is one bucket more, for what took longer."""

SIZE_BOUNDS = tuple(float(4**power) for power in range(3, 16))
"""Upper bounds in bytes, from 64 B to 1 GiB by factors of four; there is one bucket more."""


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """One worker.

    Attributes:
        pid: of its process.
        state: as the parent sees it, in words.
        requests: that it has answered.
        rss: bytes of memory.
        lag: seconds by which its event loop was late at most in the last second.
        heard: seconds since it was last heard of.
    """

    pid: int
    state: str
    requests: int = 0
    rss: int = 0
    lag: float = 0.0
    heard: float = 0.0


@dataclass(frozen=True, slots=True)
class PathSnapshot:
    """One path that is asked for often, or slow.

    Attributes:
        path: without the query.
        requests: how many, about.
        seconds: that they took together.
        slowest: seconds of the slowest.
    """

    path: str
    requests: int
    seconds: float
    slowest: float


@dataclass(frozen=True, slots=True)
class ErrorSnapshot:
    """One error that a client has seen, or a handler has made.

    Attributes:
        time: seconds since the epoch.
        status: of the answer.
        request: method and path.
        text: the last line of the traceback, or empty.
    """

    time: float
    status: int
    request: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The server.

    Attributes:
        time, started: now and its start, in seconds since the epoch.
        state: ``serving``, ``reloading`` or ``stopping``.
        version: of aioserve.
        addresses: as the ready line has them.
        served: the application and the folders.
        requests: for each of `METHODS` a count for each of `STATUS_CLASSES`.
        durations: a count for each of `DURATION_BOUNDS` and one for the rest; not cumulative.
        duration_sum: seconds of all requests together.
        slowest: seconds of the slowest request.
        sizes: bytes sent for a request; a count for each of `SIZE_BOUNDS` and one for the rest.
        size_sum: bytes of all answers together.
        connections: how many are open, for each of `CONNECTION_STATES`.
        refused: what was no request, by its status; connections that were turned away are ``"limit"``.
        restarts: workers that were started in place of others that died or were blocked.
        log_drops: lines that the access log has lost.
        cache_hits, cache_misses: requests for files that were answered from memory, and that were not.
        certificate_ends: for each certificate its name and when it ends, in seconds since the epoch.
        workers: all there are.
        paths: the busiest ones and the slowest ones, the busiest first; empty where nobody asks for them.
        errors: the last ones, the newest first; empty where nobody asks for them.
    """

    time: float
    started: float
    state: str = "serving"
    version: str = ""
    addresses: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    requests: tuple[tuple[int, ...], ...] = ((0,) * len(STATUS_CLASSES),) * len(METHODS)
    durations: tuple[int, ...] = (0,) * (len(DURATION_BOUNDS) + 1)
    duration_sum: float = 0.0
    slowest: float = 0.0
    sizes: tuple[int, ...] = (0,) * (len(SIZE_BOUNDS) + 1)
    size_sum: int = 0
    connections: tuple[int, ...] = (0,) * len(CONNECTION_STATES)
    refused: dict[str, int] = field(default_factory=dict)
    restarts: int = 0
    log_drops: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    certificate_ends: dict[str, float] = field(default_factory=dict)
    workers: tuple[WorkerSnapshot, ...] = ()
    paths: tuple[PathSnapshot, ...] = ()
    errors: tuple[ErrorSnapshot, ...] = ()

    @property
    def total(self) -> int:
        """All requests."""
        return sum(map(sum, self.requests))

    def to_line(self) -> bytes:
        """Write it as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii") + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Snapshot:
        """Read what `to_line` wrote.

        Raises:
            ValueError: it is something else.
        """
        try:
            read: dict[str, Any] = json.loads(line)
            read["workers"] = tuple(WorkerSnapshot(**each) for each in read["workers"])
            read["paths"] = tuple(PathSnapshot(**each) for each in read["paths"])
            read["errors"] = tuple(ErrorSnapshot(**each) for each in read["errors"])
            read["requests"] = tuple(map(tuple, read["requests"]))
            for name in ("addresses", "served", "durations", "sizes", "connections"):
                read[name] = tuple(read[name])
            return cls(**read)
        except (TypeError, KeyError) as error:
            raise ValueError(f"this is no snapshot: {error}") from None
