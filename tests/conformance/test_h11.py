"""h11, which shares no line with ours, reads the same requests in a row's bytes and takes every answer."""

from __future__ import annotations

from itertools import chain, repeat
from typing import NamedTuple

import h11
import pytest

import aioserve
from aioserve.errors import HttpProcessingError
from aioserve.handler_options import HandlerOptions
from aioserve.http1.parser import ParserLimits, RequestParser
from aioserve.static.responder import StaticFiles
from tests.conformance.differences import CAUSES, DIFFERENCES
from tests.conformance.rows import ROWS
from tests.wire import GET, handler, hello, on_both_loops, serving

LAST = GET.replace(b"Host", b"Connection: close\r\nHost")
every_name = pytest.mark.parametrize("name", ROWS)


# As a server


class Reading(NamedTuple):
    """What a parser finds in some bytes.

    Attributes:
        requests: method, target and content of each that is complete.
        end: ``refused``, ``incomplete``, ``closed`` by the last request, or ``open`` for another one.
    """

    requests: list[tuple[bytes, bytes, bytes]]
    end: str


def read_by_ours(data):
    parser, requests = RequestParser(ParserLimits()), []
    parser.receive_data(data)
    try:
        while (message := parser.next_request()) is not None:
            body = b""
            while part := parser.read_body():
                body += part
            if not parser.body_is_complete:
                return Reading(requests, "incomplete")
            requests.append((message.method.encode(), message.path.encode(), body))
            if message.should_close:
                return Reading(requests, "closed")
    except HttpProcessingError:
        return Reading(requests, "refused")
    return Reading(requests, "incomplete" if parser.buffered else "open")


def read_by_h11(data):
    connection, requests, body = h11.Connection(h11.SERVER), [], b""
    connection.receive_data(data)
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            return Reading(requests, "refused")
        match event:
            case h11.Request() as head:
                body = b""
            case h11.Data(data=part):
                body += part
            case h11.EndOfMessage():
                requests.append((head.method, head.target, bytes(body)))
                # Any answer will do that takes no upgrade and promises no tunnel.
                connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return Reading(requests, "closed")
                connection.start_next_cycle()
            case h11.NEED_DATA:
                is_between = connection.their_state is h11.IDLE and not connection.trailing_data[0]
                return Reading(requests, "open" if is_between else "incomplete")


@every_name
def test_both_read_the_same_requests_or_the_difference_is_accounted_for(name):
    row, known = ROWS[name], DIFFERENCES.get(name)
    data = row.sent + row.later
    ours, theirs = read_by_ours(data), read_by_h11(data)
    if ours == theirs:
        assert known is None, (
            f"h11 and ours agree by now: take {name!r} out of CAUSES in tests/conformance/differences.py"
        )
    else:
        assert known is not None, (
            f"h11 reads this row differently: judge which is right, and why, by a clause, and enter {name!r} "
            "in CAUSES in tests/conformance/differences.py; if ours is wrong, mend it instead.\n"
            f"sent: {data[:500]!r}\nours: {ours}\nh11:  {theirs}"
        )
        assert known.ours_refuses == (ours.end == "refused"), f"they differ otherwise: {ours}, {theirs}"


@every_name
def test_neither_reads_other_requests_than_the_other(name):
    """One may refuse or end where the other goes on; both going on in two ways is what smugglers need."""
    data = ROWS[name].sent + ROWS[name].later
    ours, theirs = read_by_ours(data).requests, read_by_h11(data).requests
    common = min(len(ours), len(theirs))
    assert ours[:common] == theirs[:common]


def test_each_difference_is_of_one_row_and_has_a_clause():
    names = [name for names in CAUSES.values() for name in names]
    assert len(names) == len(DIFFERENCES)
    assert DIFFERENCES.keys() - ROWS.keys() == set(), "these rows are gone: take them out of CAUSES"
    assert all(cause.reason for cause in CAUSES)


# As a client


