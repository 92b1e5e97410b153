"""The whole body as text, JSON or a form, however it arrived."""

from __future__ import annotations

import asyncio

import pytest

from aioserve.errors import (
    BadHttpMessage,
    HttpProcessingError,
)
from aioserve.payload import Payload
from tests.bodies import arrived, in_each_form
from tests.wire import on_both_loops


@in_each_form
@pytest.mark.parametrize(
    ("reason", "content_type", "encoding", "body", "expected"),
    [
        ("nothing is said", None, None, "тест".encode(), "тест"),
        ("nothing is said of it", "text/plain", None, "тест".encode(), "тест"),
        ("the request says it", "text/plain; charset=koi8-r", None, "тест".encode("koi8-r"), "тест"),
        ("in quotes", 'text/plain;CHARSET="utf-16"; a=b', None, "тест".encode("utf-16"), "тест"),
        ("the handler knows better", "text/plain; charset=koi8-r", "utf-8", "тест".encode(), "тест"),
        ("nothing is there", "text/plain; charset=koi8-r", None, b"", ""),
    ],
)
@on_both_loops
async def test_text(taken, reason, content_type, encoding, body, expected):
    assert await taken(arrived(body, content_type=content_type).text(encoding)) == expected, reason


@in_each_form
@pytest.mark.parametrize(
    ("reason", "charset", "body"),
    [
        ("not in that encoding", "utf-8", b"\xff"),
        ("no such encoding", "klingon", b"text"),
    ],
)
@on_both_loops
async def test_what_is_no_text_is_the_clients_fault(taken, reason, charset, body):
    payload = arrived(body, content_type=f"text/plain; charset={charset}")
    with pytest.raises(BadHttpMessage, match=f"The body is not text in '{charset}'."):
        await taken(payload.text())
    assert payload.at_eof(), reason


@in_each_form
@pytest.mark.parametrize(
    ("body", "expected"),
    [(b'{"a": [1, null]}', {"a": [1, None]}), (b" 1 ", 1), ('"т"'.encode("utf-16"), "т")],
)
@on_both_loops
async def test_json(taken, body, expected):
    assert await taken(arrived(body).json()) == expected


@in_each_form
@pytest.mark.parametrize(
    "body", [b"", b"{", b"'a'", b'"\xff"', b"[" * 100_000, b"9" * 10_000, b"1 2"], ids=len
)
@on_both_loops
async def test_what_is_no_json_is_the_clients_fault(taken, body):
    with pytest.raises(BadHttpMessage, match=r"^400, The body is not JSON\.$"):
        await taken(arrived(body).json())


@in_each_form
@pytest.mark.parametrize(
    ("content_type", "expected"),
    [("application/x-www-form-urlencoded", [("a", "1"), ("т", " ")]), ("text/plain", []), (None, [])],
)
@on_both_loops
async def test_form(taken, content_type, expected):
    form = await taken(arrived(b"a=1&%D1%82=+", content_type=content_type).form())

    assert list(form.items()) == expected


UPLOAD = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\ncontent\r\n--x--\r\n'
)


@in_each_form
@on_both_loops
async def test_a_file_out_of_a_form_is_open_until_the_request_is_over(taken):
    payload = Payload("multipart/form-data; boundary=x")
    reading = asyncio.create_task(taken(payload.form()))
    for byte in UPLOAD:
        await asyncio.sleep(0)
        payload.feed_data(bytes([byte]))
    payload.feed_eof()
    form = await reading
    file = form["f"].file

    assert (form["a"], form["f"].filename, file.read()) == ("1", "f.txt", b"content")
    payload.close()
    assert file.closed


@in_each_form
@pytest.mark.parametrize(
    ("reason", "content_type", "body", "status"),
    [
        ("more fields than asked for", "application/x-www-form-urlencoded", b"a&b&c", 413),
        ("no boundary", "multipart/form-data", b"", 400),
        ("cut off", "multipart/form-data; boundary=x", UPLOAD[:-9], 400),
        ("no form", "multipart/form-data; boundary=x", b"a=1", 400),
    ],
)
@on_both_loops
async def test_what_is_no_form_is_the_clients_fault(taken, reason, content_type, body, status):
    payload = arrived(body, content_type=content_type)
    with pytest.raises(HttpProcessingError) as caught:
        await taken(payload.form(max_fields=2))
    assert caught.value.code == status, reason
    payload.close()


@in_each_form
@on_both_loops
async def test_a_urlencoded_form_has_a_size(taken):
    """It is read whole, and a form of nothing but percents takes 0.2 us for each of its bytes."""
    payload = arrived(b"a=" + b"%" * 99, content_type="application/x-www-form-urlencoded")
    with pytest.raises(HttpProcessingError, match="larger than the limit of 100 bytes") as caught:
        await taken(payload.form(max_size=100))
    assert caught.value.code == 413

    payload = arrived(b"a=" + b"%" * 98, content_type="application/x-www-form-urlencoded")
    assert await taken(payload.form(max_size=100)) == {"a": "%" * 98}
