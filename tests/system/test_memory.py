"""What is large goes through: the server's memory does not grow with it."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.system.apps.transfer import CHUNK
from tests.system.program import APPS, PATIENCE

MIB = 2**20
GIB = 2**30
GROWTH = 20 * MIB


@pytest.fixture
def server(serve, tmp_path):
    for name, size in (("large", GIB), ("small", MIB)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)  # sparse: it takes no room
    return serve(f"{APPS}/transfer.py:Handler", "--static", ".", "--limit-body", "0", "--no-access-log")


def peak(server):
    """Return the most memory that a server has had so far, in bytes."""
    status = Path(f"/proc/{server.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1]) * 1024


def exchange(server, target, method=b"GET", body_size=0):
    """Make a request; return the first bytes of the answer and the number of all."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        head = b"%b %b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        client.sendall(head % (method, target, body_size))
        for _ in range(body_size // MIB):
            client.sendall(bytes(MIB))
        begin = client.recv(65_536)
        size = len(begin)
        buffer = bytearray(MIB)
        while received := client.recv_into(buffer):
            size += received
    return begin, size


def test_upload_read_in_pieces_takes_no_memory(server):
    exchange(server, b"/", b"POST", MIB)
    before = peak(server)

    answer, _ = exchange(server, b"/", b"POST", GIB)

    assert answer.endswith(b"\r\n\r\n%d" % GIB)
    assert peak(server) - before < GROWTH


def test_download_of_chunks_takes_no_memory(server):
    exchange(server, b"/?chunks=16")
    before = peak(server)

    answer, size = exchange(server, b"/?chunks=%d" % (GIB // len(CHUNK)))

    assert b"\r\nTransfer-Encoding: chunked\r\n" in answer
    assert size > GIB
    assert peak(server) - before < GROWTH


def test_download_of_a_file_takes_no_memory(server):
    exchange(server, b"/small")
    before = peak(server)

    answer, size = exchange(server, b"/large")

    head, _, _ = answer.partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % GIB in answer
    assert size == len(head) + len(b"\r\n\r\n") + GIB
    assert peak(server) - before < GROWTH
