"""Conditions and ranges of files."""

from __future__ import annotations

import re

import pytest

from aioserve.http.dates import format_http_date
from tests.static.asking import CHANGED, LARGE, NOW, TEXT, ask, read, refusal, request

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

DATE = format_http_date(CHANGED)


@pytest.fixture
def static(serve):
    return serve()


# Conditions, in the order of RFC 9110 §13.2.2


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", ["/file.txt", "/large.bin", "/folder/"])
def test_known_file_is_not_modified(static, method, target):
    etag = ask(static, "GET", target).fields["ETag"]

    for field in (f"If-None-Match: {etag}", f"If-None-Match: W/{etag}", f"If-Modified-Since: {DATE}"):
        status, body, fields = ask(static, method, target, field, "Range: bytes=0-0")
        assert (status, body) == (304, b"")
        assert fields == {"ETag": etag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def test_304_says_what_the_200_would_of_caching(serve):
    """RFC 9110 §15.4.5."""
    static = serve(cache_control="max-age=60", headers=(("/*", "Content-Location", "/x"),))

    fields = ask(static, "GET", "/text.txt", "If-None-Match: *").fields

    assert {name: fields[name] for name in ("Cache-Control", "Content-Location", "Vary")} == {
        "Cache-Control": "max-age=60",
        "Content-Location": "/x",
        "Vary": "Accept-Encoding",
    }


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "fields",
    [
        ('If-Match: "other"',),
        (f"If-Unmodified-Since: {format_http_date(CHANGED - 1)}",),
        ('If-Match: "other"', "If-None-Match: *", "Range: bytes=99-"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", ["/file.txt", "/large.bin"])
def test_failed_precondition_is_412(static, method, target, fields):
    error = refusal(static, method, target, *fields)

    assert (error.code, error.headers) == (412, ())


def test_if_modified_since_counts_only_without_tags(static):
    """RFC 9110 §13.1.3."""
    fields = 'If-None-Match: "other"', f"If-Modified-Since: {DATE}"

    assert ask(static, "GET", "/file.txt", *fields).status == 200


# Ranges, RFC 9110 §14.2


@pytest.mark.parametrize(
    ("fields", "expected", "content_range"),
    [
        (("Range: bytes=0-0",), b"0", "bytes 0-0/10"),
        (("Range: bytes=-3",), b"789", "bytes 7-9/10"),
        (("Range: bytes=5-",), b"56789", "bytes 5-9/10"),
        (("Range: bytes=-99",), b"0123456789", "bytes 0-9/10"),
        (("Range: bytes=99-, 2-3",), b"23", "bytes 2-3/10"),
        (("Range: bytes=0-4, 3-6",), b"0123456", "bytes 0-6/10"),
        (("Range: bytes=0-0", f"If-Range: {DATE}"), b"0", "bytes 0-0/10"),
        (("Range: bytes=0-0", 'If-None-Match: "other"'), b"0", "bytes 0-0/10"),
    ],
)
def test_one_range_is_a_partial_answer(static, fields, expected, content_range):
    whole = ask(static, "GET", "/file.txt").fields

    status, body, headers = ask(static, "GET", "/file.txt", *fields)

    assert (status, body) == (206, expected)
    assert headers == {**whole, "Content-Range": content_range}


@pytest.mark.usefixtures("settled")
def test_range_of_a_large_file_is_sent_from_its_offset(static):
    answer = static(request("GET", "/large.bin", "Range: bytes=1000-1999"))

    assert (answer.body.offset, answer.body.length) == (1000, 1000)
    assert read(answer).body == LARGE[1000:2000]


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("target", ["/text.txt", "/large.bin"])
def test_several_ranges_are_parts_of_one_answer(static, target):
    """RFC 9110 §14.6."""
    content = TEXT if target == "/text.txt" else LARGE
    whole = ask(static, "GET", target).fields

    status, body, fields = ask(static, "GET", target, "Range: bytes=0-4, 100-109, -1")

    media_type, separator, boundary = fields["Content-Type"].partition("; boundary=")
    assert (status, media_type, separator) == (206, "multipart/byteranges", "; boundary=")
    assert {**fields, "Content-Type": whole["Content-Type"]} == whole
    parts = re.split(rf"(?:\r\n)?--{boundary}(?:\r\n|--\r\n)".encode(), body)
    assert (parts[0], parts[-1]) == (b"", b"")
    assert [part.partition(b"\r\n\r\n")[2] for part in parts[1:-1]] == [
        content[:5],
        content[100:110],
        content[-1:],
    ]


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET", ("Range: bytes=5-2",)),
        ("GET", ("Range: lines=0-1",)),
        ("GET", ("Range: bytes=" + "0-," * 1000,)),
        ("GET", ("Range: bytes=0-1", 'If-Range: "other"')),
        ("HEAD", ("Range: bytes=0-1",)),
        ("HEAD", ("Range: bytes=99-",)),
    ],
)
def test_any_other_range_is_answered_by_the_whole(static, method, fields):
    assert ask(static, method, "/file.txt", *fields) == ask(static, "GET", "/file.txt")


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(("target", "size"), [("/file.txt", 10), ("/large.bin", len(LARGE))])
@pytest.mark.parametrize("value", ["bytes=300000-", "bytes=-0", "bytes=" + "9" * 30 + "-"])
def test_range_outside_is_416_with_the_size(static, target, size, value):
    """RFC 9110 §15.5.17."""
    error = refusal(static, "GET", target, f"Range: {value}")

    assert error.code == 416
    assert error.headers == (("Content-Range", f"bytes */{size}"),)


def test_range_of_an_empty_file_is_ignored(static):
    assert ask(static, "GET", "/empty.txt", "Range: bytes=0-")[:2] == (200, b"")


def test_date_of_the_second_that_is_not_over_allows_no_range(serve):
    """RFC 9110 §13.1.5: only a strong validator does."""
    for now, status in ((CHANGED, 200), (NOW, 206)):
        static = serve(clock=lambda now=now: now)
        assert ask(static, "GET", "/file.txt", "Range: bytes=0-0", f"If-Range: {DATE}").status == status
