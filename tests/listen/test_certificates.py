"""Several certificates in files that change, without a socket; in the end with real ones, on both loops."""

from __future__ import annotations

import asyncio
import logging
import shutil
import ssl
import sys
import time
from pathlib import Path

import pytest

from aioserve.errors import ConfigurationError, TlsError
from aioserve.listen.certificates import Certificates, files_of, open_certificates
from aioserve.settings import Tls
from tests.listen.handshakes import Handshake
from tests.listen.pem import (
    CERTIFICATE,
    CLIENT,
    CLIENT_CA,
    ENCRYPTED_KEY,
    EXPIRED,
    FOREIGN_KEY,
    KEY,
    NAMELESS,
    NEXT,
    WILD,
)
from tests.wire import on_both_loops

DAY = 86_400
END = 1_609_459_200.0  # of EXPIRED
NUMBERS = {"01": CERTIFICATE, "02": WILD, "03": NEXT, "04": EXPIRED, "07": NAMELESS}

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="the program openssl is not installed")


class Timer:
    """The loop's timer: the test says when its time has come."""

    def __init__(self):
        self.waiting = []

    def call_later(self, delay, callback, *arguments):
        handle = asyncio.TimerHandle(delay, callback, arguments, self)
        self.waiting.append(handle)
        return handle

    def get_debug(self):
        return False

    def _timer_handle_cancelled(self, handle):
        self.waiting.remove(handle)

    def tick(self):
        (handle,) = self.waiting
        assert handle.when() == 0.5
        self.waiting.clear()
        handle._callback(*handle._args)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.chdir(tmp_path)
    write("a.pem", CERTIFICATE)
    write("b.pem", WILD)
    (tmp_path / "ca.pem").write_text(CLIENT_CA)
    return tmp_path


@pytest.fixture
def timer():
    return Timer()


@pytest.fixture
def kept(timer):
    """Certificates that are looked after."""
    opened = []

    def keep(*certfiles, clock=lambda: END, **more):
        opened.append(Certificates(Tls(certfiles or ("a.pem",), **more), clock=clock))
        opened[-1].watch(timer.call_later)
        return opened[-1]

    yield keep
    for each in opened:
        each.close()


def write(name, certificate, key=KEY):
    Path(name).write_text(certificate + key, encoding="ascii")


def client(version=None, certificate=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if version:
        context.minimum_version = context.maximum_version = version
    if certificate:
        context.load_cert_chain(certificate)
    return context


def number_of(connection):
    """Return the serial number of the certificate that a client was shown."""
    der = connection.getpeercert(binary_form=True)
    return next(number for number, pem in NUMBERS.items() if ssl.PEM_cert_to_DER_cert(pem) == der)


def shown(certificates, name="localhost", **more):
    return number_of(Handshake(certificates.context, client(**more), name).run().client)


def said(caplog):
    messages = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return messages


READ_AGAIN = ("INFO", "'a.pem': the certificate was read again; it expires on 2120-01-01 00:00 UTC")


# What is asked for


def test_nothing_is_opened_where_nothing_is_asked_for():
    assert open_certificates(Tls()) is None


def test_files_are_served():
    assert shown(open_certificates(Tls(("a.pem",)))) == "01"


@pytest.mark.parametrize("tls", [Tls(keyfiles=("a.pem",)), Tls(("a.pem",), self_signed=True), Tls(("none",))])
def test_what_cannot_be_meant_or_used_is_refused(tls):
    with pytest.raises((ConfigurationError, TlsError)):
        open_certificates(tls)


def test_all_pairs_that_cannot_be_used_are_told_and_what_they_share_once():
    write("c.pem", CERTIFICATE, FOREIGN_KEY)
    with pytest.raises(TlsError) as refused:
        open_certificates(Tls(("none", "a.pem", "c.pem"), client_ca="no-ca"))

    assert list(map(str, (refused.value, *refused.value.others))) == [
        "'no-ca': No such file or directory",
        "'none': No such file or directory",
        "'c.pem': the key is not that of the certificate",
    ]


def test_settings_that_name_files_stay():
    tls = Tls(("a.pem",))
    with files_of(tls) as found:
        assert found is tls


@needs_openssl
def test_processes_can_share_a_self_signed_certificate():
    with files_of(Tls(self_signed=True, client_ca="ca.pem")) as found:
        assert (found.self_signed, found.client_ca) == (False, "ca.pem")
        one, other = (open_certificates(found) for _ in range(2))
        assert one._pairs[0].leaf == other._pairs[0].leaf


@needs_openssl
def test_a_self_signed_certificate_is_told_of(caplog):
    certificates = open_certificates(Tls(self_signed=True))
    certificates.introduce()
    ((level, text),) = said(caplog)
    assert Handshake(certificates.context, client()).run()
    assert level == "INFO"
    assert text.startswith("self-signed certificate for localhost")
    assert said(caplog) == []


# Names


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("localhost", "01"),
        ("example.org", "02"),
        ("WWW.Example.ORG", "02"),
        ("a.b.example.org", "01"),
        ("other.test", "01"),
        (None, "01"),
        ("127.0.0.1", "01"),
    ],
)
def test_the_certificate_of_the_name_is_shown_or_else_the_first(kept, version, name, number):
    assert shown(kept("a.pem", "b.pem"), name, version=version) == number


