"""Small inputs that could make much work: `python bench/hostile/greedy.py [name ...]`, or `--list`.

Each input has a size n. A client in a process of its own sends it over plain blocking sockets; its bytes are
made beforehand, so that its processor time is that of sending (and of reading, where it reads). Three things
are judged, each line by the worst of them:

    memory   the server's peak above what it had, at most 4 x the bytes sent, and 2 MiB for the allocator
    CPU      of the server, at most 10 x that of the client; where more than that is what so many ordinary
             requests would have cost, it says so: whoever sends whole requests cheaply has them answered
    growth   CPU(2n) / CPU(n), at most 2.4; "bounded" where the server refuses before n matters

Every input has a fresh server with default settings on one core; the client is on another. CPU comes in
hundredths of a second, so inputs are repeated on new connections until there are some twenty of them.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import re
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from common import CLIENT_CORE, Server, use_core, wait_until_idle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MEMORY_LIMIT, MEMORY_FLOOR = 4.0, 2 * 2**20
CPU_LIMIT, GROWTH_LIMIT = 10.0, 2.4
BOUNDED_GROWTH = 1.3
ENOUGH_CPU = 0.2  # seconds, below which the clock's ticks are too coarse
MOST_REPEATS = 300
STALL_SECONDS = 2.0  # without progress, after which a client that does not read gives up
PLAIN_FACTOR = 1.5  # how much more than an ordinary request one in a flood may cost
HOST = b"Host: greedy.example\r\n"
REFUSALS = {"400", "408", "413", "414", "431"}
LAST = HOST + b"Connection: close\r\n"


@dataclass(frozen=True)
class Attack:
    """One greedy input.

    Attributes:
        make: the pieces of an input of size n, each for one system call.
        n: such that its costs can be measured, where the server's limits allow.
        requests: how many whole requests an input of size n has; 0 where that is not the point.
        reads: what the client does with answers; without, the input ends when nothing more can be sent.
        pause: seconds between pieces, so that the system joins less of them on their way.
        note: what should happen.
    """

    make: Callable[[int], Iterable[bytes]]
    n: int
    requests: Callable[[int], int] = lambda _: 0
    reads: bool = True
    pause: float = 0.0
    note: str = ""


@dataclass
class Sent:
    """What a client did."""

    size: int = 0
    cpu: float = 0.0
    first: set[str] = field(default_factory=set)
    last: set[str] = field(default_factory=set)
    is_cut: bool = False  # the server took not all of it


# The inputs


def get(path: bytes, fields: bytes = b"", *, is_last: bool = False) -> bytes:
    """Make a request without a body."""
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (path, LAST if is_last else HOST, fields)


def many(path: bytes, fields: bytes = b"") -> Callable[[int], Iterable[bytes]]:
    """Make n equal requests, in pieces of about 64 KiB."""

    def make(n: int) -> Iterable[bytes]:
        one = get(path, fields)
        return [*blocks(one * (n - 1)), get(path, fields, is_last=True)]

    return make


def post(path: bytes, body: bytes, fields: bytes = b"", *, is_last: bool = True) -> bytes:
    """Make a request with a body of known length."""
    head = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n%b\r\n"
    return head % (path, LAST if is_last else HOST, len(body), fields) + body


def chunked(path: bytes, fields: bytes = b"") -> bytes:
    """Make the head of a last request with a chunked body."""
    return b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n%b\r\n" % (path, LAST, fields)


def blocks(data: bytes, size: int = 65_536) -> list[bytes]:
    """Cut bytes into pieces."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def changing_heads(n: int) -> Iterable[bytes]:
    """Make n requests with 99 equal fields and one that changes, which no memory of heads helps with."""
    fields = b"X-Greedy: greedy\r\n" * 97
    heads = b"".join(get(b"/", fields + b"X-Number: %d\r\n" % number) for number in range(n - 1))
    return [*blocks(heads), get(b"/", fields, is_last=True)]


def line_in_bytes(n: int) -> Iterable[bytes]:
    """Make a request line of n bytes and send them one by one."""
    return blocks(get(b"/" + b"x" * n, is_last=True), 1)


