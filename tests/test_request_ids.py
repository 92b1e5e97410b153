"""Ids of requests: whose they are, how they are made, and where they appear."""

from __future__ import annotations

import re

import pytest

from aioserve.handler_options import HandlerOptions
from aioserve.request_ids import make_identifier
from tests.doubles import request
from tests.wire import GET, handler, on_both_loops, serving

MADE = re.compile(r"[0-9a-f]{20}")


def asking(*ids):
    """Write a request that brings these ids."""
    return GET[:-2] + b"".join(b"X-Request-Id: %b\r\n" % each for each in ids) + b"\r\n"


def identified(data):
    """Give a request its id, and return it."""
    message = request(data)
    assert make_identifier(wanted=True)(message) == message.request_id
    return message.request_id


def test_where_none_is_wanted_there_is_nothing_to_do():
    assert make_identifier(wanted=False) is None


@pytest.mark.parametrize(
    "value",
    [b"a", b"x" * 128, b"8f1e-._~:/+=@", b"0af7651916cd43dd8448eb211c80319c"],
)
def test_an_id_that_is_safe_is_taken(value):
    assert identified(asking(value)) == value.decode()


@pytest.mark.parametrize(
    "values",
    [(), (b"",), (b"x" * 129,), (b"a b",), (b"a,b",), (b"a", b"b"), (b"<b>",), (b"\xc3\xa9",), (b"%0a",)],
)
def test_in_place_of_another_one_is_made(values):
    assert MADE.fullmatch(identified(asking(*values)))


def test_those_that_are_made_differ_also_between_workers():
    makers = [make_identifier(wanted=True) for _ in range(2)]
    message = request()

    assert len({make(message) for _ in range(100) for make in makers}) == 200


@on_both_loops
async def test_handler_answer_and_log_have_the_same():
    seen, records = [], []

    @handler
    def handle(self, message, _payload):
        seen.append(message.request_id)
        self.writer.write_response(200, "")

    options = HandlerOptions(identify=make_identifier(wanted=True), access_log=records.append)
    async with serving(handle, options) as server:
        replies = [await server.ask(data) for data in (asking(b"abc"), GET)]

    assert [reply.headers["x-request-id"] for reply in replies] == seen
    assert [record.message.request_id for record in records] == seen
    assert seen[0] == "abc"
    assert MADE.fullmatch(seen[1])
