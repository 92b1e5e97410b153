from __future__ import annotations

import errno
import os
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from aioserve.errors import BindError
from aioserve.listen import sockets
from aioserve.listen.sockets import bind_sockets, format_address
from aioserve.settings import Bind


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
PRIVILEGED = (
    "ports below 1024 are privileged; take a socket from a systemd .socket unit, or allow it by: "
    f"setcap cap_net_bind_service=+ep {Path(sys.executable).resolve()}"
)
V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
V6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")


@pytest.fixture
def bind():
    """Bind for one test."""
    bound = []

    def bind(host="127.0.0.1", port=0):
        bound.extend(found := bind_sockets(Bind(host, port)))
        return found

    yield bind
    for each in bound:
        each.close()


@pytest.fixture
def resolves_to(monkeypatch):
    """Let every name have the addresses that are given, as `socket.getaddrinfo` returns them."""

    def resolve(*addresses):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: list(addresses))

    return resolve


def refusal(host, port=0):
    with pytest.raises(BindError) as raised:
        bind_sockets(Bind(host, port))
    assert raised.value.__cause__ is None
    return str(raised.value)


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


# What is bound


def test_socket_listens_without_blocking(bind):
    (sock,) = bind()

    assert not sock.getblocking()
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
    with socket.create_connection(sock.getsockname()) as client:
        accepted, _ = sock.accept()
        with accepted:
            assert accepted.getpeername() == client.getsockname()


def test_port_can_be_had_again_at_once(bind):
    (sock,) = bind()
    address = sock.getsockname()
    with socket.create_connection(address) as client:
        accepted, _ = sock.accept()
        accepted.close()  # the side that closes first keeps the port in TIME_WAIT
        assert client.recv(1) == b""
    sock.close()

    (again,) = bind(port=address[1])

    assert again.getsockname() == address


@pytest.mark.parametrize("port", ["0", "http"], ids=["digits", "service"])
def test_port_may_be_a_text(monkeypatch, bind, port):
    real = socket.getaddrinfo
    asked = []
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, port, **more: asked.append(port) or real(host, 0, **more),
    )

    bind(port=port)

    assert asked == [port]


def test_empty_host_is_every_address(bind):
    found = bind("")

    assert found[0].getsockname()[0] == "0.0.0.0"  # noqa: S104 - what is asked for
    assert len({each.getsockname()[1] for each in found}) == 1


@IPV6
def test_addresses_of_a_name_get_the_same_port(bind, resolves_to):
    resolves_to((*V6, ("::1", 0, 0, 0)), (*V4, ("127.0.0.1", 0)))

    six, four = bind("localhost")

    assert six.family == socket.AF_INET6
    assert six.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    assert six.getsockname()[1] == four.getsockname()[1] != 0


def test_address_that_a_name_has_twice_is_bound_once(bind, resolves_to):
    resolves_to((*V4, ("127.0.0.1", 0)), (*V4, ("127.0.0.1", 0)))

    assert len(bind("localhost")) == 1


@pytest.mark.parametrize(
    "missing",
    [(*V4, ("192.0.2.1", 0)), (socket.AF_APPLETALK, socket.SOCK_STREAM, 0, "", ("::1", 0))],
    ids=["address", "family"],
)
def test_address_that_this_machine_lacks_is_left_out_where_there_is_another(bind, resolves_to, missing):
    resolves_to(missing, (*V4, ("127.0.0.1", 0)))

    (sock,) = bind("localhost")

    assert sock.getsockname()[0] == "127.0.0.1"


# How it is written


def test_address_is_a_url(bind):
    (sock,) = bind()

    assert format_address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"
    assert format_address(sock, "https").startswith("https://127.0.0.1:")


@IPV6
def test_address_of_ipv6_is_in_brackets(bind):
    (sock,) = bind("::1")

    assert format_address(sock) == f"http://[::1]:{sock.getsockname()[1]}"


