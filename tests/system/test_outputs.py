"""Standard streams that nobody reads, that have no room, or that are not there: the server serves on."""

from __future__ import annotations

import http.client
import os
import re
import resource
import signal
import socket
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.system.program import ROOT

HELLO = ROOT / "examples/hello.py:Handler"
LINE = re.compile(r'127\.0\.0\.1 - - \[[^]]+\] "GET (/\S*) HTTP/1\.1" 200 14 "-" "-"')
LONG = "x" * 3000  # 400 such lines are more than a pipe and a worker hold


@pytest.fixture
def pipe():
    """A pipe: the descriptor that is read, as a file, and a function that makes the other one number N."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", 0) as reader:
        yield reader, partial(os.dup2, write_end)
        os.close(write_end)


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def command(listening, loop):
    """The words of a server that is handed a socket, so that nobody need wait for its ready line."""
    option = "--uvloop" if loop == "uvloop" else "--no-uvloop"
    return [sys.executable, "-m", "aioserve", HELLO, option, "--bind", f"fd://{listening.fileno()}"]


def read_all(program, reader):
    """Read a pipe until the program has ended, and what is left in it then."""
    os.set_blocking(reader.fileno(), False)
    parts = []
    while program.is_running:
        parts.append(reader.read(1 << 20) or b"")
    while part := reader.read(1 << 20):
        parts.append(part)
    return b"".join(parts).decode()


def ask(port, paths):
    """Ask for each path on one connection; each must be answered."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        for path in paths:
            client.request("GET", path)
            assert client.getresponse().read() == b"Hello, World!\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_an_access_log_that_nobody_reads_holds_up_nobody(serve, pipe, workers):
    reader, become = pipe
    server = serve(HELLO, "--workers", workers, preexec_fn=partial(become, 1))
    paths = [f"/{number}/{LONG}" for number in range(1200)]
    for start in range(0, 1200, 50):  # a connection each, so that every worker has some
        ask(server.port, paths[start : start + 50])
    server.stderr.wait_for("access log: .*nobody reads it; its lines")  # are dropped, or wait
    server.send(signal.SIGTERM)
    text = read_all(server, reader)
    written = [LINE.fullmatch(line) for line in text.splitlines()]
    lost = sum(map(int, re.findall(r"access log: (\d+) lines were lost", server.stderr.text)))

    assert all(written)
    assert len({found[1] for found in written}) == len(written) == 1200 - lost
    assert 0 < lost < 1200
    assert server.stderr.text.count("nobody reads it") <= workers


def test_messages_that_nobody_reads_hold_up_nobody(start, pipe, listening, loop):
    reader, become = pipe
    program = start(*command(listening, loop), pass_fds=[listening.fileno()], preexec_fn=partial(become, 2))
    for _ in range(1500):
        with socket.create_connection(listening.getsockname(), 60) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")  # without Host
            assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    program.send(signal.SIGTERM)
    text = read_all(program, reader)

    assert len(re.findall(r"^\S+ INFO 127\.0\.0\.1: refused with 400: .+$", text, re.MULTILINE)) == 1500
    assert "INFO stopped" in text.splitlines()[-1]


@pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="limits of another process are set on Linux only"
)
def test_a_log_without_room_is_told_of_once_and_goes_on_when_there_is_room(serve, tmp_path):
    log = tmp_path / "access.log"
    with log.open("wb") as file:
        os.set_inheritable(file.fileno(), True)

        def limit():
            os.dup2(file.fileno(), 1)

        server = serve(HELLO, preexec_fn=limit)
        [worker] = children(server.pid)
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (5_000, resource.RLIM_INFINITY))
        ask(server.port, [f"/{number}" for number in range(600)])
        server.stderr.wait_for("access log: cannot write: File too large; its lines are dropped")
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        ask(server.port, ["/again"])
        server.stop_cleanly()
    found = [LINE.fullmatch(line) for line in log.read_text().splitlines()]
    [lost] = re.findall(r"(\d+) lines were lost", server.stderr.text)

    assert found[-1][1] == "/again"
    assert found.count(None) == 1  # the one that broke off
    assert len(found) - 1 == 601 - int(lost)
    assert server.stderr.text.count("cannot write") == 1


def test_a_log_that_is_moved_away_is_begun_anew_and_no_line_is_lost(serve, tmp_path):
    """As logrotate(8) does it: rename, then a signal."""
    server = serve(HELLO, "--access-log-file", "access.log", "--workers", 2)
    log = tmp_path / "access.log"
    paths = [f"/{number}" for number in range(300)]
    moved = []
    for start in range(0, 300, 10):
        ask(server.port, paths[start : start + 10])
        if start % 100 == 50:
            moved.append(log.rename(tmp_path / f"access.log.{start}"))
            server.send(signal.SIGUSR1)
            while not log.exists():
                pass
    server.stop_cleanly()
    text = "".join(each.read_text() for each in [*moved, log])

    assert sorted(LINE.fullmatch(line)[1] for line in text.splitlines()) == sorted(paths)
    assert server.stdout.text == ""


def children(pid):
    """Return the numbers of a process's children."""
    return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_obstacle(start, listening, loop, closed):
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", *command(listening, loop)]
    program = start(*words, pass_fds=[listening.fileno()])
    ask(listening.getsockname()[1], ["/"] * 3)
    [worker] = children(program.pid)
    opened = [str(Path(f"/proc/{worker}/fd/{number}").readlink()) for number in range(3)]
    expected = [os.devnull if each in closed.split() else None for each in ("<&-", ">&-", "2>&-")]

    assert [name if name == os.devnull else None for name in opened] == [os.devnull, *expected[1:]]
    assert program.stop() == 0
