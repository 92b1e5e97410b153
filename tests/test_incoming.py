"""What comes into a connection: bodies for their readers, and no more bytes than somebody can use."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve.content_coding import supported_codings
from aioserve.errors import (
    BadStatusLine,
    ClientDisconnectedError,
    HttpProcessingError,
    PayloadTooLarge,
    TransferEncodingError,
)
from aioserve.http1.parser import ParserLimits, RequestParser
from aioserve.incoming import DISCARD_LIMIT, Incoming, peer_of
from aioserve.payload import EMPTY_PAYLOAD, HIGH_WATER
from tests.doubles import FakeTransport, awaited
from tests.receiving import Receiving

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BUFFER_LIMIT = 65_536
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def head(*lines):
    return b"".join(line + b"\r\n" for line in (b"POST / HTTP/1.1", b"Host: a", *lines, b""))


def post(body, *lines):
    return head(b"Content-Length: %d" % len(body), *lines) + body


def read(payload):
    """Read everything, which must be there."""
    return asyncio.run(awaited(payload.read()))


async def begin_to_read(payload):
    """Read everything, which is still to come, in a task."""
    task = asyncio.create_task(awaited(payload.read()))
    await asyncio.sleep(0)
    return task


# Bodies


@pytest.mark.parametrize("data", [GET, head(b"Content-Length: 0")], ids=["GET", "empty POST"])
def test_a_request_without_a_body_has_the_empty_payload(data):
    receiving = Receiving()
    receiving.begin(data)

    assert receiving.payload is receiving.incoming.payload is EMPTY_PAYLOAD
    assert receiving.incoming.body_is_complete
    assert not receiving.incoming.is_expecting
    assert receiving.writer.persists


def test_a_body_that_came_with_its_head_is_there():
    receiving = Receiving()
    receiving.begin(post(b"body", b"Content-Type: text/plain; charset=latin-1") + GET)

    assert receiving.incoming.body_is_complete
    assert receiving.incoming.buffered == len(GET)
    assert receiving.payload.is_eof()
    assert read(receiving.payload) == b"body"


def test_a_body_may_come_later_and_in_pieces():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 9") + b"one")
    assert receiving.incoming.is_expecting
    receiving.more(b"two")
    assert receiving.incoming.is_expecting
    assert receiving.payload.read_nowait() == b"onetwo"
    receiving.more(b"sixGET")

    assert not receiving.incoming.is_expecting
    assert receiving.payload.read_nowait() == b"six"
    assert receiving.payload.at_eof()


def test_the_payload_knows_the_content_type():
    receiving = Receiving()
    receiving.begin(post(b"\xe4", b"Content-Type: text/plain; charset=latin-1"))

    assert asyncio.run(awaited(receiving.payload.text())) == "\xe4"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunks_come_out_as_one_body(size):
    receiving = Receiving()
    data = head(b"Transfer-Encoding: chunked") + b"3\r\none\r\n4;x=y\r\ntwo!\r\n0\r\nTrailer: t\r\n\r\n" + GET
    at = len(head(b"Transfer-Encoding: chunked"))
    receiving.begin(data[:at])
    for start in range(at, len(data), size):
        receiving.more(data[start : start + size])

    assert receiving.incoming.body_is_complete
    assert read(receiving.payload) == b"onetwo!"
    assert receiving.incoming.buffered == len(GET)


def test_requests_follow_one_another():
    receiving = Receiving()
    receiving.incoming.receive(post(b"first") + GET + post(b"third"))
    bodies = []
    while receiving.begin():
        bodies.append(read(receiving.payload))
        receiving.incoming.end_request()

    assert bodies == [b"first", b"", b"third"]


def test_what_is_no_request_is_refused():
    receiving = Receiving()
    with pytest.raises(BadStatusLine):
        receiving.begin(b"nonsense\r\n\r\n")
    receiving.incoming.give_up()

    assert not receiving.incoming.body_is_complete
    assert not receiving.incoming.discard_body()


# Content codings


def test_a_coding_is_taken_off():
    receiving = Receiving()
    receiving.begin(post(gzip.compress(b"body"), b"Content-Encoding: gzip"))

    assert read(receiving.payload) == b"body"


def test_a_coding_stays_where_nobody_wants_it_off():
    receiving = Receiving(auto_decompress=False)
    receiving.begin(post(coded := gzip.compress(b"body"), b"Content-Encoding: gzip"))

    assert read(receiving.payload) == coded


def test_another_coding_is_refused_and_the_answer_says_which_are_not():
    receiving = Receiving()
    with pytest.raises(HttpProcessingError) as caught:
        receiving.begin(post(b"body", b"Content-Encoding: compress"))

    assert caught.value.code == 415
    assert caught.value.headers == (("Accept-Encoding", ", ".join(supported_codings())),)
    assert receiving.incoming.discard_body()
    assert receiving.writer.persists


def test_a_refused_coding_ends_a_connection_that_waits_to_be_told_to_go_on():
    receiving = Receiving()
    with pytest.raises(HttpProcessingError):
        receiving.begin(head(b"Content-Length: 4", b"Content-Encoding: compress", b"Expect: 100-continue"))

    assert not receiving.writer.persists


def test_the_limit_is_on_the_decoded_body():
    receiving = Receiving(limits=ParserLimits(body=1000))
    receiving.begin(post(gzip.compress(bytes(1001)), b"Content-Encoding: gzip"))

    assert isinstance(receiving.payload.exception(), PayloadTooLarge)
    assert receiving.writer.persists  # what came can be told from the next request


# What goes wrong


def test_broken_framing_ends_the_body_and_the_connection():
    receiving = Receiving()
    receiving.begin(head(b"Transfer-Encoding: chunked") + b"3\r\none\r\n")
    receiving.more(b"nonsense\r\n")
    receiving.more(b"and more")

    assert isinstance(receiving.payload.exception(), TransferEncodingError)
    assert receiving.payload.read_nowait() == b"one"
    assert not receiving.writer.persists
    assert not receiving.incoming.body_is_complete
    assert not receiving.incoming.is_discardable


def test_what_is_broken_off_raises_after_what_came():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 9") + b"one")
    receiving.incoming.break_off(ClientDisconnectedError("gone"))

    assert receiving.payload.read_nowait() == b"one"
    with pytest.raises(ClientDisconnectedError):
        receiving.payload.read_nowait()


def test_without_a_body_there_is_nothing_to_break_off():
    receiving = Receiving()
    receiving.begin(GET)
    receiving.incoming.break_off(ClientDisconnectedError("gone"))

    assert receiving.payload.read_nowait() == b""


# 100 Continue (RFC 9110 §10.1.1)


def test_a_client_is_told_to_go_on_when_somebody_reads():
    async def main():
        receiving = Receiving()
        receiving.begin(head(b"Content-Length: 4", b"Expect: 100-continue"))
        assert not receiving.incoming.is_expecting  # the client waits for us, not we for it
        assert receiving.transport.sent == b""
        assert not receiving.writer.persists
        reading = await begin_to_read(receiving.payload)
        assert receiving.incoming.is_expecting
        assert receiving.transport.take_sent() == CONTINUE
        assert receiving.writer.persists
        receiving.more(b"body")
        assert await reading == b"body"
        assert receiving.transport.sent == b""

    asyncio.run(main())


def test_a_client_that_did_not_wait_is_told_nothing():
    receiving = Receiving()
    receiving.begin(post(b"body", b"Expect: 100-continue"))
    assert receiving.writer.persists

    assert read(receiving.payload) == b"body"
    assert receiving.transport.sent == b""


def test_a_client_that_already_got_its_answer_is_not_told_to_go_on():
    async def main():
        receiving = Receiving()
        receiving.begin(head(b"Content-Length: 4", b"Expect: 100-continue"))
        receiving.writer.write_response(413, b"no")
        answer = receiving.transport.take_sent()
        assert b"\r\nConnection: close\r\n" in answer
        reading = await begin_to_read(receiving.payload)
        assert receiving.transport.sent == b""
        reading.cancel()

    asyncio.run(main())


# Bodies that nobody reads


@pytest.mark.parametrize(
    ("length", "persists"), [(DISCARD_LIMIT, True), (DISCARD_LIMIT + 1, False)], ids=["small", "large"]
)
def test_a_body_too_large_to_be_read_away_ends_the_connection_unless_somebody_reads(length, persists):
    async def main():
        receiving = Receiving()
        receiving.begin(head(b"Content-Length: %d" % length))
        assert receiving.incoming.is_discardable is persists
        assert receiving.writer.persists is persists
        reading = await begin_to_read(receiving.payload)
        assert receiving.writer.persists
        reading.cancel()

    asyncio.run(main())


def test_an_unread_body_is_read_away():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 9") + b"one")
    assert receiving.incoming.discard_body()
    assert not receiving.incoming.body_is_complete
    receiving.incoming.receive(b"twosixGET")
    assert receiving.incoming.discard_body()

    assert receiving.incoming.body_is_complete
    assert receiving.incoming.buffered == 3


def test_who_kept_the_payload_cannot_read_what_is_read_away():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 9") + b"one")
    receiving.incoming.discard_body()
    receiving.incoming.receive(b"twosix")
    receiving.incoming.discard_body()

    with pytest.raises(RuntimeError, match="the request is over"):
        receiving.payload.read_nowait()


def test_a_body_whose_reader_was_too_slow_is_read_on_to_be_read_away():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 200000") + bytes(HIGH_WATER))
    assert not receiving.is_reading
    receiving.incoming.discard_body()

    assert receiving.is_reading


def test_at_the_end_of_a_request_its_payload_is_closed():
    receiving = Receiving()
    receiving.begin(post(b"body"))
    receiving.incoming.end_request()

    assert receiving.incoming.payload is EMPTY_PAYLOAD
    with pytest.raises(RuntimeError, match="the request is over"):
        receiving.payload.read_nowait()


# Flow control


def test_a_full_payload_pauses_and_one_that_has_been_read_resumes():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 1000000"))
    receiving.more(bytes(HIGH_WATER - 1))
    assert receiving.is_reading
    receiving.more(bytes(1))
    assert not receiving.is_reading
    assert not receiving.incoming.is_expecting
    receiving.payload.read_nowait(HIGH_WATER // 2)
    assert not receiving.is_reading
    receiving.payload.read_nowait()

    assert receiving.is_reading
    assert receiving.incoming.is_expecting


def test_what_the_parser_still_holds_comes_before_more_is_read():
    receiving = Receiving()
    receiving.begin(head(b"Content-Length: 1000000") + bytes(HIGH_WATER))
    receiving.more(bytes(HIGH_WATER))
    assert receiving.incoming.buffered == HIGH_WATER
    assert len(receiving.payload.read_nowait()) == HIGH_WATER
    assert receiving.incoming.buffered == 0
    assert not receiving.is_reading
    assert len(receiving.payload.read_nowait()) == HIGH_WATER

    assert receiving.is_reading


def test_a_body_that_came_whole_pauses_nothing_so_that_a_client_that_leaves_is_noticed():
    receiving = Receiving()
    receiving.begin(post(bytes(2 * HIGH_WATER)))

    assert receiving.payload.is_full
    assert receiving.is_reading


def test_pipelined_requests_pause_when_too_many_wait():
    receiving = Receiving()
    receiving.begin(GET)
    receiving.more(bytes(BUFFER_LIMIT))
    assert receiving.is_reading
    receiving.more(b"x")

    assert not receiving.is_reading


def test_a_flood_of_pipelined_requests_stays_out_until_most_are_answered():
    """Would each answer let in another read, the buffer would grow by more than the answer takes from it."""
    receiving = Receiving()
    flood = GET * (4 * BUFFER_LIMIT // len(GET))
    receiving.begin(GET)
    receiving.more(flood)
    most = receiving.incoming.buffered
    for _ in range(20_000):
        receiving.incoming.end_request()
        if receiving.is_reading:
            receiving.incoming.receive(flood)
        assert receiving.begin()
        receiving.incoming.feed()
        assert receiving.incoming.buffered <= most + BUFFER_LIMIT


def test_a_head_that_is_longer_than_what_may_wait_is_read_on():
    receiving = Receiving(limits=ParserLimits(field=10**6, head=10**6))
    receiving.begin(GET)
    receiving.more(head(b"X: " + b"x" * BUFFER_LIMIT)[:-4])
    assert not receiving.is_reading
    receiving.incoming.end_request()
    assert not receiving.begin()

    assert receiving.is_reading
    assert receiving.begin(b"\r\n\r\n")


def test_a_body_behind_a_flood_is_read_on():
    receiving = Receiving()
    receiving.begin(GET)
    receiving.more(head(b"Content-Length: 100000") + bytes(BUFFER_LIMIT))
    assert not receiving.is_reading
    receiving.incoming.end_request()
    receiving.begin()

    assert receiving.is_reading


def test_what_came_behind_a_request_is_handed_over_and_reading_goes_on():
    receiving = Receiving()
    receiving.begin(GET)
    receiving.more(rest := b"\x81\x00" * BUFFER_LIMIT)
    assert not receiving.is_reading

    assert receiving.incoming.take_rest() == rest
    assert receiving.incoming.take_rest() == b""
    assert receiving.is_reading


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 300_000), min_size=1, max_size=5),
    st.lists(st.integers(1, 200_000), max_size=20),
    st.booleans(),
)
def test_any_body_comes_out_whole_and_in_bounded_memory(sizes, reads, is_chunked):
    """The transport gives what is there, at most 64 KiB at once, whenever it may."""
    body = b"".join(bytes([at]) * size for at, size in enumerate(sizes))
    if is_chunked:
        chunks = (b"%x\r\n%b\r\n" % (size, bytes([at]) * size) for at, size in enumerate(sizes))
        wire = head(b"Transfer-Encoding: chunked") + b"".join(chunks) + b"0\r\n\r\n"
    else:
        wire = post(body)
    receiving = Receiving()
    receiving.begin(wire[:65_536])
    wire = wire[65_536:]
    got = []
    for number in [*reads, *[-1] * (len(body) // 10_000 + 5)]:
        got.append(receiving.payload.read_nowait(number))
        while wire and receiving.is_reading:
            receiving.more(wire[:65_536])
            wire = wire[65_536:]
        assert receiving.payload._buffered + receiving.incoming.buffered < HIGH_WATER + 65_536

    assert b"".join(got) == body
    assert receiving.payload.at_eof()


def test_it_shows_the_first_line_of_what_has_come():
    parser = RequestParser(ParserLimits())
    incoming = Incoming(FakeTransport(), parser)
    incoming.receive(b"GET / HTTP/1.1\r\nHost")
    assert incoming.first_line == b"GET / HTTP/1.1"


def test_it_tells_whether_nothing_of_a_request_has_come():
    receiving = Receiving()
    assert receiving.incoming.is_at_start
    assert not receiving.begin(b"\r\n")
    assert not receiving.incoming.is_at_start
    assert receiving.begin(GET)
    assert receiving.incoming.is_at_start


# Who sends


@pytest.mark.parametrize(
    ("reason", "peername", "expected"),
    [
        ("IPv4", ("192.0.2.1", 40000), ("192.0.2.1", 40000)),
        ("IPv6, without flow and scope", ("2001:db8::1", 40000, 0, 0), ("2001:db8::1", 40000)),
        ("a unix socket with a name", "/run/client", "/run/client"),
        ("one without", "", ""),
        ("nothing", None, None),
    ],
)
def test_address_of_the_client_is_that_of_the_transport(reason, peername, expected):
    assert peer_of(FakeTransport(peername=peername)) == expected, reason
