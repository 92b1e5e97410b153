"""Rows about the body of a request: its length, its coding, its chunks."""

from __future__ import annotations

from tests.conformance.rows.row import GET, POST, TE, H, Row, choice, coding, length, refused

LENGTHS = {
    "9112 6.3: no length is no body": Row(POST + b"\r\n", [200], bodies=[b""]),
    "9112 6.3: a length": Row(length(b"3", b"abc"), [200], bodies=[b"abc"]),
    "9110 8.6: leading zeros": choice(Row(length(b"003", b"abc"), [200], bodies=[b"abc"])),
    "9110 8.6: zero": Row(length(b"0"), [200], bodies=[b""]),
    "9112 6.3: two lengths": refused(POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
    "9110 8.6: two equal ones may be merged; nobody needs to send them": choice(
        refused(POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde")
    ),
    "9110 8.6: two equal ones in a list": choice(refused(length(b"5, 5", b"abcde"))),
    "9110 8.6: more than any body": choice(refused(length(b"9" * 40), 413)),
    "9110 8.6: 2**63": choice(refused(length(b"9223372036854775808"), 413)),
    "9110 15.5.14: over the limit": choice(refused(length(b"99999999"), 413)),
    "9110 8.6: 2**64 + 1": choice(refused(length(b"18446744073709551617"), 413)),
    "9110 8.6: an octal number is none": Row(length(b"010", b"0123456789"), [200], bodies=[b"0123456789"]),
    "9112 8: a body that ends too early is no body": Row(
        length(b"5", b"abc"), [], stays=False, bodies=[], half_closes=True
    ),
    "9112 9.3: HEAD, OPTIONS and DELETE may have one as well": Row(
        b"".join(
            method + b" / HTTP/1.1\r\n" + H + b"Content-Length: %d\r\n\r\n" % len(GET) + GET
            for method in (b"HEAD", b"OPTIONS", b"DELETE")
        ),
        [200] * 3,
        bodies=[GET] * 3,
    ),
    "9112 9.3: a GET may have a body, which is no request": Row(
        b"GET / HTTP/1.1\r\n" + H + b"Content-Length: " + b"%d\r\n\r\n" % len(GET) + GET, [200], bodies=[GET]
    ),
} | {
    f"9110 8.6: the length {value!r}": refused(length(value.encode("latin-1"), b"abcde"))
    for value in ["abc", "+5", "-1", "-0", "0x5", "1_0", "1 0", "5;", "5,", "", "5.0", "\xb2", "1e1"]
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
    "9110 5.6.1: an empty element before it": choice(refused(coding(b",chunked"))),
    "9110 5.6.1: an empty element behind it": choice(refused(coding(b"chunked,"))),
    "9110 5.5: a vertical tab before it": refused(coding(b"\x0bchunked")),
    "9110 5.5: a no-break space behind it": refused(coding(b"chunked\xa0")),
    "9112 6.1: a coding with a NUL": refused(coding(b"chunked\0")),
    "9112 6.1: a next line before it": refused(coding(b"\x85chunked")),
    "9112 6.1: a form feed behind it": refused(coding(b"chunked\x0c")),
    "9112 6.1: folded": choice(refused(POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n")),
    "9112 5.1: a blank before its colon": refused(POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    "9112 6.3: a blank before the colon of a length": refused(POST + b"Content-Length : 5\r\n\r\nabcde"),
    "9112 6.1: two fields, of which one means nothing": refused(
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
    ),
    "9112 6.3: a coding that is unknown, with a length": choice(
        refused(POST + b"Content-Length: 5\r\nTransfer-Encoding: x\r\n\r\nabcde")
    ),
    "9110 5.6.3: blanks around it": Row(coding(b" \tchunked\t "), [200]),
    "9112 6.1: of a GET": Row(
        b"GET / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        [200],
        bodies=[b"x"],
    ),
    "9112 6.3: with a length, which a smuggler needs both of": choice(
        refused(POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    ),
    "9112 6.3: with a length behind it": choice(
        refused(POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n")
    ),
}

CHUNKS = {
    "9112 7.1: sizes in both cases": Row(TE + b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", [200]),
    "9112 7.1: leading zeros": Row(TE + b"0003\r\nabc\r\n000\r\n\r\n", [200], bodies=[b"abc"]),
    "9112 7.1.1: extensions are ignored": Row(
        TE + b'1;a\r\nx\r\n1;a=b\r\ny\r\n1 ; a = "x;\\"y"\r\nz\r\n0;last\r\n\r\n', [200], bodies=[b"xyz"]
    ),
    "9112 7.1.1: too many of them": choice(
        Row(TE + (b"1;" + b"a" * 4000 + b"\r\nx\r\n") * 6 + b"0\r\n\r\n", [400], stays=False)
    ),
    "9112 7.1.2: trailers are read and are no headers": Row(
        TE + b"0\r\nContent-Length: 5\r\nHost: b\r\n\r\n" + GET, [200, 200], bodies=[b"", b""]
    ),
    "9112 7.1.2: trailers are no headers, whatever they are called": Row(
        TE + b"0\r\nTransfer-Encoding: chunked\r\nAuthorization: a\r\n\r\n" + GET, [200, 200]
    ),
    "9112 7.1.2: a folded trailer": choice(Row(TE + b"0\r\nX: a\r\n b\r\n\r\n", [400], stays=False)),
    "9112 7.1.2: a trailer with a blank before its colon": Row(
        TE + b"0\r\nX : a\r\n\r\n", [400], stays=False
    ),
    "9112 7.1.2: a bare LF behind a trailer": choice(Row(TE + b"0\r\nX: a\n\r\n", [400], stays=False)),
    "6585 5: a large trailer section": choice(
        Row(TE + b"0\r\n" + (b"X: " + b"a" * 8000 + b"\r\n") * 5 + b"\r\n", [431], stays=False)
    ),
    "9112 8: no last chunk": Row(TE + b"3\r\nabc\r\n", [], stays=False, bodies=[], half_closes=True),
    "9112 8: half a chunk": Row(TE + b"3\r\nab", [], stays=False, bodies=[], half_closes=True),
    "9112 7.1: no line behind the last chunk": Row(
        TE + b"3\r\nabc\r\n0\r\n", [], stays=False, bodies=[], half_closes=True
    ),
    "9110 15.5.14: chunks over the limit together": choice(
        Row(TE + b"2\r\nab\r\nffffff\r\n", [413], stays=False)
    ),
    "9112 7.1: chunks of one byte": Row(
        TE + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n" + GET, [200, 200], bodies=[b"x" * 500, b""]
    ),
    "9112 7.1: data shorter than its size": Row(TE + b"5\r\nabc\r\n0\r\n\r\n", [400], stays=False),
    "9112 7.1.2: a malformed trailer": Row(TE + b"0\r\nfoo\r\n\r\n", [400], stays=False),
    "6585 5: too many trailers": choice(Row(TE + b"0\r\n" + b"X: a\r\n" * 200 + b"\r\n", [431], stays=False)),
    "9112 9.3: the next request": Row(TE + b"1\r\nx\r\n0\r\n\r\n" + GET, [200, 200], bodies=[b"x", b""]),
    "9112 7.1: data longer than the size": Row(TE + b"1\r\nxy\r\n0\r\n\r\n", [400], stays=False),
    "9112 7.1: a bare LF behind the size": choice(Row(TE + b"1\nx\r\n0\r\n\r\n", [400], stays=False)),
    "9112 7.1: a bare LF behind the data": choice(Row(TE + b"1\r\nx\n0\r\n\r\n", [400], stays=False)),
    "9112 7.1: a bare LF at the end": choice(Row(TE + b"0\r\n\n", [400], stays=False)),
    "9112 7.1: seventeen digits": Row(TE + b"1" * 17 + b"\r\n", [400], stays=False),
    "9110 15.5.14: a chunk over the limit": choice(Row(TE + b"fffffff\r\n", [413], stays=False)),
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
        b"5;=b",
        b"5 a",
        b"5;a\x01",
        b"5;a\nb",
        b"5\t",
        b"\xb5",
        b"5.",
        b"5;\0",
        b"5;a\rb",
        b"5;a=",
        b'5;a="',
    ]
}
