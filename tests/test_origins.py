"""What becomes of a request that a proxy has passed on."""

from __future__ import annotations

import pytest

from aioserve.http.messages import HttpVersion11, RequestMessage
from aioserve.listen.proxies import Proxies
from aioserve.origins import make_origin_reader, trusted_by

TOLD = {
    "x-forwarded": b"X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
    b"X-Forwarded-Host: a.example\r\n",
    "forwarded": b"Forwarded: for=192.0.2.7;proto=https;host=a.example\r\n",
}
PROXY = ("127.0.0.1", 5)


def request(fields, peer=PROXY, path="/a?b", scheme="http"):
    fields = b"Host: own.example\r\n" + fields
    message = RequestMessage("GET", path, HttpVersion11, fields, b"\n" + fields.lower())
    message.peer = peer
    message.scheme = scheme
    return message


def seen(message):
    return message.peer, message.scheme, message.host, message.url.geturl()


@pytest.mark.parametrize("headers", ["off", "proxy-protocol"])
def test_nothing_is_read_where_no_field_tells(headers):
    assert make_origin_reader(Proxies(headers), "http") is None


@pytest.mark.parametrize("headers", TOLD)
@pytest.mark.parametrize("peer", [PROXY, ("::1", 5), ("::ffff:127.0.0.1", 5), "", "/run/proxy.sock"])
def test_trusted_proxy_is_believed(headers, peer):
    message = request(TOLD[headers], peer)

    make_origin_reader(Proxies(headers), "http")(message)

    assert seen(message) == (("192.0.2.7", 0), "https", "a.example", "https://a.example/a?b")
    assert message.headers["Host"] == "own.example"


@pytest.mark.parametrize("headers", TOLD)
@pytest.mark.parametrize("peer", [("192.0.2.1", 5), None])
def test_others_are_not(headers, peer):
    message = request(TOLD[headers], peer)

    make_origin_reader(Proxies(headers), "http")(message)

    assert seen(message) == (peer, "http", "own.example", "http://own.example/a?b")


@pytest.mark.parametrize(("headers", "other"), [("x-forwarded", "forwarded"), ("forwarded", "x-forwarded")])
def test_only_what_was_asked_for_is_read(headers, other):
    """A proxy that sets the one passes the other on as its client sent it."""
    message = request(TOLD[other])

    make_origin_reader(Proxies(headers), "http")(message)

    assert seen(message) == (PROXY, "http", "own.example", "http://own.example/a?b")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"", (PROXY, "https", "own.example", "https://own.example/a?b")),
        (
            b"X-Forwarded-For: 192.0.2.7\r\n",
            (("192.0.2.7", 0), "https", "own.example", "https://own.example/a?b"),
        ),
        (b"X-Forwarded-Proto: http\r\n", (PROXY, "http", "own.example", "http://own.example/a?b")),
        (b"X-Forwarded-Host: b\r\n", (PROXY, "https", "b", "https://b/a?b")),
        (b"X-Forwarded-Port: 8443\r\n", (PROXY, "https", "own.example:8443", "https://own.example:8443/a?b")),
        (
            b"X-Forwarded-Proto: ftp\r\nX-Forwarded-Host: b c\r\n",
            (PROXY, "https", "own.example", "https://own.example/a?b"),
        ),
    ],
)
def test_what_is_not_told_stays_as_the_connection_has_it(fields, expected):
    message = request(fields, scheme="https")

    make_origin_reader(Proxies("x-forwarded"), "https")(message)

    assert seen(message) == expected


def test_target_that_is_a_uri_gives_way_too():
    message = request(TOLD["x-forwarded"], path="http://inner:8080/a?b")

    make_origin_reader(Proxies("x-forwarded"), "http")(message)

    assert seen(message)[2:] == ("a.example", "https://a.example/a?b")


def test_hidden_client_has_no_address():
    message = request(b"Forwarded: for=_hidden\r\n")

    make_origin_reader(Proxies("forwarded"), "http")(message)

    assert message.peer is None


def test_request_that_comes_again_over_another_connection_is_another_clients():
    """The request of a ready answer is one for all connections."""
    message, read_origin = request(TOLD["forwarded"]), make_origin_reader(Proxies("forwarded"), "http")
    read_origin(message)
    message.peer = ("192.0.2.1", 6)

    read_origin(message)

    assert seen(message) == (("192.0.2.1", 6), "http", "own.example", "http://own.example/a?b")


def test_all_networks_that_were_given_are_trusted():
    trusted = trusted_by(Proxies("forwarded", (("10.0.0.0/8", "unix"), ("::1",))))

    peers = [("10.1.1.1", 1), "", ("::1", 1), ("127.0.0.1", 1)]
    assert [trusted.covers(peer) for peer in peers] == [True, True, True, False]
