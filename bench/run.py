"""Processor time per request, beside other servers: `make bench`, `make bench ONLY=hello`.

Each server runs on one core and wrk on another, the servers take turns within a round, and what is compared
is user and system time of the whole server per request, read from /proc: it is steadier than requests per
second. The medians of all rounds are printed, with each server's ratio to aioserve.

Needs Linux, two cores and wrk. The Python peers are installed into an environment of their own, .venv-bench.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-bench"
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
class Server:
    """A server to measure: its name, and its command with PORT and SITE to be filled in."""

    name: str
    command: list[str]


@dataclass(frozen=True)
class Scenario:
    """What is asked of the servers."""

    name: str
    servers: list[str]
    path: str = "/"
    headers: list[str] = field(default_factory=list)


def servers() -> dict[str, Server]:
    """Name all servers; those that are not installed are left out later."""
    python = sys.executable
    peer = str(PEERS / "bin") + "/"
    quiet = ["--no-access-log", "-q"]
    listed = [
        Server("floor", [python, str(HERE / "floor.py"), "PORT"]),
        Server("aioserve", [python, "-m", "aioserve", "bench/app.py:Handler", "--port", "PORT", *quiet]),
        Server("static", [python, "-m", "aioserve", "--static", "SITE", "--port", "PORT", *quiet]),
        Server(
            "uvicorn",
            [peer + "uvicorn", "app_asgi:app", "--app-dir", str(HERE), "--port", "PORT", "--no-access-log"],
        ),
        Server(
            "granian",
            [
                *(peer + "granian", "--interface", "rsgi", "app_rsgi:app", "--port", "PORT"),
                *("--working-dir", str(HERE), "--no-ws", "--log-level", "error"),
            ],
        ),
        Server("nginx", ["nginx", "-p", "SITE", "-c", "SITE/.nginx.conf"]),
    ]
    return {server.name: server for server in listed}


SCENARIOS = [
    Scenario("hello", ["aioserve", "floor", "uvicorn", "granian"]),
    Scenario("browser", ["aioserve", "floor", "uvicorn", "granian"], headers=BROWSER),
    Scenario("static", ["static", "nginx"], path="/1k.txt"),
]


def main() -> int:
    """Run the scenarios that were asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="names of scenarios")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    options = parser.parse_args()
    if not shutil.which("wrk") or not hasattr(os, "sched_setaffinity"):
        print("bench: needs Linux and wrk (Debian: apt-get install wrk)", file=sys.stderr)
        return 2
    install_peers()
    results = {}
    with tempfile.TemporaryDirectory() as site:
        Path(site, "1k.txt").write_text("x" * 1023 + "\n", encoding="ascii")
        for scenario in SCENARIOS:
            if not options.only or scenario.name in options.only:
                results[scenario.name] = run_scenario(scenario, site, options.rounds, options.seconds)
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="ascii")
    return 0


def install_peers() -> None:
    """Put the Python peers into their own environment, once."""
    if not (PEERS / "bin" / "granian").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        pip = [str(PEERS / "bin" / "pip"), "install", "--quiet"]
        subprocess.run([*pip, "uvicorn", "httptools", "uvloop", "granian"], check=True)


def run_scenario(scenario: Scenario, site: str, rounds: int, seconds: int) -> dict[str, dict[str, float]]:
    """Let the servers take turns; print and return the medians."""
    known = servers()
    present = [known[name] for name in scenario.servers if shutil.which(known[name].command[0])]
    figures: dict[str, list[tuple[float, float]]] = {server.name: [] for server in present}
    for _ in range(rounds):
        for server in present:
            with running(server, site) as (pid, port):
                load(port, scenario, 1)
                figures[server.name].append(measure(pid, port, scenario, seconds))
    print(f"\n{scenario.name}: median of {rounds} rounds of {seconds} s, 64 connections")
    print(f"{'server':10} {'us/request':>10} {'requests/s':>11} {'ratio':>6}")
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
        print(f"{name:10} {us:10.2f} {rate:11.0f} {us / ours:6.2f}")
    return medians


@contextmanager
def running(server: Server, site: str) -> Iterator[tuple[int, int]]:
    """Start a server on the first core and stop it in the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    Path(site, ".nginx.conf").write_text(
        f"daemon off; master_process off; pid {site}/.pid; error_log /dev/null; events {{}}\n"
        f"http {{ access_log off; keepalive_requests 1000000; open_file_cache max=100;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {site}; }} }}\n",
        encoding="ascii",
    )
    command = [word.replace("PORT", str(port)).replace("SITE", site) for word in server.command]
    process = subprocess.Popen(
        ["taskset", "-c", "0", *command],
        cwd=HERE.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"bench: {server.name} does not start: {command}") from None
                time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)


def measure(pid: int, port: int, scenario: Scenario, seconds: int) -> tuple[float, float]:
    """Return microseconds of processor time per request, and requests per second."""
    before = processor_time(pid)
    count = load(port, scenario, seconds)
    return (processor_time(pid) - before) / count * 1e6, count / seconds


def processor_time(pid: int) -> float:
    """Sum user and system time of a process and its children, in seconds."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return (int(stat[11]) + int(stat[12])) / TICK + sum(processor_time(int(child)) for child in children)


def load(port: int, scenario: Scenario, seconds: int) -> int:
    """Let wrk ask from the second core; return how many requests were answered, all of them well."""
    headers = [word for header in scenario.headers for word in ("-H", header)]
    url = f"http://127.0.0.1:{port}{scenario.path}"
    wrk = ["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}", *headers, url]
    said = subprocess.run(wrk, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"bench: not all requests were answered:\n{said}")
    counted = re.search(r"(\d+) requests in", said)
    if counted is None:
        raise SystemExit(f"bench: wrk said nothing of use:\n{said}")
    return int(counted[1])


if __name__ == "__main__":
    sys.exit(main())
