"""Which requests share a connection, and when it ends, as the wire shows it."""

from __future__ import annotations

import asyncio

import pytest

from aioserve import Response
from aioserve.handler_options import HandlerOptions
from aioserve.http.messages import Answer
from tests.wire import GET, Slow, handler, hello, on_both_loops, post, serving


@handler
async def echo(self, message, payload):
    """Answer with the path and the body."""
    body = message.path.encode() + await payload.read()
    if message.path == "/304":
        self.writer.write_response(304)
    elif message.path.startswith("/chunks"):
        response = Response(self.writer, 200)
        response.send_headers()
        response.write(body)
    elif message.path.startswith("/wait"):
        await asyncio.sleep(0)
        self.writer.write_response(200, body)
    else:
        self.writer.write_response(200, body)


def get(path, *fields, method="GET", version="1.1"):
    return "\r\n".join((f"{method} {path} HTTP/{version}", "Host: a", *fields, "", "")).encode()


# Persistence (RFC 9112 §9.3)


@pytest.mark.parametrize(
    ("reason", "request_bytes", "connection"),
    [
        ("1.1 persists, and says nothing", get("/"), None),
        ("nothing is needed for that", get("/", "Connection: keep-alive"), None),
        ("close", get("/", "Connection: close"), "close"),
        ("options have no case, and come in lists", get("/", "Connection: foo, Close"), "close"),
        ("close wins", get("/", "Connection: keep-alive, close"), "close"),
        ("1.0 does not persist", get("/", version="1.0"), "close"),
        ("unless it is asked to", get("/", "Connection: keep-alive", version="1.0"), "keep-alive"),
        ("1.0 needs a length for that", get("/chunks", "Connection: Keep-Alive", version="1.0"), "close"),
        ("RFC 9110 §2.5: 1.2 is treated as 1.1", get("/", version="1.2"), None),
    ],
)
@on_both_loops
async def test_the_connection_lives_on_as_the_answer_says(reason, request_bytes, connection):
    async with serving(echo) as server:
        client = await server.connect()
        client.send(request_bytes + get("/next"))
        reply = await client.reply()
        assert reply.headers.get("connection") == connection, reason
        assert "transfer-encoding" not in reply.headers or b"HTTP/1.0" not in request_bytes
        if connection == "close":
            assert await client.rest() == b""
        else:
            assert (await client.reply()).body == b"/next"


@pytest.mark.parametrize("keep_alive", [0, None, False])
@on_both_loops
async def test_without_keep_alive_each_answer_is_the_last(keep_alive):
    async with serving(echo, keep_alive=keep_alive) as server:
        client = await server.connect()
        client.send(GET + GET)
        assert (await client.reply()).closes
        assert await client.rest() == b""


@pytest.mark.parametrize("path", ["/", "/wait"])
@on_both_loops
async def test_a_handler_may_end_the_connection_after_its_answer(path):
    @handler
    async def ends(self, message, _payload):
        self.keep_alive(True)
        self.keep_alive(False)
        if message.path == "/wait":
            await asyncio.sleep(0)
        self.writer.write_response(200, "hello")

    async with serving(ends) as server:
        client = await server.connect()
        client.send(get(path) + GET)
        reply = await client.reply()
        assert (reply.body, reply.closes) == (b"hello", True)
        assert await client.rest() == b""


@on_both_loops
async def test_a_handler_may_not_keep_what_the_client_wants_closed():
    @handler
    def keeps(self, _message, _payload):
        self.keep_alive(True)
        self.writer.write_response(200, "hello")

    async with serving(keeps) as server:
        client = await server.connect()
        client.send(get("/", "Connection: close"))
        assert (await client.reply()).closes
        assert await client.rest() == b""


# Pipelining (RFC 9112 §9.3.2)


@pytest.mark.parametrize("path", ["/", "/wait", "/chunks"])
@on_both_loops
async def test_a_thousand_requests_in_one_segment_are_answered_in_order(path):
    async with serving(echo, access_log=None) as server:
        client = await server.connect()
        client.send(b"".join(get(f"{path}?{number}") for number in range(1000)))
        for number in range(1000):
            assert (await client.reply()).body == f"{path}?{number}".encode()


@on_both_loops
async def test_requests_of_every_kind_may_be_pipelined():
    async with serving(echo) as server:
        client = await server.connect()
        client.send(
            get("/1")
            + get("/2", method="HEAD")
            + get("/304")
            + post(b"body")
            + get("/wait")
            + get("/4", "Transfer-Encoding: chunked", method="POST")
            + b"3\r\nabc\r\n0\r\nX: y\r\n\r\n"
            + get("/chunks", method="HEAD")
            + get("/5")
        )
        replies = [await client.reply(method) for method in ("GET", "HEAD", *["GET"] * 4, "HEAD", "GET")]
        assert [reply.status for reply in replies] == [200, 200, 304, 200, 200, 200, 200, 200]
        assert [reply.body for reply in replies] == [
            *(b"/1", b"", b"", b"/body", b"/wait", b"/4abc", b"", b"/5"),
        ]


@on_both_loops
async def test_a_request_may_come_byte_by_byte():
    data = post(b"body") + get("/next")
    async with serving(echo) as server:
        client = await server.connect()
        loop = asyncio.get_running_loop()
        for position in range(len(data)):
            client.send(data[position : position + 1])
            arrived = loop.create_future()
            loop.call_soon(arrived.set_result, None)
            await arrived
        assert (await client.reply()).body == b"/body"
        assert (await client.reply()).body == b"/next"


