"""A chunked body decodes to its content however it was chunked and cut, and anything else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import (
    HttpProcessingError,
    LineTooLong,
    PayloadTooLarge,
    TooManyFields,
    TransferEncodingError,
)
from aioserve.http1.chunks import ChunkedBody


def decode(pieces, *, body_limit=0, trailer_limit=200, trailer_count=3):
    """Feed a body as a parser does; give back the content, what is left over, and whether it is complete."""
    body = ChunkedBody(body_limit, trailer_limit, trailer_count)
    kept, content = b"", b""
    for piece in pieces:
        kept += piece
        part, at = body.read(kept, 0)
        content += part
        kept = kept[at:]
    return content, kept, body.is_complete


def one_by_one(data):
    return [data[at : at + 1] for at in range(len(data))]


def outcome(pieces, **limits):
    """Feed a body; give back its content, or what it was refused with."""
    try:
        return decode(pieces, **limits)
    except HttpProcessingError as error:
        return type(error), error.code, error.message


@pytest.mark.parametrize(
    ("clause", "data", "content", "rest"),
    [
        ("9112 §7.1: nothing", b"0\r\n\r\n", b"", b""),
        ("9112 §7.1: two chunks", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde", b""),
        ("9112 §7.1: any case", b"A\r\nabcdefghij\r\na\r\nabcdefghij\r\n0\r\n\r\n", b"abcdefghij" * 2, b""),
        ("9112 §7.1: leading zeros", b"0003\r\nabc\r\n000\r\n\r\n", b"abc", b""),
        ("9112 §7.1: content may be all", b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n", b""),
        ("9112 §7.1.1: extensions mean nothing", b'3;a;b=c;d="\\"e" ; f\r\nabc\r\n0;g\r\n\r\n', b"abc", b""),
        ("9112 §7.1.2: nor do trailers", b"0\r\nContent-Length: 5\r\nHost: b\r\n\r\n", b"", b""),
        ("9112 §9.3: what follows is left", b"1\r\na\r\n0\r\n\r\nGET / HTTP/1", b"a", b"GET / HTTP/1"),
    ],
)
def test_body_is_decoded(clause, data, content, rest):
    assert decode([data]) == (content, rest, True), clause
    assert decode(one_by_one(data)) == (content, rest, True), clause


@pytest.mark.parametrize("data", [b'3;a="b"\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n'])
def test_body_is_complete_with_its_last_byte_and_not_before(data):
    for size in range(len(data)):
        assert not decode([data[:size]])[2], size
    assert decode([data])[2]


SIZE = "A chunk does not begin with its size."
LONGER = "A chunk is longer than its size."
TRAILER = "A trailer field is malformed."


@pytest.mark.parametrize(
    ("clause", "data", "said"),
    [
        *(
            (f"9112 §7.1: {line!r} is no size", line + b"abc\r\n0\r\n\r\n", SIZE)
            for line in (
                b"\r\n",
                b"0x3\r\n",
                b"+3\r\n",
                b"-3\r\n",
                b"3_0\r\n",
                b" 3\r\n",
                b"g\r\n",
                b"3 \r\n",
            )
        ),
        ("9112 §7.1: seventeen digits", b"1" + b"0" * 16 + b"\r\n", SIZE),
        ("9112 §7.1: LF alone", b"3\nabc\r\n", SIZE),
        ("9112 §7.1.1: a semicolon alone", b"3;\r\nabc\r\n", SIZE),
        ("9112 §7.1.1: NUL in an extension", b"3;a=\0\r\nabc\r\n", SIZE),
        ("9112 §7.1.1: CR in an extension", b'3;a="\r"\r\nabc\r\n', SIZE),
        ("9112 §7.1.1: LF in an extension", b'3;a="\n0\r\n\r\n', SIZE),
        ("9112 §7.1: more than the size", b"3\r\nabcd\r\n", LONGER),
        ("9112 §7.1: LF alone behind the content", b"3\r\nabc\n0\r\n\r\n", LONGER),
        ("9112 §7.1: CR alone behind the content", b"3\r\nabc\r0\r\n", LONGER),
        ("9112 §7.1.2: a trailer without a colon", b"0\r\nGET / HTTP/1.1\r\n", TRAILER),
        ("9112 §5.1: a blank before the colon", b"0\r\nA : b\r\n", TRAILER),
        ("9112 §5.2: a folded trailer", b"0\r\nA: b\r\n c\r\n", TRAILER),
        ("9112 §7.1.2: NUL in a trailer", b"0\r\nA: \0\r\n", TRAILER),
        ("9112 §7.1: LF alone at the end", b"0\r\n\n", TRAILER),
    ],
)
def test_broken_coding_is_refused(clause, data, said):
    assert outcome([data]) == (TransferEncodingError, 400, said), clause
    assert outcome(one_by_one(data)) == (TransferEncodingError, 400, said), clause


# Limits


@pytest.mark.parametrize(
    ("reason", "data", "is_refused"),
    [
        ("as much as the limit", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", False),
        ("one byte more, announced and not sent", b"3\r\nabc\r\n3\r\n", True),
        ("sixteen digits", b"f" * 16 + b"\r\n", True),
    ],
)
def test_content_has_a_limit(reason, data, is_refused):
    said = (PayloadTooLarge, 413, "The body is larger than the limit of 5 bytes.")

    assert (outcome([data], body_limit=5) == said) is is_refused, reason


def test_content_without_a_limit_has_none():
    assert decode([b"fffffffff\r\n", b"a" * 1000])[0] == b"a" * 1000


def test_line_has_a_limit_that_holds_before_its_end():
    said = (LineTooLong, 431, "A line between chunks is longer than the limit of 8192 bytes.")

    def line(size):
        return b"1;a=" + b"b" * (size - 6) + b"\r\n"

    assert decode([line(8192), b"c"])[0] == b"c"
    assert outcome([line(8193)]) == said
    assert outcome([line(9000)[:8193]]) == said
    assert outcome([b"0\r\nA: " + b"b" * 8190]) == said
    assert decode([line(9000)[:8192]])[0] == b""


def test_extensions_have_a_limit_on_their_sum():  # RFC 9112 §7.1.1
    chunk = b"1;" + b"a" * 4095 + b"\r\nb\r\n"

    assert decode([chunk * 4])[0] == b"bbbb"
    assert outcome([chunk * 4, b"0;a\r\n"]) == (
        TransferEncodingError,
        400,
        "The chunk extensions are too long.",
    )


TOO_LONG = LineTooLong, 431, "The trailer section is longer than the limit of 20 bytes."
TOO_MANY = TooManyFields, 431, "There are more trailer fields than the limit of 3."


@pytest.mark.parametrize(
    ("reason", "trailers", "said"),
    [
        ("as many bytes as the limit", b"A:" + b"b" * 16 + b"\r\n", None),
        ("one byte more", b"A:" + b"b" * 17 + b"\r\n", TOO_LONG),
        ("together", b"A: bcdef\r\n" * 2 + b"A:\r\n", TOO_LONG),
        ("as many fields as the limit", b"A:\r\n" * 3, None),
        ("one field more", b"A:\r\n" * 4, TOO_MANY),
    ],
)
def test_trailers_have_the_limits_of_a_head(reason, trailers, said):
    seen = outcome([b"0\r\n" + trailers + b"\r\n"], trailer_limit=20)

    assert (seen if seen[0] in (LineTooLong, TooManyFields) else None) == said, reason


# Properties

TOKENS = st.text("!#abcXYZ019.~", min_size=1, max_size=5)
QUOTED = st.text(st.sampled_from(' \t!#[]az\xff\\"'), max_size=5).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
BLANKS = st.sampled_from(["", " ", "\t "])
VALUES = st.just("") | st.tuples(BLANKS, st.just("="), BLANKS, TOKENS | QUOTED).map("".join)
EXTENSIONS = st.lists(st.tuples(BLANKS, st.just(";"), BLANKS, TOKENS, VALUES).map("".join), max_size=3).map(
    "".join
)
TRAILERS = st.lists(
    st.tuples(TOKENS, st.text(" \ta:\xff", max_size=5)).map("{0[0]}:{0[1]}\r\n".format), max_size=3
)
SIZES = st.tuples(st.sampled_from(["{:x}", "{:X}", "{:03x}"]), EXTENSIONS)


@st.composite
def chunked_bodies(draw):
    """Make content, and one of the ways to send it."""
    contents = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
    sent = b""
    for content in [*contents, b""]:
        size, extensions = draw(SIZES)
        sent += (size.format(len(content)) + extensions).encode("latin-1") + b"\r\n"
        sent += content + b"\r\n" if content else "".join(draw(TRAILERS)).encode("latin-1") + b"\r\n"
    return b"".join(contents), sent


@st.composite
def cuts(draw, data):
    """Cut bytes into pieces."""
    at = sorted(draw(st.sets(st.integers(0, len(data)), max_size=8)))
    return [data[start:end] for start, end in zip([0, *at], [*at, len(data)], strict=True)]


@given(body=chunked_bodies(), rest=st.binary(max_size=10), data=st.data())
def test_content_comes_back_however_it_was_chunked_and_cut(body, rest, data):
    content, sent = body

    assert decode(data.draw(cuts(sent + rest))) == (content, rest, True)
    assert decode(one_by_one(sent)) == (content, b"", True)


FRAGMENTS = st.sampled_from(
    [
        *(b"0", b"3", b"A", b"\r\n", b"\r", b"\n", b"abc", b";a", b"=b", b'"', b"\\", b" ", b"\0"),
        *(b"3\r\nabc\r\n", b"0\r\n", b"A: b\r\n", b":", b"g", b"\xff", b"f" * 15, b"a" * 30),
    ]
)


@given(stream=st.binary(max_size=50) | st.lists(FRAGMENTS, max_size=10).map(b"".join), data=st.data())
def test_any_bytes_are_decoded_or_refused_and_the_cut_never_changes_which(stream, data):
    limits = {"body_limit": 40, "trailer_limit": 20, "trailer_count": 2}
    whole = outcome([stream], **limits)

    assert outcome(data.draw(cuts(stream)), **limits) == whole
    assert outcome(one_by_one(stream), **limits) == whole
    assert isinstance(whole[0], bytes) or whole[1] in {400, 413, 431}


def test_bytes_are_looked_at_from_an_offset_on_and_not_copied():
    body = ChunkedBody(0, 0, 0)

    assert body.read(b"junk3\r\nabc\r", 4) == (b"abc", 10)
    assert body.read(b"abc\r\n0\r\n\r\nrest", 3) == (b"", 10)
    assert body.is_complete
    assert body.read(b"more", 2) == (b"", 2)
