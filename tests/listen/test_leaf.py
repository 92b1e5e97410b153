"""What is read of a certificate, by a handshake in memory."""

from __future__ import annotations

import ssl

import pytest

from aioserve.listen.leaf import Leaf, read_leaf
from aioserve.listen.tls import Pair, make_context
from aioserve.settings import Tls
from tests.listen.pem import CERTIFICATE, CLIENT, CLIENT_CA, EXPIRED, KEY, NAMELESS, WILD

END_OF_2119 = 4_733_510_400.0


def der(certificate):
    return ssl.PEM_cert_to_DER_cert(certificate)


@pytest.fixture
def context(tmp_path):
    def make(certificate, **more):
        (tmp_path / "pair.pem").write_text(certificate + KEY)
        return make_context(Tls(**more), Pair(str(tmp_path / "pair.pem")))

    return make


@pytest.mark.parametrize(
    ("certificate", "leaf"),
    [
        (CERTIFICATE, Leaf(der(CERTIFICATE), ("localhost",), END_OF_2119)),
        (WILD, Leaf(der(WILD), ("example.org", "*.example.org"), END_OF_2119)),
        (EXPIRED, Leaf(der(EXPIRED), ("localhost",), 1_609_459_200.0)),
        (NAMELESS, Leaf(der(NAMELESS), (), END_OF_2119)),
        (CERTIFICATE + CLIENT_CA, Leaf(der(CERTIFICATE), ("localhost",), END_OF_2119)),
    ],
    ids=["one", "wild", "expired", "nameless", "chain"],
)
def test_names_and_end_are_read(context, certificate, leaf):
    assert read_leaf(context(certificate)) == leaf


def test_a_certificate_that_is_for_clients_is_complained_of(context):
    """RFC 5280 §4.2.1.12."""
    leaf = read_leaf(context(CLIENT))
    assert leaf[:3] == (der(CLIENT), (), None)
    assert "purpose" in leaf.complaint


def test_whoever_reads_needs_no_certificate_and_others_still_do(context, tmp_path):
    (tmp_path / "ca.pem").write_text(CLIENT_CA)
    server = context(CERTIFICATE, client_ca=str(tmp_path / "ca.pem"))
    assert read_leaf(server).names == ("localhost",)
    assert server.verify_mode is ssl.CERT_REQUIRED


def test_a_context_with_which_nobody_can_speak_is_refused():
    server = make_context(Tls())
    with pytest.raises(ssl.SSLError):
        read_leaf(server)
    assert server.verify_mode is ssl.CERT_NONE
