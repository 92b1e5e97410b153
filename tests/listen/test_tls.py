"""Certificates and keys as files, and what a client sees of them, without a socket."""

from __future__ import annotations

import re
import ssl

import pytest

from aioserve.errors import TlsError
from aioserve.listen.tls import make_context
from aioserve.settings import Tls
from tests.listen.pem import CERTIFICATE, ENCRYPTED_KEY, FOREIGN_KEY, KEY

FILES = {
    "cert.pem": CERTIFICATE,
    "key.pem": KEY,
    "both.pem": KEY + CERTIFICATE,
    "encrypted.pem": ENCRYPTED_KEY,
    "foreign.pem": FOREIGN_KEY,
    "text.txt": "no PEM\n",
    "damaged.pem": CERTIFICATE.replace("\nM", "\n!"),
    "empty.pem": "",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with all of the files, and with another folder."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)


def refusal(certfile, keyfile=None):
    with pytest.raises(TlsError) as refused:
        make_context(Tls(certfile, keyfile))
    assert refused.value.exit_code == 5
    assert refused.value.details == ""
    return str(refused.value)


class Handshake:
    """A client and a server that hear each other through memory.

    Args:
        server: its context.
        client: its context.
    """

    def __init__(self, server, client):
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = server.wrap_bio(to_server, to_client, server_side=True)
        self.client = client.wrap_bio(to_client, to_server, server_hostname="localhost")

    def run(self):
        """Let each speak until both have done; what the server refuses is raised."""
        waiting = [self.client, self.server]
        while waiting:
            for each in tuple(waiting):
                try:
                    each.do_handshake()
                except ssl.SSLWantReadError:
                    pass
                else:
                    waiting.remove(each)
        return self


def client(**attributes):
    """Make the context of a client that trusts the certificate for tests."""
    context = ssl.create_default_context(cadata=CERTIFICATE)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


# Files


def test_without_files_there_is_no_tls():
    assert make_context(Tls()) is None


def test_a_key_without_certificate_says_which_option_is_missing():
    assert refusal(None, "key.pem") == "--ssl-keyfile: there is no --ssl-certfile that it belongs to"


@pytest.mark.parametrize(
    ("certfile", "keyfile"), [("cert.pem", "key.pem"), ("both.pem", None), ("both.pem", "key.pem")]
)
def test_certificate_and_key_may_be_in_two_files_or_in_one(certfile, keyfile):
    shaken = Handshake(make_context(Tls(certfile, keyfile)), client()).run()
    assert shaken.client.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(CERTIFICATE)


@pytest.mark.parametrize(
    ("certfile", "keyfile", "reason"),
    [
        ("none.pem", None, "No such file or directory"),
        ("none.pem", "key.pem", "No such file or directory"),
        ("cert.pem", "none.pem", "No such file or directory"),
        ("folder", None, "Is a directory"),
        ("cert.pem", "folder", "Is a directory"),
        ("cert.pem", "encrypted.pem", "the key is encrypted, and no password is known"),
        ("text.txt", None, ".+"),
        ("text.txt", "key.pem", ".+"),
        ("cert.pem", "text.txt", ".+"),
        ("empty.pem", None, ".+"),
        ("damaged.pem", "key.pem", ".+"),
        ("cert.pem", None, ".+"),
        ("key.pem", None, ".+"),
        ("key.pem", "cert.pem", ".+"),
        ("cert.pem", "foreign.pem", ".+"),
        ("both.pem", "foreign.pem", ".+"),
        ("cert\0.pem", None, "embedded null (byte|character)"),
    ],
)
def test_files_that_cannot_be_used_are_named_in_one_line(certfile, keyfile, reason):
    text = refusal(certfile, keyfile)
    assert re.fullmatch(f".*: {reason}", text)  # a dot is no end of line
    files, _, _ = text.rpartition(": ")
    assert repr(keyfile or certfile) in files or repr(certfile) in files


def test_nobody_is_asked_for_a_password(capfd):
    refusal("cert.pem", "encrypted.pem")
    assert capfd.readouterr() == ("", "")


# What a client sees


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name
)
def test_a_client_speaks_the_version_that_it_knows(version):
    shaken = Handshake(
        make_context(Tls("both.pem")), client(minimum_version=version, maximum_version=version)
    ).run()
    assert shaken.client.version() == shaken.server.version() == version.name.replace("_", ".")


def test_nothing_older_is_spoken():
    """RFC 8996: TLS 1.0 and 1.1 must not be used."""
    context = make_context(Tls("both.pem"))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    old = client()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        Handshake(context, old).run()


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (["h2"], None), (None, None)],
)
def test_http_1_1_is_what_alpn_agrees_on(offered, chosen):
    """RFC 7301 §3.2; a client that offers nothing that we speak is served all the same."""
    context = client()
    if offered:
        context.set_alpn_protocols(offered)
    shaken = Handshake(make_context(Tls("both.pem")), context).run()
    assert shaken.client.selected_alpn_protocol() == chosen
