"""The runner in this process: clients wait at its sockets, and their handler says when it is over.

What it does as a process of its own is the business of system/test_signals.py.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
import threading
from contextlib import closing

import pytest

from aioserve import runner
from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import UnixAddress
from aioserve.listen.sockets import bind_sockets
from aioserve.live.paths import Report
from aioserve.live.reporting import Reports
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Bind, Health, Logs, Proxies, Settings, Static
from aioserve.workers.channel import Order
from aioserve.workers.orders import Orders
from tests.listen.test_tcp import backlog_of
from tests.running import GET, Certificates, Handler, read, serve, silent, stop

pytestmark = pytest.mark.usefixtures("_handlers")


# From start to end


def test_answer_is_finished_and_the_sockets_are_closed(process, clients):
    client = clients.connect()

    said = serve(silent(process), Handler, clients.sockets)

    assert said == [(b"serves", []), (b"ended", [0, 0]), None]
    assert read(client).endswith(b"\r\n\r\n/\n")
    assert [each.fileno() for each in clients.sockets] == [-1]


def test_paths_and_errors_are_reported_where_somebody_looks_on(process, clients):
    """The worker closes its own copy in the end, as it is the parent's, too."""

    class Failing(Handler):
        def handle_request(self, _message, _payload):
            stop()
            raise KeyError("customer")

    reports = Reports()
    kept = socket.socket(fileno=os.dup(reports.fileno()))
    with kept:
        clients.connect()
        serve(silent(process), Failing, clients.sockets, reports=reports)
        *_, last = [Report.from_line(kept.recv(1 << 16)) for _ in range(2)]

    assert [(each.path, each.requests) for each in last.paths] == [("/", 1)]
    assert [(each.status, each.request, each.text) for each in last.errors] == [
        (500, "GET /", "KeyError: 'customer'")
    ]


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
        """Take the place of the parent: there is no handler here that could."""
        asyncio.get_running_loop().call_later(0, stop)
        return await real(orders)

    monkeypatch.setattr(Orders, "next", stop_after_a_while)
    (tmp_path / "a.txt").write_text("a")
    client = clients.connect(b"GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n")
    missing = clients.connect(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")

    serve(silent(process, static=Static((("/", str(tmp_path)),))), None, clients.sockets)
    assert read(client).endswith(b"\r\n\r\na")
    assert read(missing).startswith(b"HTTP/1.1 404 ")


def test_certificates_are_looked_after_while_there_is_a_loop(process, clients, monkeypatch):
    real = Orders.next

    async def stop_at_once(orders):
        asyncio.get_running_loop().call_later(0, stop)
        return await real(orders)

    monkeypatch.setattr(Orders, "next", stop_at_once)
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


# The loop


def test_handler_that_blocks_is_told_of_where_that_is_asked_for(clients, monkeypatch):
    told = threading.Event()
    monkeypatch.setattr("aioserve.observe.blocked._tell", lambda *_: told.set())
    act = {"handle_request": lambda *_: told.wait(60) and stop()}
    clients.connect()
    serve(Settings(logs=Logs(warn_blocked=0.02)), type("Blocks", (ServerHttpProtocol,), act), clients.sockets)


def test_threads_that_compute_leave_the_interpreter_to_the_loop_soon(process, clients):
    before, seen = sys.getswitchinterval(), []

    class Handler(ServerHttpProtocol):
        async def handle_request(self, _message, _payload):
            seen.append(sys.getswitchinterval())
            stop()

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