def read_answers(said, methods=()):
    """Let h11 read all answers to requests of these methods; return status, fields and content of each.

    An interim answer is one of them, without content. h11 raises for what is framed wrongly, and the end of
    the bytes is the end of the connection.
    """
    answers = []
    for method in chain(methods, repeat("GET")):
        if not said:
            return answers
        connection, body = h11.Connection(h11.CLIENT), b""
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        connection.send(h11.EndOfMessage())
        connection.receive_data(said)
        connection.receive_data(b"")
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            match event:
                case h11.InformationalResponse(status_code=status):
                    answers.append((status, {}, b""))
                case h11.Response() as head:
                    pass
                case h11.Data(data=part):
                    body += part
                case _:
                    raise AssertionError(event)
        fields = {key.decode(): value.decode() for key, value in head.headers}
        assert len(fields) == len(head.headers), "no field comes twice"
        answers.append((head.status_code, fields, bytes(body)))
        said = connection.trailing_data[0]
    raise AssertionError("unreachable")  # pragma: no cover - there are always more methods


class Echo(aioserve.ServerHttpProtocol):
    """Reads the body and says 200 and the method."""

    async def handle_request(self, message, payload):
        await payload.read()
        self.writer.write_response(200, message.method)


@every_name
@on_both_loops
async def test_every_answer_to_a_row_is_one_to_h11(name):
    row = ROWS[name]
    async with serving(Echo, access_log=None) as server:
        client = await server.connect()
        client.send(row.sent)
        said = await client.until(b"\r\n\r\n") if row.later else b""
        client.send(row.later + LAST * row.stays)
        if row.half_closes:
            client.half_close()
        said += await client.rest()

    data = row.sent + row.later
    requests = read_by_ours(data).requests
    # What ours refused and h11 read has a method as well, which says whether the refusal has content.
    methods = [method for method, _, _ in max(requests, read_by_h11(data).requests, key=len)]
    if not methods and data.startswith(b"HEAD "):  # neither read it, and yet it says which method it has
        methods = [b"HEAD"]
    answers = read_answers(said, methods)
    assert [status for status, _, _ in answers] == row.statuses + [200] * row.stays
    final = [(status, fields.get("connection"), body) for status, fields, body in answers if status >= 200]
    assert [option for _, option, _ in final[:-1] if option == "close"] == []
    if final and not row.half_closes:
        assert final[-1][1] == "close"
    served = [*requests, *[(b"GET", b"/", b"")] * row.stays]
    for (status, _, body), (method, target, _) in zip(final, served, strict=False):
        if status == 200:
            assert body == (b"" if method == b"HEAD" or target == b"*" else method)


# Answers of other kinds

OLD_GET = b"GET / HTTP/1.0\r\n\r\n"
HEAD = LAST.replace(b"GET", b"HEAD")
EXPECTING = (
    b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
)
PARTS = [b"a", b"bc" * 5000, b"d"]
WHOLE = b"".join(PARTS)


@handler
def in_parts(self, _message, _payload):
    response = aioserve.Response(self.writer, 200)
    response.send_headers()
    for part in PARTS:
        response.write(part)
    response.write_eof()


@handler
async def sized(self, _message, payload):
    """Announce a length, and send what was announced in several writes; before that, read the request."""
    await payload.read()
    response = aioserve.Response(self.writer, 200)
    response.add_header("Content-Length", str(len(WHOLE)))
    response.send_headers()
    for part in PARTS:
        response.write(part)
    response.write_eof()


@handler
def closing(self, _message, _payload):
    self.writer.keep_alive = False
    self.writer.write_response(200, "hello")


@handler
def no_content(self, _message, _payload):
    self.writer.write_response(204)


@handler
def unchanged(self, _message, _payload):
    self.writer.write_response(304, b"", [("ETag", '"a"')])


