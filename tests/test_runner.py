"""The runner in this process: clients wait at its sockets, and their handler sends the signals.

What it does as a process of its own is the business of system/test_signals.py.
"""

from __future__ import annotations

import asyncio
import builtins
import os
import re
import signal
import socket
import sys
from contextlib import ExitStack
from importlib.util import find_spec

import pytest

from aioserve import runner
from aioserve.errors import ConfigurationError
from aioserve.http1.parser import ParserLimits
from aioserve.listen.sockets import bind_sockets
from aioserve.runner import make_options, run
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Application, Bind, Limits, Logs, Process, Settings, Static, Timeouts

LOOPS = [False, *([True] if find_spec("uvloop") else [])]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(autouse=True)
def handlers(monkeypatch):
    """Leave the handlers of the process, and pytest-timeout's timer, as they were."""
    monkeypatch.setattr(os, "_exit", lambda code: pytest.exit(f"the runner ended the process: {code}"))
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"][: len(LOOPS)])
def process(request):
    """Each event loop in turn."""
    return Process(uvloop=request.param)


class Clients:
    """Sockets to serve on, and clients whose requests wait there."""

    def __init__(self, opened):
        self._opened = opened
        self.sockets = [opened.enter_context(each) for each in bind_sockets(Bind("127.0.0.1", 0))]
        self.port = self.sockets[0].getsockname()[1]

    def connect(self, data=GET):
        client = self._opened.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=30))
        client.sendall(data)
        return client


@pytest.fixture
def clients():
    with ExitStack() as opened:
        yield Clients(opened)


def read(client):
    with client.makefile("rb") as stream:
        return stream.read()


class Handler(ServerHttpProtocol):
    """Tells the process to stop, unless the request is for /more, and answers."""

    def handle_request(self, message, _payload):
        if message.path != "/more":
            os.kill(os.getpid(), signal.SIGTERM)
        self.writer.write_response(200, f"{message.path}\n")


def silent(process, **more):
    return Settings(process=process, **{"logs": Logs(level="error", access_log=False)} | more)


# From start to end


def test_answer_is_finished_and_the_sockets_are_closed(process, clients):
    client = clients.connect()

    code = run(silent(process), Handler, clients.sockets)

    assert code == 0
    assert read(client).endswith(b"\r\n\r\n/\n")
    assert [each.fileno() for each in clients.sockets] == [-1]


def test_output_is_a_line_when_it_serves_one_when_it_has_stopped_and_the_access_log(process, clients, capfd):
    clients.connect()

    run(Settings(process=process), Handler, clients.sockets)

    out, err = capfd.readouterr()
    assert re.fullmatch(r'127\.0\.0\.1 - - \[.+\] "GET / HTTP/1\.1" 200 2 "-" "-"\n', out)
    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
    assert re.fullmatch(
        rf"{time} INFO listening on http://127\.0\.0\.1:{clients.port}\n{time} INFO stopped\n", err
    )


def test_screen_says_what_is_served(process, clients, capfd, tmp_path):
    clients.connect()
    settings = Settings(
        process=process,
        application=Application("app:Handler"),
        static=Static((("/docs", str(tmp_path)),)),
        logs=Logs(color="always"),
    )

    run(settings, Handler, clients.sockets)

    assert f"serves {tmp_path} at /docs, app:Handler\n" in capfd.readouterr().err


