"""Reloads lose nothing: `python bench/endurance/hups.py`, 100 SIGHUPs and more, four times on each loop.

Each SIGHUP is sent when the reload before it has been finished, until there were as many as were asked for
and as many requests. Two kinds of load:

    keep      wrk with keep-alive, and beside it our own client, which checks every byte, on 4 connections
    connect   ab and our own client, each with a connection for each request

What wrk counts as a socket error or as anything but 2xx, what ab counts as failed, and what our client finds
wrong must be nothing at all. The parent must have as many descriptors as before, and its memory must not grow
with the number of reloads: it is taken before the first, after a tenth of those asked for, and in the end.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections import Counter

from common import PATIENCE, Findings, Server, parse_options
from crowd import Crowd

GROWTH = 1024  # KiB that the parent may have more in the end than after a tenth of the reloads
_TURN = 0.01  # seconds

TOOLS = {
    "keep": ["wrk", "-t1", "-c16", "-d5", "--timeout", "20s"],
    "connect": ["ab", "-q", "-r", "-n", "5000", "-c", "8", "-s", "20"],
}
KEEPING = {"keep": 4, "connect": 0}  # connections of our own client
CHANGING = {"keep": 0, "connect": 8}
_ANSWERED = {"keep": r"(\d+) requests in", "connect": r"Complete requests:\s+(\d+)"}
_FAILED = {
    "keep": {
        "connect": r"errors: connect (\d+)",
        "read": r"errors: .*read (\d+)",
        "write": r"errors: .*write (\d+)",
        "timeout": r"errors: .*timeout (\d+)",
        "status": r"Non-2xx or 3xx responses: (\d+)",
    },
    "connect": {
        "failed": r"Failed requests:\s+(\d+)",
        "status": r"Non-2xx responses:\s+(\d+)",
        "write": r"Write errors:\s+(\d+)",
    },
}


class Tool:
    """wrk or ab, run again and again.

    Args:
        kind: of load.
        port: of the server.
    """

    def __init__(self, kind: str, port: int) -> None:
        self.answers = 0
        self.failures: Counter[str] = Counter()
        self._kind = kind
        self._command = [*TOOLS[kind], f"http://127.0.0.1:{port}/"]
        self._start()

    def look(self, *, may_start: bool) -> bool:
        """Count what it says when it has ended, and start it anew; tell whether it runs."""
        if self._process.poll() is None:
            return True
        said = self._process.communicate()[0]
        found = re.search(_ANSWERED[self._kind], said)
        if found is None:
            self.failures[f"{self._command[0]} gave up: {said.strip()[-200:]}"] += 1
        else:
            self.answers += int(found[1])
        for name, pattern in _FAILED[self._kind].items():
            if (failed := re.search(pattern, said)) and int(failed[1]):
                self.failures[name] += int(failed[1])
        if may_start:
            self._start()
        return may_start

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def measure(findings: Findings, loop: str, workers: int, kind: str, reloads: int, requests: int) -> None:
    """Send so many signals at least, and go on until so many requests have been answered."""
    with Server(loop, workers=workers) as server:
        crowd = Crowd(server.port, keeping=KEEPING[kind], changing=CHANGING[kind])
        tool = Tool(kind, server.port)
        crowd.run(1)
        files, before = server.descriptors(), server.memory()
        times: list[float] = []
        early = before
        while len(times) < reloads or crowd.answers + tool.answers < requests:
            begin = time.monotonic()
            server.send(signal.SIGHUP)
            while server.count_said("INFO reloaded\n") == len(times):
                crowd.run(_TURN)
                tool.look(may_start=True)
                if time.monotonic() - begin > PATIENCE:
                    raise SystemExit(f"a reload did not come to its end:\n{server.said()[-2000:]}")
            times.append(time.monotonic() - begin)
            if len(times) == reloads // 10:
                early = server.memory()
        while tool.look(may_start=False):
            crowd.run(_TURN)
        crowd.finish()
        time.sleep(1)  # the last worker that retires goes
        after, files_after = server.memory(), server.descriptors()
        errors = server.count_said(r" (ERROR|CRITICAL) |Traceback")
    failures = tool.failures + crowd.kinds()
    findings.row(
        *(f"{loop} {kind}", workers, len(times), tool.answers, crowd.answers, sum(failures.values())),
        *(sorted(times)[len(times) // 2], max(times), crowd.slowest, f"{files}/{files_after}"),
        *("/".join(str(each.rss) for each in (before, early, after)), f"{before.pss}/{after.pss}"),
    )
    findings.expect(not failures, f"no request is lost: {dict(failures)}")
    findings.expect(files_after == files, "the parent has as many descriptors as before")
    findings.expect(after.rss - early.rss <= GROWTH, "the parent does not grow")
    findings.expect(not errors, "nothing is complained about")


def main() -> int:
    """Run all of it, or what was asked for."""
    options = parse_options(__doc__, workers=0, reloads=100, requests=200_000)
    findings = Findings(
        f"{options.reloads} reloads, at least {options.requests} requests; seconds, KiB",
        *("loop, load", "workers", "reloads", "tool", "strict", "failed", "median", "worst", "slowest"),
        *("files", "RSS before/10%/after", "PSS before/after"),
    )
    for loop in options.loops:
        for workers in [options.workers] if options.workers else [1, 2]:
            for kind in TOOLS:
                measure(findings, loop, workers, kind, options.reloads, options.requests)
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
