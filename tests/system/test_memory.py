"""A body of a gibibyte costs no memory to speak of, each way."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.system.program import APPS, PATIENCE

MIB = 1 << 20
GIB = 1 << 30
ALLOWED = 20 * MIB

if not Path("/proc/self/status").exists():  # pragma: no cover - where there is no Linux
    pytest.skip("the memory of a process is read from Linux's /proc", allow_module_level=True)


def peak(server):
    """Return the most memory that the process ever had, in bytes."""
    lines = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def exchange(port, head, upload=0):
    """Make a request; return the length of all that came back, and the end of it."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(head + b"Host: a\r\nConnection: close\r\n\r\n")
        block = bytes(MIB)
        for _ in range(upload // MIB):
            client.sendall(block)
        buffer, length, end = bytearray(MIB), 0, b""
        while got := client.recv_into(buffer):
            length += got
            end = bytes(buffer[:got])[-64:]
        return length, end


@pytest.fixture(scope="module")
def server(serve_all_along, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with (folder / "large.bin").open("wb") as file:
        file.truncate(GIB)
    options = ["--static", f"/files={folder}", "--limit-body", "0", "--no-access-log"]
    server = serve_all_along("streams:Handler", "--app-dir", APPS, *options)
    exchange(server.port, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n" % MIB, MIB)  # everything is loaded
    exchange(server.port, b"HEAD /files/large.bin HTTP/1.1\r\n")
    return server


def test_an_upload(server):
    before = peak(server)
    _, end = exchange(server.port, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n" % GIB, GIB)

    assert end.endswith(b"\r\n\r\n%d\n" % GIB)
    assert peak(server) - before < ALLOWED


@pytest.mark.parametrize("path", [b"/", b"/files/large.bin"], ids=["chunks", "a file"])
def test_a_download(server, path):
    before = peak(server)
    length, _ = exchange(server.port, b"GET %b HTTP/1.1\r\n" % path)

    assert length > GIB
    assert peak(server) - before < ALLOWED
