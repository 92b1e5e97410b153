"""The command over TLS, as clients of the standard library see it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import sys
from contextlib import ExitStack, closing
from hashlib import sha256
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from tests.listen.pem import (
    CERTIFICATE,
    CLIENT,
    CLIENT_CA,
    ENCRYPTED_KEY,
    EXPIRED,
    FOREIGN_KEY,
    KEY,
    NEXT,
    WILD,
)
from tests.system.program import PATIENCE, ROOT
from tests.system.test_workers import children_of, wait_gone

HELLO = ROOT / "examples" / "hello.py"
WHO = """
from aioserve import ServerHttpProtocol


class Handler(ServerHttpProtocol):
    async def handle_request(self, message, payload):
        names = self.transport.get_extra_info("peercert")["subject"]
        self.writer.write_response(200, names[0][0][1])
"""
FILES = {
    "cert.pem": CERTIFICATE,
    "key.pem": KEY,
    "both.pem": CERTIFICATE + KEY,
    "foreign.pem": FOREIGN_KEY,
    "encrypted.pem": ENCRYPTED_KEY,
    "password": "secret\n",
    "wild.pem": WILD + KEY,
    "expired.pem": EXPIRED + KEY,
    "client.pem": CLIENT + KEY,
    "ca.pem": CLIENT_CA,
    "text.txt": "no PEM\n",
    "who.py": WHO,
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

    def number(self, name):
        """Return the number of the certificate that a client is shown who asks for a name."""
        context = ssl.create_default_context(cadata=CERTIFICATE + NEXT + WILD)
        context.check_hostname = False
        with self.connect_plainly() as plain, context.wrap_socket(plain, server_hostname=name) as secure:
            return secure.getpeercert()["serialNumber"]

    def fingerprint(self):
        """Return that of the certificate, which is not verified."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            self.connect_plainly() as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            return sha256(secure.getpeercert(binary_form=True)).hexdigest()

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

    def serve(*words, app=HELLO):
        own = ["--uvloop" if loop == "uvloop" else "--no-uvloop", "--port", "0"]
        return Secure(start(sys.executable, "-m", "aioserve", f"{app}:Handler", *own, *words))

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


def refusal(start, code, words):
    """Run a server that ends with this code at once, and return what it says."""
    program = start(sys.executable, "-m", "aioserve", f"{HELLO}:Handler", "--port", "0", *words.split())
    assert (program.wait(), program.stdout.text) == (code, "")
    return program.stderr.text


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
        ("--ssl-certfile none.pem", "'none.pem'"),
        ("--ssl-certfile text.txt", "'text.txt'"),
        ("--ssl-certfile cert.pem", "'cert.pem'"),
        ("--ssl-certfile cert.pem --ssl-keyfile none.pem", "'none.pem'"),
        ("--ssl-certfile cert.pem --ssl-keyfile foreign.pem", "'foreign.pem'"),
        ("--ssl-certfile cert.pem --ssl-keyfile encrypted.pem", "'encrypted.pem'"),
        (
            "--ssl-certfile cert.pem --ssl-keyfile encrypted.pem --ssl-keyfile-password-file text.txt",
            "'encrypted.pem'",
        ),
        ("--ssl-certfile both.pem --ssl-client-ca text.txt", "'text.txt'"),
    ],
)
def test_files_that_cannot_be_used_are_refused_in_one_line(start, words, names):
    assert re.fullmatch(rf"aioserve: error: .*{names}.*: .+\n", refusal(start, 5, words))


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        ("--ssl-keyfile key.pem", "--ssl-keyfile"),
        ("--ssl-client-ca ca.pem", "--ssl-client-ca"),
        ("--ssl-ciphers ECDHE", "--ssl-ciphers"),
        ("--ssl-certfile both.pem --ssl-ciphers nonsense", "--ssl-ciphers"),
        ("--ssl-certfile both.pem --ssl-certfile wild.pem --ssl-keyfile key.pem", "--ssl-keyfile"),
    ],
)
def test_options_that_cannot_be_meant_are_refused_as_such(start, words, flag):
    assert re.fullmatch(rf"aioserve: error: {flag}: .+\n", refusal(start, 2, words))


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


# Several certificates, and new ones


