"""How much of an answer the system holds, seen on real sockets."""

from __future__ import annotations

import socket

import pytest

from aioserve import send_buffer
from aioserve.send_buffer import Pace
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
    assert send_buffer.unacknowledged(server) == 0
    sent = fill(server)
    held = send_buffer.unacknowledged(server)
    assert 0 < held < sent

    client.settimeout(30)
    left = sent
    while left:
        left -= len(client.recv(left))
    server.sendall(b"x")
    assert client.recv(1) == b"x"
    assert send_buffer.unacknowledged(server) <= 1


def test_what_is_forgotten_is_not_sent_any_more(pair):
    server, client = pair
    fill(server)
    send_buffer.forget(Transport(server))
    server.close()
    client.settimeout(30)
    with pytest.raises(ConnectionResetError), client.makefile("rb") as stream:
        stream.read()


def test_a_transport_without_a_socket_holds_nothing():
    assert send_buffer.unacknowledged(None) == 0
    send_buffer.forget(FakeTransport())


def test_a_closed_socket_holds_nothing(pair):
    server, _client = pair
    server.close()
    assert send_buffer.unacknowledged(server) == 0
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
    while send_buffer.unacknowledged(server):
        pass
    assert send_buffer.acknowledged(Transport(server)) - before == 5


def test_where_nobody_counts_there_is_no_number(pair, monkeypatch):
    assert send_buffer.acknowledged(FakeTransport()) is None
    left, right = socket.socketpair()
    with left, right:
        assert send_buffer.acknowledged(Transport(left)) is None
    monkeypatch.setattr(send_buffer, "_BYTES_ACKED", 900)
    assert send_buffer.acknowledged(Transport(pair[0])) is None


# Files for clients that are quick

NARROW, WIDE = 262_144, 0x7FFFFFFF
QUICK = 1_048_576  # bytes before it is asked


def bound_of(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands at the seconds in a list."""
    now = [100.0]
    monkeypatch.setattr(send_buffer.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def pace(pair):
    pace = Pace(pair[0])
    yield pace
    pace.end()
    pace.close()


@pytest.fixture(autouse=True)
def _none_is_left_open(monkeypatch):
    monkeypatch.setattr(Pace, "open_ones", 0)
    monkeypatch.setattr(Pace, "_wide_ones", 0)
    yield
    assert Pace.open_ones == Pace._wide_ones == 0


@pytest.mark.parametrize(
    ("sent", "seconds", "expected"),
    [
        (QUICK, 0.25, WIDE),
        (QUICK, 0.26, NARROW),
        (QUICK - 1, 0.0, NARROW),
        (10 * QUICK, 2.5, WIDE),
        (10 * QUICK, 2.6, NARROW),
    ],
)
def test_a_client_that_takes_4_mib_a_second_gets_more_room(pace, clock, sent, seconds, expected):
    pace.begin()
    clock[0] += seconds
    pace.add(sent)

    assert bound_of(pace.sock) == expected


@pytest.mark.usefixtures("clock")
def test_room_is_taken_back_in_the_end(pace):
    pace.begin()
    pace.add(QUICK)
    assert bound_of(pace.sock) == WIDE

    pace.end()
    assert bound_of(pace.sock) == NARROW


def test_who_was_quick_the_last_time_has_room_at_once_and_may_lose_it(pair, clock):
    pace = Pace(pair[0], is_quick=True)
    pace.begin()
    assert bound_of(pace.sock) == WIDE

    clock[0] += 100
    pace.add(QUICK)
    assert not pace.is_quick

    pace.end()
    pace.close()


def test_bytes_are_counted_together(pace, clock):
    pace.begin()
    for _ in range(4):
        clock[0] += 0.05
        pace.add(QUICK // 4)

    assert bound_of(pace.sock) == WIDE


@pytest.mark.usefixtures("clock")
def test_few_have_more_room_at_once(pair, monkeypatch):
    """It is memory of the system, which all share."""
    monkeypatch.setattr(send_buffer, "_MOST_WIDE", 1)
    first, second = Pace(pair[0]), Pace(pair[1])
    for each in (first, second):
        each.begin()
        each.add(QUICK)
    assert bound_of(first.sock) == WIDE
    assert bound_of(second.sock) != WIDE

    first.end()
    second.add(1)
    assert bound_of(second.sock) == WIDE
    second.end()
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("as much as is asked for", "4194304\n", True),
        ("less: its own choice is better", "212992\n", False),
        ("no number", "much", False),
        ("nothing: another system", None, False),
    ],
)
@pytest.mark.usefixtures("clock")
def test_buffer_is_made_larger_where_the_system_gives_all_of_it(
    pair, monkeypatch, tmp_path, reason, text, expected
):
    path = tmp_path / "wmem_max"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(send_buffer, "_WMEM_MAX", path)
    before = pair[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    pace = Pace(pair[0])
    pace.begin()
    pace.add(QUICK)
    pace.end()
    after = pair[0].getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    pace.close()

    assert (after != before) is expected, reason


def test_it_has_a_descriptor_of_its_own(pair):
    pace = Pace.of(Transport(pair[0]), is_quick=True)

    assert pace.sock.fileno() != pair[0].fileno()
    assert pace.sock.getpeername() == pair[0].getpeername()
    assert pace.is_quick
    pace.close()
    pace.close()  # once is enough, and twice does no harm
    assert pair[0].fileno() >= 0


@pytest.mark.parametrize("reason", ["no socket", "a closed one", "TLS"])
def test_there_is_none_for(pair, reason):
    with socket.socket() as closed:
        pass
    transport = {
        "no socket": FakeTransport(),
        "a closed one": FakeTransport(socket=closed),
        "TLS": FakeTransport(socket=pair[0], sslcontext=object()),
    }[reason]

    assert Pace.of(transport, is_quick=False) is None


def test_there_is_none_where_descriptors_are_short(pair, monkeypatch):
    def dup(_descriptor):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(send_buffer.os, "dup", dup)

    assert Pace.of(Transport(pair[0]), is_quick=False) is None


@pytest.mark.parametrize(("soft", "most"), [(16, 2), (8, 1), (7, 1), (1, 1), (-1, 5)])
def test_few_of_all_descriptors_are_for_sending_files(pair, monkeypatch, soft, most):
    """The others are for connections, and for the files."""
    monkeypatch.setattr(send_buffer.resource, "getrlimit", lambda _: (soft, soft))
    made = [Pace.of(Transport(pair[0]), is_quick=False) for _ in range(5)]

    given = [pace for pace in made if pace is not None]
    for pace in given:
        pace.close()
    assert len(given) == most


@pytest.mark.usefixtures("clock")
def test_socket_that_was_closed_meanwhile_is_left_alone(pair):
    pace = Pace(pair[0])
    pace.begin()
    pace.close()
    pace.add(QUICK)
    pace.end()
