"""A folder and a file that are exchanged for links to the outside, all the time, while they are fetched.

    python tests/static/race.py [FETCHES] [asyncio|uvloop]

starts the command and fetches from it that often (200,000 times), beside a process that exchanges. The tests
do the same for a moment.
"""
# ruff: noqa: T201 - a script

from __future__ import annotations

import ctypes
import gzip
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]

INSIDE = b"for everybody\n"
TWIN = gzip.compress(INSIDE, mtime=0)
CANARY = b"not for you\n"
PAIRS = [("dir", "link"), ("one.txt", "two.txt"), ("hop", "hop-out")]  # each is exchanged for the other
PATHS = [
    *("/dir/file.txt", "/dir/", "/dir/page.css", "/dir/inner/file.txt", "/link/file.txt", "/link/"),
    *("/one.txt", "/two.txt", "/hop/file.txt", "/hop/", "/via/file.txt", "/via/inner/file.txt"),
]

AT_ONCE = 32  # requests that are on the way together
EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
AT_FDCWD = -100
_HEAD = re.compile(
    rb"HTTP/1\.1 (\d{3}) [^\r\n]*\r\n(?:[^\r\n]+\r\n)*?Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n"
)


def build(base: Path) -> Path:
    """Make the root with what is exchanged in it, and the outside beside it; return the root."""
    inside, outside = (INSIDE, TWIN), (CANARY, CANARY)
    for folder, (content, twin) in {"root/dir": inside, "root/safe": inside, "outside": outside}.items():
        (base / folder / "inner").mkdir(parents=True)
        for name in ("file.txt", "index.html", "page.css", "inner/file.txt"):
            (base / folder / name).write_bytes(content)
        (base / folder / "page.css.gz").write_bytes(twin)
    (base / "root/one.txt").write_bytes(INSIDE)
    for name, target in {
        "link": "../outside",
        "two.txt": "../outside/file.txt",
        "hop": "safe",
        "hop-out": "../outside",
        "via": "dir",
    }.items():
        (base / "root" / name).symlink_to(target)
    return base / "root"


def exchange_until_told(root: Path) -> int:
    """Exchange until standard input ends; return how often."""
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    os.chdir(root)
    os.set_blocking(0, False)
    count = 0
    while _is_open(0):
        for _ in range(50):
            for one, other in PAIRS:
                if renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), EXCHANGE):
                    raise OSError(ctypes.get_errno(), "renameat2")
            # The same in steps, where for a moment there is nothing.
            for one, other in PAIRS:
                os.rename(one, "aside")  # noqa: PTH104 - as little as can be between them
                os.rename(other, one)  # noqa: PTH104
                os.rename("aside", other)  # noqa: PTH104
            count += 2 * len(PAIRS)
    return count


def _is_open(descriptor: int) -> bool:
    try:
        return os.read(descriptor, 1) != b""
    except BlockingIOError:
        return True


@contextmanager
def exchanging(root: Path):
    """Exchange in another process; yields a list that has the number of exchanges in the end."""
    process = subprocess.Popen(
        [sys.executable, __file__, "exchange", str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    counted: list[int] = []
    try:
        yield counted
    finally:
        said, _ = process.communicate()
    counted.append(int(said))


def fetch(port: int, times: int) -> Counter[tuple[int, bytes]]:
    """Fetch from a server as often as that; return how often each status came with each body."""
    seen: Counter[tuple[int, bytes]] = Counter()
    requests = b"".join(
        f"GET {path} HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        for path in islice(cycle(PATHS), AT_ONCE)
    )
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        for _ in range(-(-times // AT_ONCE)):
            sock.sendall(requests)
            data, at, missing = b"", 0, AT_ONCE
            while missing:
                if head := _HEAD.match(data, at):
                    end = head.end() + int(head[2])
                    if end <= len(data):
                        seen[int(head[1]), data[head.end() : end]] += 1
                        at, missing = end, missing - 1
                        continue
                more = sock.recv(1 << 20)
                if not more:
                    raise EOFError("the server has closed the connection")
                data += more
    return seen


def race(times: int, loop: str) -> Counter[tuple[int, bytes]]:
    """Let the command serve what is exchanged, and fetch it."""
    with TemporaryDirectory() as folder:
        root, port_file = build(Path(folder)), Path(folder, "port")
        words = ["--static", str(root), "--port", "0", "--port-file", str(port_file), "--no-access-log"]
        words.append("--uvloop" if loop == "uvloop" else "--no-uvloop")
        with subprocess.Popen([sys.executable, "-m", "aioserve", *words], cwd=ROOT) as server:
            try:
                while not port_file.exists():
                    time.sleep(0.05)
                began = time.monotonic()
                with exchanging(root) as counted:
                    seen = fetch(int(port_file.read_text("ascii")), times)
                took = time.monotonic() - began
            finally:
                server.terminate()
    print(f"{loop}: {seen.total():,} fetches and {counted[0]:,} exchanges in {took:.0f} s")
    for (status, body), count in seen.most_common():
        print(f"    {count:9,}  {status}  {body[:40]!r}")
    return seen


def main() -> int:
    """Race, and return 1 where a byte of the canary came."""
    if sys.argv[1:2] == ["exchange"]:
        print(exchange_until_told(Path(sys.argv[2])))
        return 0
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    loops = sys.argv[2:] or ["asyncio", "uvloop"]
    return int(any(CANARY[:-1] in body for loop in loops for _, body in race(times, loop)))


if __name__ == "__main__":
    sys.exit(main())
