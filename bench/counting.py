"""What counting costs a request, in-process: `python bench/counting.py`.

A request is given to a connection on a transport that throws everything away, with counting and without, by
processes that take turns. Told are instructions, which are the same on a machine with other work, where there
is valgrind: the difference of two runs of different length. And the processor time: each process says the
best of its times, and the medians of these are printed. Without the access log, which costs more.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from aioserve import ServerHttpProtocol
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer
from aioserve.observe.counters import Counters

if TYPE_CHECKING:
    from aioserve import Payload, RequestMessage

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
ROUNDS, REQUESTS = 7, 500  # they are folded together, as in a worker with 5000 requests a second
FEW, MANY = 4, 12  # times so many requests, whose instructions are compared
RUNS = 3
TIMES = 150  # so often they are measured by the clock


class Nowhere(asyncio.Transport):
    """Throws away what is written."""

    def write(self, data: Any) -> None:
        """Throw it away."""

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""


class Plain(ServerHttpProtocol):
    """Says hello."""

    def handle_request(self, message: RequestMessage, payload: Payload) -> None:  # noqa: ARG002
        """Answer with 14 bytes."""
        self.writer.write_response(200, b"Hello, World!\n", content_type="text/plain")


class Coroutine(ServerHttpProtocol):
    """Says hello as well."""

    async def handle_request(self, message: RequestMessage, payload: Payload) -> None:  # noqa: ARG002
        """Answer with 14 bytes."""
        self.writer.write_response(200, b"Hello, World!\n", content_type="text/plain")


def page(_message: RequestMessage) -> Answer:
    """Answer with 14 bytes that hold for ever."""
    return Answer(200, (("Content-Type", "text/plain"),), b"Hello, World!\n", lambda: True)


KINDS = {"function": Plain, "coroutine": Coroutine, "ready": Plain}


async def run(kind: str, times: int, *, is_counted: bool) -> float:
    """Have requests answered, and return the least microseconds of processor time that one took."""
    protocol, counters = KINDS[kind](), Counters() if is_counted else None
    more: dict[str, Any] = {"responders": (page,), "ready_limit": 1_000_000} if kind == "ready" else {}
    protocol.use_defaults(HandlerOptions(access_log=None, counters=counters, **more))
    protocol.connection_made(Nowhere())
    figures = []
    for _ in range(times):
        began = time.process_time()
        for _ in range(REQUESTS):
            protocol.data_received(REQUEST)
        if counters is not None:
            counters.fold()
        figures.append((time.process_time() - began) / REQUESTS * 1e6)
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    return min(figures)


def main() -> None:
    """Print a table; or, in a process for one figure, that."""
    if len(sys.argv) > 1:
        kind, times, *counted = sys.argv[1:]
        print(asyncio.run(run(kind, int(times), is_counted=bool(counted))))
        return
    for kind in KINDS:
        if shutil.which("valgrind"):
            tell(kind, "instructions", instructions(kind), instructions(kind, "counted"))
        pairs = [[ask(kind, TIMES), ask(kind, TIMES, "counted")] for _ in range(ROUNDS)]
        without, counted = (statistics.median(column) for column in zip(*pairs, strict=True))
        tell(kind, "us", without, counted)


def tell(kind: str, unit: str, without: float, counted: float) -> None:
    """Print a line."""
    share = (counted / without - 1) * 100
    print(f"{kind:10} {without:12,.2f}   counted {counted:12,.2f} {unit:13} {share:+.1f} %", flush=True)


def command(kind: str, times: int, *words: str) -> list[str]:
    """Measure in a process of its own: Python makes code fast for the classes that it meets there."""
    return [sys.executable, __file__, kind, str(times), *words]


def ask(kind: str, times: int, *words: str) -> float:
    """Return microseconds."""
    done = subprocess.run(command(kind, times, *words), capture_output=True, text=True, check=True)
    return float(done.stdout)


def instructions(kind: str, *words: str) -> float:
    """Return how many a request takes."""
    # The least of some, as the first run may compile what it loads.
    few, many = (min(count(command(kind, times, *words)) for _ in range(RUNS)) for times in (FEW, MANY))
    return (many - few) / (MANY - FEW) / REQUESTS


def count(words: list[str]) -> int:
    """Return how many a process takes."""
    tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    still = {**os.environ, "PYTHONHASHSEED": "0"}  # so that tables of strings are the same each time
    done = subprocess.run([*tool, *words], capture_output=True, text=True, check=True, env=still)
    (number,) = re.findall(r"I +refs: +([\d,]+)", done.stderr)
    return int(number.replace(",", ""))


if __name__ == "__main__":
    main()
