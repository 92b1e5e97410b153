"""Handshakes that fail are told of, over memory and over sockets."""

from __future__ import annotations

import asyncio
import logging
import ssl

import pytest

from aioserve.listen.handshakes import watch_handshakes
from aioserve.listen.tls import Pair, make_context
from aioserve.observe.seldom import Seldom
from aioserve.settings import Tls
from tests.listen.handshakes import Handshake
from tests.listen.pem import CERTIFICATE, CLIENT_CA, KEY
from tests.wire import on_both_loops

PLAIN = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LOGGER = "aioserve.listen.handshakes"


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level(logging.INFO)


@pytest.fixture
def server(tmp_path):
    (tmp_path / "both.pem").write_text(CERTIFICATE + KEY)
    (tmp_path / "ca.pem").write_text(CLIENT_CA)

    def make(**options):
        context = make_context(Tls(**options), Pair(str(tmp_path / "both.pem")))
        watch_handshakes(context)
        return context

    return make


def trusting():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=CERTIFICATE)
    return context


def lines(caplog):
    return [record.getMessage() for record in caplog.records if record.name == LOGGER]


def test_of_one_that_succeeds_nothing_is_told(server, caplog):
    Handshake(server(), trusting()).run()

    assert lines(caplog) == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (PLAIN, "the client speaks plain HTTP"),
        (b"CONNECT a:1 HTTP/1.1\r\n\r\n", "the client speaks plain HTTP, and takes this for a proxy"),
        (b"hello, world\r\n", "wrong version number"),
    ],
)
def test_what_is_no_tls_is_told_in_words(server, caplog, data, reason):
    with pytest.raises(ssl.SSLError):
        Handshake(server(), trusting()).run(change=lambda _: data)

    assert lines(caplog) == [f"TLS handshake failed: {reason}"]
    assert caplog.records[0].levelname == "INFO"


def test_why_a_client_is_not_let_in_is_told(server, caplog, tmp_path):
    context, client = server(client_ca=str(tmp_path / "ca.pem")), trusting()
    client.load_cert_chain(tmp_path / "both.pem")
    with pytest.raises(ssl.SSLCertVerificationError):
        Handshake(context, client).run()

    (line,) = lines(caplog)
    assert line.startswith("TLS handshake failed: certificate verify failed: ")
    assert len(line) > len("TLS handshake failed: certificate verify failed: ")


@pytest.mark.parametrize("error", [ssl.SSLWantReadError, ssl.SSLWantWriteError])
def test_one_that_has_to_wait_has_not_failed(caplog, error):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    watch_handshakes(context)
    waiting = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    waiting._sslobj = Raising(error())
    with pytest.raises(error):
        waiting.do_handshake()

    assert lines(caplog) == []


@pytest.mark.parametrize(
    ("arguments", "reason", "said"),
    [
        ((1, "no words"), None, ["TLS handshake failed: no words"]),
        ((1, "ours"), "CALLBACK_FAILED", []),
    ],
)
def test_one_without_a_reason_and_one_that_we_ended(caplog, arguments, reason, said):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    watch_handshakes(context)
    failing = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    error = ssl.SSLError(*arguments)
    error.reason = reason
    failing._sslobj = Raising(error)
    with pytest.raises(ssl.SSLError):
        failing.do_handshake()

    assert lines(caplog) == said


class Raising:
    """Shakes hands in vain."""

    def __init__(self, error):
        self._error = error

    def do_handshake(self):
        raise self._error


def test_many_of_them_are_few_lines(server, caplog):
    context = server()
    now = [0.0]
    logger = logging.getLogger(LOGGER)
    watch_handshakes(context, Seldom(logger, logging.INFO, clock=lambda: now[0]))
    for now[0] in (*range(10), 10.0):
        with pytest.raises(ssl.SSLError):
            Handshake(context, trusting()).run(change=lambda _: PLAIN)

    first = "TLS handshake failed: the client speaks plain HTTP"
    assert lines(caplog) == [first, f"{first} (and 9 like it since the last line)"]


@on_both_loops
async def test_a_loop_tells_of_them_too(server, caplog):
    listening = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=server())
    async with listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(PLAIN)
        assert await reader.read() == b""
        writer.close()

    assert lines(caplog) == ["TLS handshake failed: the client speaks plain HTTP"]
    assert caplog.records[0].exc_info is None
