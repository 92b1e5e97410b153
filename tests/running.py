"""A worker in this process: clients wait at its sockets, and its handler says when it is over."""

from __future__ import annotations

import socket
import ssl
from importlib.util import find_spec

from aioserve.listen.sockets import bind_sockets
from aioserve.runner import run
from aioserve.server import ServerHttpProtocol
from aioserve.settings import Bind, Logs, Settings
from aioserve.workers.channel import Channel, Order
from aioserve.workers.orders import Orders

LOOPS = [False, *([True] if find_spec("uvloop") else [])]
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


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


def read(client):
    with client.makefile("rb") as stream:
        return stream.read()


_parents: list[Channel] = []


def tell(order):
    """Tell the worker that serves something, as its parent would."""
    _parents[-1].say(order)


def stop():
    tell(Order.STOP)


class Handler(ServerHttpProtocol):
    """Has the worker stopped, unless the request is for /more, and answers."""

    def handle_request(self, message, _payload):
        if message.path != "/more":
            stop()
        self.writer.write_response(200, f"{message.path}\n")


def serve(settings, factory, sockets, *orders, tls=None, reports=None, station=None, limit=3600.0):
    """Serve until a handler ends it, given orders before it begins; return what the worker says."""
    ours, theirs = Channel.pair()
    _parents.append(ours)
    for order in orders:
        ours.say(order)
    try:
        run(settings, factory, sockets, tls, Orders(theirs, limit), reports, station)
        return [*ours.heard()]
    finally:
        _parents.remove(ours)
        ours.close()


def silent(process, **more):
    return Settings(process=process, **{"logs": Logs(level="error", access_log=False)} | more)


class Certificates:
    """Those of a server to which nobody speaks TLS; it notes what is asked of it."""

    ends = {"a.example": 9.0}  # noqa: RUF012 - never changed

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
