"""A request that could be answered by bytes that are ready, when it is not its turn."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.connection import Phase
from aioserve.http.messages import Answer
from tests.pages import Site, said
from tests.wire import GET, Slow, handler, on_both_loops, post, turns

HALF = GET[:-2]
CLOSE = GET.replace(b"Host", b"Connection: close\r\nHost")
HEAD = GET.replace(b"GET", b"HEAD")
SLOW = GET.replace(b"/", b"/slow", 1)
DATE = b"Date: Mon, 07 Nov 1994 00:00:00 GMT\r\n"


# When it is not the next request's turn


@on_both_loops
async def test_a_ready_answer_overtakes_nobody():
    with Site(Slow) as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        protocol.data_received(SLOW)
        assert said(protocol, transport, GET) == b""
        protocol.go_on.release()
        await turns()
        slow, page = transport.sent.split(b"HTTP/1.1 200 OK\r\n")[1:]
        assert slow.endswith(b"slow")
        assert page.endswith(b"page")


@on_both_loops
async def test_bytes_behind_a_partial_head_belong_to_it():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        assert said(protocol, transport, HALF) == b""
        assert said(protocol, transport, GET).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@on_both_loops
async def test_bytes_of_a_body_are_no_request():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        head = post(GET)[: -len(GET)]
        assert said(protocol, transport, head).count(b"HTTP/1.1") == 1  # before the body has come
        assert said(protocol, transport, GET) == b""
        assert said(protocol, transport, GET).endswith(b"page")
        assert site.pages.asked == 2


@pytest.mark.parametrize("empty", [b"\r\n", b"\r"])
@on_both_loops
async def test_an_empty_line_before_a_request_counts_as_one(empty):
    """RFC 9112 §2.2: one is ignored, and more of them are no request."""
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        said(protocol, transport, b"\r\n" + GET)
        assert said(protocol, transport, empty) == b""
        rest = b"\r\n"[len(empty) :]
        assert said(protocol, transport, rest + GET).endswith(b"page")
        assert said(protocol, transport, empty) == b""  # the count begins anew
        assert said(protocol, transport, rest + GET).endswith(b"page")
        said(protocol, transport, b"\r\n")
        assert said(protocol, transport, b"\r\n" + GET).startswith(b"HTTP/1.1 400 ")


@on_both_loops
async def test_a_client_that_reads_nothing_gets_none():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        protocol.pause_writing()
        assert said(protocol, transport, GET) == b""
        assert said(protocol, transport, GET) == b""
        assert not transport.is_reading()
        protocol.resume_writing()
        await turns()
        assert transport.sent.count(b"page") == 2
        assert transport.is_reading()
        asked = site.pages.asked
        assert said(protocol, transport, GET).endswith(b"page")
        assert site.pages.asked == asked


@on_both_loops
async def test_the_last_of_a_client_that_sends_no_more_says_so():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        protocol.pause_writing()
        said(protocol, transport, GET)
        assert protocol.eof_received()
        protocol.resume_writing()
        await turns()
        assert b"\r\nConnection: close\r\n" in transport.sent
        assert transport.is_closing()
        assert b"Connection: close" not in said(*site.connect(), GET)


@on_both_loops
async def test_a_client_that_closes_its_half_after_one_is_left():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        said(protocol, transport, GET)
        assert protocol.eof_received() is False


@on_both_loops
async def test_a_connection_that_ends_gives_none():
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        said(protocol, transport, CLOSE)
        assert protocol._connection.phase is Phase.LEAVING
        assert said(protocol, transport, GET) == b""


@on_both_loops
async def test_a_server_that_stops_gives_none():
    """Of TLS bytes may still come then."""
    records = []
    with Site(access_log=records.append) as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        protocol.closing(10)
        assert transport.is_closing()
        assert said(protocol, transport, GET) == b""
        assert len(records) == 1


@pytest.mark.parametrize("empty", [b"\r", b"G"])
@on_both_loops
async def test_a_request_that_had_begun_when_the_server_stopped_is_the_last(empty):
    with Site() as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        said(protocol, transport, empty)
        protocol.closing(10)
        if empty == b"\r":
            assert said(protocol, transport, b"\n") == b""
            last = said(protocol, transport, GET)
        else:
            last = said(protocol, transport, GET[1:])
        assert b"\r\nConnection: close\r\n" in last
        assert transport.is_closing()


@on_both_loops
async def test_a_connection_that_was_taken_over_gives_none():
    @handler
    async def takes(self, _message, _payload):
        self.detach()

    with Site(takes) as site:
        protocol, transport = site.connect()
        said(protocol, transport, GET)
        said(protocol, transport, SLOW)
        assert said(protocol, transport, GET) == b""


# Whatever a client does, it cannot tell

SEGMENTS = [
    GET,
    HEAD,
    CLOSE,
    HALF,
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n" + GET,
    GET + GET,
    GET + HALF,
    GET[:1],
    GET[1:],
    SLOW,
    post(GET)[: -len(GET)],
    post(b"body"),
    b"nonsense\r\n\r\n",
]
ACTS = ["pause", "resume", "turn", "answer", "stop", "half_close"]


def pages(message):
    return None if message.path == "/slow" else Answer(200, (), b"page", lambda: True)


async def play(events, limit):
    """Let a client do all that, and return what it has seen in the end."""
    with Site(Slow, responders=(pages,), ready_limit=limit) as site:
        protocol, transport, _clock = site.timed()
        protocol._connection._parts.ticker.date = DATE
        said(*site.connect(), GET)
        said(*site.connect(), b"\r\n" + GET)
        for event in events:
            if not transport.is_closing():
                await act(event, protocol, transport)
        protocol.go_on.release()
        protocol.resume_writing()
        await turns()
        return transport.sent, transport.is_closing(), protocol._connection.phase


async def act(event, protocol, transport):
    match event:
        case "pause":
            protocol.pause_writing()
        case "resume":
            protocol.resume_writing()
        case "turn":
            await turns(2)
        case "answer":
            protocol.go_on.release()
        case "stop":
            protocol.closing(10)
        case "half_close":
            if not protocol.eof_received():
                transport.close()
        case data:
            protocol.data_received(data)


@given(st.lists(st.sampled_from(SEGMENTS + ACTS), max_size=12))
def test_a_client_sees_the_same_with_and_without(events):
    assert asyncio.run(play(events, 1_000_000)) == asyncio.run(play(events, 0))