def head_in_bytes(n: int) -> Iterable[bytes]:
    """Make a header section of n bytes in fields of 1000 bytes."""
    fields = b"".join(b"X-%05d: %0990d\r\n" % (number, 0) for number in range(n // 1000))
    return blocks(get(b"/", fields, is_last=True), 1)


def long_field_in_bytes(n: int) -> Iterable[bytes]:
    """Make one field of n bytes."""
    return blocks(get(b"/", b"X: " + b"x" * n + b"\r\n", is_last=True), 1)


def trailer_in_bytes(n: int) -> Iterable[bytes]:
    """Make trailers of n bytes in fields of almost the longest line."""
    fields = b"".join(b"X: %b\r\n" % (b"x" * (min(8_000, n - at) - 5)) for at in range(0, n, 8_000))
    return [chunked(b"/read"), *blocks(b"0\r\n" + fields + b"\r\n", 1)]


def extension_in_bytes(n: int) -> Iterable[bytes]:
    """Make one chunk extension of n bytes."""
    return [chunked(b"/read"), *blocks(b"1;" + b"x" * n + b"\r\nx\r\n0\r\n\r\n", 1)]


def trailers(n: int) -> Iterable[bytes]:
    """Make n requests with almost the largest trailer section."""
    tail = b"".join(b"X-%05d: %0300d\r\n" % (number, 0) for number in range(95))
    head = b"POST /read HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n0\r\n"
    return [*blocks((head % HOST + tail + b"\r\n") * (n - 1)), head % LAST + tail + b"\r\n"]


def bombs(path: bytes) -> Callable[[int], Iterable[bytes]]:
    """Make n requests with 10 MB of zeros each, compressed."""

    def make(n: int) -> Iterable[bytes]:
        bomb = gzip.compress(bytes(10_000_000), 9)
        coded = b"Content-Encoding: gzip\r\n"
        body = post(path, bomb, coded, is_last=False) * (n - 1)
        return [*blocks(body), post(path, bomb, coded)]

    return make


def members(n: int) -> Iterable[bytes]:
    """Make one body of n empty gzip members."""
    return blocks(post(b"/read", gzip.compress(b"") * n, b"Content-Encoding: gzip\r\n"))


def multipart(part: bytes, begin: bytes = b"", end: bytes = b"") -> Callable[[int], Iterable[bytes]]:
    """Make a form of n equal parts, between a beginning and an end."""

    def make(n: int) -> Iterable[bytes]:
        body = begin + part * n + end + b"\r\n--b--\r\n"
        return blocks(post(b"/form", body, b"Content-Type: multipart/form-data; boundary=b\r\n"))

    return make


FIELD = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'


def forms(n: int) -> Iterable[bytes]:
    """Make n requests with as many parts as are allowed."""
    body = (FIELD + b"\r\n") * 1000 + b"--b--\r\n"
    kind = b"Content-Type: multipart/form-data; boundary=b\r\n"
    return [*blocks(post(b"/form", body, kind, is_last=False) * (n - 1)), post(b"/form", body, kind)]


def urlencoded(unit: bytes) -> Callable[[int], Iterable[bytes]]:
    """Make a form of n times the same."""
    kind = b"Content-Type: application/x-www-form-urlencoded\r\n"
    return lambda n: blocks(post(b"/form", unit * n, kind))


def in_pieces(path: bytes, size: int) -> Callable[[int], Iterable[bytes]]:
    """Make a body of n bytes in segments of ``size``."""
    return lambda n: [post(path, b"x" * n)[:-n], *blocks(b"x" * n, size)]


def chunks(path: bytes, chunk: bytes = b"1\r\nx\r\n") -> Callable[[int], Iterable[bytes]]:
    """Make a body of n equal chunks."""
    return lambda n: [chunked(path), *blocks(chunk * n), b"0\r\n\r\n"]


def same(n: int) -> int:
    """As many requests as n says."""
    return n


_CODINGS = b"Accept-Encoding: " + b",".join(b"x%d;q=0.5" % number for number in range(700)) + b"\r\n"
_ACCEPT = b"Accept: " + b",".join(b"x/%d;q=0.5" % number for number in range(640)) + b"\r\n"
_RANGES = b"Range: bytes=" + b",".join(b"%d-%d" % (at, at) for at in range(1000)) + b"\r\n"
_COOKIES = b"Cookie: " + b"; ".join(b"c%d=%d" % (number, number) for number in range(700)) + b"\r\n"
_CONNECTION = b"Connection: " + b",".join([b"x"] * 4000) + b"\r\n"

ATTACKS = {
    "flood-unread": Attack(many(b"/"), 200_000, reads=False, note="the server stops reading"),
    "flood-read": Attack(many(b"/"), 20_000, same),
    "flood-missing": Attack(many(b"/missing"), 10_000, same, note="an error page each"),
    "same-header": Attack(many(b"/", b"X-Greedy: greedy\r\n" * 98), 10_000, same),
    "changing-header": Attack(changing_heads, 5_000, same),
    "chunks-read": Attack(chunks(b"/read"), 500_000),
    "chunks-pieces": Attack(chunks(b"/pieces"), 500_000),
    "chunks-unread": Attack(chunks(b"/"), 500_000, note="cut after 256 KiB of content"),
    "body-bytes": Attack(in_pieces(b"/read", 1), 100_000),
    "body-bytes-paced": Attack(in_pieces(b"/read", 1), 20_000, pause=0.00005),
    "body-pairs-paced": Attack(in_pieces(b"/read", 2), 200_000, pause=0.00002),
    "body-bytes-unread": Attack(in_pieces(b"/", 1), 100_000),
    "body-lines": Attack(lambda n: blocks(post(b"/lines", b"\n" * n)), 100_000),
    "line-bytes": Attack(line_in_bytes, 4_000),
    "line-bytes-paced": Attack(line_in_bytes, 4_000, pause=0.00005),
    "head-bytes": Attack(head_in_bytes, 15_000),
    "head-bytes-paced": Attack(head_in_bytes, 15_000, pause=0.00005),
    "field-bytes-paced": Attack(long_field_in_bytes, 4_000, pause=0.00005),
    "endless-field": Attack(lambda n: blocks(get(b"/", b"X: " + b"x" * n)), 1_000_000, note="431"),
    "endless-fields": Attack(lambda n: blocks(get(b"/", b"X: x\r\n" * n)), 200_000, note="431"),
    "endless-crlf": Attack(lambda n: blocks(b"\r\n" * n), 500_000, note="400"),
    "extensions": Attack(chunks(b"/read", b"1;" + b"x" * 8_000 + b"\r\nx\r\n"), 200, note="400"),
    "extensions-small": Attack(chunks(b"/read", b"1;a\r\nx\r\n"), 200_000, note="400"),
    "extension-bytes-paced": Attack(extension_in_bytes, 4_000, pause=0.00005),
    "trailers": Attack(trailers, 200, same),
    "trailer-bytes-paced": Attack(trailer_in_bytes, 15_000, pause=0.00005),
    "gzip-bomb": Attack(bombs(b"/read"), 10, note="10 MB each, under the 16M of --limit-body"),
    "gzip-bomb-pieces": Attack(bombs(b"/pieces"), 10),
    "gzip-bomb-unread": Attack(bombs(b"/"), 1000, same),
    "gzip-members": Attack(members, 50_000, note="400 after 1000 members"),
    "multipart-fields": Attack(multipart(FIELD + b"\r\n"), 20_000, note="413 after 1000 fields"),
    "multipart-1000": Attack(forms, 10, note="as many as are allowed"),
    "multipart-crlf": Attack(multipart(b"\r\n", FILE), 500_000),
    "multipart-almost": Attack(multipart(b"\r\n--", FILE), 500_000),
    "multipart-preamble": Attack(multipart(b"\r\n", b"", FIELD), 500_000),
    "multipart-epilogue": Attack(multipart(b"\r\n", FIELD + b"\r\n--b--\r\n"), 500_000),
    "form-fields": Attack(urlencoded(b"a&"), 1_000_000, note="413 after 1000 fields"),
    "form-percent": Attack(urlencoded(b"%"), 1_000_000, note="one field"),
    "form-escapes": Attack(urlencoded(b"%41"), 1_000_000),
    "form-empty": Attack(urlencoded(b"a=%00&&"), 999),
    "query-fields": Attack(many(b"/head?" + b"a&" * 4_000), 200, same),
    "query-escapes": Attack(many(b"/head?a=" + b"%41" * 2_600), 500, same),
    "cookies": Attack(many(b"/head", _COOKIES), 5_000, same),
    "connection": Attack(many(b"/head", _CONNECTION), 1_000, same),
    "ranges": Attack(many(b"/static/file.bin", _RANGES), 300, same, note="ignored: the whole file each"),
    "codings": Attack(many(b"/coding", _CODINGS), 100, same, note="read by the handler"),
    "accept": Attack(many(b"/missing", _ACCEPT), 100, same, note="read for the error page"),
    "path": Attack(many(b"/head" + b"%41" * 2_700), 2_000, same),
    "path-static": Attack(many(b"/static/" + b"%41" * 2_700), 1_000, same),
    "path-slashes": Attack(many(b"/static/" + b"a/" * 4_000), 1_000, same),
    "slow-reader": Attack(many(b"/stream"), 2, reads=False, note="100 MB, of which nothing is read"),
}


# The client


def send_all(port: int, pieces: list[bytes], repeats: int, attack: Attack) -> Sent:
    """Send an input on so many connections, one after the other."""
    sent = Sent()
    begin = time.process_time()
    for _ in range(repeats):
        with socket.socket() as sock:
            if not attack.reads:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                sock.settimeout(STALL_SECONDS)
            sock.connect(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            reader = threading.Thread(target=read_all, args=(sock, sent))
            if attack.reads:
                reader.start()
            try:
                send_pieces(sock, pieces, attack.pause, sent)
            except OSError:
                sent.is_cut = True
            if attack.reads:
                reader.join()
    sent.cpu = time.process_time() - begin
    return sent


def send_pieces(sock: socket.socket, pieces: list[bytes], pause: float, sent: Sent) -> None:
    """Send each piece by a call of its own, counting what the system takes."""
    for piece in pieces:
        rest = piece
        while rest:
            size = sock.send(rest)
            sent.size += size
            rest = rest[size:] if size < len(rest) else b""
        if pause:
            time.sleep(pause)
    if sock.gettimeout():
        time.sleep(STALL_SECONDS)


def read_all(sock: socket.socket, sent: Sent) -> None:
    """Read until the server closes, and note the first and the last status."""
    first = last = b""
    with suppress(OSError):
        while data := sock.recv(262_144):
            first = first or data[:12]
            last = data
    statuses = re.findall(rb"HTTP/1\.1 ([0-9]{3})", last)
    sent.first.add(first[9:12].decode("latin-1") or "none")
    sent.last.add(statuses[-1].decode() if statuses else "-")
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)  # wakes a sender that the server has left waiting


def client(port: int, pieces: list[bytes], repeats: int, attack: Attack) -> Sent:
    """Send from a process of its own, whose processor time is its own."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def work() -> None:
        use_core(CLIENT_CORE)
        theirs.send(send_all(port, pieces, repeats, attack))

    process = context.Process(target=work)
    process.start()
    sent: Sent = ours.recv()
    process.join()
    return sent


# The verdicts


@dataclass
class Line:
    """What was measured of one input."""

    name: str
    n: int
    sent: int  # bytes, of one input of size n
    memory: int
    server_cpu: float  # of one input of size n
    client_cpu: float
    growth: float
    per_request: float  # seconds
    outcome: str
    is_bounded: bool

    @property
    def ratio(self) -> float:
        """The server's processor time for each second of the client's."""
        return self.server_cpu / max(self.client_cpu, 1e-6)

    def verdict(self, plain: float) -> str:
        """Say what is over its limit; ``plain`` is what an ordinary request costs."""
        over = []
        if self.memory > MEMORY_LIMIT * self.sent + MEMORY_FLOOR:
            over.append(f"MEMORY x{self.memory / self.sent:.1f}")
        remark = ""
        if self.ratio > CPU_LIMIT:
            if self.per_request and self.per_request <= PLAIN_FACTOR * plain:
                remark = f" (CPU is that of ordinary requests, {self.per_request / plain:.1f} x)"
            else:
                worth = f" = {self.per_request / plain:.1f} requests" if self.per_request else ""
                over.append(f"CPU x{self.ratio:.0f}{worth}")
        if self.growth > GROWTH_LIMIT and not self.is_bounded:
            over.append(f"GROWTH {self.growth:.2f}")
        bounded = " bounded by limit" if self.is_bounded else ""
        return ("OVER: " + ", ".join(over) if over else "ok") + bounded + remark


def measure(name: str, attack: Attack) -> Line:
    """Measure one input against a server of its own."""
    pieces, double = list(attack.make(attack.n)), list(attack.make(2 * attack.n))
    with Server() as server:
        client(server.port, list(many(b"/")(200)), 1, Attack(many(b"/"), 200))  # warm
        before = server.memory().now
        server.forget_peak()
        sent, used = spend(server, pieces, 1, attack)
        memory = server.memory().peak - before
        repeats = min(ceil(ENOUGH_CPU / max(used, 0.001)), MOST_REPEATS) if attack.reads else 1
        if repeats > 1:
            total, used = spend(server, pieces, repeats, attack)
        else:
            total = sent
        _, used_twice = spend(server, double, repeats, attack)
        if not server.is_alive or server.errors():
            what = "wrote" if server.is_alive else "died"
            print(f"{name}: the server {what}: {server.errors()}", file=sys.stderr)
    requests = attack.requests(attack.n)
    growth = used_twice / max(used, 0.005)
    wished = sum(map(len, pieces))
    return Line(
        name,
        attack.n,
        sent.size,
        memory,
        used / repeats,
        total.cpu / repeats,
        growth,
        used / repeats / requests if requests else 0.0,
        "/".join(sorted(total.last | total.first)) or "unread",
        # What is cut off is not always told: the system may have taken all before the server closed.
        is_bounded=growth < BOUNDED_GROWTH
        or (total.is_cut and sent.size < wished)
        or bool(total.first & REFUSALS),
    )


def spend(server: Server, pieces: list[bytes], repeats: int, attack: Attack) -> tuple[Sent, float]:
    """Send an input and return what the client did and what the server spent on it."""
    used = server.cpu()
    sent = client(server.port, pieces, repeats, attack)
    wait_until_idle(server)
    return sent, server.cpu() - used


def cost_of_plain_request() -> float:
    """Measure what the server spends on a request that comes alone, as from a well-behaved client."""
    request = get(b"/")
    count = 10_000
    with Server() as server, socket.create_connection(("127.0.0.1", server.port)) as sock:
        for part in range(2):
            used = server.cpu()
            for _ in range(count if part else 500):
                sock.sendall(request)
                sock.recv(4_096)
        return (server.cpu() - used) / count


def main() -> int:
    """Measure what was asked for, or everything, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of inputs, or beginnings of names")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    options = parser.parse_args()
    chosen = {
        name: attack
        for name, attack in ATTACKS.items()
        if not options.names or any(name.startswith(each) for each in options.names)
    }
    if options.list or not chosen:
        print("\n".join(ATTACKS))
        return 0 if options.list else 2
    use_core(CLIENT_CORE)
    plain = cost_of_plain_request()
    print(f"an ordinary request costs the server {plain * 1e6:.0f} us")
    print(
        f"{'input':22} {'n':>9} {'sent':>10} {'memory':>10} {'server':>9} {'client':>9} {'ratio':>7}", end=" "
    )
    print(f"{'2n/n':>5} {'us/req':>7}  statuses     verdict")
    is_over = False
    for name, attack in chosen.items():
        line = measure(name, attack)
        verdict = line.verdict(plain)
        is_over |= verdict.startswith("OVER")
        each = f"{line.per_request * 1e6:.0f}" if line.per_request else "-"
        print(f"{name:22} {line.n:9} {line.sent:10} {line.memory:10} {line.server_cpu:8.4f}s", end=" ")
        print(f"{line.client_cpu:8.4f}s {line.ratio:7.1f} {line.growth:5.2f} {each:>7}", end="  ")
        print(f"{line.outcome:12} {verdict}", flush=True)
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main())
