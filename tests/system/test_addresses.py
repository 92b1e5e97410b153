"""The command on several addresses, on unix sockets, and on sockets that it is given."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import sys
from contextlib import closing
from http.client import HTTPConnection

import pytest

from tests.system.apps.clients import LARGE
from tests.system.program import APPS, PATIENCE

APP = APPS / "clients.py"


class UnixConnection(HTTPConnection):
    """A client of a unix socket; with a name, its own socket is bound to it."""

    def __init__(self, path, name=None):
        super().__init__("localhost", timeout=PATIENCE)
        self._path = str(path)
        self._name = name

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        if self._name is not None:
            self.sock.bind(str(self._name))
        self.sock.connect(self._path)


def ask(connection, path="/hello", method="GET", **more):
    connection.request(method, path, **more)
    answer = connection.getresponse()
    return answer.read(), answer


@pytest.fixture
def listen(start, loop):
    """Start the command on addresses; return it, and where it says that it listens."""

    def listen(*words, program=(sys.executable, "-m", "aioserve"), **more):
        own = [f"{APP}:Handler", "--uvloop" if loop == "uvloop" else "--no-uvloop"]
        program = start(*program, *own, *words, **more)
        return program, program.stderr.wait_for(r"listening on (.*)\n")[1].split(", ")

    return listen


def stop(program):
    assert program.stop() == 0, program.stderr.text
    assert "Traceback" not in program.stderr.text
    assert program.stderr.text.endswith("INFO stopped\n"), program.stderr.text


# Unix sockets


def test_unix_socket_is_served_as_tcp_is(listen, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/large.bin").write_bytes(LARGE * 2)
    path = tmp_path / "web.sock"
    program, addresses = listen("--bind", "unix:web.sock?mode=660", "--static", "site")

    assert addresses == ["unix:web.sock"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with closing(UnixConnection(path)) as nameless, closing(UnixConnection(path, tmp_path / "me")) as named:
        body, answer = ask(nameless)
        assert (body, answer.headers["X-Peer"]) == (b"Hello\n", "")
        assert ask(named)[1].headers["X-Peer"] == str(tmp_path / "me")
        assert ask(nameless, "/large")[0] == LARGE
        assert ask(nameless, "/streamed")[0] == LARGE
        assert ask(nameless, "/echo", "POST", body=LARGE)[0] == LARGE
        assert ask(nameless, "/large.bin")[0] == LARGE * 2  # by sendfile
        body, answer = ask(nameless, "/large.bin", headers={"Range": "bytes=1000000-3999999"})
        assert (answer.status, body) == (206, LARGE[1_000_000:4_000_000])
    stop(program)
    assert not path.exists()
    lines = program.stdout.text.splitlines()
    assert lines[0].startswith("- - - [")
    assert lines[1].startswith(f"{tmp_path}/me - - [")


def test_client_of_a_unix_socket_that_reads_nothing_is_cut_off(listen, tmp_path):
    program, _ = listen("--bind", "unix:web.sock", "--timeout-write", "500ms")

    with closing(UnixConnection(tmp_path / "web.sock")) as idle:
        idle.request("GET", "/large")
        program.stderr.wait_for(r"INFO - took too little of its answer")
        with closing(UnixConnection(tmp_path / "web.sock")) as other:
            assert ask(other)[0] == b"Hello\n"
    stop(program)


def test_answer_to_a_client_of_a_unix_socket_is_finished_when_it_stops(listen, tmp_path):
    program, _ = listen("--bind", "unix:web.sock")

    with closing(UnixConnection(tmp_path / "web.sock")) as reader:
        reader.request("GET", "/streamed")
        answer = reader.getresponse()
        program.send(signal.SIGTERM)
        assert answer.read() == LARGE
    assert program.wait() == 0


def test_socket_that_was_left_behind_is_replaced_and_a_live_one_is_not(listen, start, tmp_path):
    path = tmp_path / "web.sock"
    killed, _ = listen("--bind", "unix:web.sock")
    killed.kill()
    assert path.is_socket()
    program, _ = listen("--bind", "unix:web.sock")

    second = start(sys.executable, "-m", "aioserve", f"{APP}:Handler", "--bind", "unix:web.sock")

    assert second.wait() == 4
    assert re.fullmatch(
        rf"aioserve: error: cannot listen on unix:web\.sock: it is in use by .+ \(pid {program.pid}\)\n",
        second.stderr.text,
    )
    with closing(UnixConnection(path)) as client:
        assert ask(client)[0] == b"Hello\n"
    stop(program)


def test_check_tries_every_address_and_leaves_nothing(start, tmp_path):
    (tmp_path / "file").touch()
    binds = ("-b", "unix:web.sock", "-b", "unix:file", "-b", "fd://999", "-b", "127.0.0.1:0")

    program = start(sys.executable, "-m", "aioserve", f"{APP}:Handler", "--check", *binds)

    assert program.wait() == 4
    assert program.stderr.text == (
        "aioserve: error: cannot listen on unix:file: a file is there that is not a socket\n"
        "aioserve: error: cannot listen on fd://999: it is not open\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# Several


def test_all_addresses_are_told_and_the_first_port_is_in_the_file(listen, tmp_path):
    program, addresses = listen(
        *("--bind", "unix:web.sock", "--bind", "127.0.0.1:0", "--bind", "127.0.0.2:0", "--port-file", "port")
    )

    unix, first, second = addresses
    assert unix == "unix:web.sock"
    assert first == f"http://127.0.0.1:{(tmp_path / 'port').read_text().strip()}"
    for url in (first, second):
        with closing(HTTPConnection(url.removeprefix("http://"), timeout=PATIENCE)) as client:
            assert ask(client)[1].headers["X-Peer"].startswith("('127.0.0.")
    stop(program)


def is_served(path):
    with closing(UnixConnection(path)) as client:
        try:
            return ask(client)[0] == b"Hello\n"
        except FileNotFoundError:
            return False


def test_addresses_change_with_the_configuration(listen, tmp_path):
    """What stays is served all the while; what goes, goes when all workers are new."""
    old, both, new = (tmp_path / f"{name}.sock" for name in ("old", "both", "new"))
    config = tmp_path / "aioserve.toml"
    config.write_text("bind = ['unix:old.sock', 'unix:both.sock']\n")
    program, _ = listen("--config", config.name, "--workers", "2")
    kept = both.stat().st_ino
    with closing(UnixConnection(both)) as client:
        assert ask(client)[0] == b"Hello\n"

        config.write_text("bind = ['unix:both.sock', 'unix:new.sock']\n")
        program.send(signal.SIGHUP)
        program.stderr.wait_for("INFO reloaded\n")

    assert [is_served(each) for each in (old, both, new)] == [False, True, True]
    assert not old.exists()
    assert both.stat().st_ino == kept
    stop(program)
    assert not any(each.exists() for each in (old, both, new))


def test_address_that_cannot_be_had_at_a_reload_changes_nothing(listen, tmp_path):
    path, config = tmp_path / "web.sock", tmp_path / "aioserve.toml"
    (tmp_path / "file").touch()
    config.write_text("bind = ['unix:web.sock']\n")
    program, _ = listen("--config", config.name)

    config.write_text("bind = ['unix:file', 'unix:other.sock']\n")
    program.send(signal.SIGHUP)
    program.stderr.wait_for("not reloaded: cannot listen on unix:file: a file is there that is no")
    assert is_served(path)
    assert not (tmp_path / "other.sock").exists()
    stop(program)


# Sockets that it is given

# What systemd does between fork and exec: the number of the process stays.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.executable, [sys.executable, "-m", "aioserve", *sys.argv[2:]])
"""


