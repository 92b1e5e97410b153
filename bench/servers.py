"""The servers that are measured, and how they are started, most of them on the first core."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PEERS = HERE.parent / ".venv-bench"

_NGINX = """\
daemon off; master_process off; pid {site}/.pid; error_log /dev/null; events {{}}
http {{
  include /etc/nginx/mime.types; charset utf-8; access_log off; keepalive_requests 1000000;
  sendfile on; tcp_nopush on; gzip_static on; gzip_vary on; {cache}
  server {{ listen 127.0.0.1:{port}; root {site}; }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A server to measure.

    Attributes:
        name: of it.
        command: with PORT and SITE to be filled in.
        prefix: of its URLs; granian serves no files at the root.
        keeps_output: what it writes goes to a file, as a log would.
    """

    name: str
    command: list[str]
    prefix: str = ""
    keeps_output: bool = False


def servers() -> dict[str, Server]:
    """Name all servers; those that are not installed are left out later."""
    python = sys.executable
    peer = str(PEERS / "bin") + "/"
    quiet = ["--no-access-log", "-q"]
    aioserve = [python, "-m", "aioserve", "bench/app.py:Handler", "--port", "PORT", *quiet]
    loud = [*aioserve[:-2], "--access-log-file", "SITE/.access.log", "--access-log-format", "combined", "-q"]
    uvicorn = [peer + "uvicorn", "--app-dir", str(HERE), "--port", "PORT", "--no-access-log"]
    granian = [
        *(peer + "granian", "--interface", "rsgi", "app_rsgi:app", "--port", "PORT"),
        *("--working-dir", str(HERE), "--no-ws", "--log-level", "error"),
    ]
    listed = [
        Server("floor", [python, str(HERE / "floor.py"), "PORT"]),
        Server("aioserve", aioserve),
        Server("aioserve log", loud),
        Server("aioserve 2", [*aioserve, "--workers", "2"]),
        Server("static", [python, "-m", "aioserve", "--static", "SITE", "--port", "PORT", *quiet]),
        Server("uvicorn", [*uvicorn, "app_asgi:app"]),
        Server("uvicorn log", [*uvicorn[:-1], "app_asgi:app"], keeps_output=True),
        Server("uvicorn 2", [*uvicorn, "app_asgi:app", "--workers", "2"]),
        Server("starlette", [*uvicorn, "app_starlette:app"]),
        Server("granian", granian),
        Server("granian log", [*granian[:-2], "--access-log"], keeps_output=True),
        Server(
            "granian files",
            [*granian, "--static-path-route", "/files", "--static-path-mount", "SITE"],
            prefix="/files",
        ),
        Server("nginx", ["nginx", "-p", "SITE", "-c", "SITE/.nginx.conf"]),
        Server("nginx cached", ["nginx", "-p", "SITE", "-c", "SITE/.nginx-cached.conf"]),
        Server("caddy", ["caddy", "file-server", "--root", "SITE", "--listen", "127.0.0.1:PORT"]),
    ]
    return {server.name: server for server in listed}


def install_peers() -> None:
    """Put the Python peers into their own environment, once."""
    if not (PEERS / "bin" / "granian").exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
    pip = [str(PEERS / "bin" / "pip"), "install", "--quiet"]
    subprocess.run([*pip, "uvicorn", "httptools", "uvloop", "granian", "starlette"], check=True)


@contextmanager
def running(server: Server, site: str, cores: str = "0") -> Iterator[tuple[int, int]]:
    """Start a server on the first core, or on others, and stop it in the end; yields its pid and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for name, cache in (
        (".nginx.conf", ""),
        (".nginx-cached.conf", "open_file_cache max=100; open_file_cache_errors on;"),
    ):
        text = _NGINX.format(site=site, port=port, cache=cache)
        Path(site, name).write_text(text, encoding="ascii")
    command = [word.replace("PORT", str(port)).replace("SITE", site) for word in server.command]
    with Path(site, ".output" if server.keeps_output else os.devnull).open("ab") as output:
        process = subprocess.Popen(
            ["taskset", "-c", cores, *command],
            cwd=HERE.parent,
            env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": site, "STATIC_FOLDER": site},
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"bench: {server.name} does not start: {command}") from None
                time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)
