"""How soon there is an answer: `python bench/endurance/startup.py`, aioserve on each loop beside uvicorn.

The time is taken from the start of the process to the last byte of the first answer of a small handler; a
client tries to connect every two milliseconds. The servers take turns, each fifteen times, and both write
their access log to /dev/null. uvicorn, with uvloop and httptools, is installed into .venv-bench as for `make
bench`; there it is one process, while aioserve is a parent and a worker. Expected: aioserve's median is not
above uvicorn's.

All have their modules compiled in a folder of this script's own, by a first round that does not count:
whether Python may write beside the sources is the environment's affair.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from common import HERE, ROOT, Findings

sys.path.insert(0, str(ROOT))

from bench.servers import PEERS, install_peers

_PAUSE = 0.002
_REQUEST = b"GET / HTTP/1.1\r\nHost: startup.example\r\nConnection: close\r\n\r\n"
_COMMAND = str(Path(sys.executable).with_name("aioserve"))  # as users start it, and as uvicorn is
_AIOSERVE = [_COMMAND, "bench/app.py:Handler", "--port", "PORT"]
SERVERS = {
    "aioserve uvloop": [*_AIOSERVE, "--uvloop"],
    "aioserve asyncio": [*_AIOSERVE, "--no-uvloop"],
    "uvicorn uvloop": [
        *(f"{PEERS}/bin/uvicorn", "app_asgi:app", "--app-dir", str(HERE.parent)),
        *("--port", "PORT", "--loop", "uvloop"),
    ],
    "uvicorn asyncio": [
        *(f"{PEERS}/bin/uvicorn", "app_asgi:app", "--app-dir", str(HERE.parent)),
        *("--port", "PORT", "--loop", "asyncio"),
    ],
}


def free_port() -> int:
    """Return the number of a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int) -> bytes:
    """Ask once; return the answer, or nothing where there is nobody yet."""
    answer = b""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(_REQUEST)
        while data := sock.recv(4096):
            answer += data
    return answer


def time_to_answer(command: list[str], compiled: str) -> float:
    """Start a server, and return the seconds until its first answer."""
    port = free_port()
    words = [word.replace("PORT", str(port)) for word in command]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPYCACHEPREFIX"] = compiled
    begin = time.perf_counter()
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        while not (answer := ask(port)):
            if process.poll() is not None or time.perf_counter() - begin > 30:
                process.kill()
                raise SystemExit(f"it does not start: {' '.join(words)}")
            time.sleep(_PAUSE)
        took = time.perf_counter() - begin
        process.terminate()
    if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(b"\r\n\r\nHello, World!\n"):
        raise SystemExit(f"that was no answer: {answer!r}")
    return took


def main() -> int:
    """Let them take turns."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--loop", choices=["uvloop", "asyncio", "both"], default="both")
    options = parser.parse_args()
    install_peers()
    loops = ["uvloop", "asyncio"] if options.loop == "both" else [options.loop]
    chosen = {name: words for name, words in SERVERS.items() if name.split()[1] in loops}
    times: dict[str, list[float]] = {name: [] for name in chosen}
    with tempfile.TemporaryDirectory() as compiled:
        for at in range(options.rounds + 1):
            for name, words in chosen.items():
                took = time_to_answer(words, compiled)
                if at:
                    times[name].append(took)
    findings = Findings(
        f"from the start to the first answer, {options.rounds} rounds; seconds",
        *("server", "median", "least", "most"),
    )
    for name, each in times.items():
        findings.row(name, statistics.median(each), min(each), max(each))
    for loop in loops:
        ours, theirs = (statistics.median(times[f"{each} {loop}"]) for each in ("aioserve", "uvicorn"))
        findings.expect(ours <= theirs, f"on {loop} aioserve answers as soon as uvicorn")
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
