"""What becomes of the body of a request: read, left unread, broken, or cut short by its client."""

from __future__ import annotations

import asyncio
import gzip
import logging

import pytest

from aioserve import BadHttpMessage, ClientDisconnectedError, HttpProcessingError, Response
from tests.wire import (
    EARLY,
    GET,
    Slow,
    connected,
    errors,
    handler,
    hello,
    on_both_loops,
    post,
    serving,
    turns,
)

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
EXPECT = "Expect: 100-continue"


@handler
async def echo(self, _message, payload):
    self.writer.write_response(200, await payload.read())


@handler
async def answers_late(self, _message, _payload):
    """Answer when a good part of the body must have come."""
    for _ in range(50):
        await asyncio.sleep(0)
    self.writer.write_response(200, "hello")


def head(length, *fields):
    """Return a head without its body."""
    return "\r\n".join(("POST / HTTP/1.1", "Host: a", f"Content-Length: {length}", *fields, "", "")).encode()


# Read


@pytest.mark.parametrize("size", [0, 1, 65_536, 200_000, 3_000_000])
@on_both_loops
async def test_a_body_is_read_whole(size):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    async with serving(echo) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(post(body))
            assert (await client.reply()).body == body
        client.send(CHUNKED + b"%x\r\n%b\r\n" % (size, body) * bool(size) + b"0\r\n\r\n")
        assert (await client.reply()).body == body


@on_both_loops
async def test_a_body_is_read_while_its_answer_is_written():
    @handler
    async def mirror(self, _message, payload):
        response = Response(self.writer, 200)
        response.send_headers()
        async for piece in payload.iter_chunked(1000):
            await response.write(piece)

    async with serving(mirror) as server:
        client = await server.connect()
        client.send(head(2_000_000))
        sent = asyncio.create_task(upload(client, 2_000_000))
        assert len((await client.reply()).body) == 2_000_000
        await sent


async def upload(client, size):
    for _ in range(0, size, 50_000):
        client.send(b"x" * 50_000)
        await client.drained()


# Left unread (RFC 9112 §9.3)


@pytest.mark.parametrize("size", [1, 100_000, 200_000, 262_144])
@pytest.mark.parametrize("each", [hello, answers_late], ids=["at once", "late"])
@pytest.mark.parametrize("coding", ["length", "chunks"])
@on_both_loops
async def test_a_small_unread_body_is_read_away(size, each, coding):
    body = b"GET /" + b"x" * size
    data = (
        post(body[:size]) if coding == "length" else CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (size, body[:size])
    )
    async with serving(each) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(data)
            reply = await client.reply()
            assert (reply.body, reply.closes) == (b"hello", False)


@pytest.mark.parametrize("each", [hello, answers_late], ids=["at once", "late"])
@on_both_loops
async def test_a_large_unread_body_ends_the_connection_and_the_answer_is_whole(each):
    async with serving(each) as server:
        client = await server.connect()
        client.send(post(b"x" * 900_000))
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"hello", True)
        assert await client.rest() == b""


