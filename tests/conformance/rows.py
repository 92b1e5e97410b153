"""What the wire must show: one row for each rule, the bytes sent, and the answers that must come.

A row's name begins with the clause that it is about: "9110 9.3.2" is RFC 9110, section 9.3.2. Where the RFC
leaves a choice, the row says in words why ours is what it is.
"""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One rule.

    Attributes:
        sent: what the client sends, and then nothing more.
        statuses: those of all answers, interim ones included, in order.
        stays: whether the connection serves another request after them.
        bodies: what the handler got as bodies, where that matters.
    """

    sent: bytes
    statuses: list[int]
    stays: bool = True
    bodies: list[bytes] | None = None


H = b"Host: a\r\n"
GET = b"GET / HTTP/1.1\r\n" + H + b"\r\n"
POST = b"POST / HTTP/1.1\r\n" + H
TE = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def refused(sent: bytes, status: int = 400) -> Row:
    """Answered by a refusal that ends the connection, whatever stands behind it."""
    return Row(sent, [status], stays=False)


def line(request_line: bytes) -> bytes:
    """A request of one line and a Host."""
    return request_line + b"\r\n" + H + b"\r\n"


def field(raw: bytes) -> bytes:
    """A GET with a Host and one more line."""
    return b"GET / HTTP/1.1\r\n" + H + raw + b"\r\n\r\n"


def length(value: bytes, body: bytes = b"") -> bytes:
    """A POST with a Content-Length."""
    return POST + b"Content-Length: " + value + b"\r\n\r\n" + body


def coding(value: bytes) -> bytes:
    """A POST with a Transfer-Encoding and an empty chunked body."""
    return POST + b"Transfer-Encoding: " + value + b"\r\n\r\n0\r\n\r\n"


LINES = {
    "9112 2.2: one empty line before a request is ignored": Row(b"\r\n" + GET, [200]),
    "9112 2.2: more of them are not a request": refused(b"\r\n\r\n" + GET),
    "9112 2.2: a bare LF may end a line; others have been smuggled past by it": refused(
        b"GET / HTTP/1.1\nHost: a\n\n"
    ),
    "9112 2.2: a bare LF ends no field": refused(b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
    "9112 2.2: a bare CR is no line end": refused(field(b"X: a\rb")),
    "9112 2.2: CR CR LF is none either": refused(b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"),
    "9112 2.2: a blank before the first field": refused(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    "9112 3: two spaces": refused(line(b"GET  / HTTP/1.1")),
    "9112 3: a space at the end": refused(line(b"GET / HTTP/1.1 ")),
    "9112 3: a space at the beginning": refused(line(b" GET / HTTP/1.1")),
    "9112 3: a tab": refused(line(b"GET\t/ HTTP/1.1")),
    "9112 3: a vertical tab": refused(line(b"GET\x0b/ HTTP/1.1")),
    "9112 3: a space in the target": refused(line(b"GET /a b HTTP/1.1")),
    "9112 3: NUL in the target": refused(line(b"GET /\0 HTTP/1.1")),
    "9112 3: a control byte in the target": refused(line(b"GET /\x1b HTTP/1.1")),
    "9112 3: DEL in the target": refused(line(b"GET /\x7f HTTP/1.1")),
    "9112 3: 8-bit bytes in the target": refused("GET /ä HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    "9112 3.2: a fragment is never sent": refused(line(b"GET /#a HTTP/1.1")),
    "8446 4.1.2: TLS on a plain port": refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "9112 C: HTTP/0.9 is not served": refused(b"GET /\r\n"),
    "9112 3: a request line of 8000 bytes is read": Row(line(b"GET /" + b"a" * 7986 + b" HTTP/1.1"), [200]),
    "9110 15.5.15: a longer one is 414": refused(line(b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 414),
    "9112 3: a method longer than any": refused(line(b"A" * 9000 + b" / HTTP/1.1"), 501),
    "9110 5.6.2: a quote in a method": refused(line(b'G"T / HTTP/1.1')),
    "9110 5.6.2: an 8-bit method": refused(line(b"G\x80T / HTTP/1.1")),
    "9110 9.1: an unknown method": refused(line(b"FOO / HTTP/1.1"), 501),
    "9110 9.1: methods have a case": refused(line(b"get / HTTP/1.1"), 501),
    "9112 3: only a version": refused(b"HTTP/1.1\r\n\r\n"),
    "9112 4: an answer is no request": refused(b"HTTP/1.1 200 OK\r\n\r\n"),
}

VERSIONS = {
    f"9112 2.3: {version.decode()}": refused(line(b"GET / " + version))
    for version in [
        *(b"http/1.1", b"HTTP/1", b"HTTP/1.", b"HTTP/01.1", b"HTTP/1.10", b"HTTP/1.1x", b"HTTP/ 1.1"),
        *(b"HTTP 1.1", b"HTTPS/1.1", b"HTTP/x.1", b"HTTP/-1.1", b"HTTP/1,1", b"xHTTP/1.1"),
    ]
} | {
    "9110 2.5: a later minor version is served as 1.1": Row(line(b"GET / HTTP/1.2"), [200]),
    "9110 15.6.6: HTTP/2.0": refused(line(b"GET / HTTP/2.0"), 505),
    "9110 15.6.6: HTTP/0.9 by name": refused(line(b"GET / HTTP/0.9"), 505),
    "9110 15.6.6: HTTP/9.9": refused(line(b"GET / HTTP/9.9"), 505),
    "9113 3.4: the preface of HTTP/2": refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "9112 9.3: HTTP/1.0 is not kept": Row(b"GET / HTTP/1.0\r\n\r\n", [200], stays=False),
    "9112 9.3: HTTP/1.0 is kept when it asks": Row(
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", [200]
    ),
    "9112 3.2: HTTP/1.0 needs no Host": Row(b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", [200]),
    "9112 6.1: HTTP/1.0 has no transfer codings": refused(
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "9110 10.1.1: HTTP/1.0 expects nothing": Row(
        b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na", [200], stays=False
    ),
}

TARGETS = (
    {
        "9112 3.2.2: an absolute target": Row(b"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", [200]),
        "9112 3.2.2: its scheme has no case": Row(line(b"GET HTTP://b/x HTTP/1.1"), [200]),
        "9110 7.4: https on a plain connection": refused(line(b"GET https://a/x HTTP/1.1"), 421),
        "9110 4.2.4: user information": refused(line(b"GET http://u@a/ HTTP/1.1")),
        "9110 4.2.1: no host": refused(line(b"GET http:///x HTTP/1.1")),
        "9110 4.2.1: no number as port": refused(line(b"GET http://a:x/ HTTP/1.1")),
        "9110 4.2: another scheme": refused(line(b"GET ftp://a/ HTTP/1.1")),
        "9112 3.2.4: OPTIONS *": Row(line(b"OPTIONS * HTTP/1.1"), [200]),
        "9112 3.2.4: * for another method": refused(line(b"GET * HTTP/1.1")),
        "9112 3.2.3: an authority without CONNECT": refused(line(b"GET a:80 HTTP/1.1")),
        "9110 9.3.6: CONNECT without a port": refused(line(b"CONNECT a HTTP/1.1")),
        "9110 9.3.6: CONNECT with an empty port": refused(line(b"CONNECT a: HTTP/1.1")),
        "9112 3.2: a relative target": refused(line(b"GET foo HTTP/1.1")),
        "9112 3.2: no Host": refused(b"GET / HTTP/1.1\r\n\r\n"),
        "9112 3.2: two of them, even equal": refused(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        "9110 4.2.1: an empty Host; an http URI has one": refused(b"GET / HTTP/1.1\r\nHost: \r\n\r\n"),
    }
    | {
        f"9112 3.2: Host {host.decode('latin-1')!r}": refused(
            b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        )
        for host in [
            b"a b",
            b"a/b",
            b"u@a",
            b"a,b",
            b"[::1",
            b"a:x",
            b"a:80:80",
            b"a?b",
            b"a#b",
            b"a\\b",
            b"\xe4",
        ]
    }
    | {
        f"3986 3.2: Host {host.decode()}": Row(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", [200])
        for host in [b"[::1]:80", b"[::1]", b"a:", b"EXAMPLE.COM", b"a.", b"127.0.0.1:8080", b"a_b", b"%41"]
    }
)

FIELDS = {
    "9112 5.1: a space before the colon": refused(field(b"X : a")),
    "9112 5.1: a tab before the colon": refused(field(b"X\t: a")),
    "9112 5.2: a folded field": refused(field(b"X: a\r\n b")),
    "9112 5.2: a folded field, by a tab": refused(field(b"X: a\r\n\tb")),
    "9110 5.5: NUL in a value": refused(field(b"X: \0")),
    "9110 5.5: a control byte in a value has no meaning, and terminals": refused(field(b"X: \x1b")),
    "9110 5.5: DEL in a value": refused(field(b"X: \x7f")),
    "9110 5.5: 8-bit bytes in a value": Row(field(b"X: \xe4"), [200]),
    "9112 5: no name": refused(field(b": x")),
    "9112 5: no colon": refused(field(b"foo")),
    "9110 5.1: an 8-bit name": refused(field(b"\xe4: x")),
    "9110 5.6.3: blanks around a value": Row(field(b"X:\t v \t"), [200]),
    "9110 5.5: an empty value": Row(field(b"X:"), [200]),
    "9110 5.3: equal names": Row(field(b"X: a\r\nX: b"), [200]),
    "no rule: underscores are no hyphens": Row(
        field(b"Content_Length: 5\r\nTransfer_Encoding: chunked"), [200]
    ),
    "6585 5: a long field": refused(field(b"X: " + b"a" * 9000), 431),
    "6585 5: many fields": refused(field(b"\r\n".join([b"X: a"] * 200)), 431),
    "6585 5: a large section": refused(field(b"\r\n".join([b"X: " + b"a" * 8000] * 5)), 431),
} | {
    f"9110 5.6.2: {name} in a name": refused(field(b"X" + name.encode() + b"Y: a"))
    for name in '(),/;<=>?@[]{}"\\ '
}

LENGTHS = {
    "9112 6.3: no length is no body": Row(POST + b"\r\n", [200], bodies=[b""]),
    "9112 6.3: a length": Row(length(b"3", b"abc"), [200], bodies=[b"abc"]),
    "9110 8.6: leading zeros": Row(length(b"003", b"abc"), [200], bodies=[b"abc"]),
    "9110 8.6: zero": Row(length(b"0"), [200], bodies=[b""]),
    "9112 6.3: two lengths": refused(POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
    "9110 8.6: two equal ones may be merged; nobody needs to send them": refused(
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"
    ),
    "9110 8.6: more than any body": refused(length(b"9" * 40), 413),
    "9110 8.6: 2**63": refused(length(b"9223372036854775808"), 413),
    "9110 15.5.14: over the limit": refused(length(b"99999999"), 413),
    "9112 9.3: a GET may have a body, which is no request": Row(
        b"GET / HTTP/1.1\r\n" + H + b"Content-Length: " + b"%d\r\n\r\n" % len(GET) + GET, [200], bodies=[GET]
    ),
} | {
    f"9110 8.6: the length {value!r}": refused(length(value.encode("latin-1"), b"abcde"))
    for value in ["abc", "+5", "-1", "-0", "0x5", "1_0", "1 0", "5;", "5, 5", "5,", "", "5.0", "\xb2", "1e1"]
}

CODINGS = {
    "9112 7: no case": Row(coding(b"Chunked"), [200]),
    "9112 6.3: chunked is not last": refused(coding(b"chunked, gzip")),
    "9112 6.1: an unknown coding": refused(coding(b"foo"), 501),
    "9112 7.2: gzip is none that we undo": refused(coding(b"gzip, chunked"), 501),
    "9112 7: identity is gone": refused(coding(b"identity"), 501),
    "9112 7: a name like it": refused(coding(b"xchunked"), 501),
    "9112 7: half of it": refused(coding(b"chunk"), 501),
    "9112 7: in quotes": refused(coding(b'"chunked"')),
    "9112 7: with a parameter": refused(coding(b"chunked;a=b")),
    "9112 6.1: empty": refused(coding(b"")),
    "9112 6.1: twice": refused(coding(b"chunked, chunked")),
    "9112 6.1: in two fields": refused(
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "9110 5.6.1: an empty element before it": refused(coding(b",chunked")),
    "9110 5.6.1: an empty element behind it": refused(coding(b"chunked,")),
    "9110 5.5: a vertical tab before it": refused(coding(b"\x0bchunked")),
    "9110 5.5: a no-break space behind it": refused(coding(b"chunked\xa0")),
    "9112 6.3: with a length, which a smuggler needs both of": refused(
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "9112 6.3: with a length behind it": refused(
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    ),
}

CHUNKS = {
    "9112 7.1: sizes in both cases": Row(TE + b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", [200]),
    "9112 7.1: leading zeros": Row(TE + b"0003\r\nabc\r\n000\r\n\r\n", [200], bodies=[b"abc"]),
    "9112 7.1.1: extensions are ignored": Row(
        TE + b'1;a\r\nx\r\n1;a=b\r\ny\r\n1 ; a = "x;\\"y"\r\nz\r\n0;last\r\n\r\n', [200], bodies=[b"xyz"]
    ),
    "9112 7.1.1: too many of them": Row(
        TE + (b"1;" + b"a" * 4000 + b"\r\nx\r\n") * 6 + b"0\r\n\r\n", [400], stays=False
    ),
    "9112 7.1.2: trailers are read and are no headers": Row(
        TE + b"0\r\nContent-Length: 5\r\nHost: b\r\n\r\n" + GET, [200, 200], bodies=[b"", b""]
    ),
    "9112 7.1.2: a malformed trailer": Row(TE + b"0\r\nfoo\r\n\r\n", [400], stays=False),
    "6585 5: too many trailers": Row(TE + b"0\r\n" + b"X: a\r\n" * 200 + b"\r\n", [431], stays=False),
    "9112 9.3: the next request": Row(TE + b"1\r\nx\r\n0\r\n\r\n" + GET, [200, 200], bodies=[b"x", b""]),
    "9112 7.1: data longer than the size": Row(TE + b"1\r\nxy\r\n0\r\n\r\n", [400], stays=False),
    "9112 7.1: a bare LF behind the size": Row(TE + b"1\nx\r\n0\r\n\r\n", [400], stays=False),
    "9112 7.1: a bare LF behind the data": Row(TE + b"1\r\nx\n0\r\n\r\n", [400], stays=False),
    "9112 7.1: a bare LF at the end": Row(TE + b"0\r\n\n", [400], stays=False),
    "9112 7.1: seventeen digits": Row(TE + b"1" * 17 + b"\r\n", [400], stays=False),
    "9110 15.5.14: a chunk over the limit": Row(TE + b"fffffff\r\n", [413], stays=False),
} | {
    f"9112 7.1: the size {size.decode('latin-1')!r}": Row(
        TE + size + b"\r\nabcde\r\n0\r\n\r\n", [400], stays=False
    )
    for size in [
        b"0x5",
        b"+5",
        b"-5",
        b"5_0",
        b" 5",
        b"5 ",
        b"",
        b"G",
        b"5;",
        b"5;\0",
        b"5;a\rb",
        b"5;a=",
        b'5;a="',
    ]
}

EXPECTATIONS = {
    "9110 10.1.1: a body that comes at once needs no 100": Row(
        POST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na", [200], bodies=[b"a"]
    ),
    "9110 10.1.1: no case": Row(POST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", [200]),
    "9110 10.1.1: another expectation": refused(field(b"Expect: 200-ok"), 417),
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
    "9110 7.8: an upgrade that nobody understands": Row(field(b"Connection: upgrade\r\nUpgrade: h2c"), [200]),
    "9110 7.8: Upgrade alone": Row(field(b"Upgrade: websocket"), [200]),
    "9110 7.8: the body of a declined upgrade is a body": Row(
        POST + b"Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc" + GET,
        [200, 200],
        bodies=[b"abc", b""],
    ),
    "9110 7.6.1: no list of tokens": refused(field(b"Connection: a b")),
    "9110 9.3.2: HEAD": Row(line(b"HEAD / HTTP/1.1") + GET, [200, 200]),
    "9110 9.3.8: TRACE is the handler's to refuse": Row(line(b"TRACE / HTTP/1.1"), [200]),
}

ROWS = (
    LINES | VERSIONS | TARGETS | FIELDS | LENGTHS | CODINGS | CHUNKS | EXPECTATIONS | CONNECTIONS
)  # fmt: skip