@pytest.mark.parametrize("certificate", [NAMELESS, CERTIFICATE])
def test_of_two_with_the_same_name_the_first_is_shown(kept, certificate):
    write("c.pem", certificate)
    assert shown(kept("b.pem", "a.pem", "c.pem")) == "01"


def test_what_is_spoken_does_not_depend_on_the_name(kept):
    context = client(version=ssl.TLSVersion.TLSv1_2)
    context.set_alpn_protocols(["h2", "http/1.1"])
    certificates = kept("a.pem", "b.pem", ciphers="ECDHE-ECDSA-CHACHA20-POLY1305")
    for name in ("localhost", "example.org", None):
        shaken = Handshake(certificates.context, context, name).run()
        assert shaken.client.selected_alpn_protocol() == "http/1.1"
        assert shaken.client.cipher()[0] == "ECDHE-ECDSA-CHACHA20-POLY1305"


# Changes


def test_files_that_change_are_read_again(kept, timer, caplog):
    certificates = kept("a.pem", "b.pem")
    context = certificates.context
    write("a.pem", NEXT)
    assert shown(certificates) == "01"
    timer.tick()
    assert (shown(certificates), shown(certificates, "example.org")) == ("03", "02")
    assert said(caplog) == [READ_AGAIN]
    assert certificates.context is context
    timer.tick()
    assert said(caplog) == []


def test_names_change_with_their_files(kept, timer):
    certificates = kept("a.pem", "b.pem")
    write("b.pem", NAMELESS)
    timer.tick()
    assert shown(certificates, "example.org") == "01"


@pytest.mark.parametrize(
    ("certificate", "key", "reason"),
    [
        (NEXT[:300], "", "not both a certificate and its private key are in it, in PEM"),
        (NEXT, KEY[:80], ""),
        (NEXT, FOREIGN_KEY, "the key is not that of the certificate"),
        (NEXT, ENCRYPTED_KEY, "the key is encrypted, and no password is known"),
        ("", "", "not both a certificate and its private key are in it, in PEM"),
    ],
)
def test_bad_files_leave_what_was_until_they_are_good(kept, timer, caplog, certificate, key, reason):
    certificates = kept("a.pem", "b.pem")
    write("a.pem", certificate, key)
    timer.tick()
    ((level, text),) = said(caplog)
    timer.tick()
    timer.tick()

    assert level == "WARNING"
    assert text.startswith(f"'a.pem': {reason}")
    assert text.endswith("; the certificate read before stays in use")
    assert said(caplog) == []
    assert shown(certificates) == "01"

    write("a.pem", NEXT)
    timer.tick()
    assert said(caplog) == [READ_AGAIN]
    assert shown(certificates) == "03"


