"""How a serving process ends: cleanly, within its time, or at once."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack, closing
from http.client import HTTPConnection

import pytest

from tests.system.program import APPS, PATIENCE

BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)


class Client:
    """A connection to a server."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def send(self, data):
        self._socket.sendall(data)

    def post(self, path, body):
        """Send a request with as much as there is of its body, which is four bytes long."""
        self.send(b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n%b" % (path, body))

    def read_to_the_end(self):
        with self._socket.makefile("rb") as stream:
            return stream.read()

    def close(self):
        self._socket.close()


class Stopping:
    """A server that will be told to stop, and its clients."""

    def __init__(self, server, running):
        self.server = server
        self._running = running

    def connect(self):
        return self._running.enter_context(closing(Client(self.server.port)))

    def idle(self):
        """Make a connection that has had its answer, which shows that what was sent before has come in."""
        connection = self._running.enter_context(
            closing(HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE))
        )
        connection.request("GET", "/hello")
        connection.getresponse().read()
        return connection.sock

    def busy(self, path=b"/echo"):
        """Make a connection whose request has come in but for the end of its body, ``il``."""
        client = self.connect()
        client.post(path, b"ta")
        self.idle()
        return client


@pytest.fixture
def start(serve):
    with ExitStack() as running:

        def start(*words, **more):
            return Stopping(serve(f"{APPS}/stopping.py:Handler", *words, **more), running)

        yield start


def wait_for_end(idle):
    """Wait until an idle connection is closed, which is the first thing to happen when a server stops."""
    assert idle.recv(1) == b""


@BOTH
def test_idle_connections_are_closed_and_running_answers_finish(start, number):
    stopping = start("--timeout-shutdown", "1h")
    busy, idle = stopping.busy(), stopping.idle()

    stopping.server.send(number)
    wait_for_end(idle)
    with pytest.raises(ConnectionRefusedError):
        stopping.connect()
    busy.send(b"il")
    answer = busy.read_to_the_end()

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nConnection: close\r\n" in answer
    assert answer.endswith(b"\r\n\r\ntail")
    assert stopping.server.wait() == 0
    assert stopping.server.stderr.text.endswith("INFO stopped: 1 answered, 0 cut off\n")
    assert not stopping.server.port_file.exists()


def test_answer_that_has_begun_goes_on_to_its_end(start):
    stopping = start("--timeout-shutdown", "1h")
    busy, idle = stopping.busy(b"/begun"), stopping.idle()

    stopping.server.send(signal.SIGTERM)
    wait_for_end(idle)
    busy.send(b"il")

    assert busy.read_to_the_end().endswith(b"\r\n\r\n6\r\nbegun \r\n4\r\ntail\r\n0\r\n\r\n")
    assert stopping.server.wait() == 0


def test_head_that_has_begun_still_gets_its_answer(start):
    stopping = start("--timeout-shutdown", "1h")
    client = stopping.connect()
    client.send(b"GET /hello HTTP/1.1\r\nHo")
    idle = stopping.idle()

    stopping.server.send(signal.SIGTERM)
    wait_for_end(idle)
    client.send(b"st: a\r\n\r\n")

    assert b"\r\nConnection: close\r\n" in client.read_to_the_end()
    assert stopping.server.wait() == 0


@BOTH
def test_signal_works_where_whoever_started_it_ignores_signals(start, number):
    server = start(preexec_fn=lambda: signal.signal(number, signal.SIG_IGN)).server

    assert server.stop(number) == 0


def test_request_of_a_connection_that_was_not_accepted_yet_is_answered(start, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    stopping = start()
    blocking = stopping.connect()
    blocking.send(b"GET /waits_for_pipe HTTP/1.1\r\nHost: a\r\n\r\n")
    with (tmp_path / "pipe").open(
        "wb"
    ):  # the handler has opened its end too, and waits for ours to be closed
        waiting = [stopping.connect() for _ in range(50)]
        for client in waiting:
            client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        stopping.server.send(signal.SIGTERM)
    answers = [client.read_to_the_end() for client in [blocking, *waiting]]

    assert all(answer.startswith(b"HTTP/1.1 200 OK\r\n") for answer in answers)
    assert stopping.server.wait() == 0


def test_answer_that_takes_too_long_is_cut_off(start):
    stopping = start("--timeout-shutdown", "50ms")
    busy = stopping.busy()

    stopping.server.send(signal.SIGTERM)

    assert stopping.server.wait() == 0
    assert "when the time to stop was over" in stopping.server.stderr.text
    assert busy.read_to_the_end() == b""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_second_signal_ends_it_at_once(start, number, code):
    stopping = start("--timeout-shutdown", "1h")
    busy, idle = stopping.busy(), stopping.idle()

    stopping.server.send(number)
    wait_for_end(idle)
    stopping.server.send(number)

    assert stopping.server.wait() == code
    assert "INFO stopped at once" in stopping.server.stderr.text
    assert not stopping.server.port_file.exists()
    assert busy.read_to_the_end() == b""


STUBBORN = pytest.mark.parametrize("path", [b"/blocks", b"/spins", b"/stays", b"/threads"], ids=bytes.decode)


@STUBBORN
def test_handler_that_does_not_let_go_is_ended_when_the_time_is_over(start, path):
    stopping = start("--timeout-shutdown", "50ms")
    stopping.connect().post(path, b"tail")
    stopping.server.stderr.wait_for("busy")

    assert stopping.server.stop(signal.SIGTERM) == 0
    assert "ended by force" in stopping.server.stderr.text


@STUBBORN
def test_handler_that_does_not_let_go_is_no_match_for_an_impatient_person(start, path):
    stopping = start("--timeout-shutdown", "1h")
    stopping.connect().post(path, b"tail")
    stopping.server.stderr.wait_for("busy")

    while not stopping.server.ends_within(0.05):
        stopping.server.send(signal.SIGINT)

    assert stopping.server.wait() == 130
