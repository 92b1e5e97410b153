"""Bytes that come and that nobody wants: how many are thrown away before the connection is."""

from __future__ import annotations

from aioserve.incoming import DISCARD_LIMIT
from tests.receiving import Receiving

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_an_endless_body_is_read_away_up_to_a_limit_which_begins_anew_with_each_request():
    receiving = Receiving()
    for _ in range(2):
        receiving.begin(CHUNKED)
        for _ in range(2):
            receiving.incoming.receive(b"%x\r\n%b\r\n" % (DISCARD_LIMIT // 2, bytes(DISCARD_LIMIT // 2)))
            assert receiving.incoming.discard_body()
        receiving.incoming.receive(b"0\r\n\r\n")
        assert receiving.incoming.discard_body()
        receiving.incoming.end_request()
    receiving.begin(CHUNKED)
    receiving.incoming.receive(b"%x\r\n%b" % (DISCARD_LIMIT + 1, bytes(DISCARD_LIMIT + 1)))

    assert not receiving.incoming.discard_body()


def test_a_broken_body_is_not_read_away():
    receiving = Receiving()
    receiving.begin(CHUNKED)
    receiving.incoming.receive(b"nonsense\r\n")

    assert not receiving.incoming.discard_body()
    assert not receiving.incoming.discard_body()


def test_what_comes_behind_the_last_answer_may_not_be_too_much():
    receiving = Receiving()
    receiving.begin(GET)
    receiving.incoming.end_request()
    for _ in range(64):
        assert receiving.incoming.throw_away(bytes(1 << 20))

    assert not receiving.incoming.throw_away(b"x")
