"""How much of an answer the system holds, seen on real sockets."""

from __future__ import annotations

import socket

import pytest

from aioserve import send_buffer
from tests.doubles import FakeTransport


class Transport:
    """Has a socket."""

    def __init__(self, sock):
        self._sock = sock

    def get_extra_info(self, name):
        return {"socket": self._sock}.get(name)


@pytest.fixture
def pair():
    """A server's socket, bounded by way of the listening one, and its client, which reads nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        send_buffer.bound(listening)
        with socket.create_connection(listening.getsockname()) as client:
            server, _ = listening.accept()
            with server:
                server.setblocking(False)
                yield server, client


def fill(sock):
    sent = 0
    try:
        while True:
            sent += sock.send(bytes(1 << 20))
    except BlockingIOError:
        return sent


def test_connections_inherit_the_bound(pair):
    server, _client = pair
    assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 262_144


def test_what_the_client_has_not_taken_is_known(pair):
    server, client = pair
    assert send_buffer.unacknowledged(Transport(server)) == 0
    sent = fill(server)
    held = send_buffer.unacknowledged(Transport(server))
    assert 0 < held < sent

    client.settimeout(30)
    left = sent
    while left:
        left -= len(client.recv(left))
    server.sendall(b"x")
    assert client.recv(1) == b"x"
    assert send_buffer.unacknowledged(Transport(server)) <= 1


def test_what_is_forgotten_is_not_sent_any_more(pair):
    server, client = pair
    fill(server)
    send_buffer.forget(Transport(server))
    server.close()
    client.settimeout(30)
    with pytest.raises(ConnectionResetError), client.makefile("rb") as stream:
        stream.read()


def test_a_transport_without_a_socket_holds_nothing():
    assert send_buffer.unacknowledged(FakeTransport()) == 0
    send_buffer.forget(FakeTransport())


def test_a_closed_socket_holds_nothing(pair):
    server, _client = pair
    server.close()
    assert send_buffer.unacknowledged(Transport(server)) == 0
    send_buffer.forget(Transport(server))


def test_other_sockets_and_systems_have_no_bound(monkeypatch):
    left, right = socket.socketpair()
    with left, right:
        send_buffer.bound(left)
    monkeypatch.delattr(socket, "TCP_NOTSENT_LOWAT")
    with socket.socket() as sock:
        send_buffer.bound(sock)


def test_what_the_client_has_taken_is_counted(pair):
    server, client = pair
    before = send_buffer.acknowledged(Transport(server))
    server.sendall(b"hello")
    assert client.recv(5) == b"hello"
    client.sendall(b"x")
    assert server.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    while send_buffer.unacknowledged(Transport(server)):
        pass
    assert send_buffer.acknowledged(Transport(server)) - before == 5


def test_where_nobody_counts_there_is_no_number(pair, monkeypatch):
    assert send_buffer.acknowledged(FakeTransport()) is None
    left, right = socket.socketpair()
    with left, right:
        assert send_buffer.acknowledged(Transport(left)) is None
    monkeypatch.setattr(send_buffer, "_BYTES_ACKED", 900)
    assert send_buffer.acknowledged(Transport(pair[0])) is None


@pytest.mark.parametrize(
    ("sent", "seconds", "expected"),
    [
        (1_048_576, 0.0625, True),
        (1_048_576, 0.07, False),
        (16_777_216, 1.0, True),
        (16_777_215, 1.0, False),
        (1_048_576, 0.0, True),
    ],
)
def test_a_client_that_takes_16_mib_a_second_is_quick(pair, sent, seconds, expected):
    server, _client = pair

    assert send_buffer.widen(server, sent, seconds) is expected
    bound = server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
    assert (bound > 262_144) is expected

    send_buffer.narrow(server)
    assert server.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 262_144
