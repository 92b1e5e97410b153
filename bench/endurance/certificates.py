"""A certificate is replaced under load: `python bench/endurance/certificates.py`, 20 times on each loop.

Threads make one TLS connection after the other and ask for something on each; others ask again and again on
one connection. Every two seconds the two files get a new certificate and its key, behind one of these, each
left there for long enough to be looked at:

    foreign    the new certificate with a key that belongs to another
    half       the first half of the new certificate
    empty      an empty key file
    none       nothing: the new pair comes at once

Expected: a handshake that begins more than a second after the new pair was there is shown the new one, nobody
is ever shown anything but the last or the next good one, and every request is answered. `late` is how long
after the change a handshake has begun that was still shown the old one. `openssl` makes the certificates.
"""

from __future__ import annotations

import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from hashlib import sha256
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from app import SIZE, body_for
from common import Findings, Server, parse_options

WITHIN = 1.0  # seconds
BAD_SECONDS = 1.2  # two looks at the files
_FRESH, _KEEPING = 4, 2  # threads


class Pair(NamedTuple):
    """A certificate and its key, in PEM."""

    certificate: bytes
    key: bytes

    @property
    def fingerprint(self) -> str:
        """Tell it from others."""
        return sha256(ssl.PEM_cert_to_DER_cert(self.certificate.decode("ascii"))).hexdigest()[:16]


class Shown(NamedTuple):
    """What a client was shown by a handshake that began then."""

    begun: float
    fingerprint: str


def make_pair(folder: Path) -> Pair:
    """Have openssl make one; its number is random."""
    certificate, key = folder / "made.pem", folder / "made.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-days", "365", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    return Pair(certificate.read_bytes(), key.read_bytes())


class Clients:
    """The threads.

    Args:
        port: of the server.

    Attributes:
        shown: by each handshake.
        answers: how many were right.
        failures: what went wrong.
    """

    def __init__(self, port: int) -> None:
        self.shown: list[Shown] = []
        self.answers = 0
        self.failures: Counter[str] = Counter()
        self._port = port
        self._goes_on = True
        self._lock = threading.Lock()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE  # what is shown is compared, to the byte
        kinds = [False] * _FRESH + [True] * _KEEPING
        self._threads = [threading.Thread(target=self._run, args=(kind,)) for kind in kinds]
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """Have them finish what they do."""
        self._goes_on = False
        for each in self._threads:
            each.join()

    def _run(self, keeps: bool) -> None:
        while self._goes_on:
            try:
                self._use_connection(keeps=keeps)
            except OSError as error:
                with self._lock:
                    self.failures[type(error).__name__] += 1

    def _use_connection(self, *, keeps: bool) -> None:
        begun = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", self._port), 20) as plain,
            self._context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            der = secure.getpeercert(binary_form=True) or b""
            self.shown.append(Shown(begun, sha256(der).hexdigest()[:16]))
            self._ask(secure, 0)
            number = 1
            while keeps and self._goes_on:
                self._ask(secure, number)
                number += 1
                time.sleep(0.005)

    def _ask(self, secure: ssl.SSLSocket, number: int) -> None:
        secure.sendall(f"GET /{number} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode("ascii"))
        answer = b""
        while len(body := answer.partition(b"\r\n\r\n")[2]) < SIZE:
            if not (data := secure.recv(65_536)):
                raise ConnectionError
            answer += data
        if answer[:13] != b"HTTP/1.1 200 " or body != body_for(f"/{number}", int(body[:10])):
            raise ValueError(answer)
        with self._lock:
            self.answers += 1


def put(path: Path, data: bytes) -> None:
    """Replace a file as a whole."""
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.replace(path)


def spoil(certificate: Path, key: Path, how: str, pair: Pair, foreign: Pair) -> None:
    """Put something bad there, for a while."""
    if how == "foreign":
        put(certificate, pair.certificate)
        put(key, foreign.key)
    elif how == "half":
        certificate.write_bytes(pair.certificate[: len(pair.certificate) // 2])
    elif how == "empty":
        key.write_bytes(b"")
    if how != "none":
        time.sleep(BAD_SECONDS)


def measure(findings: Findings, loop: str, workers: int, times: int) -> None:
    """Replace it so many times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        foreign, *pairs = [make_pair(folder) for _ in range(times + 2)]
        certificate, key = folder / "cert.pem", folder / "key.pem"
        put(certificate, pairs[0].certificate)
        put(key, pairs[0].key)
        words = ["--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
        changes: list[float] = [0.0]
        bad: Counter[str] = Counter()
        with Server(loop, *words, workers=workers) as server:
            clients = Clients(server.port)
            time.sleep(1)
            for pair, how in zip(pairs[1:], cycle(["foreign", "none", "half", "empty"])):
                spoil(certificate, key, how, pair, foreign)
                bad[how] += 1
                put(certificate, pair.certificate)
                put(key, pair.key)
                changes.append(time.monotonic())
                time.sleep(2)
            clients.stop()
            told = server.count_said(r" WARNING .*; the certificate read before stays in use\n")
    report(findings, f"{loop} {workers}", clients, [each.fingerprint for each in pairs], changes)
    wanted = times - bad["none"]  # one of the workers says what all of them find
    findings.expect(told == wanted, f"each bad pair is complained about once: {told} times for {wanted}")


def report(
    findings: Findings, title: str, clients: Clients, fingerprints: list[str], changes: list[float]
) -> None:
    """Say how late the new ones were shown, and what else there was."""
    lates, strange = [0.0] * len(fingerprints), 0
    for begun, fingerprint in clients.shown:
        at = sum(begun >= change for change in changes) - 1  # the good one by then
        if fingerprint == fingerprints[at]:
            continue
        if at and fingerprint == fingerprints[at - 1]:
            lates[at] = max(lates[at], begun - changes[at])
        # One that begins just before the change may be shown the next already.
        elif not (at + 1 < len(changes) and fingerprint == fingerprints[at + 1]):
            strange += 1
    late = lates[1:]
    findings.row(
        *(title, len(late), len(clients.shown), clients.answers, sum(clients.failures.values()), strange),
        *(statistics.median(late), max(late)),
    )
    findings.expect(not clients.failures, f"no request is lost: {dict(clients.failures)}")
    findings.expect(max(late) < WITHIN, f"the new one is shown within {WITHIN:g} s")
    findings.expect(not strange, "nothing but the last or the next good one is shown")


def main() -> int:
    """Run it on the loops that were asked for."""
    options = parse_options(__doc__, workers=0, times=20)
    findings = Findings(
        f"a certificate replaced {options.times} times; seconds",
        *("loop, workers", "replaced", "handshakes", "answers", "failed", "strange", "late: median", "worst"),
    )
    for loop in options.loops:
        for workers in [options.workers] if options.workers else [1, 2]:
            measure(findings, loop, workers, options.times)
    return int(bool(findings.broken))


if __name__ == "__main__":
    sys.exit(main())
