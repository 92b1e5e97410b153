from __future__ import annotations

import os
import socket
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from aioserve.errors import BindError, ConfigurationError, TlsError
from aioserve.listen.addresses import TcpAddress, UnixAddress
from aioserve.settings import Bind, Metrics, Process, Settings, Tls
from aioserve.workers.editions import Editions
from tests.listen.pem import CERTIFICATE, KEY


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Desk:
    """Where editions are read: the next one is set by the test."""

    def __init__(self, opened, *addresses):
        self.next = listen_at(*addresses)
        self.editions = opened(Editions(self.next, self.read))

    def read(self):
        if isinstance(self.next, Exception):
            raise self.next
        return self.next

    def load(self, *addresses):
        self.next = listen_at(*addresses)
        self.editions.load()

    @property
    def sockets(self):
        return self.editions.current.listening.sockets


@pytest.fixture
def desk():
    made = []
    yield lambda *addresses: Desk(lambda each: made.append(each) or each, *addresses)
    for each in made:
        each.close()


def listen_at(*addresses):
    return Settings(bind=Bind(addresses=tuple(map(address_of, addresses))))


def address_of(place):
    return UnixAddress(place) if isinstance(place, str) else TcpAddress("127.0.0.1", place)


def is_open(sock):
    return sock.fileno() >= 0


def is_served(path):
    with socket.socket(socket.AF_UNIX) as client, suppress(FileNotFoundError):
        client.connect(path)
        return True
    return False


def test_the_first_is_what_was_given(desk):
    made = desk("a.sock")

    assert made.editions.current.settings == listen_at("a.sock")
    assert is_served("a.sock")


def test_what_the_new_one_has_as_well_stays_open_and_the_rest_is_closed_at_the_end(desk):
    made = desk("a.sock", "b.sock")
    kept, left = made.sockets
    made.load("c.sock", "a.sock")

    assert made.sockets[1] is kept
    assert is_served("b.sock")  # by the workers of before
    made.editions.prove()
    made.editions.settle()
    assert (is_open(kept), is_open(left)) == (True, False)
    assert [is_served(each) for each in ("a.sock", "b.sock", "c.sock")] == [True, False, True]


def test_the_next_one_has_sockets_of_all_that_came_before(desk):
    """Also of one that was on its way when it was overtaken: workers of it may serve already."""
    made = desk("a.sock")
    made.load("b.sock")
    (second,) = made.sockets
    made.load("b.sock", 0)

    assert made.sockets[0] is second
    made.editions.settle()
    assert [is_served(each) for each in ("a.sock", "b.sock")] == [False, True]


def test_back_at_the_one_that_works_the_others_are_closed(desk):
    made = desk("a.sock")
    made.editions.prove()
    first = made.editions.current
    made.load("b.sock")
    made.load("c.sock")
    made.editions.go_back()

    assert made.editions.current is first
    assert [is_served(each) for each in ("a.sock", "b.sock", "c.sock")] == [True, False, False]


def test_what_only_the_parent_needs_is_looked_at_before_anything_is_bound(desk):
    """And not by workers, which would die of a folder that has gone since."""
    with pytest.raises(ConfigurationError, match="--pid-file: 'none/pid' cannot be written"):
        Editions(Settings(process=Process(pid_file="none/pid")), lambda: None)
    made = desk("a.sock")
    before = made.editions.current
    made.next = Settings(process=Process(reload=True, reload_dirs=("none",)))
    with pytest.raises(ConfigurationError, match="there is no folder 'none'"):
        made.editions.load()

    assert made.editions.current is before


def test_certificates_that_could_be_used_are_kept_for_new_workers(desk, caplog):
    """Their files may be half written, or the wrong ones, when a worker dies."""
    made = desk("a.sock")
    before = made.editions.current
    made.next = replace(made.next, tls=Tls(certfiles=("pair.pem",)))
    with pytest.raises(TlsError, match="No such file"):
        made.editions.load()
    assert made.editions.current is before

    Path("pair.pem").write_text(CERTIFICATE + KEY)
    made.editions.load()
    kept = made.editions.certificates
    assert kept is not None
    Path("pair.pem").write_text("broken")
    made.editions.keep_certificates(is_speaking=True)
    assert made.editions.certificates is kept
    assert "the certificate read before stays in use" in caplog.text

    made.editions.go_back()
    assert made.editions.certificates is None
    made.editions.keep_certificates(is_speaking=True)
    assert made.editions._kept == {}


def test_certificates_that_cannot_be_used_at_the_start_are_the_workers_to_complain_of():
    Path("pair.pem").write_text("not yet")
    made = Editions(Settings(bind=Bind(port=0), tls=Tls(certfiles=("pair.pem",))), lambda: None)
    made.keep_certificates(is_speaking=True)
    assert made.certificates is None

    Path("pair.pem").write_text(CERTIFICATE + KEY)
    made.keep_certificates(is_speaking=True)
    assert made.certificates is not None
    made.forget()


def test_folder_of_a_file_that_has_been_written_may_have_gone(desk, tmp_path):
    (tmp_path / "run").mkdir()
    made = desk("a.sock")
    made.next = replace(made.next, process=Process(ready_file="run/ready"))
    made.editions.load()
    (tmp_path / "run").rmdir()

    made.editions.load()


