"""Which servers are asked, how each of them is set up for the rows, started and stopped."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from comparison.configurations import caddyfile, nginx_conf
from tests.semantics.setups import SETUPS, words_of

ROOT = Path(__file__).parent.parent
PATIENCE = 20  # seconds until a server must accept connections


@dataclass(eq=False)
class Server:
    """A server in all its setups.

    Attributes:
        name: of the program.
        version: which of it.
        ports: where each setup listens; a setup that has no equivalent has none.
    """

    name: str
    version: str
    ports: dict[str, int]
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, words: list[str], ports: list[int], **environment: str) -> None:
        """Start a process, and wait until it accepts connections on all of these ports."""
        process = subprocess.Popen(  # noqa: S603 - the commands stand below
            words,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        deadline = time.monotonic() + PATIENCE
        while not all(map(accepts, ports)):
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise SystemExit(f"comparison: {self.name} does not start: {' '.join(words)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop all of it, politely at first."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start_aioserve(site: Path, _folder: Path) -> Server:
    """Start the command once for each setup."""
    server = Server(
        "aioserve", version_of([sys.executable, "-m", "aioserve", "--version"]), free_ports(SETUPS)
    )
    for setup, port in server.ports.items():
        words = [sys.executable, "-m", "aioserve", *words_of(setup, site), "--port", str(port)]
        server.run([*words, "--no-access-log"], [port])
    return server


def start_nginx(site: Path, folder: Path) -> Server:
    """Start nginx, with a server block for each setup."""
    program = find("nginx")
    server = Server("nginx", version_of([program, "-v"]), free_ports(SETUPS))
    text, server.ports = nginx_conf(site, server.ports)
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    server.run([program, "-p", str(folder), "-c", str(folder / "nginx.conf")], [*server.ports.values()])
    return server


def start_caddy(site: Path, folder: Path) -> Server:
    """Start Caddy, with a site for each setup."""
    program = find("caddy")
    server = Server("Caddy", version_of([program, "version"]), free_ports(SETUPS))
    text, server.ports = caddyfile(site, server.ports)
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    words = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    home = {"XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    server.run(words, [*server.ports.values()], **home)
    return server


STARTS = {"aioserve": start_aioserve, "nginx": start_nginx, "caddy": start_caddy}


def find(name: str) -> str:
    """Find a program, also where Debian puts those that only administrators look for."""
    found = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if found is None:
        raise SystemExit(f"comparison: {name} is not installed")
    return found


def version_of(words: list[str]) -> str:
    """Ask a program for its version, and take the number out of the answer."""
    done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    said = (done.stdout + done.stderr).split()
    return next(word.rpartition("/")[2].lstrip("v") for word in said if any(map(str.isdigit, word)))


def free_ports(names: dict[str, tuple[str, ...]]) -> dict[str, int]:
    """Find a port that nobody has for each name."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return dict(zip(names, ports, strict=True))


def accepts(port: int) -> bool:
    """Tell whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