@pytest.mark.parametrize(
    ("serve", "sent", "statuses", "content", "fields"),
    [
        (hello, LAST, [200], b"hello", {"content-length": "5"}),
        (hello, HEAD, [200], b"", {"content-length": "5"}),
        (hello, OLD_GET, [200], b"hello", {"content-length": "5"}),
        (closing, GET + GET, [200], b"hello", {"content-length": "5"}),
        (in_parts, LAST, [200], WHOLE, {"transfer-encoding": "chunked"}),
        (in_parts, HEAD, [200], b"", {}),
        (in_parts, OLD_GET, [200], WHOLE, {}),
        (sized, LAST, [200], WHOLE, {"content-length": str(len(WHOLE))}),
        (sized, HEAD, [200], b"", {"content-length": str(len(WHOLE))}),
        (sized, EXPECTING, [100, 200], WHOLE, {"content-length": str(len(WHOLE))}),
        (no_content, LAST, [204], b"", {}),
        (no_content, HEAD, [204], b"", {}),
        (unchanged, LAST, [304], b"", {"etag": '"a"'}),
    ],
)
@on_both_loops
async def test_what_a_handler_writes_is_what_h11_reads(serve, sent, statuses, content, fields):
    async with serving(serve, access_log=None) as server:
        client = await server.connect()
        client.send(sent)
        said = b""
        if sent is EXPECTING:
            said = await client.until(b"\r\n\r\n")
            client.send(b"abc")
        answers = read_answers(said + await client.rest(), [sent.split()[0]])

    assert [status for status, _, _ in answers] == statuses
    _, received, body = answers[-1]
    framing = {"content-length", "transfer-encoding", "etag"}
    assert {name: value for name, value in received.items() if name in framing} == fields
    assert received["connection"] == "close"
    assert body == content


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize(
    ("error", "status"), [(HttpProcessingError(404, "No such thing."), 404), (ValueError(), 500)]
)
@on_both_loops
async def test_the_page_of_an_error_is_an_answer_and_the_next_one_follows(error, status, method):
    @handler
    def raising(_self, _message, _payload):
        raise error

    async with serving(raising, access_log=None) as server:
        client = await server.connect()
        client.send(GET.replace(b"GET", method) + LAST)
        answers = read_answers(await client.rest(), [method])

    assert [status for status, _, _ in answers] == [status] * 2
    (_, first, body), (_, second, page) = answers
    assert ("connection" in first, second["connection"]) == (False, "close")
    assert first["content-length"] == second["content-length"] == str(len(page))
    assert page.startswith(b"%d " % status)
    assert body == (b"" if method == b"HEAD" else page)


@pytest.mark.parametrize("announced", [{}, {"Content-Length": "10"}])
@on_both_loops
async def test_an_answer_that_fails_half_way_is_whole_to_nobody(announced):
    @handler
    def failing(self, _message, _payload):
        response = aioserve.Response(self.writer, 200)
        for name, value in announced.items():
            response.add_header(name, value)
        response.send_headers()
        response.write(b"half")
        raise ValueError

    async with serving(failing, access_log=None) as server:
        client = await server.connect()
        client.send(GET)
        said = await client.rest()

    assert b"half" in said
    with pytest.raises(h11.RemoteProtocolError, match="without sending complete message body"):
        read_answers(said)


@pytest.mark.parametrize(
    ("method", "fields", "status", "part"),
    [
        (b"GET", b"", 200, slice(None)),
        (b"HEAD", b"", 200, slice(0)),
        (b"GET", b"Range: bytes=10-19\r\n", 206, slice(10, 20)),
        (b"GET", b"Range: bytes=-100000\r\n", 206, slice(-100_000, None)),
        (b"HEAD", b"Range: bytes=10-19\r\n", 200, slice(0)),
        (b"GET", b"Range: bytes=0-9,5-20,21-21\r\n", 206, slice(0, 22)),
        (b"GET", b"Range: bytes=300000-\r\n", 416, None),
        (b"GET", b"If-None-Match: *\r\n", 304, slice(0)),
        (b"GET", b'If-Match: "x"\r\n', 412, None),
        (b"OPTIONS", b"", 204, slice(0)),
        (b"POST", b"", 405, None),
    ],
)
@on_both_loops
async def test_what_a_file_holds_is_what_h11_reads(tmp_path, method, fields, status, part):
    file = bytes(range(256)) * 1024
    (tmp_path / "file.bin").write_bytes(file)
    static = StaticFiles(tmp_path)
    defaults = HandlerOptions(responders=(static,), access_log=None)
    head = method + b" /file.bin HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"
    async with serving(hello, defaults) as server:
        client = await server.connect()
        client.send(head + head.replace(b"Host", b"Connection: close\r\nHost"))
        answers = read_answers(await client.rest(), [method] * 2)
    static.store.close()

    assert [answer[0] for answer in answers] == [status] * 2
    for _, received, body in answers:
        assert body == file[part] if part is not None else body.startswith(b"%d " % status)
        if status == 206:
            start, stop, _ = part.indices(len(file))
            assert received["content-range"] == f"bytes {start}-{stop - 1}/{len(file)}"
