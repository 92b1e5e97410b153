"""What thousands of slow clients do to a good one: `python bench/hostile/slow.py head --connections 2000`.

Kinds of slowness:

    head   one byte of a header section each second
    body   a POST that announces 1,000,000 bytes and sends one of them each second
    read   asks for 100 MB, has the smallest receive buffer, and reads one byte a second or none (--bytes 0)

The server runs with its defaults on one core, the clients on another. The good client keeps one connection
and asks for a small hello 200 times a second, before and during the attack.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import select
import shlex
import socket
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from common import CLIENT_CORE, Server, allow_many_files, kernel_tcp_memory, tcp_orphans, use_core

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

RATE = 200  # requests a second of the good client
IDLE_SECONDS = 5.0
PATIENCE = 2.0  # seconds after which the good client counts a request as failed
HELLO = b"GET / HTTP/1.1\r\nHost: good.example\r\n\r\n"
HELLO_END = b"Hello, World!\n"
TURNS = 20  # a second; the slow connections take turns, so that the client's own work comes evenly
HEADERS = b"".join(b"X-Slow-%05d: %032d\r\n" % (number, number) for number in range(90))
OPENINGS = {
    "head": b"GET / HTTP/1.1\r\nHost: slow.example\r\n",
    "body": b"POST /read HTTP/1.1\r\nHost: slow.example\r\nContent-Length: 1000000\r\n\r\n",
    "read": b"GET /stream HTTP/1.1\r\nHost: slow.example\r\n\r\n",
}
DEADLINES = {
    "head": "--timeout-header, 10 s by default, from the first byte",
    "body": "--timeout-body, 30 s by default, of a pause; this client makes none",
    "read": "--timeout-write, 60 s by default, in which the system could send nothing",
}


@dataclass
class Slow:
    """One slow connection."""

    sock: socket.socket
    since: float
    at: int = 0  # bytes sent of the header section


@dataclass
class Outcome:
    """What became of the slow connections."""

    opened: int = 0
    failed: int = 0
    lives: list[float] = field(default_factory=list)  # seconds of those that the server ended
    statuses: dict[str, int] = field(default_factory=dict)


class Crowd:
    """Many slow connections, served by one loop in a process of its own.

    Args:
        kind: of slowness.
        port: of the server.
        count: how many connections.
        per_second: bytes that each sends or reads a second.
        again: open a new connection for each that the server ends.
    """

    def __init__(self, kind: str, port: int, count: int, per_second: int, *, again: bool) -> None:
        self._kind = kind
        self._port = port
        self._count = count
        self._per_second = per_second
        self._again = again
        self._epoll = select.epoll()
        self._slow: dict[int, Slow] = {}
        self.outcome = Outcome()

    def run(self, seconds: float, report: Connection) -> None:
        """Open all, be slow for so long, and report."""
        use_core(CLIENT_CORE)
        os.nice(5)  # the good client, who is on the same core, should measure the server and not us
        for number in range(self._count):
            self._open()
            if number % 50 == 49:
                self._take_turn(0)  # in small lots: an accept queue that overflows is another attack
                time.sleep(0.01)
        report.send("open")
        end, turn = time.monotonic() + seconds, 0
        begin = time.monotonic()
        while time.monotonic() < end:
            turn += 1
            self._notice_ends(max(begin + turn / TURNS - time.monotonic(), 0))
            self._take_turn(turn)
            if self._again and (missing := self._count - len(self._slow)):
                for _ in range(min(missing, 20)):
                    self._open()
        report.send("over")
        report.send(self.outcome)
        report.recv()  # the memory is looked at while the connections are there

    def _open(self) -> None:
        sock = socket.socket()
        if self._kind == "read":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the system makes it its smallest
        try:
            sock.settimeout(5)
            sock.connect(("127.0.0.1", self._port))
            sock.send(OPENINGS[self._kind])
        except OSError:
            self.outcome.failed += 1
            sock.close()
            return
        self.outcome.opened += 1
        sock.setblocking(False)
        events = select.EPOLLRDHUP if self._kind == "read" else select.EPOLLIN | select.EPOLLRDHUP
        self._epoll.register(sock, events)
        self._slow[sock.fileno()] = Slow(sock, time.monotonic())

    def _notice_ends(self, wait: float) -> None:
        """Wait for a moment, and bury those that the server has ended."""
        until = time.monotonic() + wait
        while True:
            for number, _ in self._epoll.poll(max(until - time.monotonic(), 0)):
                self._look_at(number)
            if time.monotonic() >= until:
                return

    def _look_at(self, number: int) -> None:
        slow = self._slow[number]
        status = "reset"
        with suppress(OSError):
            if data := slow.sock.recv(4096):
                status = data[9:12].decode("latin-1") if self._kind != "read" else "cut"
            else:
                status = "closed"
        self.outcome.lives.append(time.monotonic() - slow.since)
        self.outcome.statuses[status] = self.outcome.statuses.get(status, 0) + 1
        self._epoll.unregister(slow.sock)
        slow.sock.close()
        del self._slow[number]

    def _take_turn(self, turn: int) -> None:
        for slow in [slow for number, slow in self._slow.items() if number % TURNS == turn % TURNS]:
            with suppress(OSError):  # the end is noticed by epoll
                if not self._per_second:
                    continue
                if self._kind == "head":
                    slow.sock.send(HEADERS[slow.at : slow.at + self._per_second])
                    slow.at += self._per_second
                elif self._kind == "body":
                    slow.sock.send(b"x" * self._per_second)
                else:
                    slow.sock.recv(self._per_second)


class Watch:
    """Watches how many connections the server has: one that it cut off may not look so to its client.

    A client that reads nothing learns of no end: what the system still has to send comes first. The server
    has closed the descriptor then, and the system keeps the connection and its bytes, an orphan.
    """

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}/fd")
        self._begin = self._next = time.monotonic()
        self.most = self.now = 0
        self.first: float | None = None
        self.last: float | None = None

    def look(self) -> None:
        """Look once a second."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + 1
        before, self.now = self.now, sum(1 for _ in self._folder.iterdir())
        self.most = max(self.most, self.now)
        if self.now < before - 5:
            self.last = now - self._begin
            self.first = self.first or self.last


