"""The end of a worker: who is served until then, and for how long."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace

import pytest

from aioserve import runner, ticker
from aioserve.admission import Admission
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Logs, Process, Settings, Timeouts
from aioserve.workers.channel import Order
from tests.running import Certificates, Handler, read, serve, silent, stop, tell

pytestmark = pytest.mark.usefixtures("_handlers")


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


def test_clients_that_wait_and_never_come_to_speak_tls_keep_nobody(clients, monkeypatch):
    """system/test_tls.py has it for uvloop, whose loop does not close where it has the clients as well."""
    monkeypatch.setattr(runner, "_HANDSHAKES", 0.05)
    for _ in range(200):  # more than are accepted at once
        clients.connect(b"")
    settings = silent(Process(uvloop=False), timeouts=Timeouts(tls=0))

    said = serve(settings, Handler, clients.sockets, Order.STOP, tls=Certificates())

    assert said[-2] == (b"ended", [0, 0])


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
    is_forced = False

    def connection_lost(self, exc):
        super().connection_lost(exc)
        self.stopping.set()

    async def handle_request(self, message, _payload):
        if message.path == "/stop":
            stop()
        await self.stopping.wait()
        if self.is_forced:
            tell(Order.FORCE)
            await asyncio.Event().wait()
        if message.path == "/slow":
            await asyncio.sleep(0.02)
        self.writer.write_response(200, f"{message.path}\n")


class Never(asyncio.Event):
    """Never happens."""

    def set(self):
        """Do not."""


def waits(**more):
    return type("Waits", (Waits,), {"stopping": asyncio.Event(), **more})


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

    said = serve(settings, waits(is_forced=True), clients.sockets)

    assert said[-2] == (b"ended", [1, 1])
    assert read(client) == b""


def test_time_to_stop_is_over_to_the_moment(process, clients, monkeypatch):
    """The ticker comes by twice a second at most, and here never."""
    monkeypatch.setattr(ticker, "_LONGEST_PERIOD", 3600.0)
    monkeypatch.setattr(ticker, "_TICKS_PER_TIMEOUT", 1e-9)
    idle = clients.connect(b"")
    client = clients.connect(b"GET /stop HTTP/1.1\r\nHost: a\r\n\r\n")
    handler = type("Stays", (Waits,), {"stopping": Never()})

    said = serve(silent(process, timeouts=Timeouts(shutdown=0.05)), handler, clients.sockets)

    assert said[-2] == (b"ended", [1, 1])
    assert read(client) == read(idle) == b""


class Asks(ServerHttpProtocol):
    """Is asked twice by one client: before it has the worker retire, and behind that."""

    async def handle_request(self, message, _payload):
        if message.path == "/order":
            tell(Order.RETIRE)
            await self.wait_closing()
        self.writer.write_response(200, f"{message.path}\n")


def test_one_who_retires_lets_idle_clients_make_one_more_request(process, clients):
    """A client may be sending it just now, and would not know whether it was answered."""
    idle = clients.connect(b"GET /idle HTTP/1.1\r\nHost: a\r\n\r\n")
    asking = clients.connect(b"GET /order HTTP/1.1\r\nHost: a\r\n\r\n")

    class Later(Asks):
        def connection_lost(self, exc):
            """Ask when the one that gave the order has gone: the worker is retiring by then."""
            super().connection_lost(exc)
            if not asked:
                asked.append(True)
                idle.sendall(b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n")

    asked = []
    asking.shutdown(socket.SHUT_WR)
    said = serve(silent(process), Later, clients.sockets)

    assert said == [(b"serves", []), (b"ended", [1, 0]), None]
    assert read(asking).endswith(b"\r\n\r\n/order\n")
    first, second = read(idle).split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert b"Connection: close" not in first
    assert b"\r\nConnection: close\r\n" in second
    assert second.endswith(b"\r\n\r\n/late\n")


class Long(ServerHttpProtocol):
    """Has the worker retire, and answers a good while after that."""

    async def handle_request(self, _message, _payload):
        tell(Order.RETIRE)
        await self.wait_closing()
        await asyncio.sleep(0.02)
        self.writer.write_response(200, "done")


@pytest.mark.parametrize("reload", [False, True])
def test_one_who_retires_has_all_the_time_that_it_needs_but_for_development(process, clients, reload):
    client = clients.connect()
    settings = silent(replace(process, reload=reload), timeouts=Timeouts(shutdown=0.0))

    said = serve(settings, Long, clients.sockets)

    assert said[-2] == (b"ended", [1, int(reload)])
    assert read(client).endswith(b"done") is not reload


def test_one_who_retires_may_be_told_to_stop(process, clients):
    class Stops(ServerHttpProtocol):
        async def handle_request(self, _message, _payload):
            tell(Order.RETIRE)
            await self.wait_closing()
            stop()
            self.writer.write_response(200, "done")

    idle = clients.connect(b"")
    clients.connect()

    serve(silent(process), Stops, clients.sockets)

    assert read(idle) == b""


@pytest.mark.parametrize("times", [0, 1, 3])
def test_who_has_come_but_not_agreed_on_tls_is_waited_for(process, clients, monkeypatch, times):
    """A real handshake is in system/test_tls.py."""
    expected = [True] * times
    monkeypatch.setattr(Admission, "is_expecting", property(lambda _: bool(expected and expected.pop())))
    client = clients.connect()

    serve(silent(process), Handler, clients.sockets)

    assert expected == []
    assert read(client).endswith(b"\r\n\r\n/\n")


def test_handshake_that_has_failed_is_looked_for_in_what_is_garbage(process, clients, monkeypatch):
    """asyncio's transports know themselves."""
    collected = []
    monkeypatch.setattr(runner.gc, "collect", lambda: collected.append("garbage"))
    monkeypatch.setattr(Admission, "is_expecting", property(lambda _: not collected))
    clients.connect()

    serve(silent(process), Handler, clients.sockets)

    assert collected == ["garbage"]


def test_who_never_agrees_on_tls_is_not_waited_for_longer(process, clients, monkeypatch):
    monkeypatch.setattr(runner, "_HANDSHAKES", 0.02)
    monkeypatch.setattr(Admission, "is_expecting", property(lambda _: True))
    clients.connect()

    assert serve(silent(process), Handler, clients.sockets)[-2] == (b"ended", [0, 0])


def test_state_is_told_when_that_is_asked_for(process, clients, capfd):
    clients.connect()

    serve(Settings(process=process, logs=Logs(access_log=False)), Handler, clients.sockets, Order.DESCRIBE)

    err = capfd.readouterr().err
    assert f"worker {os.getpid()}: " in err
    assert "in serve" in err  # where the task of the server stands
