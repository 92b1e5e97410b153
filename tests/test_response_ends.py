"""One request has one answer: neither another one nor a late one gets a byte to the client."""

from __future__ import annotations

import pytest

from aioserve.response import Response
from tests.answers import Answering


def test_the_writer_knows_the_answer_that_was_made_last_and_then_the_one_that_was_sent():
    answering = Answering()
    first, second = Response(answering.writer, 200), Response(answering.writer, 404)
    assert answering.writer.response is second
    first.send_headers()
    third = Response(answering.writer, 500)

    assert answering.writer.response is first
    for other in (second, third):
        with pytest.raises(RuntimeError, match="the answer has begun already"):
            other.send_headers()
        for act in (lambda other=other: other.write(b"into another's body"), other.write_eof):
            with pytest.raises(RuntimeError, match="the head has not been sent"):
                act()


@pytest.mark.parametrize("has_filter", [False, True])
@pytest.mark.parametrize("was_sent", [False, True])
def test_who_kept_an_answer_can_send_nothing_after_its_request(was_sent, has_filter):
    answering = Answering()
    response = Response(answering.writer, 200)
    if has_filter:
        response.add_compression_filter()
    if was_sent:
        response.send_headers()
    answering.writer.close()
    sent = answering.sent
    for act in (response.send_headers, lambda: response.write(b"stale"), response.send_empty):
        with pytest.raises(RuntimeError):
            act()
    if was_sent:
        response.write_eof()
    with pytest.raises(RuntimeError, match=r"the request is over|has begun already"):
        Response(answering.writer, 200).send_headers()

    assert answering.sent == sent