def test_files_that_are_gone_are_missed_once(kept, timer, folder, caplog):
    certificates = kept()
    (folder / "a.pem").rename(folder / "away.pem")
    timer.tick()
    timer.tick()
    assert said(caplog) == [
        ("WARNING", "'a.pem': No such file or directory; the certificate read before stays in use")
    ]
    assert shown(certificates) == "01"


def test_on_demand_all_are_read_again(kept, caplog):
    certificates = kept("a.pem", "b.pem")
    assert certificates.reread()
    assert said(caplog) == [READ_AGAIN, ("INFO", READ_AGAIN[1].replace("a.pem", "b.pem"))]


def test_on_demand_what_is_bad_is_told_again_and_others_are_read(kept, timer, caplog):
    certificates = kept("a.pem", "b.pem")
    write("a.pem", NEXT, FOREIGN_KEY)
    timer.tick()
    said(caplog)
    write("b.pem", NAMELESS)

    assert not certificates.reread()

    assert [level for level, _ in said(caplog)] == ["WARNING", "INFO"]
    assert shown(certificates, "example.org") == "01"
    timer.tick()
    assert said(caplog) == []


# Clients


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_clients_are_judged_by_the_authorities_that_were_read_last(kept, timer, folder, caplog, version):
    certificates = kept("a.pem", "b.pem", client_ca="ca.pem")
    write("client.pem", CLIENT)
    for name in ("localhost", "example.org", None):
        shown(certificates, name, certificate="client.pem", version=version)
        with pytest.raises(ssl.SSLError):
            shown(certificates, name, version=version)

    (folder / "ca.pem").write_text(NAMELESS)
    timer.tick()
    for name in ("localhost", "example.org", None):
        with pytest.raises(ssl.SSLError):
            shown(certificates, name, certificate="client.pem", version=version)

    said(caplog)
    (folder / "ca.pem").write_text("")
    timer.tick()
    assert said(caplog) == [
        (
            "WARNING",
            "'ca.pem': there is no certificate in PEM in it; the certificate read before stays in use",
        )
    ]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_nobody_gets_a_ticket_by_which_to_come_back_unjudged(kept, version):
    certificates = kept(client_ca="ca.pem")
    write("client.pem", CLIENT)
    shaken = Handshake(certificates.context, client(version, "client.pem"), "localhost").run()
    shaken.server.write(b"x")
    assert shaken.client.read(1) == b"x"
    assert not shaken.client.session.has_ticket


def test_a_session_of_tls_1_2_is_taken_up_again_until_authorities_are_read_again(kept, folder):
    certificates = kept(client_ca="ca.pem", clock=time.time)
    write("client.pem", CLIENT)
    context = client(ssl.TLSVersion.TLSv1_2, "client.pem")

    def shake():
        alive.append(Handshake(certificates.context, context, session=session).run())
        return alive[-1].client

    alive = []  # OpenSSL forgets the session of a connection that is gone without a word
    session = None
    session = shake().session
    assert shake().session_reused
    certificates.reread()
    with pytest.raises(ssl.SSLError):
        shake()
    assert not shake().session_reused

    session = shake().session
    (folder / "ca.pem").write_text(NAMELESS)
    certificates.reread()
    for _ in range(2):
        with pytest.raises(ssl.SSLError):
            shake()


# Ends


def test_of_an_end_is_told_once_a_day_and_when_it_comes(kept, timer, caplog):
    now = [END - 15 * DAY]
    write("a.pem", EXPIRED)
    kept("a.pem", "b.pem", clock=lambda: now[0])
    heard = []
    for hours in range(1, 24 * 18):
        now[0] = END - 15 * DAY + hours * 3600
        timer.tick()
        heard += [(hours, level) for level, _ in said(caplog)]
    assert heard == [
        *((24 * day, "WARNING") for day in range(1, 15)),
        *((24 * day, "ERROR") for day in range(15, 18)),
    ]


