"""What both scripts need: a server of its own on a core of its own, and what it has used so far."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = 0, 1
_START_SECONDS = 20.0


def use_core(core: int) -> None:
    """Stay on one core, where there are two: client and server then do not take each other's time."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def allow_many_files() -> int:
    """Raise the limit of open files to what is allowed, for this process and those it starts."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@dataclass(frozen=True)
class Memory:
    """Resident memory in bytes, now and at its highest."""

    now: int
    peak: int


class Server:
    """`aioserve` with its defaults, in a process of its own; a context manager.

    Args:
        options: more arguments of the command.
    """

    def __init__(self, options: list[str] | None = None) -> None:
        self._options = options or []
        self._folder = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.pid = 0

    def __enter__(self) -> Self:
        """Start it, and wait until it serves."""
        port_file = Path(self._folder.name, "port")
        site = Path(self._folder.name, "site")
        site.mkdir()
        (site / "file.bin").write_bytes(bytes(100_000))
        self._errors = Path(self._folder.name, "errors").open("w+b")
        command = [sys.executable, "-m", "aioserve", f"{HERE}/app.py:Handler"]
        command += ["--static", f"/static={site}", "--port", "0", "--port-file", str(port_file)]
        self._process = subprocess.Popen(
            [*command, *self._options],
            cwd=HERE.parent.parent,
            stdout=subprocess.DEVNULL,  # the access log is made and written, as by default
            stderr=self._errors,
            preexec_fn=lambda: use_core(SERVER_CORE),  # noqa: PLW1509 - there are no threads here
        )
        self.pid = self._process.pid
        give_up = time.monotonic() + _START_SECONDS
        while not (port_file.exists() and port_file.read_text("ascii").strip()):
            if self._process.poll() is not None or time.monotonic() > give_up:
                self.__exit__(None, None, None)
                raise SystemExit(f"the server did not start:\n{self.errors()}")
            time.sleep(0.02)
        self.port = int(port_file.read_text("ascii"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it; what it does with connections that are left is not measured."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process is not None and self._process.poll() is None

    def errors(self) -> str:
        """Return the tracebacks that it has written."""
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace")
        at = text.find("Traceback")
        return text[at : at + 2_000] if at >= 0 else text[-500:] if not self.is_alive else ""

    def cpu(self) -> float:
        """Return the seconds of processor time used so far, by the program and by the system for it."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> Memory:
        """Return how much memory it has."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status))
        return Memory(int(found["VmRSS"]) * 1024, int(found["VmHWM"]) * 1024)

    def forget_peak(self) -> None:
        """Let the highest memory be counted from now on."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", "ascii")


def kernel_tcp_memory() -> int:
    """Return the bytes that all TCP sockets of the machine hold in the kernel; no RSS shows them."""
    match = re.search(r"^TCP:.* mem (\d+)", Path("/proc/net/sockstat").read_text("ascii"), re.MULTILINE)
    return int(match[1]) * os.sysconf("SC_PAGE_SIZE") if match else 0


def tcp_orphans() -> int:
    """Return how many TCP connections of the machine have no process any more and still something to send."""
    match = re.search(r"^TCP:.* orphan (\d+)", Path("/proc/net/sockstat").read_text("ascii"), re.MULTILINE)
    return int(match[1]) if match else 0


def wait_until_idle(server: Server, most: float = 60.0) -> None:
    """Wait until the server has nothing more to do, by the processor time it takes."""
    give_up = time.monotonic() + most
    used = server.cpu()
    while time.monotonic() < give_up:
        time.sleep(0.4)
        if server.cpu() - used < 2 / TICK:  # the ticker takes some
            return
        used = server.cpu()