@pytest.mark.parametrize("path", ["/", "/wait", "/chunks"])
@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (b"GET / HT/asd\r\nHost: a\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"!@#$ / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 400),
        (b"a" * 10_000, 501),
    ],
    ids=lambda value: str(value)[:20],
)
@on_both_loops
async def test_a_bad_request_costs_the_good_one_before_it_nothing(path, bad, status):
    async with serving(echo) as server:
        client = await server.connect()
        client.send(get(path) + bad + get("/next") * 2)
        assert (await client.reply()).body == path.encode()
        refused = await client.reply()
        assert (refused.status, refused.closes) == (status, True)
        assert await client.rest() == b""


@on_both_loops
async def test_what_follows_a_last_request_is_no_request():
    """RFC 9112 §9.6; and its answer is not lost over it."""
    async with serving(echo) as server:
        client = await server.connect()
        client.send(get("/", "Connection: close") + get("/next") * 1000)
        assert (await client.reply()).body == b"/"
        assert await client.rest() == b""


@on_both_loops
async def test_a_refusal_reaches_a_client_that_goes_on_sending():
    """RFC 9112 §9.6: a connection that is closed with bytes unread is reset."""
    async with serving(echo, max_body_size=1000) as server:
        client = await server.connect()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")
        for _ in range(9):
            client.send(b"x" * 100_000)
            await client.drained()
        reply = await client.reply("POST")
        assert (reply.status, reply.closes) == (413, True)
        assert await client.rest() == b""


@on_both_loops
async def test_a_large_last_answer_reaches_a_client_whose_body_is_left_unread():
    @handler
    async def answers(self, _message, _payload):
        self.keep_alive(False)
        await self.writer.write_response(200, b"x" * 5_000_000)

    async with serving(answers, lingering_time=0.02) as server:
        client = await server.connect()
        client.send(post(b"y" * 900_000))
        assert len((await client.reply()).body) == 5_000_000
        assert await client.rest() == b""


# What is asked of the whole server, or of nobody


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("a protocol that nobody knows", ("Connection: Upgrade", "Upgrade: tea/1.0")),
        ("h2c", ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")),
        ("Upgrade without its option", ("Upgrade: websocket",)),
    ],
)
@on_both_loops
async def test_an_upgrade_that_nobody_asks_for_is_ignored(reason, fields):
    """RFC 9110 §7.8: a server may go on in HTTP, and never switches to what was not asked for."""
    async with serving(echo) as server:
        client = await server.connect()
        for _ in range(2):
            client.send(get("/", *fields))
            reply = await client.reply()
            assert (reply.status, reply.body) == (200, b"/"), reason


@on_both_loops
async def test_426_names_the_protocol():
    @handler
    def wants(self, _message, _payload):
        response = Response(self.writer, 426)
        response.add_headers(("Upgrade", "tea/1.0"), ("Connection", "upgrade"))

    async with serving(wants) as server:
        reply = await server.ask()
        assert reply.headers["upgrade"] == "tea/1.0"
        assert reply.headers["connection"] == "upgrade"


@on_both_loops
async def test_an_answer_before_the_whole_request_is_none_of_the_next_ones():
    """A responder's and a handler's answers keep their order, whatever took how long."""
    responders = (lambda message: Answer(200, (), b"at once") if message.path == "/at-once" else None,)
    async with serving(Slow, HandlerOptions(responders=responders)) as server:
        client = await server.connect()
        client.send(GET + get("/at-once") + GET)
        protocol = await server.handler()
        for _ in range(2):
            protocol.go_on.release()
        assert [(await client.reply()).body for _ in range(3)] == [b"slow", b"at once", b"slow"]


@on_both_loops
async def test_many_clients_are_served_at_once():
    async with serving(hello) as server:
        clients = [await server.connect() for _ in range(50)]
        for client in clients:
            client.send(GET * 2)
        for client in clients:
            assert [(await client.reply()).body for _ in range(2)] == [b"hello"] * 2


@pytest.mark.parametrize(
    ("data", "line"), [(b"HEAD / HTTP/1.1\r\n\r\n", "HEAD / HTTP/1.1"), (b"\xff", "\udcff")]
)
@on_both_loops
async def test_a_refused_request_is_logged_by_its_first_line_and_a_head_gets_no_content(data, line):
    records = []
    async with serving(hello, access_log=records.append) as server:
        client = await server.connect()
        client.send(data)
        said = await client.rest()

    assert [(record.message, record.status, record.refused) for record in records] == [(None, 400, line)]
    assert said.endswith(b"\r\n\r\n") is line.startswith("HEAD ")  # RFC 9110 §9.3.2


@pytest.mark.parametrize(
    ("allowed", "methods"),
    [((), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"), (("GET", "PUT"), "GET, PUT")],
)
@on_both_loops
async def test_options_for_the_server_is_the_servers_to_answer(allowed, methods):
    async with serving(hello, access_log=None, allowed_methods=allowed) as server:
        reply = await server.ask(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")  # RFC 9110 §9.3.7

    assert (reply.status, reply.body, reply.headers["allow"]) == (200, b"", methods)
