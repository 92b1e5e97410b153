"""Rows about what goes on between client and server: expectations, persistence, methods, upgrades."""

from __future__ import annotations

from tests.conformance.rows.row import GET, POST, TE, Row, choice, field, length, line, refused

EXPECTATIONS = {
    "9110 10.1.1: a body that comes at once needs no 100": Row(
        POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na", [200], bodies=[b"a"]
    ),
    "9110 10.1.1: no case": Row(POST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", [200]),
    "9110 10.1.1: another expectation": choice(refused(field(b"Expect: 200-ok"), 417)),
    "9110 10.1.1: a body that waits to be asked for": Row(
        POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", [100, 200], bodies=[b"abc"], later=b"abc"
    ),
    "9110 10.1.1: chunks that wait to be asked for": Row(
        POST + b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        [100, 200],
        bodies=[b"abc"],
        later=b"3\r\nabc\r\n0\r\n\r\n",
    ),
    "9110 10.1.1: refused before the body was sent": choice(
        Row(POST + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", [413], stays=False)
    ),
    "9110 10.1.1: an unknown one beside it": choice(
        refused(POST + b"Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\na", 417)
    ),
    "9110 10.1.1: nothing to wait for": Row(field(b"Expect: 100-continue"), [200]),
}

CONNECTIONS = {
    "9112 9.3: persistence is the default": Row(GET, [200]),
    "9112 9.6: close": Row(field(b"Connection: close") + GET, [200], stays=False),
    "9112 9.6: close in a list, in any case": Row(field(b"Connection: x, Close") + GET, [200], stays=False),
    "9112 9.3.2: two": Row(GET * 2, [200] * 2),
    "9112 9.3.2: sixteen": Row(GET * 16, [200] * 16),
    "9112 9.3.2: a thousand": Row(GET * 1000, [200] * 1000),
    "9112 9.3.2: good, then bad": Row(GET + b"FOO\r\n\r\n" + GET, [200, 400], stays=False),
    "9112 9.3: a body, then a request": Row(length(b"3", b"abc") + GET, [200, 200], bodies=[b"abc", b""]),
    "9110 7.6.1: no list of tokens": choice(refused(field(b"Connection: a b"))),
    "9112 9.3: keep-alive is not needed, and does no harm": Row(field(b"Connection: keep-alive"), [200]),
    "9112 9.6: close wins": Row(field(b"Connection: keep-alive, close") + GET, [200], stays=False),
    "9112 9.6: close in a second field": Row(
        field(b"Connection: keep-alive\r\nConnection: close") + GET, [200], stays=False
    ),
    "9112 9.3.2: methods and bodies mixed": Row(
        line(b"HEAD / HTTP/1.1")
        + length(b"1", b"a")
        + GET
        + line(b"OPTIONS / HTTP/1.1")
        + TE
        + b"1\r\nb\r\n0\r\n\r\n"
        + GET,
        [200] * 6,
        bodies=[b"", b"a", b"", b"", b"b", b""],
    ),
    "9112 9.3.2: good, then TLS": Row(GET + b"\x16\x03\x01\x02\x00", [200, 400], stays=False),
    "9112 9.3.2: a bad request between good ones": Row(
        GET * 3 + field(b"X : a") + GET, [200] * 3 + [400], stays=False
    ),
    "9112 9.3: a body that looks like a request": Row(
        length(b"%d" % len(GET), GET) + GET, [200, 200], bodies=[GET, b""]
    ),
    "9112 9.6: who says no more may still listen": choice(Row(GET, [200], stays=False, half_closes=True)),
    "9112 9.6: after several, too": choice(Row(GET * 3, [200] * 3, stays=False, half_closes=True)),
    "9112 8: half a head is no request": Row(GET[:-2], [], stays=False, half_closes=True),
}

METHODS = {
    "9110 9.1: GET and HEAD": Row(GET + line(b"HEAD / HTTP/1.1"), [200, 200]),
    "9110 9.3.2: HEAD and what follows": Row(line(b"HEAD / HTTP/1.1") + GET, [200, 200]),
    "9110 9.3.2: a refused HEAD": refused(b"HEAD / HTTP/1.1\r\n\r\n"),
    "9110 9.3.2: a HEAD with too much of a body": choice(
        refused(b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413)
    ),
    "9110 9.3.7: OPTIONS": Row(line(b"OPTIONS / HTTP/1.1") + GET, [200, 200]),
    "9110 9.3.8: what TRACE sends back may be secret": choice(refused(line(b"TRACE / HTTP/1.1"), 501)),
    "10008 2: QUERY": Row(
        b"QUERY / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na" + GET, [200, 200], bodies=[b"a", b""]
    ),
    "9110 9.1: a method with a long name": refused(line(b"A" * 500 + b" / HTTP/1.1"), 501),
}

UPGRADES = {
    "9110 7.8: an upgrade that nobody understands": Row(field(b"Connection: upgrade\r\nUpgrade: h2c"), [200]),
    "9110 7.8: Upgrade alone": Row(field(b"Upgrade: websocket"), [200]),
    "9110 7.8: the body of a declined upgrade is a body": Row(
        POST + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc" + GET,
        [200, 200],
        bodies=[b"abc", b""],
    ),
    "9110 7.8: an upgrade that expects to go on": Row(
        POST + b"Connection: upgrade\r\nUpgrade: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
        [100, 200],
        bodies=[b"a"],
        later=b"a",
    ),
    "9113 3.1: h2c with its settings": Row(
        field(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk") + GET,
        [200, 200],
    ),
}