def test_between_two_days_an_end_is_told_of_when_it_comes(kept, timer, caplog):
    now = [END - 3600]
    write("a.pem", EXPIRED)
    kept(clock=lambda: now[0])
    assert [level for level, _ in said(caplog)] == ["WARNING"]
    now[0] = END - 1
    timer.tick()
    assert said(caplog) == []
    now[0] = END
    timer.tick()
    assert said(caplog) == [("ERROR", "'a.pem': the certificate has expired, on 2021-01-01 00:00 UTC")]


def test_a_new_certificate_is_judged_when_it_is_read(kept, timer, caplog):
    kept()
    write("a.pem", EXPIRED)
    timer.tick()
    assert [level for level, _ in said(caplog)] == ["INFO", "ERROR"]


def test_a_certificate_that_no_client_will_have_is_a_problem(kept, caplog):
    write("client.pem", CLIENT)
    write("expired.pem", EXPIRED)
    certificates = kept("client.pem", "a.pem", "expired.pem")
    first, second = certificates.problems()
    assert str(first).startswith("'client.pem': clients refuse the certificate: ")
    assert str(second) == "'expired.pem': the certificate has expired, on 2021-01-01 00:00 UTC"
    said(caplog)
    assert certificates.reread()
    assert said(caplog)[0] == ("INFO", "'client.pem': the certificate was read again")


# One of several processes


def test_one_that_does_not_speak_does_all_the_same_in_silence(timer, caplog):
    write("expired.pem", EXPIRED)
    certificates = Certificates(Tls(("a.pem", "expired.pem")), clock=lambda: END)
    certificates.is_speaking = False
    certificates.watch(timer.call_later)
    write("a.pem", NEXT)
    timer.tick()
    assert shown(certificates) == "03"
    write("a.pem", CERTIFICATE, FOREIGN_KEY)
    timer.tick()
    assert not certificates.reread()
    assert said(caplog) == []

    certificates.speak()
    assert said(caplog) == []
    certificates.tell()
    assert said(caplog) == [
        ("ERROR", "'expired.pem': the certificate has expired, on 2021-01-01 00:00 UTC"),
    ]
    assert not certificates.reread()
    assert len(said(caplog)) > 1
    certificates.close()


# The end


def test_what_is_closed_looks_no_more_and_leaves_things_as_they_were(timer):
    before = sys.unraisablehook
    certificates = Certificates(Tls(("a.pem",)))
    certificates.close()
    certificates.watch(timer.call_later)
    assert sys.unraisablehook is not before
    certificates.close()
    certificates.close()
    assert sys.unraisablehook is before
    assert timer.waiting == []
    assert shown(certificates) == "01"


# With sockets


@on_both_loops
async def test_open_connections_live_and_new_ones_get_the_new_certificate():
    async def echo(reader, writer):
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    async def connect(name):
        reader, writer = await asyncio.open_connection(*address, ssl=client(), server_hostname=name)
        return number_of(writer.get_extra_info("ssl_object")), reader, writer

    async def ask(reader, writer):
        writer.write(b"still here")
        return await reader.readexactly(10)

    certificates = open_certificates(Tls(("a.pem", "b.pem")))
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=certificates.context)
    async with server:
        address = server.sockets[0].getsockname()
        opened = [await connect(name) for name in ("localhost", "x.example.org", "")]
        write("a.pem", NEXT)
        write("b.pem", NAMELESS)
        certificates.reread()
        opened += [await connect(name) for name in ("localhost", "x.example.org", "")]

        assert [number for number, *_ in opened] == ["01", "02", "01", "03", "03", "03"]
        for _, reader, writer in opened:
            assert await ask(reader, writer) == b"still here"
            writer.close()
            await writer.wait_closed()


def test_ends_are_known_by_the_first_name_or_else_the_file():
    write("nameless.pem", NAMELESS)
    ends = Certificates(Tls(("a.pem", "nameless.pem"))).ends

    assert ([*ends], min(ends.values()) > END) == (["localhost", "'nameless.pem'"], True)
