"""The error pages of a handler: which status, which form, and what becomes of the connection."""

from __future__ import annotations

import pytest

from aioserve import HttpProcessingError, ServerHttpProtocol
from tests.wire import EARLY, GET, Slow, connected, errors, handler, on_both_loops, serving, turns


def get(*fields):
    return "\r\n".join(("GET / HTTP/1.1", "Host: a", *fields, "", "")).encode()


@pytest.mark.parametrize(
    ("accept", "content_type", "body"),
    [
        (None, "text/plain; charset=utf-8", b"403 Forbidden\n\nNot <you>.\n"),
        ("*/*", "text/plain; charset=utf-8", b"403 Forbidden\n\nNot <you>.\n"),
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8", b"<p>Not &lt;you&gt;.</p>"),
        (
            "application/json",
            "application/json",
            b'{"status": 403, "error": "Forbidden", "message": "Not <you>."}\n',
        ),
    ],
)
@on_both_loops
async def test_an_error_page_is_what_the_client_accepts(accept, content_type, body):
    @handler
    def fails(_self, _message, _payload):
        raise HttpProcessingError(403, "Not <you>.")

    async with serving(fails) as server:
        reply = await server.ask(get(f"Accept: {accept}") if accept else GET)
        assert reply.status == 403
        assert reply.headers["content-type"] == content_type
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert body in reply.body


@pytest.mark.parametrize("accept", ["text/html", "text/plain", "application/json"])
@on_both_loops
async def test_with_debug_a_500_shows_the_traceback(accept):
    @handler
    def fails(_self, _message, _payload):
        raise ValueError("<script>é")

    async with serving(fails, debug=True) as server:
        page = (await server.ask(get(f"Accept: {accept}"))).body.decode()
        assert "Traceback (most recent call last):" in page
        assert "test_server_errors.py" in page
        assert ("<script>é" in page) is (accept != "text/html")
        assert ("&lt;script&gt;é" in page) is (accept == "text/html")


@pytest.mark.parametrize("error", [HttpProcessingError(404), HttpProcessingError(503)], ids=repr)
@on_both_loops
async def test_other_errors_are_no_news_also_with_debug(error, caplog):
    @handler
    def fails(_self, _message, _payload):
        raise error

    async with serving(fails, debug=True) as server:
        assert b"Traceback" not in (await server.ask()).body
    assert errors(caplog) == []


@pytest.mark.parametrize("status", [999, 600, 299, 199, 100, 0, -1])
@on_both_loops
async def test_a_status_that_does_not_exist_is_500(status, caplog):
    @handler
    def fails(_self, _message, _payload):
        raise HttpProcessingError(status)

    async with serving(fails) as server:
        reply = await server.ask()
        assert (reply.status, reply.reason) == (500, "???")
    assert errors(caplog) == [EARLY]


@on_both_loops
async def test_an_exception_that_cannot_be_shown_is_a_500_too():
    class Strange(Exception):  # noqa: N818
        def __str__(self):
            raise ValueError

    @handler
    def fails(_self, _message, _payload):
        raise Strange

    async with serving(fails, debug=True) as server:
        assert (await server.ask()).status == 500


# A handler that calls handle_error itself


@on_both_loops
async def test_a_page_that_a_handler_asks_for_ends_the_connection(caplog):
    @handler
    async def refuses(self, message, payload):
        await self.handle_error(
            404, message, payload, headers=(("X-Server", "asyncio"),), reason="Gone Fishing"
        )

    async with serving(refuses) as server:
        client = await server.connect()
        client.send(GET + GET)
        reply = await client.reply()
        assert (reply.status, reply.reason, reply.closes) == (404, "Gone Fishing", True)
        assert reply.headers["x-server"] == "asyncio"
        assert await client.rest() == b""
    assert errors(caplog) == []


@on_both_loops
async def test_a_500_is_logged_with_what_is_known(caplog):
    @handler
    def refuses(self, message, _payload):
        self.handle_error(500, message)

    async with serving(refuses) as server:
        assert (await server.ask()).status == 500
    ServerHttpProtocol().handle_error()
    assert errors(caplog) == [EARLY, "Error handling request "]


@on_both_loops
async def test_a_page_with_its_exception_leaves_the_connection():
    @handler
    def refuses(self, message, payload):
        error = HttpProcessingError(409, "Not now.")
        self.handle_error(error.code, message, payload, error)

    async with serving(refuses) as server:
        client = await server.connect()
        client.send(GET + GET)
        for _ in range(2):
            reply = await client.reply()
            assert (reply.status, reply.closes) == (409, False)
            assert b"Not now." in reply.body


@on_both_loops
async def test_a_client_that_has_gone_gets_no_page():
    protocol, transport = connected(Slow)
    protocol.data_received(GET)
    protocol.connection_lost(None)
    assert protocol.handle_error(404) == ()
    assert protocol.writer.keep_alive is False
    protocol.go_on.release()
    await turns()
    assert transport.sent == b""
