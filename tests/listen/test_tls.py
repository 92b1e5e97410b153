"""Certificates and keys as files, and what a client sees of them, without a socket."""

from __future__ import annotations

import re
import ssl

import pytest

from aioserve.errors import ConfigurationError, TlsError
from aioserve.listen import tls
from aioserve.listen.tls import Pair, make_context, pairs_of
from aioserve.settings import Tls
from tests.listen.handshakes import Handshake
from tests.listen.pem import CERTIFICATE, CLIENT, CLIENT_CA, ENCRYPTED_KEY, FOREIGN_KEY, KEY

FILES = {
    "cert.pem": CERTIFICATE,
    "key.pem": KEY,
    "both.pem": KEY + CERTIFICATE,
    "encrypted.pem": ENCRYPTED_KEY,
    "foreign.pem": FOREIGN_KEY,
    "text.txt": "no PEM\n",
    "damaged.pem": CERTIFICATE.replace("\nM", "\n!"),
    "empty.pem": "",
    "password": "secret\nnot this\n",
    "password.dos": "secret\r\n",
    "wrong": "guess\n",
    "long": "x" * 2_000,
    "ca.pem": CLIENT_CA,
    "client.pem": CLIENT + KEY,
    "stranger.pem": CERTIFICATE + KEY,
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in a folder with all of the files, and with another folder."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)


def refusal(certfile, keyfile=None, **more):
    with pytest.raises(TlsError) as refused:
        make_context(Tls(**more), Pair(certfile, keyfile))
    assert refused.value.exit_code == 5
    assert refused.value.details == ""
    return str(refused.value)


def client(**attributes):
    """Make the context of a client that trusts the certificate for tests."""
    context = ssl.create_default_context(cadata=CERTIFICATE)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


# Files


@pytest.mark.parametrize(
    ("tls", "pairs"),
    [
        (Tls(), ()),
        (Tls(self_signed=True), ()),
        (Tls(self_signed=True, client_ca="ca", ciphers="ECDHE"), ()),
        (Tls(("a",)), (("a", None),)),
        (Tls(("a", "b")), (("a", None), ("b", None))),
        (Tls(("a", "b"), ("c", "d")), (("a", "c"), ("b", "d"))),
    ],
)
def test_each_certificate_has_its_key(tls, pairs):
    assert pairs_of(tls) == pairs


@pytest.mark.parametrize(
    ("tls", "flag"),
    [
        (Tls(keyfiles=("key.pem",)), "--ssl-keyfile"),
        (Tls(keyfiles=("key.pem",), self_signed=True), "--ssl-keyfile"),
        (Tls(password_file="password"), "--ssl-keyfile-password-file"),  # noqa: S106 - a file
        (Tls(client_ca="ca.pem"), "--ssl-client-ca"),
        (Tls(ciphers="ECDHE"), "--ssl-ciphers"),
    ],
)
def test_what_belongs_to_no_certificate_is_refused(tls, flag):
    with pytest.raises(ConfigurationError) as refused:
        pairs_of(tls)
    assert str(refused.value) == f"{flag}: there is no --ssl-certfile that it belongs to"


def test_all_that_belongs_to_no_certificate_is_told():
    with pytest.raises(ConfigurationError) as refused:
        pairs_of(Tls(keyfiles=("key.pem",), client_ca="ca.pem"))
    assert [str(each).partition(":")[0] for each in (refused.value, *refused.value.others)] == [
        "--ssl-keyfile",
        "--ssl-client-ca",
    ]


@pytest.mark.parametrize("keyfiles", [("c",), ("c", "d", "e")])
def test_some_certificates_with_a_key_and_some_without_are_refused(keyfiles):
    with pytest.raises(ConfigurationError) as refused:
        pairs_of(Tls(("a", "b"), keyfiles))
    assert str(refused.value) == (
        f"--ssl-keyfile: there must be one for each --ssl-certfile, or none; there are {len(keyfiles)} for 2"
    )


def test_a_certificate_of_files_and_a_self_signed_one_contradict_each_other():
    with pytest.raises(ConfigurationError, match="--ssl-self-signed"):
        pairs_of(Tls(("a",), self_signed=True))


@pytest.mark.parametrize(
    ("certfile", "keyfile"), [("cert.pem", "key.pem"), ("both.pem", None), ("both.pem", "key.pem")]
)
def test_certificate_and_key_may_be_in_two_files_or_in_one(certfile, keyfile):
    shaken = Handshake(make_context(Tls(), Pair(certfile, keyfile)), client()).run()
    assert shaken.client.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(CERTIFICATE)


@pytest.mark.parametrize(
    ("certfile", "keyfile", "reason"),
    [
        ("none.pem", None, "No such file or directory"),
        ("none.pem", "key.pem", "No such file or directory"),
        ("cert.pem", "none.pem", "No such file or directory"),
        ("folder", None, "Is a directory"),
        ("cert.pem", "folder", "Is a directory"),
        (
            "cert.pem",
            "encrypted.pem",
            r"the key is encrypted, and no password is known \(--ssl-keyfile-password-file\)",
        ),
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


def test_all_that_cannot_be_used_is_told():
    asked = Tls(ciphers="nonsense", client_ca="no-ca", password_file="no-word")  # noqa: S106 - a file
    with pytest.raises(ConfigurationError) as refused:
        make_context(asked, Pair("no-cert", "no-key"))
    assert str(refused.value).startswith("--ssl-ciphers: ")
    assert list(map(str, refused.value.others)) == [
        f"{name!r}: No such file or directory" for name in ("no-ca", "no-cert", "no-key", "no-word")
    ]


def test_file_may_go_when_it_has_been_looked_at(monkeypatch):
    monkeypatch.setattr(tls, "_read_all", lambda _names: None)

    assert refusal("none.pem", "key.pem") == "'none.pem' and 'key.pem': No such file or directory"


def test_nobody_is_asked_for_a_password(capfd):
    refusal("cert.pem", "encrypted.pem")
    assert capfd.readouterr() == ("", "")


# Passwords


@pytest.mark.parametrize("file", ["password", "password.dos"])
def test_the_password_is_the_first_line_of_its_file(file):
    context = make_context(Tls(password_file=file), Pair("cert.pem", "encrypted.pem"))
    assert Handshake(context, client()).run().client.version()


def test_a_password_that_no_key_needs_does_no_harm():
    assert make_context(Tls(password_file="wrong"), Pair("both.pem"))  # noqa: S106 - a file


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("wrong", "'cert.pem' and 'encrypted.pem': the password in 'wrong' is not that of the key"),
        ("empty.pem", "'cert.pem' and 'encrypted.pem': the password in 'empty.pem' is not that of the key"),
        ("none", "'none': No such file or directory"),
        ("folder", "'folder': Is a directory"),
        ("long", "'cert.pem' and 'encrypted.pem': password cannot be longer than 1024 bytes"),
    ],
)
def test_a_password_that_cannot_be_used_is_told_apart(file, text, capfd):
    assert refusal("cert.pem", "encrypted.pem", password_file=file) == text
    assert capfd.readouterr() == ("", "")


def test_the_password_may_be_right_and_the_key_another():
    text = refusal("ca.pem", "encrypted.pem", password_file="password")  # noqa: S106 - a file
    assert text == "'ca.pem' and 'encrypted.pem': the key is not that of the certificate"


# Certificates of clients


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_is_known_by_its_certificate(version):
    context = client(minimum_version=version, maximum_version=version)
    context.load_cert_chain("client.pem")
    shaken = Handshake(make_context(Tls(client_ca="ca.pem"), Pair("both.pem")), context).run()
    assert shaken.server.getpeercert()["subject"] == ((("commonName", "alice"),),)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("certificate", [None, "stranger.pem"])
def test_a_client_that_nobody_has_signed_is_not_let_in(version, certificate):
    context = client(minimum_version=version, maximum_version=version)
    if certificate:
        context.load_cert_chain(certificate)
    with pytest.raises(ssl.SSLError) as refused:
        Handshake(make_context(Tls(client_ca="ca.pem"), Pair("both.pem")), context).run()
    reasons = {None: "PEER_DID_NOT_RETURN_A_CERTIFICATE", "stranger.pem": "CERTIFICATE_VERIFY_FAILED"}
    assert refused.value.reason == reasons[certificate]


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("none.pem", "No such file or directory"),
        ("folder", "Is a directory"),
        ("text.txt", "there is no certificate in PEM in it"),
        ("empty.pem", "there is no certificate in PEM in it"),
        ("key.pem", "there is no certificate in PEM in it"),
        ("ca\0.pem", "embedded null byte"),
    ],
)
def test_a_list_of_authorities_that_cannot_be_used_is_named(file, reason):
    assert refusal("both.pem", client_ca=file) == f"{file!r}: {reason}"


