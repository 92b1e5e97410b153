"""Whatever a body passes on its way, a client decodes it to what was written."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aioserve.response import Response
from tests.answers import GET, HEAD, OLD_GET, Answering

JUDGES = {"gzip": gzip.decompress, "deflate": zlib.decompress}
FILTERS = st.lists(st.integers(1, 5_000), max_size=2)
PIECES = st.lists(st.binary(max_size=40) | st.builds(bytes, st.integers(0, 1_000)), max_size=5)


@settings(deadline=None)
@given(
    pieces=PIECES,
    before=FILTERS,
    coding=st.sampled_from([None, "gzip", "deflate"]),
    after=FILTERS,
    request_=st.sampled_from([GET, OLD_GET, HEAD]),
)
def test_filters_in_any_order_give_what_a_client_decodes_to_the_body(pieces, before, coding, after, request_):
    answering = Answering(request_)
    response = Response(answering.writer, 200)
    response.add_header("Content-Length", str(sum(map(len, pieces))))
    for size in before:
        response.add_chunking_filter(size)
    if coding:
        response.add_compression_filter(coding)
    for size in after:
        response.add_chunking_filter(size)
    response.send_headers()
    for piece in pieces:
        response.write(piece)
    response.write_eof()
    seen = answering.see()

    assert seen.headers.get("content-encoding") == coding
    assert seen.is_whole
    assert seen.rest == b""
    body = b"" if request_ == HEAD else b"".join(pieces)
    assert (JUDGES[coding](seen.body) if coding and request_ != HEAD else seen.body) == body
    assert ("content-length" in seen.headers) is (coding is None)


def test_what_a_filter_held_back_may_be_too_long_too():
    answering = Answering()
    response = Response(answering.writer, 200)
    response.add_chunking_filter(100)
    response.add_header("Content-Length", "4")
    response.send_headers()
    response.write(b"body and more")
    with pytest.raises(RuntimeError, match="9 bytes longer"):
        response.write_eof()
    response.write_eof()

    assert answering.see().body == b"body"
