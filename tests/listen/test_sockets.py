from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from aioserve.errors import BindError, ConfigurationError
from aioserve.listen import inherited, tcp
from aioserve.listen.addresses import parse_address
from aioserve.listen.sockets import Listener, Listening, bind_sockets, format_address, port_line, rebind
from aioserve.settings import Bind
from tests.listen.test_tcp import backlog_of, has_ipv6

IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
V4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
V6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder: the path of a socket cannot be long."""
    monkeypatch.chdir(tmp_path)
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def opened():
    with ExitStack() as opened:
        yield opened


def addresses(*texts, **more):
    return Bind(addresses=tuple(map(parse_address, texts)), **more)


@pytest.fixture
def bind(opened):
    """Bind for one test."""

    def bind(*texts, host=None, port=None, **more):
        chosen = addresses(*texts, **more) if texts else Bind(host, port, **more)
        return opened.enter_context(closing(bind_sockets(chosen)))

    return bind


@pytest.fixture
def resolves_to(monkeypatch):
    """Let every name have the addresses that are given, as `socket.getaddrinfo` returns them."""

    def resolve(*places):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: list(places))

    return resolve


@pytest.fixture
def hand_over(monkeypatch, opened):
    """Let systemd hand over sockets of these names; return their numbers."""

    def hand_over(*names):
        first = 700
        for number, _ in enumerate(names, first):
            with socket.create_server(("127.0.0.1", 0)) as sock:
                os.dup2(sock.fileno(), number)
                opened.callback(close_quietly, number)
        monkeypatch.setattr(inherited, "_FIRST", first)
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", str(len(names)))
        monkeypatch.setenv("LISTEN_FDNAMES", ":".join(names))
        return list(range(first, first + len(names)))

    return hand_over


def close_quietly(number):
    try:
        os.close(number)
    except OSError as error:
        assert error.errno == errno.EBADF  # noqa: PT017 - a socket of ours has closed it


@pytest.fixture
def taken(opened):
    return opened.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]


def refusal(chosen, held=None):
    with pytest.raises(BindError) as refused:
        rebind(chosen, held or Listening())
    assert refused.value.__cause__ is None
    return [str(refused.value), *map(str, refused.value.others)]


def numbers(listening):
    return [each.fileno() for each in listening.sockets]


def answers(path):
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


# What is bound


def test_default_is_a_port_of_this_machine_alone(monkeypatch, bind):
    asked = []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *args, **_more: asked.append(args) or [(*V4, ("127.0.0.1", 0))]
    )

    bind()
    bind(host="::1")
    bind(port=0)

    assert asked == [(b"127.0.0.1", 8080), (b"::1", 8080), (b"127.0.0.1", 0)]


def test_addresses_are_bound_in_their_order_and_each_once(bind):
    found = bind("unix:web.sock", "127.0.0.1:0", "127.0.0.2:0", "127.0.0.1:0", "unix:./web.sock")

    assert [each.family for each in found.sockets] == [socket.AF_UNIX, socket.AF_INET, socket.AF_INET]
    assert [each.getsockname()[0] for each in found.sockets[1:]] == ["127.0.0.1", "127.0.0.2"]


def test_empty_host_is_every_address_at_one_port(bind):
    found = bind(":0").sockets

    assert found[0].getsockname()[0] in ("0.0.0.0", "::")  # noqa: S104 - what is asked for
    assert len({each.getsockname()[1] for each in found}) == 1
    assert {each.family for each in found} >= {socket.AF_INET}


@IPV6
def test_every_address_is_of_both_families(bind):
    found = bind(":0").sockets

    assert {format_address(each) for each in found} == {
        f"http://0.0.0.0:{found[0].getsockname()[1]}",
        f"http://[::]:{found[0].getsockname()[1]}",
    }
    for host in ("127.0.0.1", "::1"):
        with socket.create_connection((host, found[0].getsockname()[1])):
            pass


@IPV6
def test_addresses_of_a_name_get_the_same_port(bind, resolves_to):
    resolves_to((*V6, ("::1", 0, 0, 0)), (*V4, ("127.0.0.1", 0)))

    six, four = bind("localhost:0").sockets

    assert six.family == socket.AF_INET6
    assert six.getsockname()[1] == four.getsockname()[1] != 0


MISSING = [(*V4, ("198.51.100.1", 0)), (socket.AF_APPLETALK, socket.SOCK_STREAM, 0, "", ("::1", 0))]


@pytest.mark.parametrize("missing", MISSING, ids=["address", "family"])
@pytest.mark.parametrize("is_first", [True, False])
def test_address_that_this_machine_lacks_is_left_out_where_there_is_another(
    bind, resolves_to, missing, is_first
):
    here = (*V4, ("127.0.0.1", 0))
    resolves_to(*([missing, here] if is_first else [here, missing]))

    (sock,) = bind("localhost:0").sockets

    assert sock.getsockname()[0] == "127.0.0.1"


def test_options_reach_the_sockets(bind, monkeypatch):
    def listen(_family, _place, **more):
        asked.append(more)
        return socket.create_server(("127.0.0.1", 0))

    asked = []
    monkeypatch.setattr(tcp, "listen", listen)

    bind("127.0.0.1:0", backlog=7, reuse_port=True)
    bind("127.0.0.1:0")

    assert asked == [
        {"backlog": 7, "must_share": True},
        {"backlog": 2048, "must_share": False},
    ]


# What is handed over


def test_sockets_of_systemd_are_taken_where_nothing_else_is_asked_for(bind, hand_over):
    handed = hand_over("web", "api")

    assert numbers(bind()) == handed
    assert "LISTEN_FDS" not in os.environ


@pytest.mark.parametrize("asked", [{"host": "127.0.0.1", "port": 0}, {"port": 0}])
def test_sockets_of_systemd_are_left_where_something_else_is_asked_for(bind, hand_over, asked):
    (handed,) = hand_over("web")

    assert handed not in numbers(bind(**asked))
    assert "LISTEN_FDS" in os.environ


def test_without_sockets_of_systemd_there_is_the_default(bind, hand_over, resolves_to):
    hand_over()
    resolves_to((*V4, ("127.0.0.1", 0)))

    assert bind().sockets[0].getsockname()[0] == "127.0.0.1"


def test_sockets_of_systemd_are_chosen_by_name_and_each_taken_once(bind, hand_over):
    web, api = hand_over("web", "api")

    found = bind("systemd:api", f"fd://{web}", "systemd", "127.0.0.1:0")

    assert numbers(found)[:2] == [api, web]
    assert len(found.sockets) == 3


def test_socket_of_systemd_must_be_there(hand_over):
    assert refusal(addresses("systemd")) == [
        "cannot listen on systemd: it has handed over no socket; is there a .socket unit?"
    ]
    hand_over("web")
    assert refusal(addresses("systemd:api")) == ["cannot listen on systemd:api: its sockets are named web"]


def test_descriptor_that_is_a_socket_of_ours_is_not_inherited(opened):
    free = os.open("/dev/null", os.O_RDONLY)
    os.close(free)  # the next socket has this number

    assert refusal(addresses("127.0.0.1:0", f"fd://{free}")) == [
        f"cannot listen on fd://{free}: it is not open"
    ]
    held = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0"))))
    (number,) = numbers(held)
    assert refusal(addresses(f"fd://{number}"), held) == [f"cannot listen on fd://{number}: it is not open"]


# What is refused


@pytest.mark.parametrize("ours", ["127.0.0.2", "[::1]"])
def test_port_of_another_is_not_taken_for_one_of_ours(taken, ours):
    if ours.startswith("[") and not has_ipv6():
        pytest.skip("this machine has no IPv6")

    (said,) = refusal(addresses(f"{ours}:{taken}", f"127.0.0.1:{taken}"))
    assert said.startswith(f"cannot listen on 127.0.0.1 port {taken}: it is in use")


def test_all_that_cannot_be_had_is_told_and_nothing_stays_bound(taken):
    said = refusal(
        addresses(
            "unix:web.sock", "unix:none/web.sock", f"127.0.0.9:{taken}", f"127.0.0.1:{taken}", "fd://999"
        )
    )

    assert said[0] == "cannot listen on unix:none/web.sock: No such file or directory"
    assert said[1].startswith(f"cannot listen on 127.0.0.1 port {taken}: it is in use")
    assert said[2] == "cannot listen on fd://999: it is not open"
    assert len(said) == 3
    assert not Path("web.sock").exists()
    with socket.socket() as free:
        free.bind(("127.0.0.9", taken))


ANY = "0.0.0.0"  # noqa: S104 - as it is written


@pytest.mark.parametrize(("first", "second"), [("127.0.0.1", ANY), (ANY, "127.0.0.1"), (ANY, "127.0.0.2")])
def test_addresses_of_ours_that_overlap_are_not_told_of_as_those_of_others(opened, first, second):
    held = opened.enter_context(
        closing(bind_sockets(addresses("127.0.0.3:0", "unix:web.sock", f"{first}:0")))
    )
    port = held.sockets[-1].getsockname()[1]
    expected = f"cannot listen on {second} port {port}: this server listens on {first} port {port} already; "

    assert refusal(addresses(f"{second}:{port}"), held) == [
        f"{expected}an address that takes in an old one needs a restart"
    ]
    held.add(Listener((socket.AF_INET, (first, port)), held.sockets[-1]))
    assert refusal(addresses(f"{first}:{port}", f"{second}:{port}"), held) == [
        f"{expected}one of them is enough"
    ]


def test_nothing_of_a_name_stays_bound_after_a_refusal(taken, resolves_to):
    resolves_to((*V4, ("127.0.0.2", taken)), (*V4, ("127.0.0.1", taken)))

    assert "127.0.0.1" in refusal(Bind("localhost", taken))[0]
    with socket.socket() as free:
        free.bind(("127.0.0.2", taken))


def test_address_of_another_machine_is_refused(resolves_to):
    resolves_to((*V4, ("198.51.100.1", 80)), (*V4, ("198.51.100.2", 80)))

    assert refusal(Bind("name", 80)) == [
        "cannot listen on 198.51.100.1 port 80: this machine does not have that address"
    ]


# Anew


def test_what_is_held_and_asked_for_again_is_kept(opened):
    old = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0", "unix:web.sock"))))
    dropped = addresses("unix:./web.sock?mode=600", "127.0.0.2:0", "127.0.0.1:0", backlog=7)

    new = opened.enter_context(closing(rebind(dropped, old)))

    assert new.sockets == [old.sockets[1], new.sockets[1], old.sockets[0]]
    assert stat.S_IMODE(Path("web.sock").stat().st_mode) == 0o600
    assert backlog_of(new.sockets[2]) == 7
    old.close(keep=new)
    assert -1 not in numbers(new)
    assert answers("web.sock")


@pytest.mark.parametrize("is_new_wanted", [True, False])
def test_either_can_be_given_up_for_the_other(opened, is_new_wanted):
    old = opened.enter_context(closing(bind_sockets(addresses("unix:both.sock", "unix:old.sock"))))
    new = opened.enter_context(closing(rebind(addresses("unix:both.sock", "unix:new.sock"), old)))

    if is_new_wanted:
        old.close(keep=new)
    else:
        new.close(keep=old)

    there = {path.name for path in Path().iterdir()}
    assert there == {"both.sock", "new.sock" if is_new_wanted else "old.sock"}
    assert all(map(answers, there))


def test_what_is_held_stays_after_a_refusal(opened, taken):
    held = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0", "unix:web.sock"))))

    refusal(addresses("unix:web.sock", "unix:new.sock", f"127.0.0.1:{taken}"), held)

    assert -1 not in numbers(held)
    assert [path.name for path in Path().iterdir()] == ["web.sock"]
    assert answers("web.sock")


def test_socket_whose_file_has_gone_is_bound_anew(opened):
    old = opened.enter_context(closing(bind_sockets(addresses("unix:web.sock"))))
    Path("web.sock").unlink()

    new = opened.enter_context(closing(rebind(addresses("unix:web.sock"), old)))
    old.close(keep=new)

    assert answers("web.sock")


def test_socket_that_is_closed_is_bound_anew(opened):
    old = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0", "unix:web.sock"))))
    for each in old.sockets:
        each.close()

    new = opened.enter_context(closing(rebind(addresses("127.0.0.1:0", "unix:web.sock"), old)))
    old.close(keep=new)

    assert -1 not in numbers(new)
    assert answers("web.sock")


def test_sockets_of_systemd_are_remembered(opened, hand_over):
    web, api = hand_over("web", "api")
    first = opened.enter_context(closing(bind_sockets(addresses("systemd:web"))))

    both = opened.enter_context(closing(rebind(Bind(), first)))

    assert both.sockets[0] is first.sockets[0]
    assert numbers(both) == [web, api]


def test_sockets_of_systemd_are_not_lost_by_a_refusal(opened, hand_over):
    (web,) = hand_over("web")
    held = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0"))))
    refusal(addresses("systemd:web", "fd://999"), held)

    again = opened.enter_context(closing(rebind(addresses("systemd:web"), held)))

    assert numbers(again) == [web]


def test_socket_of_systemd_that_was_given_up_can_be_had_again(opened, hand_over):
    (web,) = hand_over("web")
    first = opened.enter_context(closing(bind_sockets(Bind())))
    second = opened.enter_context(closing(rebind(addresses("127.0.0.1:0"), first)))
    first.close(keep=second)

    third = opened.enter_context(closing(rebind(Bind(), second)))

    assert numbers(third) == [web]


def test_child_leaves_the_files_to_its_parent(bind, monkeypatch):
    found = bind("unix:web.sock")
    real = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: real + 1)

    found.close()

    assert numbers(found) == [-1]
    assert Path("web.sock").exists()


def test_file_goes_in_the_end(bind):
    found = bind("unix:web.sock")

    found.close()
    found.close()

    assert not Path("web.sock").exists()


# How it is written


def test_address_is_a_url(bind):
    (sock,) = bind("127.0.0.1:0").sockets

    assert format_address(sock) == f"http://127.0.0.1:{sock.getsockname()[1]}"
    assert format_address(sock, "https").startswith("https://127.0.0.1:")


@IPV6
def test_address_of_ipv6_is_in_brackets(bind):
    (sock,) = bind("[::1]:0").sockets

    assert format_address(sock) == f"http://[::1]:{sock.getsockname()[1]}"


def test_unix_socket_is_its_path(bind):
    (sock,) = bind("unix:web.sock").sockets

    assert format_address(sock) == "unix:web.sock"
    assert format_address(sock, "https") == "unix:web.sock (TLS)"


def test_abstract_socket_of_another_is_marked_as_the_field_does():
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(b"\0aioserve-test-" + str(os.getpid()).encode())

        assert format_address(sock) == f"unix:@aioserve-test-{os.getpid()}"


def test_port_that_is_written_is_that_of_the_first_socket_that_has_one(bind):
    found = bind("unix:web.sock", "127.0.0.1:0", "127.0.0.2:0").sockets

    assert port_line(found) == f"{found[1].getsockname()[1]}\n"
    with pytest.raises(ConfigurationError, match="there is no port, only unix sockets"):
        port_line(found[:1])


def test_two_together_have_each_socket_once(opened):
    old = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0", "unix:old.sock"))))
    new = opened.enter_context(closing(rebind(addresses("unix:old.sock", "unix:new.sock"), old)))
    both = old.together_with(new)

    assert both.sockets == [*old.sockets, new.sockets[1]]