# What is refused


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [
        ("host.invalid", 0, r"cannot listen on 'host\.invalid': .+"),
        ("x" * 64, 0, r"cannot listen on 'x+': .*label.*"),
        ("127.0.0.1", "nosuch", r"cannot listen on 127\.0\.0\.1: there is no service named 'nosuch'"),
        ("192.0.2.1", 0, r"cannot listen on 192\.0\.2\.1 port 0: this machine does not have that address"),
    ],
    ids=["unknown name", "no name", "unknown service", "address of another machine"],
)
def test_address_that_is_none_is_refused(host, port, said):
    with pytest.raises(BindError, match=rf"\A{said}\Z"):
        bind_sockets(Bind(host, port))


def test_taken_port_is_refused_and_its_holder_named(taken):
    name = Path("/proc/self/comm").read_text().strip()

    said = refusal("127.0.0.1", taken)

    assert said == f"cannot listen on 127.0.0.1 port {taken}: it is in use by {name} (pid {os.getpid()})"


def test_taken_port_whose_holder_does_not_listen_is_refused():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]

        assert refusal("127.0.0.1", port) == f"cannot listen on 127.0.0.1 port {port}: it is in use"


def test_nothing_stays_bound_after_a_refusal(taken, resolves_to):
    resolves_to((*V4, ("127.0.0.2", taken)), (*V4, ("127.0.0.1", taken)))

    assert "127.0.0.1" in refusal("localhost", taken)
    with socket.socket() as free:
        free.bind(("127.0.0.2", taken))


@pytest.mark.parametrize(
    ("number", "port", "said"),
    [
        (
            errno.EACCES,
            80,
            PRIVILEGED,
        ),
        (errno.EACCES, 8080, "Permission denied"),
        (errno.ENOBUFS, 80, "No buffer space available"),
    ],
    ids=["privileged port", "port that is not privileged", "anything else"],
)
def test_refusal_of_the_system_is_told(monkeypatch, number, port, said):
    def listen(_family, _address):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sockets, "_listen", listen)

    assert refusal("127.0.0.1", port) == f"cannot listen on 127.0.0.1 port {port}: {said}"


# Who holds a port

LISTENING = "0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 4711 1"
CONNECTED = "1: 0100007F:1F90 0100007F:C350 01 0:0 00:0 0 0 0 4712 1"


@pytest.fixture
def proc(monkeypatch, tmp_path):
    """Let the files of the system be those of a folder, in which nothing is yet."""
    monkeypatch.setattr(sockets, "Path", lambda path: tmp_path / path.removeprefix("/"))
    return tmp_path / "proc"


@pytest.fixture
def listening(proc):
    """Somebody listens on port 8080, and a client is connected to it."""
    (proc / "net").mkdir(parents=True)
    (proc / "net" / "tcp").write_text(f"  sl  local_address\n{LISTENING}\n{CONNECTED}\n")
    return proc


def add_process(proc, pid, name, *links):
    (proc / pid / "fd").mkdir(parents=True)
    (proc / pid / "comm").write_text(f"{name}\n")
    for number, link in enumerate(links):
        (proc / pid / "fd" / str(number)).symlink_to(link)


def test_holder_is_whoever_has_the_socket_that_listens(listening):
    add_process(listening, "9", "curl", "/dev/null", "socket:[4712]")
    add_process(listening, "10", "nginx", "/dev/null", "socket:[4711]")

    assert sockets._holder_of(8080) == "nginx (pid 10)"


def test_holder_whose_descriptors_are_its_own_business_is_not_found(listening):
    (listening / "9").mkdir()  # its `fd` cannot be listed
    add_process(listening, "10", "curl", "/dev/null")
    (listening / "10" / "fd" / "1").touch()  # as a descriptor that is closed meanwhile: no link

    assert sockets._holder_of(8080) is None


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("port", [8081, 50000])
def test_port_that_nobody_listens_on_has_no_holder(port):
    assert sockets._holder_of(port) is None


def test_nobody_is_found_where_the_system_has_no_such_files(proc):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        assert not proc.exists()
        assert sockets._holder_of(taken.getsockname()[1]) is None