# Ciphers


def test_ciphers_of_tls_1_2_keep_the_past_secret_and_authenticate():
    """RFC 9325 §4.2: ephemeral keys, and AEAD."""
    names = [each["name"] for each in make_context(Tls()).get_ciphers() if each["protocol"] == "TLSv1.2"]
    assert names
    assert all(
        re.fullmatch(r"ECDHE-(ECDSA|RSA)-(AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)", each) for each in names
    )


def test_ciphers_are_those_asked_for():
    context = make_context(Tls(ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"), Pair("both.pem"))
    shaken = Handshake(context, client(maximum_version=ssl.TLSVersion.TLSv1_2)).run()
    assert shaken.client.cipher()[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.mark.parametrize("ciphers", ["nonsense", "TLS_AES_128_GCM_SHA256", "a\0b"])
def test_a_list_without_a_cipher_is_refused(ciphers):
    with pytest.raises(ConfigurationError) as refused:
        make_context(Tls(ciphers=ciphers), Pair("both.pem"))
    assert str(refused.value) == (
        f"--ssl-ciphers: OpenSSL has no cipher for TLS 1.2 that is meant by {ciphers!r}"
    )


# What a client sees


@pytest.mark.parametrize(
    "version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda version: version.name
)
def test_a_client_speaks_the_version_that_it_knows(version):
    shaken = Handshake(
        make_context(Tls(), Pair("both.pem")), client(minimum_version=version, maximum_version=version)
    ).run()
    assert shaken.client.version() == shaken.server.version() == version.name.replace("_", ".")


def test_nothing_older_is_spoken():
    """RFC 8996: TLS 1.0 and 1.1 must not be used."""
    context = make_context(Tls(), Pair("both.pem"))
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
    shaken = Handshake(make_context(Tls(), Pair("both.pem")), context).run()
    assert shaken.client.selected_alpn_protocol() == chosen