@pytest.mark.parametrize("problem", [ConfigurationError("unknown key"), BindError("it is in use")])
def test_settings_that_cannot_be_read_change_nothing(desk, problem):
    made = desk("a.sock")
    first, made.next = made.editions.current, problem
    with pytest.raises(type(problem)):
        made.editions.load()

    assert made.editions.current is first
    assert is_served("a.sock")


def test_address_that_cannot_be_had_changes_nothing(desk):
    made = desk("a.sock")
    first = made.editions.current
    with closing(socket.create_server(("127.0.0.1", 0))) as taken, pytest.raises(BindError):
        made.load("b.sock", taken.getsockname()[1])

    assert made.editions.current is first
    assert [is_served(each) for each in ("a.sock", "b.sock")] == [True, False]


def with_port_file(settings):
    return replace(settings, process=Process(port_file="port"))


def test_file_for_the_port_needs_one(desk):
    settings = with_port_file(listen_at("a.sock"))
    with pytest.raises(ConfigurationError, match="--port-file: there is no port"):
        Editions(settings, lambda: settings)

    assert not is_served("a.sock")
    made = desk(0)
    first, made.next = made.editions.current, with_port_file(listen_at("a.sock"))
    with pytest.raises(ConfigurationError):
        made.editions.load()
    assert made.editions.current is first
    assert not is_served("a.sock")
    assert is_open(made.sockets[0])


def test_child_leaves_the_files_to_its_parent(desk, monkeypatch):
    made = desk("a.sock")
    made.load("b.sock")
    monkeypatch.setattr(os, "getpid", lambda: 1)  # in a child, which has the same sockets
    made.editions.settle()

    assert {each.name for each in os.scandir()} == {"a.sock", "b.sock"}


# The certificate that they share


@pytest.fixture
def openssl(monkeypatch):
    """Certificates that need no program to be made; returns where they were."""
    made = []

    @contextmanager
    def self_signed_file():
        path = Path(f"made{len(made)}.pem").absolute()
        path.write_text(CERTIFICATE + KEY)
        made.append(path)
        yield str(path)
        path.unlink()

    monkeypatch.setattr("aioserve.listen.self_signed.self_signed_file", self_signed_file)
    return made


SELF_SIGNED = Settings(bind=Bind("127.0.0.1", 0), tls=Tls(self_signed=True))


def test_self_signed_certificate_is_one_for_all_and_told_of_once(openssl, caplog):
    caplog.set_level("INFO")
    with closing(Editions(SELF_SIGNED, lambda: SELF_SIGNED)) as editions:
        editions.introduce()
        first = editions.current.settings
        editions.load()
        editions.introduce()

        assert first.tls == Tls(certfiles=(str(openssl[0]),))
        assert editions.current.settings == first
        assert len(openssl) == 1
        (told,) = caplog.messages
        assert told.startswith("self-signed certificate for localhost; SHA-256 ")
        editions.close()  # workers go on for a while, and others may be started in place of those that die
        assert openssl[0].exists()
        editions.forget()
        assert not openssl[0].exists()


def test_nothing_is_told_where_none_is_asked_for(desk, caplog):
    caplog.set_level("INFO")
    made = desk("a.sock")
    made.editions.introduce()

    assert caplog.messages == []


@pytest.mark.parametrize(
    "tls", [Tls(self_signed=True, certfiles=("a.pem",)), Tls(self_signed=True, client_ca="none.pem")]
)
@pytest.mark.usefixtures("openssl")
def test_certificate_that_cannot_be_had_ends_it_before_it_begins(tls):
    settings = replace(listen_at("a.sock"), tls=tls)
    with ExitStack() as opened, pytest.raises((ConfigurationError, TlsError)):
        opened.enter_context(closing(Editions(settings, lambda: settings))).introduce()


def test_address_that_cannot_be_had_for_another_reason_needs_no_restart(desk):
    with pytest.raises(BindError, match=r"none/a\.sock") as raised:
        desk("a.sock").load("none/a.sock")

    assert "restart" not in str(raised.value)


def test_address_that_takes_in_an_old_one_needs_a_restart():
    made = Editions(Settings(bind=Bind("127.0.0.1", 0)), lambda: after)
    port = made.current.listening.sockets[0].getsockname()[1]
    after = Settings(bind=Bind("0.0.0.0", port))  # noqa: S104 - that is what is asked about
    with pytest.raises(
        BindError, match=r"this server listens on .*; an address that takes in an old one needs a restart"
    ):
        made.load()

    made.forget()


def test_address_for_metrics_comes_and_goes_with_the_edition(desk):
    desk = desk("a")
    desk.next = replace(listen_at("a"), metrics=Metrics(UnixAddress("m")))
    desk.editions.load()
    assert is_served("m")
    assert len(desk.editions.current.listening.aside) == 1
    desk.editions.prove()
    desk.editions.settle()

    desk.load("a")
    assert is_served("m")  # those who were started with it have it
    desk.editions.prove()
    desk.editions.settle()

    assert not is_served("m")
    assert is_served("a")
