"""Processor time per request, beside other servers: `make bench`, `make bench ONLY=hello`.

Each server runs on one core and wrk on another, the servers take turns within a round, and what is compared
is user and system time of the whole server per request, read from /proc: it is steadier than requests per
second. The medians of all rounds are printed, with each server's ratio to aioserve.

The scenario "workers" shows one worker and two. There both cores are everybody's, and wrk takes its share of
them: with two cores of their own two workers could do more than the requests per second that it shows.

Needs Linux, two cores and wrk; nginx and caddy are measured where they are found. The Python peers are
installed into an environment of their own, .venv-bench.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench.servers import HERE, install_peers, running, servers

TICK = os.sysconf("SC_CLK_TCK")
BROWSER = [
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-US,en;q=0.5",
    "Cache-Control: no-cache",
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark",
    "DNT: 1",
    "Pragma: no-cache",
    "Referer: http://127.0.0.1/some/page?with=query",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
]


@dataclass(frozen=True)
class Scenario:
    """What is asked of the servers.

    Attributes:
        name: of the scenario.
        servers: their names; the others are compared with the first.
        path: what is asked for.
        headers: and with which header fields.
        revalidates: the client has the file already, and asks whether it is still the same.
        shares_cores: servers and wrk are on both cores, instead of one each.
    """

    name: str
    servers: list[str]
    path: str = "/"
    headers: list[str] = field(default_factory=list)
    revalidates: bool = False
    shares_cores: bool = False


HELLO = ["aioserve", "floor", "uvicorn", "granian"]
LOGS = ["aioserve log", "aioserve", "uvicorn log", "granian log"]
WORKERS = ["aioserve", "aioserve 2", "uvicorn", "uvicorn 2"]
FILES = ["static", "nginx cached", "nginx", "caddy", "granian files", "starlette"]

SCENARIOS = [
    Scenario("hello", HELLO),
    Scenario("log", LOGS),
    Scenario("workers", WORKERS, shares_cores=True),
    Scenario("browser", HELLO, headers=BROWSER),
    Scenario("static-1k", FILES, path="/1k.bin"),
    Scenario("static-1k-browser", FILES, path="/1k.bin", headers=BROWSER),
    Scenario("static-304", FILES, path="/1k.bin", revalidates=True),
    Scenario("static-100k", FILES, path="/100k.bin"),
    Scenario("static-10m", FILES, path="/10m.bin"),
]
SIZES = {"1k.bin": 1_024, "100k.bin": 100_000, "10m.bin": 10_000_000}


def main() -> int:
    """Run the scenarios that were asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="names of scenarios, or how they begin")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk") or not hasattr(os, "sched_setaffinity"):
        print("bench: needs Linux and wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    install_peers()
    results = {}
    with tempfile.TemporaryDirectory() as site:
        for name, size in SIZES.items():
            Path(site, name).write_bytes(os.urandom(size))
        for scenario in SCENARIOS:
            if not options.only or scenario.name.startswith(tuple(options.only)):
                results[scenario.name] = run_scenario(scenario, site, options.rounds, options.seconds)
    if not options.only:
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="ascii")
    return 0


def run_scenario(scenario: Scenario, site: str, rounds: int, seconds: int) -> dict[str, dict[str, float]]:
    """Let the servers take turns; print and return the medians."""
    known = servers()
    present = [known[name] for name in scenario.servers if shutil.which(known[name].command[0])]
    figures: dict[str, list[tuple[float, float]]] = {server.name: [] for server in present}
    for _ in range(rounds):
        for server in present:
            with running(server, site, "0,1" if scenario.shares_cores else "0") as (pid, port):
                url = f"http://127.0.0.1:{port}{server.prefix}{scenario.path}"
                load(url, scenario, 1)
                figures[server.name].append(measure(pid, url, scenario, seconds))
    cores = ", servers and wrk share two cores" if scenario.shares_cores else ""
    print(f"\n{scenario.name}: median of {rounds} rounds of {seconds} s, 64 connections{cores}")
    print(f"{'server':14} {'us/request':>10} {'requests/s':>11} {'ratio':>6}")
    medians = {
        name: {
            "us_per_request": statistics.median(us for us, _ in rows),
            "requests_per_second": statistics.median(rate for _, rate in rows),
        }
        for name, rows in figures.items()
    }
    ours = medians[scenario.servers[0]]["us_per_request"]
    for name, median in medians.items():
        us, rate = median["us_per_request"], median["requests_per_second"]
        print(f"{name:14} {us:10.2f} {rate:11.0f} {us / ours:6.2f}", flush=True)
    return medians


def measure(pid: int, url: str, scenario: Scenario, seconds: int) -> tuple[float, float]:
    """Return microseconds of processor time per request, and requests per second; none may be in time."""
    before = processor_time(pid)
    count = load(url, scenario, seconds)
    return (processor_time(pid) - before) / count * 1e6 if count else inf, count / seconds


def processor_time(pid: int) -> float:
    """Sum user and system time of a process and its children, in seconds."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return (int(stat[11]) + int(stat[12])) / TICK + sum(processor_time(int(child)) for child in children)


def load(url: str, scenario: Scenario, seconds: int) -> int:
    """Let wrk ask, from the second core or from both; return how many requests were answered, all well."""
    fields = [*scenario.headers, *(validators_of(url) if scenario.revalidates else [])]
    headers = [word for header in fields for word in ("-H", header)]
    cores = "0,1" if scenario.shares_cores else "1"
    wrk = ["taskset", "-c", cores, "wrk", "-t1", "-c64", f"-d{seconds}", *headers, url]
    said = subprocess.run(wrk, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"bench: not all requests were answered:\n{said}")
    counted = re.search(r"(\d+) requests in", said)
    if counted is None:
        raise SystemExit(f"bench: wrk said nothing of use:\n{said}")
    return int(counted[1])


def validators_of(url: str) -> list[str]:
    """Ask for a file, and return the conditions with which a browser asks for it again."""
    with urllib.request.urlopen(url) as reply:  # noqa: S310 - our own servers
        pairs = {"If-None-Match": reply.headers["ETag"], "If-Modified-Since": reply.headers["Last-Modified"]}
    return [f"{name}: {value}" for name, value in pairs.items() if value]


if __name__ == "__main__":
    sys.exit(main())
