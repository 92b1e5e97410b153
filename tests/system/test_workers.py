"""Workers of a real server: replaced when they die, block or are out of date, and no request is lost."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.system.program import APPS, PATIENCE, environment

APP = f"{APPS}/workers.py:Handler"


class Client:
    """Asks with a connection for each request, or with one for all."""

    def __init__(self, server):
        self._server = server

    def connect(self):
        return closing(HTTPConnection("127.0.0.1", self._server.port, timeout=PATIENCE))

    def ask(self, path="/"):
        with self.connect() as connection:
            return answer_of(connection, path)

    def workers(self, number):
        """Ask until so many workers have answered, and return their numbers."""
        found = set()
        while len(found) < number:
            found.add(int(self.ask()))
        return found


def status_of(connection, path):
    """Ask on a connection, and return the status."""
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def answer_of(connection, path="/"):
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status == 200
    return response.read()


def children_of(pid):
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def wait_gone(pid):
    """Wait until a process that is not ours has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], PATIENCE)[0], f"{pid} is still there"
    finally:
        os.close(descriptor)


def insist(server):
    """Send a second signal, and another where two were one: nobody has run in between."""
    server.send(signal.SIGTERM)
    while not server.ends_within(1.0):
        server.send(signal.SIGTERM)
    return server.wait()


class Load:
    """A client that asks again and again, until it is told to end.

    Attributes:
        answers: how many it had.
        failures: what went wrong.
    """

    def __init__(self, client, *, keep_alive):
        self.answers = 0
        self.failures = []
        self._client = client
        self._keep_alive = keep_alive
        self._may_go_on = True
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._may_go_on = False
        self._thread.join(PATIENCE)

    def _run(self):
        while self._may_go_on:
            with self._client.connect() as connection:
                self._ask(connection)
                while self._keep_alive and self._may_go_on:
                    self._ask(connection)

    def _ask(self, connection):
        try:
            answer_of(connection)
            self.answers += 1
        except (OSError, HTTPException, AssertionError) as failure:
            self.failures.append(failure)


def test_each_number_of_workers_serves_from_the_same_socket(serve):
    server = serve(APP, "--workers", "2")

    assert Client(server).workers(2) == children_of(server.pid)


def test_dead_worker_is_replaced_and_the_others_serve(serve):
    server = serve(APP, "--workers", "2")
    client = Client(server)
    one, other = client.workers(2)

    os.kill(one, signal.SIGKILL)
    server.stderr.wait_for(f"worker {one} was ended by SIGKILL")

    found = client.workers(2)
    assert other in found
    assert one not in found


def test_blocked_worker_writes_its_stack_and_is_replaced(serve):
    server = serve(APP, "--timeout-worker", "500ms")
    client = Client(server)
    (blocked,) = client.workers(1)
    with client.connect() as connection:
        connection.request("GET", "/block")
        server.stderr.wait_for(f"worker {blocked} has been blocked for too long")
        server.stderr.wait_for(r'File ".*workers\.py", line \d+ in handle_request')

    assert client.workers(1) != {blocked}


def test_stopped_worker_is_replaced(serve):
    server = serve(APP, "--timeout-worker", "500ms")
    client = Client(server)
    (stopped,) = client.workers(1)

    os.kill(stopped, signal.SIGSTOP)
    server.stderr.wait_for(f"worker {stopped} has been blocked for too long")
    wait_gone(stopped)

    assert client.workers(1) != {stopped}


@pytest.mark.parametrize("keep_alive", [True, False])
@pytest.mark.parametrize("workers", [1, 2])
def test_reload_loses_no_request(serve, workers, keep_alive):
    server = serve(APP, "--workers", workers)
    client = Client(server)
    before = client.workers(workers)
    with Load(client, keep_alive=keep_alive) as load:
        for count in range(1, 4):
            server.send(signal.SIGHUP)
            server.stderr.wait_for(rf"(INFO reloaded\n(.|\n)*){{{count}}}")

    assert load.failures == []
    assert load.answers > 3
    for each in before:
        wait_gone(each)
    assert not before & client.workers(workers)


def test_reload_takes_the_application_as_it_is_by_then_and_not_if_it_is_broken(serve, tmp_path):
    app = tmp_path / "app.py"
    text = Path(f"{APPS}/workers.py").read_text()
    app.write_text(text)
    server = serve("app:Handler")
    client = Client(server)
    (before,) = client.workers(1)

    app.write_text("import nosuch\n")
    server.send(signal.SIGHUP)
    server.stderr.wait_for("not reloaded: a new worker could not start; the old ones go on")
    assert client.workers(1) == {before}
    assert "No module named 'nosuch'" in server.stderr.text

    app.write_text(text.replace("{os.getpid()}", "new"))
    server.send(signal.SIGHUP)
    server.stderr.wait_for("INFO reloaded\n")
    wait_gone(before)
    assert client.ask() == b"new\n"
    assert server.stop() == 0  # here, since there is a traceback


