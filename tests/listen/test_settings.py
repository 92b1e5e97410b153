"""The options about addresses and TLS: what holds where nothing is said, and what each text becomes."""

from __future__ import annotations

import pytest

from aioserve.listen.settings import Bind, Tls
from aioserve.options import Given
from aioserve.settings import build_settings


def test_nothing_outside_of_this_machine_is_listened_to_by_default():
    assert Bind() == Bind(host="127.0.0.1", port=8080)


def test_tls_is_spoken_only_where_a_certificate_is_given():
    assert Tls() == Tls(certfile=None, keyfile=None)


@pytest.mark.parametrize(
    ("key", "text", "section", "name", "value"),
    [
        ("host", "localhost", "bind", "host", "localhost"),
        ("port", "0", "bind", "port", 0),
        ("port", "http-alt", "bind", "port", "http-alt"),
        ("ssl-certfile", "a.pem", "tls", "certfile", "a.pem"),
        ("ssl-keyfile", "b.pem", "tls", "keyfile", "b.pem"),
    ],
)
def test_option_is_read_from_its_text(key, text, section, name, value):
    settings = build_settings({key: Given((text,), "a test")})

    assert getattr(getattr(settings, section), name) == value
