"""The options about addresses and TLS: what holds where nothing is said, and what each text becomes."""

from __future__ import annotations

import pytest

from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import TcpAddress, UnixAddress
from aioserve.listen.settings import DEFAULT_HOST, DEFAULT_PORT, Bind, Tls
from aioserve.options import Given
from aioserve.settings import OPTIONS, build_settings


def test_nothing_outside_of_this_machine_is_listened_to_by_default():
    assert (DEFAULT_HOST, DEFAULT_PORT) == ("127.0.0.1", 8080)
    assert Bind() == Bind(host=None, port=None, addresses=(), backlog=2048, reuse_port=False)


def test_default_that_is_found_out_later_is_told():
    assert OPTIONS["host"].default_shown == DEFAULT_HOST
    assert OPTIONS["port"].default_shown == str(DEFAULT_PORT)


def test_tls_is_spoken_only_where_a_certificate_is_given():
    assert Tls() == Tls(certfiles=(), keyfiles=(), self_signed=False)
    assert not Tls(keyfiles=("a.pem",)).is_spoken
    assert Tls(certfiles=("a.pem",)).is_spoken
    assert Tls(self_signed=True).is_spoken


@pytest.mark.parametrize(
    ("key", "text", "section", "name", "value"),
    [
        ("host", "localhost", "bind", "host", "localhost"),
        ("port", "0", "bind", "port", 0),
        ("port", "http-alt", "bind", "port", "http-alt"),
        ("bind", ":80", "bind", "addresses", (TcpAddress("", 80),)),
        ("backlog", "5", "bind", "backlog", 5),
        ("reuse-port", "on", "bind", "reuse_port", True),
        ("ssl-certfile", "a.pem", "tls", "certfiles", ("a.pem",)),
        ("ssl-keyfile", "b.pem", "tls", "keyfiles", ("b.pem",)),
        ("ssl-keyfile-password-file", "c", "tls", "password_file", "c"),
        ("ssl-client-ca", "ca.pem", "tls", "client_ca", "ca.pem"),
        ("ssl-ciphers", "HIGH", "tls", "ciphers", "HIGH"),
        ("ssl-self-signed", "on", "tls", "self_signed", True),
    ],
)
def test_option_is_read_from_its_text(key, text, section, name, value):
    settings = build_settings({key: Given((text,), "a test")})

    assert getattr(getattr(settings, section), name) == value


def test_there_may_be_many_addresses():
    settings = build_settings({"bind": Given(("localhost:80", "unix:/run/web.sock"), "--bind")})

    assert settings.bind.addresses == (TcpAddress("localhost", 80), UnixAddress("/run/web.sock"))


def test_text_that_is_no_address_is_refused_by_its_source():
    with pytest.raises(ConfigurationError) as refused:
        build_settings({"bind": Given((":80", "::1:80"), "AIOSERVE_BIND")})
    assert str(refused.value) == (
        "AIOSERVE_BIND: '::1:80': an IPv6 address stands in brackets, as in [::1]:8080"
    )


@pytest.mark.parametrize("other", ["host", "port"])
def test_addresses_are_not_mixed_with_host_or_port(other):
    with pytest.raises(ConfigurationError) as refused:
        build_settings({"bind": Given((":80",), "--bind"), other: Given(("0",), f"a.toml: {other}")})
    assert str(refused.value) == f"--bind cannot be given together with a.toml: {other}"