def test_reload_reads_the_file_again_and_a_mistake_in_it_changes_nothing(serve, tmp_path):
    file = tmp_path / "aioserve.toml"
    file.write_text("workers = 1\n")
    server = serve(APP, "--config", file)
    client = Client(server)
    client.workers(1)

    file.write_text("wokers = 2\n")
    server.send(signal.SIGHUP)
    server.stderr.wait_for(r"not reloaded: .*unknown key 'wokers' \(did you mean 'workers'\?\)")
    file.write_text("workers = 2\n")
    server.send(signal.SIGHUP)
    server.stderr.wait_for("INFO reloaded\n")

    assert len(client.workers(2)) == 2


def test_reload_changes_what_the_parent_itself_writes(serve, tmp_path):
    file = tmp_path / "aioserve.toml"
    file.write_text("log-level = 'info'\n")
    server = serve(APP, "--config", file)
    client = Client(server)
    (before,) = client.workers(1)

    file.write_text("log-level = 'error'\n")
    server.send(signal.SIGHUP)
    wait_gone(before)
    file.write_text("log-level = 'info'\ncolor = 'always'\n")
    server.send(signal.SIGHUP)
    server.stderr.wait_for(r"\x1b\[32mINFO\x1b\[0m reloaded\n")

    assert server.stderr.text.count("reloaded") == 1
    assert server.stop() == 0


def test_number_of_workers_is_changed_by_signals(serve):
    server = serve(APP)
    client = Client(server)
    client.workers(1)

    server.send(signal.SIGTTIN)
    client.workers(2)
    first, _ = sorted(children_of(server.pid))
    server.send(signal.SIGTTOU)
    wait_gone(first)

    while first in children_of(server.pid):
        pass
    assert client.workers(1) == children_of(server.pid)


def test_worker_is_replaced_when_it_has_served_its_number(serve):
    server = serve(APP, "--max-requests", "5")
    client = Client(server)
    (before,) = client.workers(1)

    while client.workers(1) == {before}:
        pass
    wait_gone(before)


def test_workers_end_when_the_parent_is_killed(serve):
    server = serve(APP, "--workers", "2")
    workers = Client(server).workers(2)

    server.send(signal.SIGKILL)
    for each in workers:
        wait_gone(each)

    with pytest.raises(ConnectionRefusedError):
        Client(server).ask()


def test_blocked_worker_ends_too_when_the_parent_is_killed(serve):
    server = serve(APP, "--timeout-shutdown", "100ms")
    client = Client(server)
    (blocked,) = client.workers(1)
    with client.connect() as connection:
        connection.request("GET", "/block")
        server.send(signal.SIGKILL)
        wait_gone(blocked)


@pytest.mark.parametrize("path", ["/", "/wait", "/block"])
def test_address_is_free_as_soon_as_the_parent_is_killed(serve, path):
    """What its workers still have to do, or are blocked by, is no hindrance to who starts it again."""
    server = serve(APP, "--timeout-shutdown", "1h", "--workers", "2")
    client = Client(server)
    workers = client.workers(2)
    with client.connect() as connection:
        connection.request("GET", path)
        if path == "/block":
            server.stdout.wait_for("blocked")
        server.send(signal.SIGKILL)
        wait_free(server.port)
        for each in workers:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
    assert server.wait() == -signal.SIGKILL


def wait_free(port):
    while True:
        try:
            return socket.create_server(("127.0.0.1", port)).close()
        except OSError:  # in use
            continue


def test_streams_are_told_and_what_has_no_end_is_cut_off(serve):
    server = serve(APP, "--timeout-shutdown", "1s")
    client = Client(server)
    with client.connect() as stream, client.connect() as waiting:
        stream.request("GET", "/stream")
        response = stream.getresponse()
        assert response.readline() == b"begun\n"
        waiting.request("GET", "/wait")
        client.ask()

        assert server.stop() == 0
        assert response.read() == b"told\n"

    assert server.stderr.text.splitlines()[-1].endswith("INFO stopped: 1 answered, 1 cut off")


def test_drain_delay_goes_on_as_before(serve):
    server = serve(APP, "--drain-delay", "1h")
    client = Client(server)
    (worker,) = client.workers(1)
    with client.connect() as connection:
        answer_of(connection)
        assert status_of(connection, "/-/ready") == 200
        server.send(signal.SIGTERM)
        while status_of(connection, "/-/ready") == 200:  # until the word has come
            pass
        assert answer_of(connection) == answer_of(connection) == b"%d\n" % worker
        assert status_of(connection, "/-/ready") == 503
        assert status_of(connection, "/-/live") == 200
    assert client.ask() == b"%d\n" % worker

    assert insist(server) == 0


