"""Requests that are answered again by the same bytes, and when they are not."""

from __future__ import annotations

import pytest

from aioserve.connection import Phase
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer
from aioserve.ready import HEAD_LIMIT
from tests.pages import Pages, Site, said
from tests.wire import GET, errors, hello, on_both_loops, post, serving, turns

CLOSE = GET.replace(b"Host", b"Connection: close\r\nHost")
HEAD = GET.replace(b"GET", b"HEAD")
LATER = b"Date: Mon, 07 Nov 1994 00:00:00 GMT\r\n"


# The same bytes


@pytest.mark.parametrize(
    "request_", [GET, HEAD, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", b"\r\n" + GET]
)
@on_both_loops
async def test_a_repeated_request_is_answered_by_the_same_bytes(request_):
    with Site() as site:
        protocol, transport = site.connect()
        first = said(protocol, transport, request_)
        assert first.startswith(b"HTTP/1.1 200 OK\r\nX-Asked: 1\r\n")
        for _ in range(3):
            assert said(protocol, transport, request_) == first
        assert site.pages.asked == 1


@on_both_loops
async def test_other_connections_get_it_too_also_as_their_first_answer():
    with Site() as site:
        first = said(*site.connect(), GET)
        for _ in range(3):
            protocol, transport = site.connect()
            for _ in range(2):
                assert said(protocol, transport, GET) == first
            assert len(transport.writes) == 0
            assert protocol._connection.phase is Phase.WAITING
        assert site.pages.asked == 1


@on_both_loops
async def test_it_is_one_write():
    with Site() as site:
        protocol, transport = site.connect()
        protocol.data_received(GET)
        protocol.data_received(GET)
        assert len(transport.writes) == 2


@on_both_loops
async def test_it_has_the_present_date():
    with Site() as site:
        protocol, transport = site.connect()
        first = said(protocol, transport, GET)
        ticker = protocol._connection._parts.ticker
        date, ticker.date = ticker.date, LATER
        assert date in first
        for connection in (protocol, transport), site.connect():
            assert said(*connection, GET) == first.replace(date, LATER)
        assert site.pages.asked == 1


@pytest.mark.parametrize(
    "other",
    [
        HEAD,
        GET.replace(b"/ ", b"/? "),
        GET.replace(b"Host: a", b"Host: b"),
        GET.replace(b"Host:", b"host:"),
        GET.replace(b"Host: a", b"Host: a\r\nX: 1"),
        b"\r\n" + GET,
    ],
)
@on_both_loops
async def test_every_byte_of_a_request_counts(other):
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        said(protocol, transport, other)
        assert site.pages.asked == 2


@on_both_loops
async def test_on_a_real_socket_it_is_the_same(caplog):
    pages = Pages()
    async with serving(hello, HandlerOptions(responders=(pages,), ready_limit=1_000_000)) as server:
        for _ in range(3):
            client = await server.connect()
            for _ in range(3):
                client.send(GET)
                reply = await client.reply()
                assert (reply.status, reply.body, reply.closes) == (200, b"page", False)
                client.send(HEAD)
                reply = await client.reply("HEAD")
                assert (reply.headers["content-length"], reply.body) == ("4", b"")
    assert pages.asked == 2
    assert errors(caplog) == []


# How long


@on_both_loops
async def test_whether_it_still_holds_is_looked_at_once_in_a_turn_of_the_loop():
    with Site() as site:
        connections = [site.connect() for _ in range(3)]
        said(*connections[0], GET)
        for number in range(1, 4):
            for connection in connections * 2:
                said(*connection, GET)
            assert site.pages.looked == number
            await turns(1)
        assert site.pages.asked == 1


@on_both_loops
async def test_what_holds_no_more_is_asked_for_anew():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        site.pages.holds = False
        assert b"X-Asked: 2\r\n" in said(protocol, transport, GET)
        site.pages.holds = True
        assert b"X-Asked: 2\r\n" in said(protocol, transport, GET)
        await turns()
        site.pages.holds = False
        assert b"X-Asked: 3\r\n" in said(protocol, transport, GET)


# What is never answered so


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        ("RFC 9112 §9.6: it is the last", CLOSE),
        ("RFC 9112 §9.3: so is this", b"GET / HTTP/1.0\r\n\r\n"),
        ("a head that costs more to compare", GET.replace(b"Host", b"X: %b\r\nHost" % bytes(HEAD_LIMIT))),
        ("a body", post(b"body")),
        ("an empty body", post(b"")),
        ("a body in chunks", post(b"")[:-4].replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
         + b"\r\n\r\n0\r\n\r\n"),
        ("a body that waits", post(b"x", "Expect: 100-continue")),
        ("two requests", GET + GET),
        ("one and the beginning of the next", GET + b"G"),
        ("no request", b"GET / HTTP/1.1\r\n\r\n"),
    ],
)  # fmt: skip
@on_both_loops
async def test_such_a_request_is_not_remembered(reason, data):
    with Site() as site:
        for _ in range(2):
            protocol, _transport = site.connect()
            protocol.data_received(data.replace(b"\0", b"x"))
            await turns()
        assert len(site.options.ready) == 0, reason


@pytest.mark.parametrize(("size", "kept"), [(HEAD_LIMIT, 1), (HEAD_LIMIT + 1, 0)])
@on_both_loops
async def test_a_long_head_is_not_remembered(size, kept):
    request_ = GET.replace(b"a", b"a" * (size - len(GET) + 1), 1)
    with Site() as site:
        protocol, transport = site.connect()
        for _ in range(2):
            assert said(protocol, transport, request_).startswith(b"HTTP/1.1 200 OK\r\n")
        assert len(site.options.ready) == kept
        assert site.pages.asked == 2 - kept


@pytest.mark.parametrize("cut", [1, 10, len(GET) - 1])
@on_both_loops
async def test_a_request_in_two_segments_is_not_remembered(cut):
    with Site() as site:
        protocol, transport = site.connect()
        for number in (1, 2):
            said(protocol, transport, GET[:cut])
            assert b"X-Asked: %d" % number in said(protocol, transport, GET[cut:])
        assert len(site.options.ready) == 0


@pytest.mark.parametrize(
    ("reason", "options"),
    [("there is no room", {"ready_limit": 0}), ("each answer is the last", {"keep_alive": 0.0})],
)
@on_both_loops
async def test_a_server_may_keep_none(reason, options):
    with Site(**options) as site:
        for number in (1, 2):
            assert b"X-Asked: %d" % number in said(*site.connect(), GET), reason
        assert not site.options.ready


@on_both_loops
async def test_an_answer_that_took_its_time_is_not_remembered():
    async def later():
        return Answer(200, (), b"later", bool)

    with Site(responders=(lambda _: later(),)) as site:
        protocol, transport = site.connect()
        for _ in range(2):
            said(protocol, transport, GET)
            await turns()
            assert transport.sent.endswith(b"later")
        assert len(site.options.ready) == 0


@on_both_loops
async def test_what_a_handler_answers_is_not_remembered():
    with Site(responders=()) as site:
        protocol, transport = site.connect()
        for _ in range(2):
            assert said(protocol, transport, GET).endswith(b"hello")
        assert len(site.options.ready) == 0
