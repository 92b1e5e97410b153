"""SIGTERM loses no answer: `python bench/endurance/drain.py`, ten servers on each loop.

When it comes, each server has 20 answers of 2 s in flight, 200 idle connections, one answer that never ends,
and 100 connections with a request each that no worker has accepted yet: the workers are stopped while these
are made, and go on behind the signal. Expected: the 20 and the 100 arrive to the byte, the idle ones are
closed at once and without a reset, the endless one is cut off at `--timeout-shutdown`, which half a second
later has to have been the end, with exit code 0, and a last line that says so.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import statistics
import sys
import threading
import time
from dataclasses import dataclass, field

from app import LONG_PIECE, LONG_PIECES, SIZE, body_for
from common import Findings, Server, parse_options, wait_until

GRACE = 0.5  # seconds beyond --timeout-shutdown
IDLE_AT_ONCE = 1.0  # seconds in which idle connections are closed
LONG_BODY = b"".join(b"%d" % (number % 10) * LONG_PIECE for number in range(LONG_PIECES))


@dataclass
class Client:
    """A connection with one request, read to its end by a thread.

    Attributes:
        received: all of it.
        end: how it ended: closed, or the name of the error.
        ended: when.
    """

    port: int
    path: str
    received: bytes = b""
    end: str = "never"
    ended: float = 0.0
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        """Connect, ask, and begin to read."""
        self._sock = socket.create_connection(("127.0.0.1", self.port), 20)
        self._sock.sendall(f"GET /{self.path} HTTP/1.1\r\nHost: drain.example\r\n\r\n".encode("ascii"))
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def is_whole(self, body: bytes | None = None) -> bool:
        """Tell whether the answer is the expected one, to the byte, and its connection then closed."""
        head, _, found = self.received.partition(b"\r\n\r\n")
        if body is None:
            body = body_for(f"/{self.path}", int(found[:10] or b"0"))
        return head.startswith(b"HTTP/1.1 200 ") and found == body and self.end == "closed"

    def _read(self) -> None:
        try:
            while data := self._sock.recv(262_144):
                self.received += data
            self.end = "closed"
        except OSError as error:
            self.end = type(error).__name__
        self.ended = time.monotonic()
        self._sock.close()


def drain(findings: Findings, loop: str, workers: int, limit: float) -> float:
    """End one server, and return the seconds from the signal to its end."""
    with Server(loop, "--timeout-shutdown", f"{limit:g}", workers=workers) as server:
        wait_until(lambda: len(server.workers()) == workers)
        idle = [Client(server.port, f"idle{number}") for number in range(200)]
        endless = Client(server.port, "endless")
        wait_until(lambda: endless.received and all(len(each.received) > SIZE for each in idle))
        long = [Client(server.port, "long") for _ in range(20)]
        wait_until(lambda: all(len(each.received) >= LONG_PIECE for each in long))
        for pid in server.workers():
            os.kill(pid, signal.SIGSTOP)
        waiting = [Client(server.port, f"waiting{number}") for number in range(100)]
        begin = time.monotonic()
        server.send(signal.SIGTERM)
        for pid in server.workers():
            os.kill(pid, signal.SIGCONT)
        code = server.wait(limit + 20)
        took = time.monotonic() - begin
        for each in (*idle, *long, *waiting, endless):
            each.thread.join(20)
        last = (server.said().splitlines() or [""])[-1]
        complaints = server.count_said(r" (WARNING|ERROR|CRITICAL) |Traceback")
    whole = sum(each.is_whole(LONG_BODY) for each in long)
    answered = sum(each.is_whole() for each in waiting)
    ends = sum(each.is_whole() for each in idle)
    slowest = max(each.ended for each in idle) - begin
    findings.row(loop, workers, f"{whole} of 20", f"{answered} of 100", f"{ends} of 200", slowest, took, code)
    findings.expect(whole == 20, "answers in flight arrive whole")
    findings.expect(
        answered == 100, f"who waits to be accepted is answered: {[each.end for each in waiting]}"
    )
    findings.expect(ends == 200, f"idle connections are closed in good order: {[each.end for each in idle]}")
    findings.expect(slowest < IDLE_AT_ONCE, "idle connections are closed at once")
    findings.expect(code == 0, "the exit code is 0")
    findings.expect(took < limit + GRACE, f"it ends in {limit:g} s and {GRACE:g} s more")
    summary = re.search(r"INFO stopped: (\d+) answered, (\d+) cut off$", last)
    findings.expect(summary and int(summary[1]) >= 20 and summary[2] == "1", f"it is summed up: {last}")
    findings.expect(not complaints, "nothing is complained about")
    return took


def main() -> int:
    """Run it on the loops that were asked for."""
    options = parse_options(__doc__, workers=0, times=5, timeout_shutdown=4.0)
    findings = Findings(
        f"SIGTERM, with --timeout-shutdown {options.timeout_shutdown:g}; seconds",
        *("loop", "workers", "in flight", "waiting", "idle", "idle closed in", "ended in", "exit code"),
    )
    ends: dict[str, list[float]] = {}
    for loop in options.loops:
        for at in range(options.times * 2):
            workers = options.workers or 1 + at % 2
            ends.setdefault(loop, []).append(drain(findings, loop, workers, options.timeout_shutdown))
    for loop, took in ends.items():
        print(f"{loop}: ended in {statistics.median(took):.3f} s (median), {max(took):.3f} s (worst)")
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
