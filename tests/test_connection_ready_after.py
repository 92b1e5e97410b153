"""What follows an answer that was ready: the same deadlines and the same record as after any other."""

from __future__ import annotations

import pytest

from aioserve.listen.proxies import Proxies
from aioserve.origins import make_origin_reader
from tests.doubles import PEER
from tests.pages import Site, said
from tests.wire import GET, errors, hello, on_both_loops

HALF = GET[:-2]


# The deadlines behind it


@on_both_loops
async def test_a_head_that_does_not_end_has_its_own_time_behind_a_ready_answer():
    with Site(keep_alive=100.0) as site:
        said(*site.connect(), GET)
        protocol, transport, clock = site.timed()
        said(protocol, transport, GET)
        clock.to(20)
        said(protocol, transport, HALF)
        clock.to(49)
        protocol.data_received(b"X")
        assert transport.sent == b""
        clock.to(51)
        assert transport.sent.startswith(b"HTTP/1.1 408 ")
        assert site.pages.asked == 1


@pytest.mark.parametrize("keep_alive", [10, 100])
@on_both_loops
async def test_who_has_one_may_be_idle_as_long_as_after_any_other(keep_alive):
    with Site(keep_alive=float(keep_alive)) as site:
        said(*site.connect(), GET)
        protocol, transport, clock = site.timed()
        for begin in (5, 5 + keep_alive - 1):
            clock.to(begin)
            assert said(protocol, transport, GET).endswith(b"page")
        clock.to(begin + keep_alive - 1)
        assert not transport.is_closing()
        clock.to(begin + keep_alive + 1)
        assert transport.is_closing()
        assert transport.sent == b""
        assert site.pages.asked == 1


@on_both_loops
async def test_who_has_one_is_idle():
    with Site() as site:
        said(*site.connect(), GET)
        protocol, transport = site.connect()
        connection = protocol._connection
        assert connection.idle_until is None
        said(protocol, transport, GET)
        assert connection.idle_until > connection._parts.ticker.now
        transport.unsent = 1
        assert connection.idle_until is None


@on_both_loops
async def test_a_client_that_does_not_take_it_is_cut():
    with Site(write_timeout=60.0, keep_alive=1e9) as site:
        said(*site.connect(), GET)
        protocol, transport, clock = site.timed()
        said(protocol, transport, GET)
        transport.unsent = 10
        clock.to(1)
        clock.to(60)
        assert not transport.is_aborted
        clock.to(62)
        assert transport.is_aborted


@on_both_loops
async def test_it_is_no_handlers_time_that_runs():
    with Site(handler_timeout=10.0, keep_alive=100.0) as site:
        said(*site.connect(), GET)
        protocol, transport, clock = site.timed()
        said(protocol, transport, GET)
        clock.to(50)
        assert not transport.is_closing()


# The access log


@on_both_loops
async def test_each_is_logged_for_the_client_that_got_it():
    records = []
    with Site(access_log=records.append) as site:
        sent = [said(*site.connect(peername=(f"192.0.2.{number}", 1)), GET) for number in range(3)]
    assert [record.peer for record in records] == [(f"192.0.2.{number}", 1) for number in range(3)]
    for record, answer in zip(records, sent, strict=True):
        assert (record.message.method, record.message.path) == ("GET", "/")
        assert (record.status, record.body_length, record.output_length) == (200, 4, len(answer))
        assert 0 <= record.duration < 60
    assert site.pages.asked == 1


@on_both_loops
async def test_each_is_logged_for_the_client_that_the_proxy_of_its_connection_tells():
    records, peers = [], [("10.0.0.1", 1), ("192.0.2.9", 1), ("10.0.0.1", 2)]
    told = GET[:-2] + b"X-Forwarded-For: 192.0.2.7\r\n\r\n"
    read_origin = make_origin_reader(Proxies("x-forwarded", (("10.0.0.0/8",),)), "http")
    with Site(access_log=records.append, read_origin=read_origin) as site:
        for peer in peers:
            said(*site.connect(peername=peer), told)
    assert [record.peer for record in records] == [("192.0.2.7", 0), ("192.0.2.9", 1), ("192.0.2.7", 0)]
    assert site.pages.asked == 1


@on_both_loops
async def test_a_log_access_of_ones_own_is_called_as_for_any_other():
    calls = []

    class Handler(hello):
        def log_access(self, message, environ, response, time):
            lengths = response.headers_length, response.body_length, response.output_length
            calls.append((message.path, message.peer, environ, response.status, lengths, time >= 0))

    peers = [PEER, "/run/client.sock", PEER]
    with Site(Handler, access_log=print) as site:
        sent = [said(*site.connect(peername=peer), GET) for peer in peers]
    head = sent[0].index(b"\r\n\r\n") + 4
    assert calls == [("/", peer, None, 200, (head, 4, head + 4), True) for peer in peers]
    assert site.pages.asked == 1


@on_both_loops
async def test_a_log_access_that_fails_costs_its_line_only(caplog):
    class Handler(hello):
        def log_access(self, *_arguments):
            raise ValueError("from log_access")

    with Site(Handler, access_log=print) as site:
        protocol, transport = site.connect()
        for _ in range(3):
            assert said(protocol, transport, GET).endswith(b"page")
    assert errors(caplog) == ["Error in logging"] * 3


@on_both_loops
async def test_without_an_access_log_nothing_is_logged():
    calls = []

    class Handler(hello):
        def log_access(self, *arguments):
            calls.append(arguments)

    with Site(Handler) as site:
        protocol, transport = site.connect()
        for _ in range(2):
            assert said(protocol, transport, GET).endswith(b"page")
    assert calls == []
