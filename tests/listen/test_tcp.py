from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from aioserve.errors import BindError
from aioserve.listen.addresses import TcpAddress
from aioserve.listen.tcp import explain, listen, resolve


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def backlog_of(sock):
    """Return how many connections may wait: Linux has that in `tcpi_sacked` of a socket that listens."""
    if sys.platform != "linux":
        pytest.skip("this system does not tell how many connections may wait")
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    return int.from_bytes(info[28:], sys.byteorder)


LOCAL = ("127.0.0.1", 0)
V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
PRIVILEGED = (
    "ports below 1024 are privileged; take a socket from a systemd .socket unit, or allow it by: "
    f"setcap cap_net_bind_service=+ep {Path(sys.executable).resolve()}"
)


# What is asked for


@pytest.mark.parametrize("port", ["0", "http"], ids=["digits", "service"])
def test_port_may_be_a_text(monkeypatch, port):
    asked = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, port, **_more: asked.append(port) or [(*V4, LOCAL)]
    )

    assert resolve(TcpAddress("127.0.0.1", port)) == [(socket.AF_INET, LOCAL)]
    assert asked == [port]


def test_empty_host_is_every_address():
    assert (socket.AF_INET, ("0.0.0.0", 80)) in resolve(TcpAddress("", 80))  # noqa: S104 - asked for


def test_address_that_a_name_has_twice_is_one(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: [(*V4, LOCAL), (*V4, LOCAL)])

    assert resolve(TcpAddress("localhost", 0)) == [(socket.AF_INET, LOCAL)]


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("host.invalid", 0, r"cannot listen on 'host\.invalid': .+"),
        ("x" * 64, 0, r"cannot listen on 'x+': .+"),
        ("é" * 64, 0, r"cannot listen on 'é+': .*label.*"),
        ("127.0.0.1", "nosuch", r"cannot listen on 127\.0\.0\.1: there is no service named 'nosuch'"),
    ],
    ids=["unknown name", "no name", "no name of Unicode", "unknown service"],
)
def test_name_that_is_none_is_refused(host, port, said):
    with pytest.raises(BindError, match=rf"\A{said}\Z") as refused:
        resolve(TcpAddress(host, port))
    assert refused.value.__cause__ is None


# What is bound


def test_socket_listens_without_blocking():
    with listen(socket.AF_INET, LOCAL, backlog=5) as sock:
        assert not sock.getblocking()
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 262_144
        with socket.create_connection(sock.getsockname()) as client:
            accepted, _ = sock.accept()
            with accepted:
                assert accepted.getpeername() == client.getsockname()


@pytest.mark.parametrize("backlog", [1, 17])
def test_so_many_connections_wait_as_are_allowed_to(backlog):
    with listen(socket.AF_INET, LOCAL, backlog=backlog) as sock:
        assert backlog_of(sock) == backlog


def test_port_can_be_had_again_at_once():
    with listen(socket.AF_INET, LOCAL, backlog=5) as sock:
        address = sock.getsockname()
        with socket.create_connection(address) as client:
            accepted, _ = sock.accept()
            accepted.close()  # the side that closes first keeps the port in TIME_WAIT
            assert client.recv(1) == b""

    with listen(socket.AF_INET, address, backlog=5) as again:
        assert again.getsockname() == address


def test_port_can_be_shared_by_those_who_all_want_to():
    with listen(socket.AF_INET, LOCAL, backlog=5, must_share=True) as first:
        address = first.getsockname()
        with listen(socket.AF_INET, address, backlog=5, must_share=True) as second:
            assert second.getsockname() == address
        with pytest.raises(OSError, match="in use"):
            listen(socket.AF_INET, address, backlog=5)


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_socket_of_ipv6_leaves_ipv4_to_another():
    with listen(socket.AF_INET6, ("::1", 0, 0, 0), backlog=5) as sock:
        assert sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)


# What is refused


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def refusal(port):
    with pytest.raises(OSError, match="in use") as refused:
        listen(socket.AF_INET, ("127.0.0.1", port), backlog=5)
    return explain(refused.value, "127.0.0.1", port)


def test_taken_port_is_refused_and_its_holder_named(taken):
    name = Path("/proc/self/comm").read_text().strip()

    assert refusal(taken) == (
        f"cannot listen on 127.0.0.1 port {taken}: it is in use by {name} (pid {os.getpid()})"
    )


def test_taken_port_whose_holder_does_not_listen_is_refused():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]

        assert refusal(port) == f"cannot listen on 127.0.0.1 port {port}: it is in use"


@pytest.mark.parametrize(
    ("number", "port", "said"),
    [
        (errno.EACCES, 80, PRIVILEGED),
        (errno.EACCES, 8080, "Permission denied"),
        (errno.EADDRNOTAVAIL, 80, "this machine does not have that address"),
        (errno.ENOBUFS, 80, "No buffer space available"),
    ],
    ids=["privileged port", "port that is not privileged", "another machine's", "anything else"],
)
def test_refusal_of_the_system_is_told(number, port, said):
    assert explain(OSError(number, os.strerror(number)), "127.0.0.1", port) == (
        f"cannot listen on 127.0.0.1 port {port}: {said}"
    )
