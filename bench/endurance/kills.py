"""What `kill -9` costs: `python bench/endurance/kills.py`, one of 4 workers every 2 s for 60 s on each loop.

Our client has connections of both kinds, and an answer takes 10 ms, so that something is in flight at any
time. A worker is stopped for a moment before it is killed: then the system tells which connections it has,
and the client, which does nothing meanwhile, how many requests wait on them. Failures must not be more than
that, and be on these connections; none may be refused. The capacity is back when a worker that was not there
before has answered, and the parent has as many children as it should: that must take less than a second.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import time
from dataclasses import dataclass

from common import Findings, Server, parse_options, ports_of
from crowd import Crowd

BACK = 1.0  # seconds
_TURN = 0.01


@dataclass
class Kill:
    """One of them.

    Attributes:
        in_flight: requests that the worker had.
        failed: requests that failed, on its connections.
        elsewhere: those that failed on others, or were refused.
        back: seconds until the capacity was back.
    """

    in_flight: int
    failed: int
    elsewhere: int
    back: float


def kill_one(server: Server, crowd: Crowd, period: float, *, busiest: bool) -> Kill:
    """Kill one, and go on until the next is due."""
    known = set(server.workers())
    if busiest:
        victim = max(known, key=lambda pid: crowd.in_flight(ports_of(pid)))
    else:
        victim = random.choice([*known])  # noqa: S311 - no secret
    failures = len(crowd.failures)
    os.kill(victim, signal.SIGSTOP)
    ports = ports_of(victim)
    in_flight = crowd.in_flight(ports)
    os.kill(victim, signal.SIGKILL)
    begin, back = time.monotonic(), period
    while time.monotonic() < begin + period:
        crowd.run(_TURN)
        new = [crowd.seen[pid] for pid in set(server.workers()) - known if pid in crowd.seen]
        if back == period and new and len(server.workers()) == len(known):
            back = min(new) - begin
    failed = crowd.failures[failures:]
    # Another's connection may come to have one of these ports, once it is free, but not in the first moment.
    own = [each for each in failed if each.port in ports and each.what != "refused"]
    return Kill(in_flight, len(own), len(failed) - len(own), back)


def measure(findings: Findings, loop: str, workers: int, seconds: float, period: float) -> None:
    """Kill for so long."""
    with Server(loop, workers=workers) as server:
        crowd = Crowd(server.port, keeping=16, changing=16, prefix="/slow/")
        while len(crowd.seen) < workers:
            crowd.run(_TURN)
        crowd.run(1.5)  # a worker that dies in its first second would be one that cannot serve
        number = int(seconds / period)
        kills = [kill_one(server, crowd, period, busiest=at % 2 == 0) for at in range(number)]
        crowd.finish()
        told = server.count_said("was ended by SIGKILL")
    backs = [each.back for each in kills]
    most = max(kills, key=lambda each: each.failed)
    findings.row(
        *(loop, workers, len(kills), crowd.answers, sum(each.in_flight for each in kills)),
        *(sum(each.failed for each in kills), f"{most.failed} of {most.in_flight}"),
        *(sum(each.elsewhere for each in kills), crowd.kinds()["refused"]),
        *(statistics.median(backs), max(backs), crowd.slowest),
    )
    findings.expect(all(each.failed <= each.in_flight for each in kills), "no more fails than was in flight")
    findings.expect(
        len(crowd.failures) == sum(each.failed for each in kills),
        f"nothing else fails: {dict(crowd.kinds())}",
    )
    findings.expect(max(backs) < BACK, f"the capacity is back in {BACK:g} s")
    findings.expect(told == len(kills), "each end is told")


def main() -> int:
    """Run it on the loops that were asked for."""
    options = parse_options(__doc__, workers=4, seconds=60.0, period=2.0)
    findings = Findings(
        f"a worker killed every {options.period:g} s for {options.seconds:g} s; seconds",
        *("loop", "workers", "kills", "answers", "in flight", "failed", "most at once"),
        *("elsewhere", "refused", "back: median", "worst", "slowest"),
    )
    for loop in options.loops:
        measure(findings, loop, options.workers, options.seconds, options.period)
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
