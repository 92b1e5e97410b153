"""What the system denies the server: `python bench/endurance/faults.py [name ...]`.

    crowd           64 descriptors, and 300 clients that ask once and stay
    wish            the same with `--limit-connections 1000`
    exhausted       none is free any more, as with a handler that loses files (EMFILE); then some are again
    full            the standard output is /dev/full (ENOSPC)
    closed          there is no standard output (`>&-`)
    gone            it is a pipe whose reader has gone, and another comes back
    limited         it is a file that has reached the largest size allowed (prlimit), which is raised then
    blocked         it is a pipe that nobody reads, and then somebody does

Expected each time: a client that was there before is answered all along (`answers`; `again` of them on a new
connection, since idle ones make room), what is wrong is said once (`said`), and when it is over so is its
effect: new clients are served again, or new lines come. `slowest` is the slowest answer while it lasts.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import SIZE
from common import LOOPS, Findings, Server, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

FILES, CLIENTS = 64, 300
LASTS = 4.0  # seconds
SLOWEST = 2.0  # seconds for an answer
BACK = 3.0  # seconds
REQUESTS = 2000  # that fill a pipe with lines
COLUMNS = ("loop, fault", "answers", "again", "slowest", "said", "recovered in")
_NOFILE = resource.RLIMIT_NOFILE
_TROUBLE = r" (WARNING|ERROR|CRITICAL) |Traceback"


class Good:
    """A client that is there before, with one connection, or another when that is closed between requests.

    Attributes:
        answers: that it had.
        again: how often its connection was closed before the first byte of an answer.
        slowest: seconds.
    """

    def __init__(self, port: int) -> None:
        self.answers = self.again = 0
        self.slowest = 0.0
        self._port = port
        self._sock = socket.create_connection(("127.0.0.1", port), 10)

    def ask(self, seconds: float, pause: float = 0.01) -> bool:
        """Ask again and again for so long; tell whether all was answered."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self.ask_once():
                return False
            time.sleep(pause)
        return True

    def ask_once(self) -> bool:
        """Ask once, on a new connection if the old one is closed; tell whether there was a good answer."""
        begin = time.monotonic()
        if not (answer := self._try_once()):
            self.again += 1
            self._sock.close()
            self._sock = socket.create_connection(("127.0.0.1", self._port), 10)
            answer = self._try_once()
        self.slowest = max(self.slowest, time.monotonic() - begin)
        is_good = answer.startswith(b"HTTP/1.1 200 ")
        self.answers += is_good
        return is_good

    def _try_once(self) -> bytes:
        answer = b""
        with suppress(OSError):
            self._sock.sendall(b"GET / HTTP/1.1\r\nHost: good.example\r\n\r\n")
            while len(answer.partition(b"\r\n\r\n")[2]) < SIZE:
                if not (data := self._sock.recv(4096)):
                    break
                answer += data
        return answer


def is_served(port: int) -> bool:
    """Whether a new client gets an answer."""
    with suppress(OSError):
        return Good(port).ask_once()
    return False


def time_until(happened: Callable[[], object]) -> float:
    """Return the seconds until it has happened; a high number where it does not."""
    begin = time.monotonic()
    return time.monotonic() - begin if wait_until(happened, 30) else 99.0


# Descriptors and connections


def deny_connections(findings: Findings, loop: str, name: str) -> None:
    """Have more clients than the server has descriptors for."""
    words = ["--limit-connections", "1000"] if name == "wish" else []
    with Server(loop, *words, wrapped=["prlimit", f"--nofile={FILES}:{FILES}"]) as server:
        good = Good(server.port)
        is_good = good.ask(0.3)
        crowd = make_crowd(server.port)
        is_good = good.ask(LASTS) and is_good
        for each in crowd:
            each.close()
        back = time_until(lambda: is_served(server.port))
        is_good = good.ask(0.5) and is_good
        # In four seconds that is one, as it is said every ten at most.
        said = server.count_said(r" WARNING \d+ connections are open, which is the limit")
        wish = server.count_said(r" WARNING 1000 connections were asked for; the system has descriptors for")
        more = server.count_said(_TROUBLE) - said - wish
    judge(findings, f"{loop} {name}", good, said, back)
    findings.expect(is_good, "who is there is answered all along")
    findings.expect(wish == len(words) // 2, "a number that cannot be had is told of at the start")
    findings.expect(not more, f"nothing else is complained about, {more} times")


def deny_descriptors(findings: Findings, loop: str, name: str) -> None:
    """Take away all descriptors that are free, as a handler does that loses files, and give them back."""
    with Server(loop) as server:
        good = Good(server.port)
        is_good = good.ask(0.3)
        (worker,) = server.workers()
        used = max(int(each.name) for each in Path(f"/proc/{worker}/fd").iterdir()) + 1
        before = resource.prlimit(worker, _NOFILE, (used, resource.getrlimit(_NOFILE)[1]))
        crowd = make_crowd(server.port)
        is_good = good.ask(LASTS) and is_good
        for each in crowd:
            each.close()
        resource.prlimit(worker, _NOFILE, before)
        back = time_until(lambda: is_served(server.port))
        is_good = good.ask(0.5) and is_good
        said = server.count_said(r" WARNING No connection can be accepted: Too many open files")
        more = server.count_said(_TROUBLE) - said
    judge(findings, f"{loop} {name}", good, said, back)
    findings.expect(is_good, "who is there is answered all along")
    findings.expect(not more, f"nothing else is complained about, {more} times")


def make_crowd(port: int) -> list[socket.socket]:
    """Connect many clients that ask once and read nothing: who has its answer is idle."""
    crowd = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(CLIENTS)]
    for each in crowd:
        with suppress(OSError):
            each.send(b"GET / HTTP/1.1\r\nHost: crowd.example\r\n\r\n")
    return crowd


