"""Methods, and what an answer without a file looks like."""

from __future__ import annotations

import re

from tests.semantics.rows.row import (
    AT,
    LM,
    MISSING,
    OURS,
    SOME,
    TEXT_PLAIN,
    Lists,
    ask,
    etag,
    get,
    head,
    row,
    want,
)
from tests.semantics.site import LETTERS

ALLOWED = Lists(("GET", "HEAD"))
NOT_ALLOWED = want(405, allow=ALLOWED)
OPTIONS = want(204, b"", allow=Lists(("GET", "HEAD", "OPTIONS")))
OPTIONS_200 = want(200, allow=ALLOWED)
UNKNOWN = 501

METHODS = {
    "9110 9.3.1: GET": row(get(AT), want(200, LETTERS, content_length="26", content_type=TEXT_PLAIN)),
    "9110 9.3.2: HEAD": row(
        head(AT), want(200, b"", content_length="26", content_type=TEXT_PLAIN, etag=OURS)
    ),
    "9110 9.3.2: HEAD of nothing": row(head("/nothing"), want(404, b"")),
    "9110 9.3.2: HEAD of a folder without its slash": row(
        head("/folder"), want(308, b"", location="/folder/"), want(301, b"", location="/folder/")
    ),
    "9110 9.3.2: HEAD of a folder": row(head("/folder/"), want(200, b"", etag=etag("/folder/"))),
    "9110 9.3.2: HEAD of an empty file": row(head("/empty.txt"), want(200, b"", content_length="0")),
    "9110 9.3.2: HEAD of a large file": row(head("/film.mp4"), want(200, b"", content_length="200000")),
    "9110 9.3.2: HEAD that has it already": row(head(AT, if_none_match=OURS), want(304, b"", etag=OURS)),
    "9110 9.3.2: HEAD whose condition fails": row(head(AT, if_match='"other"'), want(412, b"")),
    "9110 9.3.1: GET with a body": row(ask("GET", AT, b"abc"), want(200, LETTERS), 400, 413),
    **{
        f"9110 15.5.6: {method} says what is allowed": row(ask(method, AT), NOT_ALLOWED)
        for method in ("POST", "PUT", "DELETE", "PATCH")
    },
    "9110 15.5.6: POST with a body": row(ask("POST", AT, b"a=b"), NOT_ALLOWED),
    "9110 15.5.6: PUT with a body": row(ask("PUT", AT, b"a" * 1000), NOT_ALLOWED),
    "9110 15.5.6: POST to a folder": row(ask("POST", "/folder/"), NOT_ALLOWED),
    "9110 15.5.6: POST to a folder without its slash": row(ask("POST", "/folder"), NOT_ALLOWED),
    "9110 15.5.6: QUERY": row(ask("QUERY", AT, b"a"), NOT_ALLOWED, UNKNOWN, 415),
    "9110 15.5.6: POST to nothing": row(ask("POST", "/nothing"), NOT_ALLOWED, MISSING),
    "9110 15.5.6: PUT to nothing": row(ask("PUT", "/nothing", b"a"), NOT_ALLOWED, MISSING),
    "9110 15.5.6: DELETE of nothing": row(ask("DELETE", "/nothing"), NOT_ALLOWED, MISSING),
    "9110 15.5.6: DELETE of a hidden file": row(ask("DELETE", "/.env"), NOT_ALLOWED, MISSING, 403),
    "9110 9.3.7: OPTIONS": row(ask("OPTIONS", AT), OPTIONS, OPTIONS_200),
    "9110 9.3.7: OPTIONS of a folder": row(ask("OPTIONS", "/folder/"), OPTIONS, OPTIONS_200),
    "9110 9.3.7: OPTIONS of nothing": row(ask("OPTIONS", "/nothing"), MISSING, OPTIONS_200, OPTIONS, 405),
    "9110 9.3.7: OPTIONS of a hidden file": row(ask("OPTIONS", "/.env"), MISSING, OPTIONS_200, 403),
    "9110 9.3.8: TRACE echoes nothing": row(
        ask("TRACE", AT, cookie="secret=1"), UNKNOWN, want(405, allow=ALLOWED)
    ),
    "9110 9.1: a method nobody has heard of": row(ask("BREW", AT), UNKNOWN, NOT_ALLOWED),
    "9110 9.1: methods have a case": row(ask("get", AT), UNKNOWN, NOT_ALLOWED, 400),
}

PLAIN_PAGE = re.compile(r"text/(plain|html)(; ?charset=utf-8)?", re.IGNORECASE)
BARE = {"etag": None, "last_modified": None, "content_encoding": None, "content_range": None}

ERRORS = {
    "9110 15.5.5: 404 explains itself and has no validators": row(
        get("/nothing"),
        want(404, re.compile(rb"\S"), content_type=PLAIN_PAGE, **BARE),
        want(404, re.compile(rb"\S"), content_type=PLAIN_PAGE),
    ),
    "9110 15.5.5: 404 beneath a file": row(get("/letters.txt/nothing"), MISSING),
    "9110 15.5.5: 404 with a query": row(get("/nothing?a=b"), MISSING),
    "9110 14.2: 404 knows no ranges": row(get("/nothing", range="bytes=0-1"), want(404, content_range=None)),
    "9110 15.5.5: 404 tells nothing of the disk": row(
        get("/folder/nothing.txt"), want(404, re.compile(rb"\A(?!.*/(tmp|home|root|folder)/)", re.DOTALL))
    ),
    "9110 15.5.5: a very long name": row(get("/" + "n" * 300), MISSING, 414, 403),
    "9110 15.5.15: a target that is too long": row(get("/" + "n" * 60_000), 414, 431, 400),
    "9110 15.5.6: 405 explains itself": row(
        ask("POST", AT), want(405, re.compile(rb"\S"), allow=ALLOWED, content_type=PLAIN_PAGE)
    ),
    "9110 15.5.13: 412 explains itself and is not the file": row(
        get(AT, if_match='"other"'),
        want(412, re.compile(rb"\A(?!abc).*\S", re.DOTALL), content_type=PLAIN_PAGE),
    ),
    "9110 15.5.17: 416 says how long the file is": row(
        get(AT, range="bytes=26-"), want(416, content_range="bytes */26", content_encoding=None)
    ),
    "9110 15.5.17: 416 is not the file": row(
        get(AT, range="bytes=99-"),
        want(416, re.compile(rb"\A(?!abc)", re.DOTALL), content_range="bytes */26"),
    ),
    "9110 15.4.9: a redirection has no validators": row(
        get("/folder"), want(308, location="/folder/", **BARE), want(301, location="/folder/", **BARE)
    ),
    "9110 6.6.1: a date on 404": row(get("/nothing"), want(404, date=SOME)),
    "9110 6.6.1: a date on 304": row(get(AT, if_modified_since=LM), want(304, date=SOME)),
    "9110 6.6.1: a date on 416": row(get(AT, range="bytes=99-"), want(416, date=SOME)),
}