@on_both_loops
async def test_an_unread_body_whose_length_nobody_knows_is_read_away_for_a_while():
    async with serving(hello) as server:
        client = await server.connect()
        client.send(CHUNKED + b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        assert (await client.reply()).body == b"hello"
        for _ in range(8):
            client.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            await client.drained()
        assert await client.rest() == b""


@on_both_loops
async def test_an_unread_body_that_makes_no_sense_ends_the_connection():
    async with serving(hello) as server:
        client = await server.connect()
        client.send(CHUNKED + b"5\r\nabc")
        assert (await client.reply()).body == b"hello"
        client.send(b"de?" + GET)
        assert await client.rest() == b""


@on_both_loops
async def test_a_handler_that_fails_with_a_large_body_unread_is_answered(caplog):
    @handler
    def fails(_self, _message, _payload):
        raise ValueError("unread")

    async with serving(fails) as server:
        client = await server.connect()
        client.send(post(b"x" * 500_000))
        reply = await client.reply()
        assert (reply.status, reply.closes) == (500, True)
        assert await client.rest() == b""
    assert errors(caplog) == [EARLY.replace("GET", "POST")]


@on_both_loops
async def test_a_body_that_was_begun_and_left_may_end_the_connection():
    @handler
    async def begins(self, _message, payload):
        await payload.read(10)
        self.writer.write_response(200, "hello")

    async with serving(begins) as server:
        client = await server.connect()
        client.send(post(b"x" * 900_000))
        assert (await client.reply()).body == b"hello"
        assert await client.rest() == b""


# Expect (RFC 9110 §10.1.1)


@pytest.mark.parametrize("expectation", ["100-continue", "100-Continue"])
@on_both_loops
async def test_100_continue_is_sent_when_the_handler_reads(expectation):
    async with serving(Slow) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(head(4, f"Expect: {expectation}"))
            protocol = await server.handler()
            await protocol.entered.get()
            protocol.go_on.release()
            assert await client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.send(b"body")
            reply = await client.reply()
            assert (reply.body, reply.closes, reply.interim) == (b"slow", False, ())
        assert protocol.bodies == [b"body"] * 2


@pytest.mark.parametrize("status", [200, 403])
@on_both_loops
async def test_an_early_answer_takes_the_place_of_100_continue(status):
    """It says close, for the client may send its body or not."""

    @handler
    def answers(self, _message, _payload):
        self.writer.write_response(status, "early")

    async with serving(answers) as server:
        client = await server.connect()
        client.send(head(4, EXPECT))
        reply = await client.reply()
        assert (reply.status, reply.interim, reply.closes) == (status, (), True)
        client.send(b"body" + GET)
        assert await client.rest() == b""


@on_both_loops
async def test_no_100_continue_inside_of_an_answer():
    @handler
    async def begins(self, _message, payload):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(b"got: ")
        response.write(await payload.read())

    async with serving(begins) as server:
        client = await server.connect()
        client.send(head(4, EXPECT))
        await client.until(b"got: \r\n")
        client.send(b"body")
        assert await client.until(b"0\r\n\r\n") == b"4\r\nbody\r\n0\r\n\r\n"
        assert await client.rest() == b""


@on_both_loops
async def test_a_final_answer_follows_100_also_for_an_error():
    @handler
    async def fails(_self, _message, payload):
        await payload.read()
        raise HttpProcessingError(422)

    async with serving(fails) as server:
        client = await server.connect()
        client.send(head(4, EXPECT))
        await client.until(b"100 Continue\r\n\r\n")
        client.send(b"body")
        reply = await client.reply()
        assert (reply.status, reply.closes) == (422, False)


@pytest.mark.parametrize(
    ("reason", "data", "closes"),
    [
        ("the body is there already", head(4, EXPECT) + b"body", False),
        ("there is no body", head(0, EXPECT), False),
        ("HTTP/1.0 knows no interim answers", head(4, EXPECT).replace(b"1.1", b"1.0") + b"body", True),
    ],
)
@on_both_loops
async def test_100_continue_is_left_out(reason, data, closes):
    async with serving(echo) as server:
        reply = await server.ask(data)
        assert (reply.status, reply.interim, reply.closes) == (200, (), closes), reason


# Codings and limits


@on_both_loops
async def test_a_coded_body_is_decoded():
    body = b"hello " * 50_000
    async with serving(echo) as server:
        client = await server.connect()
        for coding in ("gzip", "x-gzip", "GZIP"):
            client.send(post(gzip.compress(body), f"Content-Encoding: {coding}"))
            assert (await client.reply()).body == body


@on_both_loops
async def test_a_coded_body_is_left_alone_where_that_is_wanted():
    body = gzip.compress(b"hello")
    async with serving(echo, auto_decompress=False) as server:
        for coding in ("gzip", "tea"):
            assert (await server.ask(post(body, f"Content-Encoding: {coding}"))).body == body


@pytest.mark.parametrize(
    ("reason", "data", "closes"),
    [
        ("a small body is read away", post(b"body", "Content-Encoding: tea"), False),
        ("a large one is not", post(b"x" * 300_000, "Content-Encoding: tea"), True),
        ("the client may or may not send it", head(4, "Content-Encoding: gzip, tea", EXPECT), True),
    ],
)
@on_both_loops
async def test_a_coding_that_nobody_knows_is_415(reason, data, closes):
    """RFC 9110 §12.5.3: with what is known in Accept-Encoding."""
    async with serving(hello) as server:
        reply = await server.ask(data)
        assert (reply.status, reply.interim, reply.closes) == (415, (), closes), reason
        assert "gzip" in reply.headers["accept-encoding"].split(", ")


@on_both_loops
async def test_a_body_that_does_not_decode_is_400_and_the_connection_lives():
    async with serving(echo) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(post(b"no gzip", "Content-Encoding: gzip"))
            reply = await client.reply()
            assert (reply.status, reply.closes) == (400, False)


@pytest.mark.parametrize(
    ("reason", "data", "closes"),
    [
        ("by its length, before anything is read", head(1001), True),
        ("by its chunks", CHUNKED + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", True),
        ("decoded", post(gzip.compress(b"x" * 1001), "Content-Encoding: gzip"), False),
    ],
)
@on_both_loops
async def test_a_body_over_the_limit_is_413(reason, data, closes):
    async with serving(echo, max_body_size=1000) as server:
        client = await server.connect()
        client.send(data)
        reply = await client.reply()
        assert (reply.status, reply.closes) == (413, closes), reason
        if closes:
            assert await client.rest() == b""
        client = await server.connect()
        client.send(CHUNKED + b"3e8\r\n" + b"x" * 1000 + b"\r\n0\r\n\r\n")
        assert (await client.reply()).status == 200


# Broken


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    "broken", [b"x\r\n", b"5\r\nabcdefgh", b"5;\x00\r\nabcde\r\n", b"fffffffffffffffff\r\n"]
)
@on_both_loops
async def test_a_body_that_breaks_in_the_middle_is_400_and_the_end(waits, broken):
    async with serving(echo) as server:
        client = await server.connect()
        client.send(CHUNKED + b"3\r\nabc\r\n" + (b"" if waits else broken))
        if waits:
            await server.handler()
            client.send(broken)
        client.send(GET)
        reply = await client.reply()
        assert (reply.status in (400, 413), reply.closes) == (True, True)
        assert await client.rest() == b""


@on_both_loops
async def test_an_answer_in_spite_of_a_broken_body_says_close():
    @handler
    async def answers(self, _message, payload):
        with pytest.raises(BadHttpMessage):
            await payload.read()
        self.writer.write_response(200, "hello")

    async with serving(answers) as server:
        client = await server.connect()
        client.send(CHUNKED + b"3\r\nabc\r\nx\r\n" + GET)
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"hello", True)
        assert await client.rest() == b""