def judge(findings: Findings, title: str, good: Good, said: int, back: float | None, told: int = 1) -> None:
    """Print a row, and hold the promises up to it that all faults have in common."""
    findings.row(title, good.answers, good.again, good.slowest, said, "-" if back is None else back)
    findings.expect(good.slowest < SLOWEST, f"each answer takes less than {SLOWEST:g} s")
    findings.expect(said == told, f"it is said {told} times, and not {said} times")
    findings.expect(back is None or back < BACK, f"all is well {BACK:g} s after it is over")


# The standard output


def spoil_output(findings: Findings, loop: str, name: str) -> None:
    """Serve with a standard output that cannot be written to."""
    with tempfile.TemporaryDirectory() as folder:
        kind = KINDS[name](Path(folder))
        with Server(loop, **kind.more) as server:
            good = Good(server.port)
            kind.begin(server)
            is_good = good.ask(LASTS, 0.001)
            back = kind.recover(good)
            said = server.count_said(r" WARNING access log: (?!\d+ lines)")
            more = server.count_said(_TROUBLE) - said
    judge(findings, f"{loop} {name}", good, said, back, kind.told)
    findings.expect(is_good, "requests are answered all along")
    findings.expect(not more, f"nothing else is complained about, {more} times")


class Full:
    """A device without space."""

    told = 1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.more: dict[str, Any] = self.prepare()

    def prepare(self) -> dict[str, Any]:
        """Return what the server is started with."""
        return {"stdout": os.open("/dev/full", os.O_WRONLY)}

    def begin(self, server: Server) -> None:
        """Let it go wrong."""

    def recover(self, good: Good) -> float | None:  # noqa: ARG002
        """Let it be over; return the seconds until lines come, or None where none can."""
        return None


class Closed(Full):
    """No output at all: the server was told to have none, so there is nothing to be said."""

    told = 0

    def prepare(self) -> dict[str, Any]:
        """Have a shell close it."""
        return {"wrapped": ["sh", "-c", 'exec "$@" >&-', "sh"]}


class Gone(Full):
    """A pipe whose reader goes and comes back."""

    def prepare(self) -> dict[str, Any]:
        """Make one with a name."""
        self._path = self._folder / "pipe"
        os.mkfifo(self._path)
        self._reader = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        return {"stdout": os.open(self._path, os.O_WRONLY)}

    def begin(self, server: Server) -> None:  # noqa: ARG002
        """Leave, and our own end of it with that."""
        os.close(self.more["stdout"])
        os.close(self._reader)

    def recover(self, good: Good) -> float:
        """Come back."""
        reader = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        return time_until(lambda: good.ask_once() and _has_line(reader))


class Limited(Full):
    """A file that may not grow."""

    def prepare(self) -> dict[str, Any]:
        """Make it almost as large as it may be."""
        self._path = self._folder / "log"
        self._path.write_bytes(b"\n" * 100_000)
        return {"stdout": os.open(self._path, os.O_WRONLY | os.O_APPEND)}

    def begin(self, server: Server) -> None:
        """Allow the worker no more."""
        (self._worker,) = server.workers()
        hard = resource.prlimit(self._worker, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self._worker, resource.RLIMIT_FSIZE, (100_100, hard))

    def recover(self, good: Good) -> float:
        """Allow it more."""
        hard = resource.prlimit(self._worker, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(self._worker, resource.RLIMIT_FSIZE, (hard, hard))
        return time_until(lambda: good.ask_once() and self._path.stat().st_size > 100_500)


class Blocked(Full):
    """A pipe that nobody reads."""

    def prepare(self) -> dict[str, Any]:
        """Make one."""
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        return {"stdout": writer}

    def recover(self, good: Good) -> float:
        """Read at last: first what was kept, then what comes anew."""
        while _has_line(self._reader):
            pass
        return time_until(lambda: good.ask_once() and _has_line(self._reader))


def _has_line(reader: int) -> bool:
    try:
        return b'"GET / HTTP/1.1" 200 ' in os.read(reader, 65_536)
    except BlockingIOError:
        return False


KINDS: dict[str, type[Full]] = {
    "full": Full,
    "closed": Closed,
    "gone": Gone,
    "limited": Limited,
    "blocked": Blocked,
}
FAULTS = ["crowd", "wish", "exhausted", *KINDS]


def main() -> int:
    """Run those that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=[*FAULTS, []], help="of faults; all by default")
    parser.add_argument("--loop", choices=[*LOOPS, "both"], default="both")
    options = parser.parse_args()
    findings = Findings(f"faults that last {LASTS:g} s; seconds", *COLUMNS)
    for loop in LOOPS if options.loop == "both" else [options.loop]:
        for name in options.names or FAULTS:
            deny = deny_descriptors if name == "exhausted" else deny_connections
            (spoil_output if name in KINDS else deny)(findings, loop, name)
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
