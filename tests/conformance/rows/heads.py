"""Rows about the head of a request: its lines, versions, targets and fields."""

from __future__ import annotations

from tests.conformance.rows.row import GET, Row, choice, field, line, refused

LINES = {
    "9112 2.2: one empty line before a request is ignored": Row(b"\r\n" + GET, [200]),
    "9112 2.2: more of them are not a request": choice(refused(b"\r\n\r\n" + GET)),
    "9112 2.2: a bare LF may end a line; others have been smuggled past by it": choice(
        refused(b"GET / HTTP/1.1\nHost: a\n\n")
    ),
    "9112 2.2: a bare LF ends no field": choice(refused(b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n")),
    "9112 2.2: a bare CR is no line end": choice(refused(field(b"X: a\rb"))),
    "9112 2.2: CR CR LF is none either": choice(refused(b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n")),
    "9112 2.2: a blank before the first field": choice(refused(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n")),
    "9112 3: two spaces": choice(refused(line(b"GET  / HTTP/1.1"))),
    "9112 3: a space at the end": choice(refused(line(b"GET / HTTP/1.1 "))),
    "9112 3: a space at the beginning": choice(refused(line(b" GET / HTTP/1.1"))),
    "9112 3: a tab": choice(refused(line(b"GET\t/ HTTP/1.1"))),
    "9112 3: a form feed": choice(refused(line(b"GET\x0c/ HTTP/1.1"))),
    "9112 3: a tab before the version": choice(refused(line(b"GET /\tHTTP/1.1"))),
    "9112 3: a vertical tab": choice(refused(line(b"GET\x0b/ HTTP/1.1"))),
    "9112 3: a space in the target": refused(line(b"GET /a b HTTP/1.1")),
    "9112 3: NUL in the target": refused(line(b"GET /\0 HTTP/1.1")),
    "9112 3: a control byte in the target": refused(line(b"GET /\x1b HTTP/1.1")),
    "9112 3: DEL in the target": refused(line(b"GET /\x7f HTTP/1.1")),
    "9112 3: 8-bit bytes in the target": refused("GET /ä HTTP/1.1\r\nHost: a\r\n\r\n".encode()),
    "9112 3.2: a fragment is never sent": refused(line(b"GET /#a HTTP/1.1")),
    "9112 2.2: bytes that are nothing": refused(b"\x80\xff\x00\x01" * 8),
    "9112 2.2: a flood of empty lines": choice(refused(b"\r\n" * 2_000 + GET)),
    "9112 2.2: a flood of bare LFs": choice(refused(b"\n" * 2_000 + GET)),
    "8446 4.1.2: TLS on a plain port": refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "9112 C: HTTP/0.9 is not served": choice(refused(b"GET /\r\n")),
    "9112 3: a request line of 8000 bytes is read": Row(line(b"GET /" + b"a" * 7986 + b" HTTP/1.1"), [200]),
    "9110 15.5.15: a longer one is 414": choice(refused(line(b"GET /" + b"a" * 9000 + b" HTTP/1.1"), 414)),
    "9112 3: a method longer than any": choice(refused(line(b"A" * 9000 + b" / HTTP/1.1"), 501)),
    "9110 5.6.2: a quote in a method": choice(refused(line(b'G"T / HTTP/1.1'))),
    "9110 5.6.2: NUL in a method": choice(refused(line(b"G\0T / HTTP/1.1"))),
    "9110 5.6.2: an 8-bit method": choice(refused(line(b"G\x80T / HTTP/1.1"))),
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
    "9112 6.1: HTTP/1.0 has no transfer codings": choice(
        refused(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    ),
    "9110 7.8: HTTP/1.0 upgrades nothing": Row(
        b"GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", [200], stays=False
    ),
    "9112 6.1: HTTP/1.0 has none with a length either": choice(
        refused(b"POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
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
        "9110 4.2.1: a port that there is not": choice(refused(line(b"GET http://a:65536/ HTTP/1.1"))),
        "9110 4.2: one slash": refused(line(b"GET http:/a/ HTTP/1.1")),
        "9112 3.2: a query alone": refused(line(b"GET ?a HTTP/1.1")),
        "9112 3.2: a backslash": refused(line(b"GET \\a HTTP/1.1")),
        "9112 3.2.1: a path of two slashes is a path": Row(line(b"GET //a/b HTTP/1.1"), [200]),
        "9110 9.3.6: a tunnel is never promised": choice(
            refused(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", 501)
        ),
        "9110 9.3.6: CONNECT with no port that there is": refused(line(b"CONNECT a:65536 HTTP/1.1")),
        "9110 9.3.6: CONNECT with a path": refused(line(b"CONNECT / HTTP/1.1")),
        "3986 3.2.2: a comma in Host; it may be a name, and is two fields that somebody joined": choice(
            refused(b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n")
        ),
        "9293 3.1: a port in Host that there is not": choice(
            refused(b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n")
        ),
        "9112 3.2: two different Hosts": refused(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        "9112 3.2: two Hosts around another field": refused(
            b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\nhOST: a\r\n\r\n"
        ),
        "9112 3.2: two Hosts for an absolute target": refused(
            b"GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"
        ),
        "9110 9.3.6: CONNECT without a port": refused(line(b"CONNECT a HTTP/1.1")),
        "9110 9.3.6: CONNECT with an empty port": refused(line(b"CONNECT a: HTTP/1.1")),
        "9112 3.2: a relative target": refused(line(b"GET foo HTTP/1.1")),
        "9112 3.2: no Host": refused(b"GET / HTTP/1.1\r\n\r\n"),
        "9112 3.2: two of them, even equal": refused(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        "9110 4.2.1: an empty Host; http URIs have one": choice(refused(b"GET / HTTP/1.1\r\nHost: \r\n\r\n")),
    }
    | {
        f"9112 3.2: Host {host.decode('latin-1')!r}": refused(
            b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        )
        for host in [
            b"a b",
            b"a/b",
            b"u@a",
            b"[::1",
            b"a:x",
            b"a:-1",
            b"a\tb",
            b"a\0",
            b"[::1]a",
            b"[g::1]",
            b"a@",
            b"<a>",
            b'"a"',
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

FIELDS = (
    {
        "9112 5.1: a space before the colon": refused(field(b"X : a")),
        "9112 5.1: a tab before the colon": refused(field(b"X\t: a")),
        "9112 5.2: a folded field": choice(refused(field(b"X: a\r\n b"))),
        "9112 5.2: a folded field, by a tab": choice(refused(field(b"X: a\r\n\tb"))),
        "9110 5.5: NUL in a value": choice(refused(field(b"X: \0"))),
        "9110 5.5: a control byte in a value has no meaning, and terminals": choice(
            refused(field(b"X: \x1b"))
        ),
        "9110 5.5: DEL in a value": choice(refused(field(b"X: \x7f"))),
        "9110 5.5: 8-bit bytes in a value": Row(field(b"X: \xe4"), [200]),
        "9112 5: no name": refused(field(b": x")),
        "9112 5: no colon": refused(field(b"foo")),
        "9110 5.1: an 8-bit name": refused(field(b"\xe4: x")),
        "9110 5.6.3: blanks around a value": Row(field(b"X:\t v \t"), [200]),
        "9110 5.5: an empty value": Row(field(b"X:"), [200]),
        "9110 5.3: equal names": Row(field(b"X: a\r\nX: b"), [200]),
        "9110 5.3: order is kept, and lists may go on": Row(field(b"Accept: a\r\nX: b\r\nAccept: c"), [200]),
        "6265 5.4: Cookie comes in pieces from HTTP/2": Row(field(b"Cookie: a=b\r\nCookie: c=d"), [200]),
        "9110 5.6.3: other blanks are part of the value": Row(field(b"X: \x85v\xa0"), [200]),
        "9110 5.5: a vertical tab is no blank": choice(refused(field(b"X: \x0bv"))),
        "9110 5.5: a form feed is no blank": choice(refused(field(b"X: v\x0c"))),
        "9110 5.5: a bare CR in a value": choice(refused(field(b"X: a\rY: b"))),
        "9112 5.1: nothing but blanks before the colon": refused(field(b" : a")),
        "9112 2.2: NUL behind the head's last line": refused(b"GET / HTTP/1.1\r\nHost: a\r\n\0\r\n"),
        "9112 5.2: a fold of nothing": choice(refused(field(b"X: a\r\n "))),
        "no rule: underscores are no hyphens": choice(
            Row(field(b"Content_Length: 5\r\nTransfer_Encoding: chunked"), [200])
        ),
        "6585 5: a long field": choice(refused(field(b"X: " + b"a" * 9000), 431)),
        "6585 5: many fields": choice(refused(field(b"\r\n".join([b"X: a"] * 200)), 431)),
        "6585 5: a large section": choice(refused(field(b"\r\n".join([b"X: " + b"a" * 8000] * 5)), 431)),
    }
    | {
        f"9110 5.6.2: {name} in a name": refused(field(b"X" + name.encode() + b"Y: a"))
        for name in '(),/;<=>?@[]{}"\\ \t\0\x01\x1f\x7f'
    }
    | {
        f"9110 5.3: {name} twice; of two values each reader picks another": choice(
            refused(field(b"%b: a\r\n%b: a" % (name.encode(), name.lower().encode())))
        )
        for name in ["Content-Type", "Authorization", "Range", "If-Range", "If-Modified-Since", "Referer"]
    }
)
