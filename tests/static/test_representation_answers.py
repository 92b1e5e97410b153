"""One form of a file: the answers that are made of it."""

from __future__ import annotations

from email import message_from_bytes

import pytest

from aioserve.http.dates import format_http_date
from aioserve.http.messages import FileSlice
from aioserve.http.ranges import ByteRange
from aioserve.static.representation import SMALL, Representation
from tests.static.files import CHANGED, NOW, bytes_of, find, write

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

SMALL_CONTENT = b"0123456789"
LARGE_CONTENT = bytes(range(256)) * (SMALL // 256 + 1)
RANGES = (ByteRange(2, 4), ByteRange(7, 9), ByteRange(0, 0))
SITE = (("Cache-Control", "max-age=5"), ("Vary", "Accept-Encoding"))


@pytest.fixture(params=[SMALL_CONTENT, LARGE_CONTENT], ids=["small", "large"])
def content(request):
    return request.param


@pytest.fixture
def path(tmp_path, content):
    return write(tmp_path / "page.html", content)


def represent(path, **more):
    return Representation.of(find(path), "text/html; charset=utf-8", NOW, **more)


@pytest.fixture
def form(path):
    form = represent(path)
    yield form
    form.close()


def fields_of(form):
    """The header fields of all of it, in the order in which they are sent."""
    return (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Last-Modified", format_http_date(CHANGED)),
        ("ETag", form.validators.etag),
        ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
    )


# 200


def test_whole_file_has_its_header_fields_and_those_of_the_site(form, content):
    answer = form.whole(SITE)

    assert (answer.status, answer.headers) == (200, (*fields_of(form), *SITE))
    assert bytes_of(answer.body) == content


def test_site_may_replace_fields_of_the_file(form):
    answer = form.whole((("content-type", "text/plain"),))
    bytes_of(answer.body)

    assert answer.headers == (*fields_of(form)[1:], ("content-type", "text/plain"))


def test_large_file_is_left_to_the_server(tmp_path):
    form = represent(write(tmp_path / "page.html", LARGE_CONTENT))
    whole, part = form.whole(()).body, form.part(ByteRange(5, 9), ()).body

    assert whole == FileSlice(form.file, 0, len(LARGE_CONTENT), form.file.is_unchanged)
    assert part == FileSlice(form.file, 5, 5, form.file.is_unchanged)
    for file in (whole.file, part.file, form.file):
        file.close()


def test_answers_say_whether_they_still_hold(form):
    def is_current():
        return True

    whole = form.whole((), is_current)
    bytes_of(whole.body)

    assert whole.is_current is is_current
    assert form.not_modified((), is_current).is_current is is_current


def test_answers_are_good_only_once_where_nobody_can_tell(form):
    answers = (
        form.whole(()),
        form.part(RANGES[0], ()),
        form.parts(RANGES, ()),
        form.not_modified(()),
        form.as_error(404, (), ()),
    )
    for answer in answers:
        bytes_of(answer.body)

    assert {answer.is_current for answer in answers} == {None}


def test_twin_says_its_coding_and_can_be_had_in_parts(path, content):  # RFC 9110 §8.4
    form = represent(path, coding="br")
    whole, part = form.whole(()), form.part(RANGES[0], ())
    form.close()

    assert whole.headers == (fields_of(form)[0], ("Content-Encoding", "br"), *fields_of(form)[1:])
    assert part.headers == (*whole.headers, ("Content-Range", f"bytes 2-4/{len(content)}"))
    assert (bytes_of(whole.body), bytes_of(part.body)) == (content, content[2:5])


def test_what_was_compressed_here_promises_no_ranges(form):
    compressed = form.compressed(b"smaller", "gzip")

    answer = compressed.whole(SITE)

    assert answer.headers == (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Encoding", "gzip"),
        ("Last-Modified", format_http_date(CHANGED)),
        ("ETag", f'{form.validators.etag[:-1]}-gzip"'),
        ("X-Content-Type-Options", "nosniff"),
        *SITE,
    )
    assert answer.body == b"smaller"


def test_empty_file_is_answered(tmp_path):
    assert represent(write(tmp_path / "page.html", b"")).whole(()).body == b""


def test_sender_of_a_large_file_can_tell_whether_it_is_still_that_of_the_tag(tmp_path):
    form = represent(write(tmp_path / "page.html", LARGE_CONTENT))
    body = form.part(RANGES[0], ()).body
    form.close()
    assert body.is_unchanged()

    write(tmp_path / "page.html", LARGE_CONTENT, CHANGED + 1)

    assert not body.is_unchanged()
    body.file.close()


# 206


def test_part_has_the_fields_of_the_whole_and_its_range(form, content):  # RFC 9110 §15.3.7.1
    answer = form.part(ByteRange(2, 4), SITE)

    assert answer.status == 206
    assert answer.headers == (*fields_of(form), *SITE, ("Content-Range", f"bytes 2-4/{len(content)}"))
    assert bytes_of(answer.body) == content[2:5]


def parse(answer):
    """Read a multipart body as Python's own reader does."""
    media_type = dict(answer.headers)["Content-Type"]
    return message_from_bytes(f"Content-Type: {media_type}\r\n\r\n".encode() + bytes_of(answer.body))


def test_parts_are_read_back_by_another_reader(form, content):  # RFC 9110 §15.3.7.2
    answer = form.parts(RANGES, SITE)

    message = parse(answer)
    assert answer.status == 206
    assert message.get_content_type() == "multipart/byteranges"
    assert message.defects == []
    assert [
        (part["Content-Type"], part["Content-Range"], part.get_payload(decode=True))
        for part in message.get_payload()
    ] == [
        (
            "text/html; charset=utf-8",
            f"bytes {one.first}-{one.last}/{len(content)}",
            content[one.first : one.last + 1],
        )
        for one in RANGES
    ]


def test_parts_have_the_fields_of_the_whole_but_for_the_type_and_no_range(form):
    answer = form.parts(RANGES, SITE)
    bytes_of(answer.body)

    *others, (name, value) = answer.headers
    assert tuple(others) == (*fields_of(form)[1:], *SITE)
    assert name == "Content-Type"
    assert value.startswith("multipart/byteranges; boundary=")


def test_parts_are_of_the_type_that_the_site_gives_the_whole(form):
    answer = form.parts(RANGES, (("content-type", "text/plain"),))

    assert [name.lower() for name, _ in answer.headers].count("content-type") == 1
    assert [part["Content-Type"] for part in parse(answer).get_payload()] == ["text/plain"] * 3


def test_boundary_is_another_each_time(form):  # RFC 2046 §5.1.1
    answers = [form.parts(RANGES, ()) for _ in range(3)]

    assert len({bytes_of(answer.body).partition(b"\r\n")[0] for answer in answers}) == 3


def test_parts_of_a_small_file_are_bytes_and_of_a_large_one_a_slice_each(form, content):
    body = form.parts(RANGES, ()).body

    if content is SMALL_CONTENT:
        assert isinstance(body, bytes)
    else:
        assert [piece for piece in body if not isinstance(piece, bytes)] == [
            FileSlice(form.file, one.first, one.length, form.file.is_unchanged) for one in RANGES
        ]
    bytes_of(body)


# 304


def test_not_modified_has_what_a_cache_needs_and_no_body(form):  # RFC 9110 §15.4.5
    site = (*SITE, ("Content-Location", "/page.html"), ("Content-Language", "en"))

    answer = form.not_modified(site)

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers == (
        ("ETag", form.validators.etag),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "max-age=5"),
        ("Content-Location", "/page.html"),
        ("Vary", "Accept-Encoding"),
    )


def test_not_modified_says_no_coding(form):
    names = {name for name, _ in form.compressed(b"smaller", "gzip").not_modified(SITE).headers}

    assert names == {"ETag", "X-Content-Type-Options", "Cache-Control", "Vary"}


# Errors


def test_page_of_an_error_is_the_file_without_its_validators(form, content):
    answer = form.as_error(404, (("X-Site", "a"),), (("Retry-After", "1"),))

    assert answer.status == 404
    assert answer.headers == (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Site", "a"),
        ("Retry-After", "1"),
    )
    assert bytes_of(answer.body) == content
