"""What a handler of a real server forks is a process like any other, and keeps nothing of the server's."""

from __future__ import annotations

import os
import signal
import socket
from http.client import HTTPConnection

import pytest

from tests.system.program import APPS, PATIENCE

APP = f"{APPS}/offspring.py:Handler"


@pytest.fixture
def server(serve):
    """A server that waits for longer than the test does, for whoever does not end by himself."""
    return serve(APP, "--timeout-shutdown", "1h", "--timeout-worker", "0")


def ask(server, path):
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", path)
    response = connection.getresponse()
    text = response.read().decode().strip()
    connection.close()
    assert response.status == 200
    return text


@pytest.mark.parametrize(
    ("path", "expected"), [("/pool", "[1, 2]"), ("/terminate", "-15"), ("/program", "-15")]
)
def test_sigterm_ends_what_a_handler_makes_and_not_the_worker(server, path, expected):
    before = ask(server, "/")

    assert [ask(server, path) for _ in range(5)] == 5 * [expected]
    assert ask(server, "/") == before
    assert "ended" not in server.stderr.text


def test_what_a_handler_has_forked_does_not_keep_the_address(server):
    pid = int(ask(server, "/stay"))
    try:
        server.send(signal.SIGTERM)
        assert server.ends_within(PATIENCE)
        socket.create_server(("127.0.0.1", server.port)).close()
    finally:
        os.kill(pid, signal.SIGKILL)
    assert server.wait() == 0