def test_the_certificate_of_the_name_is_shown(serve):
    server = serve("--ssl-certfile", "both.pem", "--ssl-certfile", "wild.pem")

    numbers = [server.number(name) for name in ("localhost", "www.example.org", "other.test", None)]
    server.stop()

    assert numbers == ["01", "02", "01", "01"]


def test_an_encrypted_key_is_opened_by_the_password_in_a_file(serve):
    words = "--ssl-certfile cert.pem --ssl-keyfile encrypted.pem --ssl-keyfile-password-file password"
    server = serve(*words.split())

    with server.connect() as connection:
        assert ask(connection)[0] == 200
    server.stop()


def test_a_new_certificate_is_taken_by_itself_and_connections_are_kept(serve, tmp_path):
    server = serve("--ssl-certfile", "both.pem")

    with server.connect() as connection:
        assert ask(connection)[0] == 200
        (tmp_path / "both.pem").write_text(NEXT + FOREIGN_KEY)
        server.program.stderr.wait_for("WARNING 'both.pem': the key is not that of the certificate; .+")
        assert server.number("localhost") == "01"
        (tmp_path / "new.pem").write_text(NEXT + KEY)
        (tmp_path / "new.pem").replace(tmp_path / "both.pem")
        server.program.stderr.wait_for("INFO 'both.pem': the certificate was read again; .+ 2120-")
        assert server.number("localhost") == server.number(None) == "03"
        assert ask(connection)[0] == 200
    server.stop()


@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGUSR1, "read again"), (signal.SIGHUP, "INFO reloaded")]
)
def test_a_new_certificate_is_taken_at_a_signal(serve, tmp_path, number, word):
    server = serve("--ssl-certfile", "both.pem", "--workers", "2")

    with server.connect() as connection:
        assert ask(connection)[0] == 200
        (tmp_path / "both.pem").write_text(NEXT + KEY)
        server.program.send(number)
        server.program.stderr.wait_for(word)
        if number == signal.SIGHUP:
            assert server.number("localhost") == "03"
        assert ask(connection)[0] == 200
    server.stop()


def test_handshake_that_has_begun_is_finished_by_the_worker_that_retires(serve):
    server = serve("--ssl-certfile", "both.pem")
    context = ssl.create_default_context(cadata=CERTIFICATE)
    came, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(came, sent, server_hostname="localhost")
    with server.connect_plainly() as plain:
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        plain.sendall(sent.read())
        came.write(plain.recv(65_536))  # so somebody has accepted it
        (before,) = children_of(server.program.pid)
        server.program.send(signal.SIGHUP)
        server.program.stderr.wait_for("INFO reloaded")
        finish(client.do_handshake, plain, came, sent)
        client.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

        assert finish(lambda: client.read(8), plain, came, sent) == b"HTTP/1.1"
    wait_gone(before)


def finish(act, plain, came, sent):
    """Do something over TLS, for which more may have to come first; return what it does."""
    while True:
        try:
            return act()
        except ssl.SSLWantReadError:
            plain.sendall(sent.read())
            came.write(plain.recv(65_536))
        finally:
            plain.sendall(sent.read())


def test_a_bad_certificate_at_a_reload_leaves_the_old_one(serve, tmp_path):
    server = serve("--ssl-certfile", "both.pem")

    (tmp_path / "both.pem").write_text(NEXT + FOREIGN_KEY)
    server.program.send(signal.SIGHUP)
    server.program.stderr.wait_for("not reloaded: 'both.pem': the key is not that of the certificate\n")
    assert server.number("localhost") == "01"
    (worker,) = children_of(server.program.pid)
    os.kill(worker, signal.SIGKILL)  # the one in its place has the old pair as well
    wait_gone(worker)
    assert server.number("localhost") == "01"
    server.stop()


def test_what_all_workers_find_is_said_once(serve, tmp_path):
    server = serve("--ssl-certfile", "expired.pem", "--workers", "3")
    log = server.program.stderr
    log.wait_for("ERROR 'expired.pem': the certificate has expired")
    (tmp_path / "expired.pem").write_text(NEXT + KEY)
    log.wait_for("INFO 'expired.pem': the certificate was read again")
    (tmp_path / "expired.pem").write_text(CERTIFICATE + FOREIGN_KEY)
    log.wait_for("WARNING 'expired.pem': the key is not that of the certificate")
    server.program.stop()

    assert log.text.count("has expired") == 1
    assert log.text.count("was read again") == 1
    assert log.text.count("is not that of the certificate") == 1


