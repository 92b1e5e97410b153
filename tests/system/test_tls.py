"""The command over TLS, as clients of the standard library see it."""

from __future__ import annotations

import re
import socket
import ssl
import sys
from contextlib import closing
from http.client import HTTPSConnection

import pytest

from tests.listen.pem import CERTIFICATE, ENCRYPTED_KEY, FOREIGN_KEY, KEY
from tests.system.program import PATIENCE, ROOT

HELLO = ROOT / "examples" / "hello.py"
FILES = {
    "cert.pem": CERTIFICATE,
    "key.pem": KEY,
    "both.pem": CERTIFICATE + KEY,
    "foreign.pem": FOREIGN_KEY,
    "encrypted.pem": ENCRYPTED_KEY,
    "text.txt": "no PEM\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path):
    """Put the files where the command runs."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="ascii")


class Secure:
    """The command, serving HTTPS.

    Attributes:
        program: its process.
        port: where it listens.
    """

    def __init__(self, program):
        self.program = program
        found = program.stderr.wait_for(r"listening on (\w+)://127\.0\.0\.1:(\d+)\n")
        self.scheme, self.port = found[1], int(found[2])

    def connect(self):
        """Open a connection that keeps to TLS, with a client that trusts the certificate."""
        context = ssl.create_default_context(cadata=CERTIFICATE)
        return closing(HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context))

    def connect_plainly(self):
        """Open a connection whose client says nothing of TLS."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def stop(self):
        """Ask it to stop, and see that it does so as it should."""
        assert self.program.stop() == 0, self.program.stderr.text
        assert self.program.stderr.text.splitlines()[-1].count("INFO stopped") == 1, self.program.stderr.text
        assert "Traceback" not in self.program.stderr.text, self.program.stderr.text


@pytest.fixture
def serve(start, loop):
    """Serve the example over TLS."""

    def serve(*words):
        own = ["--uvloop" if loop == "uvloop" else "--no-uvloop", "--port", "0"]
        return Secure(start(sys.executable, "-m", "aioserve", f"{HELLO}:Handler", *own, *words))

    return serve


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    return answer.status, answer.read()


def read_to_the_end(sock):
    """Read what is still said; an end by a reset is one."""
    try:
        with sock.makefile("rb") as stream:
            return stream.read()
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "words", ["--ssl-certfile cert.pem --ssl-keyfile key.pem", "--ssl-certfile both.pem"], ids=["two", "one"]
)
def test_clients_that_trust_the_certificate_are_served(serve, words):
    server = serve(*words.split())

    with server.connect() as connection:
        replies = [ask(connection), ask(connection)]
        version = connection.sock.version()
    server.stop()

    assert server.scheme == "https"
    assert replies == [(200, b"Hello, World!\n")] * 2
    assert version == "TLSv1.3"
    assert server.program.stdout.text.count('"GET / HTTP/1.1" 200') == 2


def test_files_go_through_tls(serve, tmp_path):
    data = bytes(range(256)) * 20_000
    (tmp_path / "file").write_bytes(data)
    server = serve("--ssl-certfile", "both.pem", "--static", ".")

    with server.connect() as connection:
        connection.request("GET", "/file")
        assert connection.getresponse().read() == data
    server.stop()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("--ssl-keyfile key.pem", "--ssl-keyfile"),
        ("--ssl-certfile none.pem", "'none.pem'"),
        ("--ssl-certfile text.txt", "'text.txt'"),
        ("--ssl-certfile cert.pem", "'cert.pem'"),
        ("--ssl-certfile cert.pem --ssl-keyfile none.pem", "'none.pem'"),
        ("--ssl-certfile cert.pem --ssl-keyfile foreign.pem", "'foreign.pem'"),
        ("--ssl-certfile cert.pem --ssl-keyfile encrypted.pem", "'encrypted.pem'"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_one_line(start, words, names):
    program = start(sys.executable, "-m", "aioserve", f"{HELLO}:Handler", "--port", "0", *words.split())

    assert program.wait() == 5
    assert program.stdout.text == ""
    assert re.fullmatch(rf"aioserve: error: .*{names}.*: .+\n", program.stderr.text)


def test_a_client_that_says_nothing_is_closed(serve):
    server = serve("--ssl-certfile", "both.pem", "--timeout-tls", "1s")

    with server.connect_plainly() as silent:
        assert read_to_the_end(silent) == b""
    with server.connect() as connection:
        assert ask(connection)[0] == 200
    server.stop()


def test_a_client_that_takes_its_time_for_the_handshake_is_no_hindrance(serve):
    server = serve("--ssl-certfile", "both.pem", "--timeout-tls", "0")

    with server.connect_plainly():
        with server.connect() as connection:
            assert ask(connection)[0] == 200
        server.stop()


def test_plain_http_is_closed_and_others_are_served(serve):
    server = serve("--ssl-certfile", "both.pem")

    for _ in range(3):
        with server.connect_plainly() as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert not read_to_the_end(plain).startswith(b"HTTP/")
    with server.connect_plainly():
        pass
    with server.connect() as connection:
        assert ask(connection)[0] == 200
    server.stop()
    assert "ERROR" not in server.program.stderr.text


def test_a_client_that_does_not_trust_the_certificate_costs_nothing(serve):
    server = serve("--ssl-certfile", "both.pem")

    context = ssl.create_default_context(cafile=None)
    with server.connect_plainly() as plain, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(plain, server_hostname="localhost")
    with server.connect() as connection:
        assert ask(connection)[0] == 200
    server.stop()
    assert "ERROR" not in server.program.stderr.text


def test_beyond_the_limit_of_connections_a_client_is_told_over_tls(serve):
    server = serve("--ssl-certfile", "both.pem", "--limit-connections", "1")

    with server.connect() as busy, server.connect() as other:
        busy.connect()
        busy.sock.sendall(b"GET / HTTP/1.1\r\n")  # a request that has begun is not idle
        assert ask(other) == (503, b"503 Service Unavailable\n\nToo many connections")
        busy.sock.sendall(b"Host: a\r\n\r\n")
        assert busy.sock.recv(65_536).startswith(b"HTTP/1.1 200 OK\r\n")
    server.stop()


def test_it_stops_while_a_connection_is_kept(serve):
    server = serve("--ssl-certfile", "both.pem")

    with server.connect() as connection:
        assert ask(connection)[0] == 200
        server.stop()
        assert connection.sock.recv(1) == b""