@pytest.mark.parametrize("words", [(), ("--bind", "systemd"), ("--bind", "systemd:web")], ids=" ".join)
def test_socket_of_systemd_is_served(listen, tmp_path, words):
    """It is started when the first client comes, who waits in the socket meanwhile."""
    path = tmp_path / "activated.sock"
    with socket.socket(socket.AF_UNIX) as sock, closing(UnixConnection(path)) as client:
        sock.bind(str(path))
        sock.listen()
        client.connect()
        number = sock.fileno()
        program, addresses = listen(
            *words, program=(sys.executable, "-c", ACTIVATE, str(number)), pass_fds=[number]
        )

        assert addresses == [f"unix:{path}"]
        assert ask(client)[0] == b"Hello\n"
        program.send(signal.SIGHUP)
        program.stderr.wait_for("INFO reloaded\n")
        with closing(UnixConnection(path)) as another:
            assert ask(another)[0] == b"Hello\n"
        stop(program)
        assert path.exists()  # it is systemd's


def test_inherited_socket_is_served(listen):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        number = sock.fileno()
        port = sock.getsockname()[1]

        program, addresses = listen("--bind", f"fd://{number}", pass_fds=[number])

        assert addresses == [f"http://127.0.0.1:{port}"]
        with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as client:
            assert ask(client)[0] == b"Hello\n"
        stop(program)
        os.fstat(number)
