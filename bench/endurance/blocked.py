"""Blocked workers are replaced: `python bench/endurance/blocked.py`, 20 loops and 5 processes on either kind.

A handler that sleeps for ever blocks its worker's loop, and SIGSTOP the whole process. The parent has to end
it in `--timeout-worker` and write its stacks to the standard error (a process that is stopped cannot); from
the request that blocks to the first answer of the worker that takes the place may be a second more. Requests
on connections that the blocked worker has are lost with it, as far as the system says that they are its own:
all others must be answered.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import statistics
import sys
import time
from dataclasses import dataclass

from common import Findings, Server, parse_options, ports_of, wait_until
from crowd import Crowd

GRACE = 1.0  # seconds beyond --timeout-worker
_TURN = 0.01
_SETTLED = 0.3  # seconds after which a blocked worker has accepted whatever it will
_REQUEST = b"GET /%b HTTP/1.1\r\nHost: blocked.example\r\n\r\n"


@dataclass
class Blocked:
    """One of them.

    Attributes:
        pid: of the worker.
        replaced: seconds until another one answered in its place; a minute where none did.
        answers: of the others meanwhile.
        own: requests that were lost on its connections.
        others: requests that were lost elsewhere.
    """

    pid: int
    replaced: float
    answers: int
    own: int
    others: int


def block_loop(port: int) -> tuple[int, socket.socket]:
    """Block the loop of the worker that takes our connection; return its pid, and the connection."""
    sock = socket.create_connection(("127.0.0.1", port), 20)
    sock.sendall(_REQUEST % b"")
    answer = b""
    while not (found := re.search(rb"\r\n\r\n *(\d+) /\n", answer)):
        answer += sock.recv(4096)
    sock.sendall(_REQUEST % b"block")
    return int(found[1]), sock


def watch(server: Server, crowd: Crowd, how: str, limit: float) -> Blocked:
    """Block one worker, and go on until it is replaced."""
    known = set(server.workers())
    answers, failures = crowd.answers, len(crowd.failures)
    begin = time.monotonic()
    if how == "loop":
        pid, sock = block_loop(server.port)
    else:
        pid, sock = max(known), socket.socket()
        os.kill(pid, signal.SIGSTOP)
    crowd.run(_SETTLED)
    ports = ports_of(pid)
    replaced = limit
    while replaced == limit and time.monotonic() < begin + limit:
        crowd.run(_TURN)
        if new := [crowd.seen[each] for each in set(server.workers()) - known if each in crowd.seen]:
            replaced = min(new) - begin
    answers = crowd.answers - answers
    wait_until(lambda: pid not in server.workers(), 5)
    crowd.run(1.1)  # the end of its connections is seen, and the new one lives longer than a second
    sock.close()
    lost = crowd.failures[failures:]
    own = [each for each in lost if each.port in ports]
    return Blocked(pid, replaced, answers, len(own), len(lost) - len(own))


def has_stack(said: str, pid: int) -> bool:
    """Tell whether the stack of the handler follows the complaint about a worker."""
    _, _, rest = said.partition(f"worker {pid} has been blocked for too long")
    rest = rest.partition("has been blocked for too long")[0]
    return re.search(r'File ".*app\.py", line \d+ in handle_request', rest) is not None


def measure(findings: Findings, loop: str, how: str, times: int, options: tuple[int, float]) -> None:
    """Block so many, one after the other."""
    workers, timeout = options
    with Server(loop, "--timeout-worker", f"{timeout:g}", workers=workers) as server:
        crowd = Crowd(server.port, keeping=8, changing=8)
        while len(crowd.seen) < workers:
            crowd.run(_TURN)
        crowd.run(1.1)
        found = [watch(server, crowd, how, 60.0) for _ in range(times)]
        crowd.finish()
        said = server.said()
    seconds = [each.replaced for each in found]
    stacks = sum(has_stack(said, each.pid) for each in found)
    others = sum(each.others for each in found)
    findings.row(
        *(f"{loop} {how}", workers, f"{sum(each < timeout + GRACE for each in seconds)} of {times}"),
        *(statistics.median(seconds), max(seconds), stacks, min(each.answers for each in found)),
        *(sum(each.own for each in found), others, crowd.slowest),
    )
    findings.expect(max(seconds) < timeout + GRACE, f"it is replaced in {timeout:g} s and {GRACE:g} s more")
    findings.expect(how != "loop" or stacks == times, "the stacks are written")
    findings.expect(not others, "all others are answered")
    findings.expect(min(each.answers for each in found), "the others serve meanwhile")


def main() -> int:
    """Run it on the loops that were asked for."""
    options = parse_options(__doc__, workers=2, loops_blocked=20, stopped=5, timeout_worker=2.0)
    findings = Findings(
        f"workers blocked, with --timeout-worker {options.timeout_worker:g}; seconds",
        *("loop, how", "workers", "in time", "median", "worst", "stacks", "answers at least"),
        *("lost by it", "by others", "slowest"),
    )
    for loop in options.loops:
        sizes = (options.workers, options.timeout_worker)
        measure(findings, loop, "loop", options.loops_blocked, sizes)
        measure(findings, loop, "stopped", options.stopped, sizes)
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
