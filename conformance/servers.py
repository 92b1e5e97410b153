"""Which servers are asked, with what configuration, and how they are installed, started and stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEERS = ROOT / ".venv-peers"
PACKAGES = ["uvicorn", "httptools", "h11", "uvloop", "granian", "hypercorn", "aiohttp", "gunicorn"]
PATIENCE = 20  # seconds until a server must accept connections

NGINX = """\
daemon off; master_process off; pid nginx.pid; error_log stderr crit; events {}
http {
  access_log off; keepalive_requests 100000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:PORT;
    location / { mirror /mirror; root nowhere; error_page 404 405 = @ok; }
    location @ok { add_header Method $request_method; return 200 "ok"; }
    location = /mirror { internal; return 200; }
  }
}
"""


@dataclass(eq=False)
class Server:
    """A server: its name, the packages whose versions tell which it is, and its command with PORT and FOLDER.

    Attributes:
        port: where it listens, once it is started.
        starts: how often it was started; more than once is a death between.
    """

    name: str
    packages: list[str]
    command: list[str]
    port: int = 0
    starts: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start(self) -> None:
        """Start it, or start it again if it has died, and wait until it accepts connections."""
        async with self._lock:
            if self._process is not None and self._process.poll() is None:
                return
            self.starts += 1
            self.port = free_port()
            self._process = self._spawn()
            deadline = time.monotonic() + PATIENCE
            while not accepts(self.port):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"conformance: {self.name} does not start: {self.command}")
                await asyncio.sleep(0.05)

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._folder = self._folder or tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        Path(self._folder.name, "nginx.conf").write_text(
            NGINX.replace("PORT", str(self.port)), encoding="ascii"
        )
        words = {"PORT": str(self.port), "FOLDER": self._folder.name}
        command = [_filled(word, words) for word in self.command]
        return subprocess.Popen(  # noqa: S603 - the commands stand below
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """Stop it, politely at first."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._folder is not None:
            self._folder.cleanup()


def _filled(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def free_port() -> int:
    """Find a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def accepts(port: int) -> bool:
    """Tell whether somebody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def install_peers() -> None:
    """Put the Python peers into their own environment, once."""
    if not (PEERS / "bin" / "gunicorn").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)  # noqa: S603
        (PEERS / ".gitignore").write_text("*\n", encoding="ascii")  # as Python 3.13 does by itself
        subprocess.run([str(PEERS / "bin" / "pip"), "install", "--quiet", *PACKAGES], check=True)  # noqa: S603


def servers() -> list[Server]:
    """List all servers, ours first; one that is not installed is to be left out."""
    peer = str(PEERS / "bin") + "/"
    asgi = "conformance.app_asgi:app"
    uvicorn = [peer + "uvicorn", asgi, "--port", "PORT", "--no-access-log", "--http"]
    ours = [sys.executable, "-m", "aioserve", "conformance/app.py:Handler", "--port", "PORT"]
    return [
        Server("aioserve", ["aioserve"], [*ours, "--no-access-log"]),
        Server("nginx", [], [nginx() or "nginx", "-p", "FOLDER", "-c", "FOLDER/nginx.conf"]),
        Server("uvicorn, httptools", ["uvicorn", "httptools"], [*uvicorn, "httptools"]),
        Server("uvicorn, h11", ["uvicorn", "h11"], [*uvicorn, "h11"]),
        Server(
            "granian",
            ["granian"],
            [peer + "granian", "--interface", "asgi", "--http", "1", "--no-ws", asgi, "--port", "PORT"],
        ),
        Server("hypercorn", ["hypercorn", "h11"], [peer + "hypercorn", asgi, "--bind", "127.0.0.1:PORT"]),
        Server("aiohttp", ["aiohttp"], [peer + "python", "conformance/app_aiohttp.py", "PORT"]),
        Server(
            "gunicorn",
            ["gunicorn"],
            [
                *(peer + "gunicorn", "conformance.app_wsgi:app", "--bind", "127.0.0.1:PORT"),
                *("--worker-class", "gthread", "--threads", "64", "--no-control-socket"),
            ],
        ),
    ]


def nginx() -> str | None:
    """Find nginx, which Debian puts where only administrators look."""
    return shutil.which("nginx") or shutil.which("/usr/sbin/nginx")


def version_of(server: Server) -> str:
    """Say which version of a server, and of what it reads requests with, is installed."""
    if server.name == "nginx":
        said = subprocess.run([server.command[0], "-v"], check=True, capture_output=True, text=True)  # noqa: S603
        return said.stderr.strip().rpartition("/")[2]
    python = sys.executable if server.name == "aioserve" else str(PEERS / "bin" / "python")
    script = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    command = [python, "-c", script, *server.packages]
    numbers = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
    first, *others = zip(server.packages, numbers, strict=True)
    return ", ".join([first[1], *(f"{name} {number}" for name, number in others)])
