"""The runner in this process: clients wait at its sockets, and their handler sends the signals.

What it does as a process of its own is the business of system/test_signals.py.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
import sys
import threading
from contextlib import ExitStack, closing
from importlib.util import find_spec

import pytest

from aioserve import runner
from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import UnixAddress
from aioserve.listen.sockets import bind_sockets
from aioserve.runner import run
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Bind, Health, Logs, Process, Proxies, Settings, Static, Timeouts
from aioserve.workers.channel import Channel, Order
from aioserve.workers.orders import Orders
from tests.listen.test_tcp import backlog_of

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
        self.sockets = [opened.enter_context(each) for each in bind_sockets(Bind("127.0.0.1", 0)).sockets]
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


def serve(settings, factory, sockets, *orders, tls=None):
    """Serve until a handler ends it, given orders before it begins; return what the worker says."""
    ours, theirs = Channel.pair()
    for order in orders:
        ours.say(order)
    try:
        run(settings, factory, sockets, tls, Orders(theirs, settings.timeouts.shutdown))
        return [*ours.heard()]
    finally:
        ours.close()


def silent(process, **more):
    return Settings(process=process, **{"logs": Logs(level="error", access_log=False)} | more)


# From start to end


def test_answer_is_finished_and_the_sockets_are_closed(process, clients):
    client = clients.connect()

    said = serve(silent(process), Handler, clients.sockets)

    assert said == [(b"serves", []), (b"ended", [0, 0]), None]
    assert read(client).endswith(b"\r\n\r\n/\n")
    assert [each.fileno() for each in clients.sockets] == [-1]


def test_access_log_is_all_of_its_output(process, clients, capfd):
    clients.connect()

    serve(Settings(process=process), Handler, clients.sockets)

    out, err = capfd.readouterr()
    assert re.fullmatch(r'127\.0\.0\.1 - - \[.+\] "GET / HTTP/1\.1" 200 2 "-" "-"\n', out)
    assert err == ""


def test_client_of_a_unix_socket_is_served_and_has_no_name(process, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    with (
        closing(bind_sockets(Bind(addresses=(UnixAddress("web.sock"),)))) as listening,
        socket.socket(socket.AF_UNIX) as client,
    ):
        client.connect("web.sock")
        client.sendall(GET)

        serve(Settings(process=process), Handler, listening.sockets)

        assert read(client).endswith(b"\r\n\r\n/\n")
        assert capfd.readouterr().out.startswith("- - - [")


def test_as_many_connections_wait_as_the_parent_said(process, clients):
    class Looks(Handler):
        def handle_request(self, message, payload):
            found.append(backlog_of(clients.sockets[0]))
            super().handle_request(message, payload)

    found = []
    before = backlog_of(clients.sockets[0])
    clients.connect()

    serve(silent(process, bind=Bind(backlog=before)), Looks, clients.sockets)

    assert found == [before]


def test_folder_is_served_without_an_application(process, clients, tmp_path, monkeypatch):
    real = Orders.next

    async def stop_after_a_while(orders):
        """Take the place of whoever sends a signal: there is no handler here that could."""
        asyncio.get_running_loop().call_later(0, os.kill, os.getpid(), signal.SIGTERM)
        return await real(orders)

    monkeypatch.setattr(Orders, "next", stop_after_a_while)
    (tmp_path / "a.txt").write_text("a")
    client = clients.connect(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
    missing = clients.connect(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")

    serve(silent(process, static=Static((("/", str(tmp_path)),))), None, clients.sockets)
    assert read(client).endswith(b"\r\n\r\na")
    assert read(missing).startswith(b"HTTP/1.1 404 ")


class Certificates:
    """Those of a server to which nobody speaks TLS; it notes what is asked of it."""

    def __init__(self):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.asked = []
        self.is_speaking = True

    def watch(self, call_later):
        self.asked.append((call_later.__name__, self.is_speaking))

    def speak(self):
        self.asked.append("speak")

    def tell(self):
        self.asked.append("tell")

    def reread(self):
        self.asked.append("reread")

    def close(self):
        self.asked.append("close")


def test_certificates_are_looked_after_while_there_is_a_loop(process, clients, monkeypatch):
    real = Orders.next

    async def stop(orders):
        asyncio.get_running_loop().call_later(0, os.kill, os.getpid(), signal.SIGTERM)
        return await real(orders)

    monkeypatch.setattr(Orders, "next", stop)
    certificates = Certificates()

    orders = (Order.REOPEN, Order.SPEAK, Order.TELL)
    serve(silent(process), Handler, clients.sockets, *orders, tls=certificates)
    first, *others = certificates.asked
    assert first == ("call_later", False)
    assert others == ["reread", "speak", "tell", "close", "close"]


def test_addresses_are_let_go_though_the_loop_stands_still(process, clients, monkeypatch):
    """As where the parent has gone: others can have them, and the loop does not miss its descriptors."""

    class Blocks(Handler):
        def handle_request(self, message, payload):
            found.append([os.fstat(each.fileno()).st_ino for each in clients.sockets])
            let_go[0]()
            found.append([os.fstat(each.fileno()).st_ino for each in clients.sockets])
            with socket.create_server(("127.0.0.1", clients.port)):
                super().handle_request(message, payload)

    found, let_go = [], []
    monkeypatch.setattr(Orders, "on_abandoned", lambda _orders, act: let_go.append(act))
    client = clients.connect()

    serve(silent(process), Blocks, clients.sockets)

    assert read(client).endswith(b"\r\n\r\n/\n")
    assert found[0] != found[1]
    let_go[0]()  # when they are closed, there is nothing to let go of


@pytest.mark.parametrize(
    ("orders", "health", "status"),
    [
        ([], Health(), b"200"),
        ([Order.DRAIN], Health(), b"503"),
        ([Order.STOP], Health(), b"503"),
        ([Order.RETIRE], Health(), b"200"),  # others serve
        ([Order.STOP], Health(is_on=False), b"200"),  # of the handler
    ],
)
def test_it_wants_requests_until_it_is_told_to_stop(process, clients, orders, health, status):
    asked = clients.connect(b"GET /-/ready HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
    serve(silent(process, health=health), Handler, clients.sockets, *orders)

    assert read(asked)[9:12] == status


def test_folder_that_cannot_be_served_is_refused_and_nothing_stays_open(process, clients):
    with pytest.raises(ConfigurationError):
        serve(silent(process, static=Static((("/", "/none"),))), None, clients.sockets)

    assert [each.fileno() for each in clients.sockets] == [-1]


def test_what_was_kept_of_files_is_told_in_the_end(process, clients, tmp_path, capfd):
    (tmp_path / "a.txt").write_text("a")
    clients.connect(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
    clients.connect()
    settings = Settings(process=process, static=Static((("/", str(tmp_path)),)), logs=Logs(level="debug"))

    serve(settings, Handler, clients.sockets)

    lines = capfd.readouterr().err.splitlines()
    assert re.search(r" kept in the end: 1 files, [1-9]\d* bytes; [01] answers, \d+ bytes$", lines[-1])


def test_connection_whose_handler_cannot_be_made_is_told_so(process, clients, caplog):
    def make():
        made.append(None)
        if len(made) == 1:
            raise ZeroDivisionError
        return Handler()

    made = []
    first, second = clients.connect(), clients.connect()

    serve(silent(process, logs=Logs(level="critical")), make, clients.sockets)
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

    serve(silent(process), Connects, clients.sockets)
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
    parent: Channel | None

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.stopping.set()

    async def handle_request(self, message, _payload):
        if message.path == "/stop":
            os.kill(os.getpid(), signal.SIGTERM)
        await self.stopping.wait()
        if self.parent:
            self.parent.say(Order.FORCE)
            await asyncio.Event().wait()
        if message.path == "/slow":
            await asyncio.sleep(0.02)
        self.writer.write_response(200, f"{message.path}\n")


def waits(parent=None):
    return type("Waits", (Waits,), {"stopping": asyncio.Event(), "parent": parent})


def test_running_answers_finish_each_in_its_time(process, clients):
    clients.connect(b"")
    paths = (b"/", b"/slow", b"/stop")
    busy = [clients.connect(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path) for path in paths]

    said = serve(silent(process), waits(), clients.sockets)

    assert said[-2] == (b"ended", [3, 0])
    answers = [read(each) for each in busy]
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"/\n", b"/slow\n", b"/stop\n"]
    assert all(b"\r\nConnection: close\r\n" in answer for answer in answers)


def test_force_cuts_off_what_goes_on(process, clients):
    clients.connect(b"")
    client = clients.connect(b"GET /stop HTTP/1.1\r\nHost: a\r\n\r\n")
    settings = silent(process, timeouts=Timeouts(shutdown=3600.0))
    ours, theirs = Channel.pair()

    run(settings, waits(ours), clients.sockets, None, Orders(theirs, 3600.0))

    assert [*ours.heard()][-2] == (b"ended", [1, 1])
    ours.close()
    assert read(client) == b""


class Asks(ServerHttpProtocol):
    """Is asked twice by one client: before an order, which the handler gives, and behind it."""

    parent: Channel
    order: Order

    async def handle_request(self, message, _payload):
        if message.path == "/order":
            self.parent.say(self.order)
            await self.wait_closing()
        self.writer.write_response(200, f"{message.path}\n")


def test_one_who_retires_lets_idle_clients_make_one_more_request(process, clients):
    """A client may be sending it just now, and would not know whether it was answered."""
    ours, theirs = Channel.pair()
    handler = type("Asks", (Asks,), {"parent": ours, "order": Order.RETIRE})
    idle = clients.connect(b"GET /idle HTTP/1.1\r\nHost: a\r\n\r\n")
    asking = clients.connect(b"GET /order HTTP/1.1\r\nHost: a\r\n\r\n")

    class Later(handler):
        def connection_lost(self, exc):
            """Ask when the one that gave the order has gone: the worker is retiring by then."""
            super().connection_lost(exc)
            if not asked:
                asked.append(True)
                idle.sendall(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n")

    asked = []
    asking.shutdown(socket.SHUT_WR)
    run(silent(process), Later, clients.sockets, None, Orders(theirs, 30.0))

    assert [*ours.heard()] == [(b"serves", []), (b"ended", [1, 0]), None]
    ours.close()
    assert read(asking).endswith(b"\r\n\r\n/order\n")
    first, second = read(idle).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert b"Connection: close" not in first
    assert b"\r\nConnection: close\r\n" in second
    assert second.endswith(b"\r\n\r\n/late\n")


def test_one_who_retires_may_be_told_to_stop(process, clients):
    ours, theirs = Channel.pair()

    class Stops(ServerHttpProtocol):
        async def handle_request(self, _message, _payload):
            ours.say(Order.RETIRE)
            await self.wait_closing()
            ours.say(Order.STOP)
            self.writer.write_response(200, "done")

    idle = clients.connect(b"")
    clients.connect()

    run(silent(process), Stops, clients.sockets, None, Orders(theirs, 3600.0))

    ours.close()
    assert read(idle) == b""


def test_state_is_told_when_that_is_asked_for(process, clients, capfd):
    clients.connect()

    serve(Settings(process=process, logs=Logs(access_log=False)), Handler, clients.sockets, Order.DESCRIBE)

    err = capfd.readouterr().err
    assert f"worker {os.getpid()}: " in err
    assert "in serve" in err  # where the task of the server stands


# The loop


def test_handler_that_blocks_is_told_of_where_that_is_asked_for(clients, monkeypatch):
    told = threading.Event()
    monkeypatch.setattr("aioserve.observe.blocked._tell", lambda *_: told.set())
    act = {"handle_request": lambda *_: told.wait(60) and os.kill(os.getpid(), signal.SIGTERM)}
    clients.connect()
    serve(Settings(logs=Logs(warn_blocked=0.02)), type("Blocks", (ServerHttpProtocol,), act), clients.sockets)


def test_threads_that_compute_leave_the_interpreter_to_the_loop_soon(process, clients):
    before, seen = sys.getswitchinterval(), []

    class Handler(ServerHttpProtocol):
        async def handle_request(self, _message, _payload):
            seen.append(sys.getswitchinterval())
            os.kill(os.getpid(), signal.SIGTERM)

    clients.connect()
    serve(Settings(process=process), Handler, clients.sockets)

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


def test_proxy_header_comes_first_where_that_is_asked_for(process, clients, capfd):
    header = b"PROXY TCP4 192.0.2.7 192.0.2.99 40000 443\r\n"
    clients.connect(b"GET /more HTTP/1.1\r\nHost: a\r\n\r\n")
    clients.connect(header + GET)

    serve(Settings(process=process, proxies=Proxies("proxy-protocol")), Handler, clients.sockets)

    out, err = capfd.readouterr()
    assert re.fullmatch(r'192\.0\.2\.7 - - \[.+\] "GET / HTTP/1\.1" 200 2 "-" "-"\n', out)
    assert "WARNING 127.0.0.1: closed: there is no PROXY header\n" in err