def test_a_certificate_that_has_expired_is_an_error_in_the_log_and_to_a_check(serve, start):
    server = serve("--ssl-certfile", "expired.pem")
    server.program.stderr.wait_for(
        "ERROR 'expired.pem': the certificate has expired, on 2021-01-01 00:00 UTC"
    )
    server.stop()

    words = "--check --port 0 --ssl-certfile expired.pem --ssl-certfile wild.pem"
    program = start(sys.executable, "-m", "aioserve", f"{HELLO}:Handler", *words.split())

    assert program.wait() == 5
    assert program.stderr.text == (
        "aioserve: error: 'expired.pem': the certificate has expired, on 2021-01-01 00:00 UTC\n"
    )


# Certificates of clients


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_handler_knows_the_client_by_its_certificate_and_others_stay_outside(serve, tmp_path, version):
    server = serve("--ssl-certfile", "both.pem", "--ssl-client-ca", "ca.pem", app="who.py")
    contexts = {}
    for name in ("client.pem", "both.pem", None):
        contexts[name] = ssl.create_default_context(cadata=CERTIFICATE)
        contexts[name].minimum_version = contexts[name].maximum_version = version
        if name:
            contexts[name].load_cert_chain(tmp_path / name)

    for name in ("both.pem", None):
        with (
            closing(
                HTTPSConnection("127.0.0.1", server.port, timeout=PATIENCE, context=contexts[name])
            ) as connection,
            pytest.raises((ssl.SSLError, ConnectionResetError)),
        ):
            ask(connection)
    context = contexts["client.pem"]
    with closing(HTTPSConnection("127.0.0.1", server.port, timeout=PATIENCE, context=context)) as connection:
        assert ask(connection) == (200, b"alice")
    server.stop()
    assert "ERROR" not in server.program.stderr.text
    assert server.program.stdout.text.count(" 200 ") == 1


# What is sent in place of a name


def test_a_name_that_is_none_ends_the_handshake_without_a_word(serve):
    server = serve("--ssl-certfile", "both.pem")

    hello = client_hello().replace(b"localhost", b"local\xffost")
    for _ in range(3):
        with server.connect_plainly() as plain:
            plain.sendall(hello)
            assert read_to_the_end(plain)[:1] in (b"", b"\x15")  # an alert
    server.stop()
    assert server.program.stderr.text.count("\n") == 2


def client_hello():
    """Return what a client says first."""
    sent = ssl.MemoryBIO()
    asking = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        asking.do_handshake()
    return sent.read()


# Self-signed


@pytest.mark.skipif(not shutil.which("openssl"), reason="the program openssl is not installed")
def test_a_self_signed_certificate_is_for_this_machine_and_leaves_no_files(serve, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    server = serve("--ssl-self-signed")
    text = server.program.stderr.wait_for(r"INFO self-signed certificate for localhost.*; SHA-256 (\w{64})\n")

    assert server.fingerprint() == text[1]
    server.program.send(signal.SIGHUP)
    server.program.stderr.wait_for("INFO reloaded")
    assert server.fingerprint() == text[1]  # who has trusted it once need not do so again
    server.stop()
    assert server.program.stderr.text.count("self-signed") == 1
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_self_signed_certificate_and_one_of_files_are_refused_as_usage(start):
    words = "--ssl-self-signed --ssl-certfile both.pem"
    program = start(sys.executable, "-m", "aioserve", f"{HELLO}:Handler", "--port", "0", *words.split())

    assert program.wait() == 2
    assert program.stderr.text.startswith("aioserve: error: --ssl-self-signed")


def test_clients_that_wait_to_be_accepted_and_say_nothing_do_not_keep_the_end(serve):
    server = serve("--ssl-certfile", "both.pem")
    parent = server.program.pid
    workers = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    for each in workers:
        os.kill(int(each), signal.SIGSTOP)
    with ExitStack() as opened:
        for _ in range(200):
            opened.enter_context(server.connect_plainly())
        server.program.send(signal.SIGTERM)
        for each in workers:
            os.kill(int(each), signal.SIGCONT)

        assert server.program.wait() == 0
    assert "by force" not in server.program.stderr.text