def test_folder_is_served_without_an_application(process, clients, tmp_path, monkeypatch):
    real = runner.StopSignals.next

    async def stop_after_a_while(signals):
        """Take the place of whoever sends a signal: there is no handler here that could."""
        asyncio.get_running_loop().call_later(0, os.kill, os.getpid(), signal.SIGTERM)
        return await real(signals)

    monkeypatch.setattr(runner.StopSignals, "next", stop_after_a_while)
    (tmp_path / "a.txt").write_text("a")
    client = clients.connect(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
    missing = clients.connect(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")

    assert run(silent(process, static=Static((("/", str(tmp_path)),))), None, clients.sockets) == 0
    assert read(client).endswith(b"\r\n\r\na")
    assert read(missing).startswith(b"HTTP/1.1 404 ")


def test_folder_that_cannot_be_served_is_refused_and_nothing_stays_open(process, clients):
    with pytest.raises(ConfigurationError):
        run(silent(process, static=Static((("/", "/none"),))), None, clients.sockets)

    assert [each.fileno() for each in clients.sockets] == [-1]


def test_what_was_kept_of_files_is_told_in_the_end(process, clients, tmp_path, capfd):
    (tmp_path / "a.txt").write_text("a")
    clients.connect(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
    clients.connect()
    settings = Settings(process=process, static=Static((("/", str(tmp_path)),)), logs=Logs(level="debug"))

    run(settings, Handler, clients.sockets)

    lines = capfd.readouterr().err.splitlines()
    assert re.search(r" kept in the end: 1 files, [1-9]\d* bytes; [01] answers, \d+ bytes$", lines[-2])


@pytest.mark.parametrize("port_file", [None, "port"])
def test_port_file_is_there_while_it_serves(clients, tmp_path, monkeypatch, port_file):
    class Reads(Handler):
        def handle_request(self, message, payload):
            found.extend((path.name, path.read_text()) for path in tmp_path.iterdir())
            super().handle_request(message, payload)

    found = []
    monkeypatch.chdir(tmp_path)
    clients.connect()

    run(silent(Process(uvloop=False, port_file=port_file)), Reads, clients.sockets)

    assert found == ([("port", f"{clients.port}\n")] if port_file else [])
    assert list(tmp_path.iterdir()) == []


def test_port_file_takes_the_place_of_another_whole(clients, tmp_path):
    class Reads(Handler):
        def handle_request(self, message, payload):
            found.append((port_file.read_text(), reader.read()))
            super().handle_request(message, payload)

    found = []
    port_file = tmp_path / "port"
    port_file.write_text("old")
    clients.connect()
    with port_file.open() as reader:
        run(silent(Process(uvloop=False, port_file=str(port_file))), Reads, clients.sockets)

    assert found == [(f"{clients.port}\n", "old")]


def test_pipe_is_written_to_and_stays(clients, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    clients.connect()
    try:
        run(silent(Process(uvloop=False, port_file=str(pipe))), Handler, clients.sockets)

        assert os.read(reader, 100) == f"{clients.port}\n".encode()
    finally:
        os.close(reader)
    assert list(tmp_path.iterdir()) == [pipe]
    assert pipe.is_fifo()


def test_connection_whose_handler_cannot_be_made_is_told_so(process, clients, caplog):
    def make():
        made.append(None)
        if len(made) == 1:
            raise ZeroDivisionError
        return Handler()

    made = []
    first, second = clients.connect(), clients.connect()

    assert run(silent(process, logs=Logs(level="critical")), make, clients.sockets) == 0
    assert read(first).startswith(b"HTTP/1.1 503 ")
    assert read(second).startswith(b"HTTP/1.1 200 ")
    assert caplog.messages == []


# The end


def test_idle_connection_is_closed_and_one_that_waits_is_served(process, clients):
    class Connects(Handler):
        def handle_request(self, message, payload):
            super().handle_request(message, payload)
            if message.path != "/more":
                new.extend([clients.connect(b"GET /more HTTP/1.1\r\nHost: a\r\n\r\n"), clients.connect(b"")])

    new = []
    idle = clients.connect(b"")
    clients.connect()

    assert run(silent(process), Connects, clients.sockets) == 0
    asks, idles = new
    assert read(idle) == read(idles) == b""
    assert read(asks).endswith(b"\r\n\r\n/more\n")


def test_connections_that_wait_in_a_socket_are_taken_out_of_it(clients):
    waiting = [clients.connect().getsockname() for _ in range(3)]

    taken = list(runner._accept_waiting(clients.sockets[0]))

    assert [each.getpeername() for each in taken] == waiting
    assert not any(each.getblocking() for each in taken)
    for each in taken:
        each.close()


class Waits(ServerHttpProtocol):
    """Tells the process to stop, and answers when it does: when a connection, the idle one, has ended."""

    stopping: asyncio.Event
    again: signal.Signals | None

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.stopping.set()

    async def handle_request(self, message, _payload):
        if message.path == "/stop":
            os.kill(os.getpid(), signal.SIGINT)
        await self.stopping.wait()
        if self.again:
            os.kill(os.getpid(), self.again)
            await asyncio.Event().wait()
        if message.path == "/slow":
            await asyncio.sleep(0.02)
        self.writer.write_response(200, f"{message.path}\n")


def waits(again=None):
    return type("Waits", (Waits,), {"stopping": asyncio.Event(), "again": again})


def test_running_answers_finish_each_in_its_time(process, clients):
    clients.connect(b"")
    paths = (b"/", b"/slow", b"/stop")
    busy = [clients.connect(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path) for path in paths]

    assert run(silent(process), waits(), clients.sockets) == 0
    answers = [read(each) for each in busy]
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"/\n", b"/slow\n", b"/stop\n"]
    assert all(b"\r\nConnection: close\r\n" in answer for answer in answers)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_second_signal_cuts_off_what_goes_on(process, clients, capfd, number, code):
    clients.connect(b"")
    client = clients.connect(b"GET /stop HTTP/1.1\r\nHost: a\r\n\r\n")
    settings = Settings(process=process, timeouts=Timeouts(shutdown=3600.0))

    assert run(settings, waits(again=number), clients.sockets) == code
    assert read(client) == b""
    assert capfd.readouterr().err.endswith(" INFO stopped at once\n")


# The loop


def test_threads_that_compute_leave_the_interpreter_to_the_loop_soon(process, clients):
    before, seen = sys.getswitchinterval(), []

    class Handler(ServerHttpProtocol):
        async def handle_request(self, _message, _payload):
            seen.append(sys.getswitchinterval())
            os.kill(os.getpid(), signal.SIGTERM)

    clients.connect()
    run(Settings(process=process), Handler, clients.sockets)

    assert seen == [pytest.approx(0.001)]
    assert sys.getswitchinterval() == before


def test_loop_is_uvloop_where_it_is_installed_and_not_refused(monkeypatch):
    class FakeUvloop:
        new_event_loop = object()

    monkeypatch.setitem(sys.modules, "uvloop", FakeUvloop)
    monkeypatch.setattr(runner, "find_spec", lambda _name: object())

    assert runner._choose_loop(None) is FakeUvloop.new_event_loop
    assert runner._choose_loop(True) is FakeUvloop.new_event_loop
    assert runner._choose_loop(False) is asyncio.new_event_loop


def test_loop_is_asyncios_where_there_is_no_uvloop(monkeypatch):
    monkeypatch.setattr(runner, "find_spec", lambda _name: None)

    assert runner._choose_loop(None) is asyncio.new_event_loop


# The options


def test_settings_reach_the_handler():
    settings = Settings(
        process=Process(debug=True),
        timeouts=Timeouts(keep_alive=1.0, header=2.0, body=3.0, write=4.0),
        limits=Limits(line=5, head=6, headers=7, body=8),
    )
    access_log = print
    responder = builtins.repr

    options = make_options(settings, (responder,), access_log)

    assert (options.keep_alive, options.timeout, options.body_timeout, options.write_timeout) == (1, 2, 3, 4)
    assert options.limits == ParserLimits(line=5, field=5, head=6, headers=7, body=8)
    assert options.debug
    assert options.access_log is access_log
    assert options.responders == (responder,)


@pytest.mark.parametrize(
    ("static", "responders", "expected"),
    [
        (Static(), (repr,), 32 << 20),
        (Static(cache=9), (repr,), 4),
        (Static(cache=0), (repr,), 0),
        (Static(), (), 0),
    ],
    ids=["half of what is kept", "rounded down", "nothing is kept", "an application alone"],
)
def test_half_of_the_memory_is_for_answers_that_are_ready(static, responders, expected):
    """The other half is for files."""
    options = make_options(Settings(static=static), responders, None)

    assert options.ready_limit == expected
    assert (options.ready is not None) is bool(expected)