class GoodClient:
    """Asks for a small hello at a steady rate, on one connection as long as that holds."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sock: socket.socket | None = None

    def run(self, goes_on: Callable[[], bool]) -> list[float | None]:
        """Return the seconds of each answer, or None where none came in time."""
        times: list[float | None] = []
        due = time.monotonic()
        while goes_on():
            due = max(due + 1 / RATE, time.monotonic() - 1 / RATE)
            time.sleep(max(due - time.monotonic(), 0))
            times.append(self._ask())
        return times

    def _ask(self) -> float | None:
        begin = time.perf_counter()
        try:
            if self._sock is None:
                self._sock = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
            self._sock.sendall(HELLO)
            answer = b""
            while not answer.endswith(HELLO_END):
                piece = self._sock.recv(4096)
                if not piece:
                    raise ConnectionError
                answer += piece
        except OSError:
            if self._sock is not None:
                self._sock.close()
                self._sock = None
            return None
        return time.perf_counter() - begin


def percentiles(times: list[float | None]) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds."""
    good = sorted(each * 1000 for each in times if each is not None) or [float("nan")]
    return statistics.median(good), good[min(int(len(good) * 0.99), len(good) - 1)]


def attack(kind: str, options: argparse.Namespace) -> None:
    """Measure one kind of slowness against a server of its own, and print what was found."""
    context = multiprocessing.get_context("fork")
    with Server(shlex.split(options.options)) as server:
        good = GoodClient(server.port)
        end = time.monotonic() + 1
        good.run(lambda: time.monotonic() < end)  # warm
        end = time.monotonic() + IDLE_SECONDS
        used = server.cpu()
        idle = good.run(lambda: time.monotonic() < end)
        idle_cpu = (server.cpu() - used) / IDLE_SECONDS
        crowd = Crowd(kind, server.port, options.connections, options.bytes, again=options.again)
        ours, theirs = context.Pipe()
        server.forget_peak()
        before, kernel = server.memory().now, kernel_tcp_memory()
        process = context.Process(target=crowd.run, args=(options.seconds, theirs))
        process.start()
        ours.recv()
        used, begin = server.cpu(), time.monotonic()
        watch = Watch(server.pid)
        busy = good.run(lambda: watch.look() or not ours.poll())
        ours.recv()
        busy_cpu = (server.cpu() - used) / (time.monotonic() - begin)
        outcome = ours.recv()
        memory, kernel, orphans = server.memory().peak - before, kernel_tcp_memory() - kernel, tcp_orphans()
        ours.send("bye")
        process.join()
        print(f"\n{kind}: {outcome.opened} connections for {options.seconds:g} s, {outcome.failed} refused")
        report_good(idle, busy)
        report_slow(kind, outcome)
        closed = (
            f"from {watch.first:.0f} to {watch.last:.0f} s" if watch.first and watch.last else "none closed"
        )
        print(
            f"  server has      {watch.most} descriptors at most, {watch.now} in the end: {closed}; ", end=""
        )
        print(f"{orphans} orphans in the kernel")
        per = max(outcome.opened, 1)
        print(
            f"  server memory   {memory / per / 1024:.1f} KiB per connection, {memory / 2**20:.1f} MiB in all"
        )
        print(f"  kernel memory   {kernel / per / 1024:.1f} KiB each, of all sockets of the machine")
        print(f"  server CPU      {busy_cpu:.1%} of a core (idle, with the good client only: {idle_cpu:.1%})")
        if errors := server.errors():
            print(f"  the server wrote: {errors}")


def report_good(idle: list[float | None], busy: list[float | None]) -> None:
    """Print how the good client fared."""
    served = sum(each is not None for each in busy)
    print(f"  good client     {served / len(busy):.2%} of {len(busy)} requests within {PATIENCE:g} s")
    for name, calm, loaded in zip(("p50", "p99"), percentiles(idle), percentiles(busy), strict=True):
        print(f"  {name}             {calm:.2f} ms idle, {loaded:.2f} ms under attack: x {loaded / calm:.1f}")


def report_slow(kind: str, outcome: Outcome) -> None:
    """Print what became of the slow ones."""
    lives = outcome.lives
    span = f"after {min(lives):.1f} to {max(lives):.1f} s" if lives else "none"
    how = ", ".join(f"{count} x {status}" for status, count in sorted(outcome.statuses.items()))
    print(f"  ended by server {len(lives)} of {outcome.opened}, {span} {f'({how})' if how else ''}")
    print(f"  deadline        {DEADLINES[kind]}")


def main() -> None:
    """Run the kinds that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kinds", nargs="*", help="head, body, read; all of them by default")
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument(
        "--bytes", type=int, default=1, help="that each slow connection sends or reads a second"
    )
    parser.add_argument("--again", action="store_true", help="open a new connection for each that is ended")
    parser.add_argument("--options", default="", help="more options of aioserve, as one argument")
    options = parser.parse_args()
    if wrong := set(options.kinds) - set(OPENINGS):
        parser.error(f"unknown: {', '.join(wrong)}")
    if allow_many_files() < options.connections + 100:
        parser.error("the limit of open files (ulimit -n) is too low for so many connections")
    use_core(CLIENT_CORE)
    for kind in options.kinds or list(OPENINGS):
        attack(kind, options)


if __name__ == "__main__":
    main()
