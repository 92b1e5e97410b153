from __future__ import annotations

import socket

import pytest

from aioserve.errors import BindError, ConfigurationError
from aioserve.listen import tcp
from aioserve.listen.addresses import parse_address
from aioserve.settings import Bind
from aioserve.units.place import Place
from aioserve.units.socket_unit import format_socket
from tests.units.systemd import expand, read_unit

PLACE = Place(("/bin/aioserve",), "/srv/web 1")


def unit(*texts, **more):
    return read_unit(format_socket(Bind(addresses=tuple(map(parse_address, texts)), **more), PLACE))


@pytest.fixture
def names(monkeypatch):
    """A resolver that knows one name, with two addresses."""

    def getaddrinfo(host, port, **_):
        assert (host, port) == (b"web.example", "http")
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80)),
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 80, 0, 0)),
        ]

    monkeypatch.setattr(tcp.socket, "getaddrinfo", getaddrinfo)


@pytest.mark.parametrize(
    ("texts", "streams", "more"),
    [
        (["127.0.0.1:80"], ["127.0.0.1:80"], {}),
        (["0.0.0.0:80", "127.0.0.1:81", "0.0.0.0:80"], ["0.0.0.0:80", "127.0.0.1:81"], {}),
        (["[::1]:80"], ["[::1]:80"], {"BindIPv6Only": ["ipv6-only"]}),
        (["192.0.2.1:80"], ["192.0.2.1:80"], {"FreeBind": ["yes"]}),
        (["unix:./a%b.sock"], ["/srv/web 1/a%%b.sock"], {"SocketMode": ["0666"]}),
        (["unix:/run/w?mode=660", ":80"], ["/run/w", "0.0.0.0:80", "[::]:80"], {"SocketMode": ["0660"]}),
    ],
)
def test_systemd_listens_where_the_command_would(texts, streams, more):
    found = unit(*texts)

    assert sorted(found["ListenStream"]) == sorted(streams)
    assert more.items() <= found.items()
    assert ("BindIPv6Only" in found) == any("[" in stream for stream in streams)
    assert ("SocketMode" in found) == any("/" in stream for stream in streams)
    assert ("FreeBind" in found) == any("192.0.2" in stream for stream in streams)


@pytest.mark.usefixtures("names")
def test_name_stands_for_its_addresses():
    assert unit("web.example:http")["ListenStream"] == ["192.0.2.1:80", "[2001:db8::1]:80"]
    assert unit("web.example:http")["FreeBind"] == ["yes"]


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_interface_of_an_address_is_no_specifier():
    (stream,) = unit("[fe80::1%lo]:80")["ListenStream"]

    assert stream == "[fe80::1%%lo]:80"
    assert expand(stream) == "[fe80::1%lo]:80"


@pytest.mark.parametrize(
    ("bind", "stream"),
    [
        (Bind(), "127.0.0.1:8080"),
        (Bind(port=80), "127.0.0.1:80"),
        (Bind(host="0.0.0.0"), "0.0.0.0:8080"),  # noqa: S104 - nothing listens
    ],
)
def test_host_and_port_are_an_address_too(bind, stream):
    assert read_unit(format_socket(bind, PLACE))["ListenStream"] == [stream]


def test_rest_of_the_section_is_passed_on():
    found = unit("127.0.0.1:80", backlog=7, reuse_port=True)

    assert (found["Backlog"], found["ReusePort"]) == (["7"], ["yes"])
    assert found["FileDescriptorName"] == ["%N"]
    assert found["WantedBy"] == ["sockets.target"]
    assert "ReusePort" not in unit("127.0.0.1:80")


def test_closed_unix_socket_asks_whose_it_is():
    assert "#SocketGroup=\n" in format_socket(Bind(addresses=(parse_address("unix:/x?mode=660"),)), PLACE)
    assert "#SocketGroup=" not in format_socket(Bind(addresses=(parse_address("unix:/x"),)), PLACE)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["fd://3"], "fd://3 does not say where the socket unit is to listen"),
        ([":80", "systemd:web"], "systemd:web does not say where"),
        (["127.0.0.1:0"], "cannot take any free port"),
        (["unix:/a", "unix:/b?mode=600"], "one mode for all of its unix sockets"),
        (["unix:/a\n"], "a unit file cannot name the socket"),
    ],
)
def test_what_systemd_cannot_listen_on_is_refused(texts, said):
    with pytest.raises(ConfigurationError, match=f"^--print-unit: .*{said}"):
        unit(*texts)


def test_name_that_is_none_is_refused(monkeypatch):
    def getaddrinfo(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(tcp.socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(BindError, match=r"cannot listen on 'nosuch.example': Name or service not known"):
        unit("nosuch.example:80")
