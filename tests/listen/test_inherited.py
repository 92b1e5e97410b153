from __future__ import annotations

import os
import socket
import tempfile

import pytest

from aioserve.errors import BindError
from aioserve.listen import inherited
from aioserve.listen.inherited import HandedOver, receive, take


def variables(count="2", names=None, pid=None):
    given = {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": count, "HOME": "/"}
    return given if names is None else {**given, "LISTEN_FDNAMES": names}


# What systemd says


def test_descriptors_are_counted_from_3_on_and_have_names():
    environment = variables(names="web:api")

    assert receive(environment) == HandedOver(((3, "web"), (4, "api")))
    assert environment == {"HOME": "/"}


def test_descriptors_without_names_are_unknown():
    assert receive(variables()) == HandedOver(((3, "unknown"), (4, "unknown")))


@pytest.mark.parametrize(
    "environment",
    [{}, {"LISTEN_PID": "1"}, {"LISTEN_FDS": "1"}, {"LISTEN_PID": "x", "LISTEN_FDS": "1"}],
    ids=["nothing", "no number", "no process", "no process at all"],
)
def test_without_the_variables_there_is_nothing(environment):
    before = dict(environment)

    assert receive(environment) == HandedOver()
    assert environment == before


def test_what_is_for_another_process_stays_as_it_is():
    environment = variables(pid=1)

    assert receive(environment) == HandedOver(meant_for=1)
    assert environment == variables(pid=1)


def test_none_may_be_handed_over():
    assert receive(variables("0")) == HandedOver()


@pytest.mark.parametrize(
    ("count", "names", "said"),
    [
        ("x", None, "LISTEN_FDS is 'x'"),
        ("-1", None, "LISTEN_FDS is '-1'"),
        ("999999", None, "LISTEN_FDS is '999999'"),
        ("2", "web", "LISTEN_FDNAMES has not 2 names: 'web'"),
    ],
)
def test_contradictions_are_refused(count, names, said):
    with pytest.raises(BindError) as refused:
        receive(variables(count, names))
    assert str(refused.value) == f"cannot take sockets from systemd: {said}"


def test_no_child_inherits_what_is_handed_over(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        sock.set_inheritable(True)
        monkeypatch.setattr(inherited, "_FIRST", sock.fileno())

        receive(variables("1"))

        assert not sock.get_inheritable()


# Those of a name

BOTH = HandedOver(((3, "web"), (4, "api"), (5, "web")))


@pytest.mark.parametrize(("name", "numbers"), [("", [3, 4, 5]), ("web", [3, 5]), ("api", [4])])
def test_sockets_are_chosen_by_name(name, numbers):
    assert BOTH.numbers(name) == numbers


@pytest.mark.parametrize(
    ("handed_over", "name", "said"),
    [
        (BOTH, "nosuch", "systemd:nosuch: its sockets are named web, api"),
        (HandedOver(), "", "systemd: it has handed over no socket; is there a .socket unit?"),
        (HandedOver(), "web", "systemd:web: it has handed over no socket; is there a .socket unit?"),
        (
            HandedOver(meant_for=1),
            "",
            f"systemd: its sockets are for process 1, this is {os.getpid()} (start it by exec)",
        ),
    ],
    ids=["another name", "none", "none of a name", "for another"],
)
def test_name_that_no_socket_has_is_refused(handed_over, name, said):
    with pytest.raises(BindError) as refused:
        handed_over.numbers(name)
    assert str(refused.value) == f"cannot listen on {said}"


# Descriptors


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6, socket.AF_UNIX], ids=lambda family: family.name)
def listening(request, tmp_path, monkeypatch):
    """The number of a socket that listens, as a parent would leave it."""
    monkeypatch.chdir(tmp_path)
    address = {socket.AF_INET: ("127.0.0.1", 0), socket.AF_INET6: ("::1", 0), socket.AF_UNIX: "web.sock"}
    try:
        sock = socket.socket(request.param)
        sock.bind(address[request.param])
    except OSError:
        pytest.skip("this machine has no IPv6")
    sock.listen()
    sock.set_inheritable(True)
    return sock.detach()


def test_descriptor_becomes_ours(listening):
    with take(listening, backlog=5) as sock:
        assert sock.fileno() == listening
        assert not sock.getblocking()
        assert not sock.get_inheritable()
        with socket.socket(sock.family) as client:
            client.connect(sock.getsockname())
            sock.accept()[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(listening)


def refusal(number):
    with pytest.raises(BindError) as refused:
        take(number, backlog=5)
    assert refused.value.__cause__ is None
    return str(refused.value)


def test_descriptor_must_be_open():
    assert refusal(987_654) == "cannot listen on fd://987654: it is not open"


def test_descriptor_must_be_a_socket():
    with tempfile.TemporaryFile() as file:
        number = file.fileno()
        assert refusal(number) == f"cannot listen on fd://{number}: it is not a socket"
        os.fstat(number)


@pytest.mark.parametrize(
    ("family", "kind", "said"),
    [
        (socket.AF_INET, socket.SOCK_DGRAM, "it is not a stream socket"),
        (socket.AF_INET, socket.SOCK_STREAM, "it does not listen"),
        (socket.AF_UNIX, socket.SOCK_STREAM, "it does not listen"),
        (
            getattr(socket, "AF_NETLINK", None),
            socket.SOCK_RAW,
            "it is a socket of another family than IPv4, IPv6 and unix",
        ),
    ],
    ids=["datagrams", "TCP", "unix", "of the kernel"],
)
def test_descriptor_must_be_one_to_accept_from(family, kind, said):
    if family is None:
        pytest.skip("this system has no such family")
    with socket.socket(family, kind) as sock:
        sock.set_inheritable(True)

        assert refusal(sock.fileno()) == f"cannot listen on fd://{sock.fileno()}: {said}"
        assert sock.get_inheritable()
        assert sock.getblocking()