# Cut short


@pytest.mark.parametrize("leave", ["close", "reset", "half_close"])
@pytest.mark.parametrize("data", [head(10) + b"half", CHUNKED + b"4\r\nhalf\r\n"], ids=["length", "chunks"])
@on_both_loops
async def test_a_client_that_goes_in_the_middle_of_a_body_is_no_error(leave, data, caplog):
    caplog.set_level(logging.DEBUG, "aioserve.server")
    outcome = []
    began, ended = asyncio.Event(), asyncio.Event()

    @handler
    async def reads(_self, _message, payload):
        try:
            outcome.append(await payload.readany())
            began.set()
            await payload.read()
        except ClientDisconnectedError as error:
            outcome.append(type(error))
            raise
        finally:
            ended.set()

    async with serving(reads, debug=True, access_log=None) as server:
        client = await server.connect()
        client.send(data)
        await began.wait()
        getattr(client, leave)()
        await ended.wait()
        if leave == "half_close":  # RFC 9112 §8: never answered as if it were whole
            assert await client.rest() == b""
    assert outcome == [b"half", ClientDisconnectedError]
    assert [record.getMessage() for record in caplog.records if record.name == "aioserve.server"] == [
        "Ignored premature client disconnection."
    ]


@on_both_loops
async def test_a_client_that_goes_while_its_body_is_held_back_is_noticed():
    entered, ended = asyncio.Event(), asyncio.Event()

    @handler
    async def reads(_self, _message, payload):
        entered.set()
        await go_on.wait()
        with pytest.raises(ClientDisconnectedError):
            await payload.read()
        ended.set()

    go_on = asyncio.Event()
    async with serving(reads) as server:
        client = await server.connect()
        client.send(head(2_000_000) + b"x" * 500_000)
        await entered.wait()
        client.reset()
        go_on.set()
        await ended.wait()


@on_both_loops
async def test_a_large_body_that_has_come_whole_costs_no_connection():
    """Its handler never has to wait for it, and so never says that it wants it."""
    protocol, transport = connected(reads_it_all)
    body = bytes(300_000)
    protocol.data_received(head(len(body)) + body)
    await turns()

    assert transport.sent.endswith(b"300000")
    assert b"Connection: close" not in transport.sent
    assert not transport.is_closing()
    protocol.connection_lost(None)


@handler
async def reads_it_all(self, _message, payload):
    self.writer.write_response(200, str(len(await payload.read())))