def test_worker_that_dies_during_the_drain_delay_is_replaced(serve, manager, tmp_path):
    server = serve(APP, "--drain-delay", "1h", env=environment(NOTIFY_SOCKET=str(tmp_path / "notify")))
    client = Client(server)
    (worker,) = client.workers(1)
    server.send(signal.SIGTERM)
    while manager.hear()[0] != "STOPPING=1":
        pass
    os.kill(worker, signal.SIGKILL)
    server.stderr.wait_for(f"worker {worker} was ended by SIGKILL")
    assert client.workers(1) != {worker}

    assert insist(server) == 0


def test_state_is_written_when_that_is_asked_for(serve):
    server = serve(APP)
    client = Client(server)
    (worker,) = client.workers(1)
    with client.connect() as waiting:
        waiting.request("GET", "/wait")
        client.ask()
        server.send(signal.SIGUSR2)
        server.stderr.wait_for(rf"worker {worker} serves, heard of")
        server.stderr.wait_for(r"answering <RequestMessage GET /wait HTTP/1.1>")
        server.stderr.wait_for(r" in handle_request: await asyncio\.sleep\(FOR_EVER\)")

    assert server.stop(signal.SIGQUIT) == 0


def test_files_tell_scripts_where_it_is_and_go_in_the_end(serve, tmp_path):
    ready, pid = tmp_path / "ready", tmp_path / "pid"
    server = serve(APP, "--ready-file", ready, "--pid-file", pid)

    assert json.loads(ready.read_text()) == {
        "pid": server.pid,
        "addresses": [f"http://127.0.0.1:{server.port}"],
    }
    assert pid.read_text() == f"{server.pid}\n"
    assert server.stop() == 0
    assert not ready.exists()
    assert not pid.exists()


def test_worker_that_dies_as_it_begins_to_serve_ends_the_server(start, loop, tmp_path):
    (tmp_path / "dies.py").write_text(
        "import aioserve, os, threading, time\n"
        "class Handler(aioserve.ServerHttpProtocol): pass\n"
        "threading.Timer(0.3, os._exit, [7]).start()\n"
    )
    program = start(
        "aioserve", "dies:Handler", "--port", "0", f"--{'no-' * (loop == 'asyncio')}uvloop", env=on_path()
    )

    assert program.wait() == 6
    assert program.stderr.text.count("ended with code 7") == 10
    assert program.stderr.text.splitlines()[-2].endswith("the workers die again and again")


def on_path():
    return environment(PATH=f"{Path(os.sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


# systemd


class Manager:
    """A service manager that listens at a socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(PATIENCE)

    def hear(self):
        """Return the next message, without what it says in words, and numbers as N."""
        lines = self._socket.recv(4096).decode().split("\n")
        return [re.sub(r"\d{4,}", "N", line) for line in lines if not line.startswith("STATUS=")]

    def wait_silence(self, seconds):
        """Wait until nothing comes for so long."""
        self._socket.settimeout(seconds)
        with suppress(TimeoutError):
            while self.hear():
                pass
        self._socket.settimeout(PATIENCE)

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(tmp_path):
    with closing(Manager(tmp_path / "notify")) as manager:
        yield manager


def test_service_manager_is_told_the_whole_story(serve, manager, tmp_path):
    server = serve(APP, env=environment(NOTIFY_SOCKET=str(tmp_path / "notify")))
    assert manager.hear()[0] == "READY=1"

    server.send(signal.SIGHUP)
    assert manager.hear() == ["RELOADING=1", "MONOTONIC_USEC=N"]
    assert manager.hear()[0] == "READY=1"

    assert server.stop() == 0
    assert manager.hear() == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=N"]


def test_watchdog_is_fed_while_workers_go_round(serve, manager, tmp_path):
    notify = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    serve(APP, env=environment(**notify))

    heard = [manager.hear()[0] for _ in range(4)]

    assert heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]


@pytest.mark.parametrize("words", [["--timeout-worker", "0"], ["--debug"]])
def test_watchdog_is_fed_only_while_workers_go_round(serve, manager, tmp_path, words):
    """Also where nobody ends them for being blocked."""
    notify = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"}
    server = serve(APP, *words, env=environment(**notify))
    client = Client(server)
    heard = [manager.hear()[0] for _ in range(4)]
    assert heard == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]

    (worker,) = client.workers(1)
    os.kill(worker, signal.SIGSTOP)
    manager.wait_silence(1.0)
    os.kill(worker, signal.SIGCONT)
    assert manager.hear() == ["WATCHDOG=1"]


def test_worker_that_is_told_to_end_by_itself_is_replaced(serve):
    server = serve(APP)
    client = Client(server)
    (before,) = client.workers(1)

    os.kill(before, signal.SIGTERM)
    wait_gone(before)

    assert client.workers(1) != {before}


@pytest.mark.parametrize("flag", ["--pid-file", "--ready-file", "--port-file"])
def test_file_that_cannot_be_written_is_a_refusal(start, flag):
    program = start("aioserve", "--static", ".", "--port", "0", flag, "none/file", env=on_path())

    assert program.wait() == 2
    assert re.fullmatch(rf"aioserve: error: {flag}: 'none/file' cannot be written.*\n", program.stderr.text)
