"""A request that a proxy passes on is its client's before anybody sees it."""

from __future__ import annotations

from aioserve.handler_options import HandlerOptions
from tests.pages import Site, said
from tests.wire import GET, handler, on_both_loops, serving

CLIENT = ("192.0.2.7", 0)


def tell(message):
    """Play what reads the words of a proxy."""
    message.peer = (*CLIENT[:1], message.peer[1])
    message.set_origin("https", "a.example")


@on_both_loops
async def test_responders_handlers_and_the_log_see_the_client():
    seen, records = [], []

    def respond(message):
        seen.append(message.url.geturl())

    @handler
    def handle(self, message, _payload):
        seen.append((message.peer[0], message.url.geturl()))
        self.writer.write_response(200, "")

    defaults = HandlerOptions(responders=(respond,), read_origin=tell, access_log=records.append)
    async with serving(handle, defaults) as server:
        await server.ask()
    assert seen == ["https://a.example/", ("192.0.2.7", "https://a.example/")]
    assert [record.peer[0] for record in records] == ["192.0.2.7"]


@on_both_loops
async def test_log_of_a_ready_answer_does_too():
    records = []
    with Site(read_origin=tell, access_log=records.append) as site:
        for port in (1, 2):
            said(*site.connect(peername=("127.0.0.1", port)), GET)
    assert [record.peer for record in records] == [("192.0.2.7", 1), ("192.0.2.7", 2)]
    assert site.pages.asked == 1


@on_both_loops
async def test_without_a_proxy_it_is_the_connections():
    records = []
    with Site(access_log=records.append) as site:
        for port in (1, 2):
            said(*site.connect(peername=("127.0.0.1", port)), GET)
    assert [record.peer for record in records] == [("127.0.0.1", 1), ("127.0.0.1", 2)]
