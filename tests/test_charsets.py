"""Which encodings a client may choose for its text, and which only a handler."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.charsets import decode_text
from aioserve.errors import BadHttpMessage


@pytest.mark.parametrize(
    ("reason", "content_type", "encoding", "body", "text"),
    [
        ("nothing is said", None, None, "тест".encode(), "тест"),
        ("no charset is said", "text/plain; a=b", None, "тест".encode(), "тест"),
        ("the client says it", "text/plain; charset=koi8-r", None, "тест".encode("koi8-r"), "тест"),
        ("in any case, in quotes", 'text/plain;CHARSET="KOI8-R"', None, "тест".encode("koi8-r"), "тест"),
        ("the handler knows better", "text/plain; charset=koi8-r", "utf-8", "тест".encode(), "тест"),
        ("and may take any codec", "text/plain; charset=klingon", "punycode", b"abc-", "abc"),
    ],
)
def test_text_is_decoded(reason, content_type, encoding, body, text):
    assert decode_text(body, content_type, encoding) == text, reason


@pytest.mark.parametrize(
    ("reason", "charset", "body"),
    [
        ("not in that encoding", "utf-8", b"\xff"),
        ("no such encoding", "klingon", b"text"),
        ("no encoding of text", "hex", b"00"),
        ("a bomb, if it were one of text", "zlib", b"text"),
        ("a codec that only raises", "undefined", b"text"),
        ("a codec that raises its own error", "idna", b"\xff"),
        ("too long a label", "punycode", b"-" * 99 + b"\xff"),
        ("a codec that takes quadratic time", "Punycode", b"a"),
        ("escapes are no charset", "unicode_escape", b"\\d"),
        ("nor are these", "raw-unicode-escape", b"\\u0041"),
    ],
)
def test_what_is_no_text_is_the_clients_fault(reason, charset, body):
    with pytest.raises(BadHttpMessage, match=f"The body is not text in '{charset}'.") as caught:
        decode_text(body, f"text/plain; charset={charset}")
    assert caught.value.code == 400, reason


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789_-.:", min_size=1, max_size=12), st.binary(max_size=20))
def test_any_name_decodes_or_is_refused(name, body):
    with contextlib.suppress(BadHttpMessage):
        assert isinstance(decode_text(body, f"text/plain; charset={name}"), str)
