"""Fuzz the request parser: the same bytes mean the same, however they are cut.

This file decides what must hold of `RequestParser` for any bytes at all. Run it by ``python -m fuzz.parser``,
with the file of a finding to see what is wrong with it; ``fuzz/run.py`` is what searches.
"""

# ruff: noqa: ANN001, ANN003, ANN201, ANN204, INP001 - scripts, with the tests' freedom from annotations

from __future__ import annotations

import sys

import atheris

from fuzz.pieces import CUTS, cut, one_by_one

with atheris.instrument_imports(include=["aioserve"]):
    from aioserve.errors import HttpProcessingError
    from aioserve.http1.parser import ParserLimits, RequestParser
    from aioserve.http1.rules import REGISTERED_METHODS

LIMITS = (
    ParserLimits(),
    ParserLimits(line=64, field=64, head=256, headers=8, body=256),
    ParserLimits(line=32, field=64, head=40, headers=3, body=16),
    ParserLimits(line=256, field=24, head=256, headers=8, body=0),
)
PLAN = 1 + CUTS  # bytes: limits, methods and scheme, then the sizes of the pieces
CHUNK_LINE_LIMIT = 8_192  # the parser's own for a line between chunks
WITH_TUNNELS = REGISTERED_METHODS | {b"CONNECT": "CONNECT"}


class Forgetful(dict):
    """Sections that are not remembered, so that every one is judged."""

    def __setitem__(self, key, value):
        """Keep nothing."""


def facts_of(message):
    """Return what a head says; whatever a handler may ask of it must have an answer."""
    _ = message.query, message.host, message.raw_path, message.url.geturl(), repr(message)
    fields = message.raw_headers
    if len(message.headers) != len(fields):
        raise AssertionError(f"{message.headers} are not {fields}")
    for name, _value in fields:
        if message.field(name.decode("ascii")) is None:
            raise AssertionError(f"{name} is a field and is not found")
    framing = message.chunked, message.content_length, message.expects_continue, message.should_close
    coding = message.compression, message.upgrade, message.scheme, message.version
    return message.method, message.path, fields, *framing, *coding


def must_be_bounded(parser, limits, *, is_in_body):
    """Fail where a parser from which everything was read keeps more than its limits let it."""
    head = limits.line + 2 + limits.head + 2
    most = CHUNK_LINE_LIMIT + 2 if is_in_body else head
    if parser.buffered > most:
        raise AssertionError(f"{parser.buffered} bytes are kept, and {most} are the most")


def read(pieces, limits, **options):
    """Read all there is: the requests, and how that ended."""
    parser = RequestParser(limits, **options)
    requests, facts, body = [], None, b""
    try:
        for piece in pieces:
            parser.receive_data(piece)
            while True:
                if facts is None:
                    message = parser.next_request()
                    if message is None:
                        break
                    facts, body = facts_of(message), b""
                body += parser.read_body()
                if not parser.body_is_complete:
                    break
                requests.append((facts, body))
                facts = None
            must_be_bounded(parser, limits, is_in_body=facts is not None)
    except HttpProcessingError as error:
        # How much of a body came out before its framing broke is the only thing that depends on the cuts.
        return requests, facts, error.code, str(error), error.headers
    if limits.body and len(body) > limits.body:
        raise AssertionError(f"{len(body)} bytes of content are over the limit of {limits.body}")
    return requests, facts, body if facts is not None else b"", parser.buffered


def test_one_input(data):
    """Read one input in every way, and compare."""
    if len(data) < PLAN:
        return
    plan, stream = data[0], data[PLAN:]
    limits = LIMITS[plan & 3]
    options = {
        "methods": WITH_TUNNELS if plan & 4 else REGISTERED_METHODS,
        "scheme": "https" if plan & 8 else "http",
    }
    sections = {}
    expected = read([stream], limits, sections=Forgetful(), **options)
    ways = {
        "byte by byte": read(one_by_one(stream), limits, sections=Forgetful(), **options),
        "in pieces": read(cut(stream, data[1:PLAN]), limits, **options),
        "with sections to remember": read([stream], limits, sections=sections, **options),
        "with sections remembered": read([stream], limits, sections=sections, **options),
        "byte by byte, with sections remembered": read(
            one_by_one(stream), limits, sections=sections, **options
        ),
    }
    for way, outcome in ways.items():
        if outcome != expected:
            raise AssertionError(f"{stream!r}\nat once: {expected}\n{way}: {outcome}")


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()
