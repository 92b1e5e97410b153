"""What the scripts share: a server that is watched from outside, and how findings are told."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PATIENCE = 60.0  # seconds after which something that should have happened did not

LOOPS = ("uvloop", "asyncio")


class Memory(NamedTuple):
    """Memory of a process in KiB: what is resident, and the same with shared pages divided by their users."""

    rss: int
    pss: int


class Server:
    """`aioserve`, in processes of its own; a context manager.

    Args:
        loop: ``uvloop`` or ``asyncio``.
        words: more of its command line.
        workers: how many.
        wrapped: the words of a program in front, which becomes the server.
        more: for `subprocess.Popen`.

    Attributes:
        pid: of the parent.
        port: where it listens.
    """

    def __init__(
        self, loop: str, *words: str, workers: int = 1, wrapped: Sequence[str] = (), **more: Any
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._errors = Path(self._folder.name, "errors")
        command = [*wrapped, sys.executable, "-m", "aioserve", f"{HERE}/app.py:Handler", *words]
        command += ["--uvloop" if loop == "uvloop" else "--no-uvloop", "--workers", str(workers)]
        command += ["--port", "0", "--port-file", f"{self._folder.name}/port"]
        self._command = command
        self._more = {"stdout": subprocess.DEVNULL, **more}
        self._process: subprocess.Popen[bytes]
        self.pid = self.port = 0

    def __enter__(self) -> Self:
        """Start it, and wait until it serves."""
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(self._command, cwd=ROOT, stderr=errors, **self._more)
        self.pid = self._process.pid
        port = Path(self._folder.name, "port")
        if not wait_until(lambda: port.exists() and port.read_text("ascii").strip()):
            self.__exit__()
            raise SystemExit(f"the server did not start:\n{self.said()}")
        self.port = int(port.read_text("ascii"))
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and its workers with it."""
        workers = self.workers() if self._process.poll() is None else []
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(15)
        for pid in [*workers, self.pid] if self._process.poll() is None else []:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def send(self, number: int) -> None:
        """Send the parent a signal."""
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int | None:
        """Wait for the end; return the exit code, or None where it has not come."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def workers(self) -> list[int]:
        """Return the processes that it has as children now."""
        with suppress(OSError):
            return [
                int(each) for each in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            ]
        return []

    def said(self) -> str:
        """Return all that it has written to the standard error."""
        return self._errors.read_text("utf-8", errors="replace")

    def count_said(self, pattern: str) -> int:
        """Return how often it has written that."""
        return len(re.findall(pattern, self.said()))

    def descriptors(self) -> int:
        """Return how many the parent has open."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    def memory(self) -> Memory:
        """Return what the parent takes."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text("ascii")
        found = dict(re.findall(r"^(Rss|Pss):\s+(\d+) kB", text, re.MULTILINE))
        return Memory(int(found["Rss"]), int(found["Pss"]))


def wait_until(happened: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Look again and again, and tell whether it has happened in time."""
    give_up = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True


def ports_of(pid: int) -> set[int]:
    """Return the ports of the clients whose TCP connections over IPv4 a process has."""
    inodes = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if (target := str(each.readlink())).startswith("socket:["):
                inodes.add(target[8:-1])
    lines = (line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:])
    return {int(fields[2].rpartition(":")[2], 16) for fields in lines if fields[9] in inodes}


class Findings:
    """A table, and what is found to be broken by it.

    Args:
        title: of the table.
        columns: their names.
    """

    def __init__(self, title: str, *columns: str) -> None:
        self.broken: list[str] = []
        self._widths = [max(len(name), 8) for name in columns]
        self._widths[0] = max(self._widths[0], 18)
        print(f"\n{title}")
        self.row(*columns)

    def row(self, *values: object) -> None:
        """Print a row of it."""
        words = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in values]
        first, *others = [
            word.rjust(width) if at else word.ljust(width)
            for at, (word, width) in enumerate(zip(words, self._widths, strict=True))
        ]
        print("  ".join([first, *others]), flush=True)

    def expect(self, is_so: object, promise: str) -> None:
        """Hold the promise up to what was found."""
        if not is_so:
            self.broken.append(promise)
            print(f"  BROKEN: {promise}", flush=True)


def parse_options(text: str | None, *, workers: int, **amounts: float) -> argparse.Namespace:
    """Read the command line.

    Args:
        text: the docstring of the script.
        workers: its default.
        amounts: names and defaults of other numbers.
    """
    parser = argparse.ArgumentParser(description=(text or "").partition("\n")[0])
    parser.add_argument("--loop", choices=[*LOOPS, "both"], default="both")
    parser.add_argument("--workers", type=int, default=workers)
    for name, default in amounts.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    options = parser.parse_args()
    options.loops = LOOPS if options.loop == "both" else (options.loop,)
    return options
