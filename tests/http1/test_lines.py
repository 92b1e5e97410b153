"""A line of a head is refused at the first byte that cannot be right, and never for how it was cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import BadHttpMessage, BadStatusLine, HttpProcessingError, InvalidHeader, LineTooLong
from aioserve.http1.lines import judge_field_line, judge_request_line
from aioserve.http1.rules import REGISTERED_METHODS

LIMIT = 24


def judge_start(line, *, is_complete=True):
    judge_request_line(line, is_complete=is_complete, limit=LIMIT, scheme="http", methods=REGISTERED_METHODS)


def judge_field(line, *, is_complete=True, before=0, section_limit=1000):
    judge_field_line(line, is_complete=is_complete, limit=LIMIT, before=before, section_limit=section_limit)


def refusal_of(judge, line, **kwargs):
    """Return the class, the status and the text of a refusal, or None."""
    try:
        judge(line, **kwargs)
    except HttpProcessingError as error:
        return type(error), error.code, error.message
    return None


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.9\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"GET http://a/ HTTP/1.1\r\n",
        b"GET /" + b"a" * (LIMIT - 14) + b" HTTP/1.1\r\n",
    ],
)
def test_good_request_line_is_let_by(line):
    judge_start(line)


PARTS = 400, "The request line is not a method, a target and a version."
BYTE = 400, "The request line holds a byte that it must not."
TLS = 400, "TLS was spoken to a port that serves plain HTTP."
TARGET = 400, "The target '*' belongs to OPTIONS."
LONG = 414, "The request line is longer than the limit of 24 bytes."
METHOD = 501, "The method is not known here."
MAJOR = 505, "The versions served are HTTP/1.1 and HTTP/1.0."


@pytest.mark.parametrize(
    ("clause", "line", "said"),
    [
        ("9112 §3: two blanks", b"GET  / HTTP/1.1\r\n", PARTS),
        ("9112 §3: a blank in the target", b"GET /a b HTTP/1.1\r\n", PARTS),
        ("9112 §3.2: a fragment", b"GET /#a HTTP/1.1\r\n", PARTS),
        ("9112 C: no version", b"GET /\r\n", PARTS),
        ("9112 §2.3: a long version", b"GET / HTTP/1.10\r\n", PARTS),
        ("9112 §2.3: a small version", b"GET / http/1.1\r\n", PARTS),
        ("9112 §2.2: a blank line is none", b" \r\n", PARTS),
        ("9110 §9.1: a method that is no token", b'G"T / HTTP/1.1\r\n', PARTS),
        ("9112 §3: a tab", b"GET\t/ HTTP/1.1\r\n", BYTE),
        ("9112 §2.2: LF alone", b"GET / HTTP/1.1\n", BYTE),
        ("9112 §2.2: CR alone", b"GET /\r HTTP/1.1\r\n", BYTE),
        ("9112 §2.2: two CR", b"GET / HTTP/1.1\r\r\n", BYTE),
        ("3986 §2: a raw byte", b"GET /\xe4 HTTP/1.1\r\n", BYTE),
        ("3986 §2: NUL", b"GET /\0 HTTP/1.1\r\n", BYTE),
        ("8446 §5.1: TLS", b"\x16\x03\x01\n", TLS),
        ("9110 §15.6.6: another major version", b"GET / HTTP/2.0\r\n", MAJOR),
        ("9113 §3.4: the preface of HTTP/2, whose method is unknown too", b"PRI * HTTP/2.0\r\n", MAJOR),
        ("9110 §9.1: another method", b"FOO / HTTP/1.1\r\n", METHOD),
        ("9110 §9.1: methods have a case", b"get / HTTP/1.1\r\n", METHOD),
        ("9112 §3.2.4: a target of another method", b"GET * HTTP/1.1\r\n", TARGET),
        ("9112 §3: a long target", b"GET /" + b"a" * 30 + b" HTTP/1.1\r\n", LONG),
        ("9112 §3: a long method", b"A" * 30 + b" / HTTP/1.1\r\n", METHOD),
        ("a wrong byte within the limit comes first", b"\0" + b"a" * 30 + b"\r\n", BYTE),
        ("the limit comes before a wrong byte", b"GET /" + b"a" * 20 + b"\0\r\n", LONG),
    ],
)
def test_wrong_request_line_is_refused(clause, line, said):
    kind = {400: BadStatusLine, 414: LineTooLong}.get(said[0], HttpProcessingError)

    assert refusal_of(judge_start, line) == (kind, *said), clause


@pytest.mark.parametrize(
    "line", [b"A: b\r\n", b"A:b\r\n", b"A:\r\n", b"A: \xff\t\r\n", b"A: " + b"b" * (LIMIT - 3) + b"\r\n"]
)
def test_good_field_line_is_let_by(line):
    judge_field(line)


FIELD_PARTS = InvalidHeader, 400, "A header field is not a name, a colon and a value."
FIELD_BYTE = InvalidHeader, 400, "A header field holds a control byte."
FOLDED = InvalidHeader, 400, "A header field is folded over two lines."
FIELD_LONG = LineTooLong, 431, "A header field is longer than the limit of 24 bytes."


@pytest.mark.parametrize(
    ("clause", "line", "said"),
    [
        ("9112 §5.1: a blank before the colon", b"A : b\r\n", FIELD_PARTS),
        ("9112 §5: no colon", b"A\r\n", FIELD_PARTS),
        ("9112 §5: no name", b": b\r\n", FIELD_PARTS),
        ("9112 §5.2: folded by a blank", b" b\r\n", FOLDED),
        ("9112 §5.2: folded by a tab", b"\tb\r\n", FOLDED),
        ("9110 §5.5: NUL", b"A: \0\r\n", FIELD_BYTE),
        ("9110 §5.5: DEL", b"A: \x7f\r\n", FIELD_BYTE),
        ("9112 §2.2: LF alone", b"A: b\n", FIELD_BYTE),
        ("9112 §2.2: CR alone", b"A: b\rc\r\n", FIELD_BYTE),
        ("6585 §5: a long field", b"A: " + b"b" * 30 + b"\r\n", FIELD_LONG),
        ("a wrong byte within the limit comes first", b"\0" + b"b" * 30 + b"\r\n", FIELD_BYTE),
        ("the limit comes before a wrong byte", b"b" * 30 + b"\0\r\n", FIELD_LONG),
    ],
)
def test_wrong_field_line_is_refused(clause, line, said):
    assert refusal_of(judge_field, line) == said, clause


@pytest.mark.parametrize(
    ("reason", "line", "before", "is_refused"),
    [
        ("exactly as much as there is room for", b"A: bc\r\n", 13, False),
        ("its CRLF is counted", b"A: bcd\r\n", 13, True),
        ("what is there of it is too much already", b"A: bcd", 13, True),
        ("there is no room for a CRLF", b"A", 19, True),
        ("there is no room at all", b"A", 20, True),
        ("the end of the section needs no room", b"", 20, False),
    ],
)
def test_section_has_a_limit(reason, line, before, is_refused):
    refusal = refusal_of(
        judge_field, line, is_complete=line.endswith(b"\r\n"), before=before, section_limit=20
    )

    said = (LineTooLong, 431, "The header section is longer than the limit of 20 bytes.")
    assert refusal == (said if is_refused else None), reason


def test_text_names_the_limit_that_is_nearer():
    line = b"A: " + b"b" * LIMIT

    assert "A header field" in refusal_of(judge_field, line, before=0, section_limit=LIMIT + 2)[2]
    assert "The header section" in refusal_of(judge_field, line, before=1, section_limit=LIMIT + 2)[2]


PIECES = st.sampled_from(
    [
        *(b"GET", b" ", b"/", b"a" * 12, b" HTTP/1.1", b"2.0", b"http://", b"*"),
        *(b"\r", b"\0", b"\t", b"A", b":", b"\xff", b"\x16"),
    ]
)
LINES = st.lists(PIECES, max_size=8).map(b"".join)
ENDS = st.sampled_from([b"\n", b"\r\n"])


@pytest.mark.parametrize("judge", [judge_start, judge_field])
@given(line=LINES, end=ENDS)
def test_line_that_is_refused_early_is_refused_for_the_same_reason_as_a_whole(judge, line, end):
    whole = refusal_of(judge, line + end)
    early = (refusal_of(judge, line[:size], is_complete=False) for size in range(len(line) + len(end)))

    assert {refusal for refusal in early if refusal} <= {whole}


@given(line=LINES, end=ENDS, before=st.integers(0, 30))
def test_section_that_is_refused_early_is_refused_for_the_same_reason_as_a_whole(line, end, before):
    kwargs = {"before": before, "section_limit": 30}
    whole = refusal_of(judge_field, line + end, **kwargs)
    early = (
        refusal_of(judge_field, line[:size], is_complete=False, **kwargs) for size in range(len(line) + 1)
    )

    assert {refusal for refusal in early if refusal} <= {whole}


@pytest.mark.parametrize("judge", [judge_start, judge_field])
@given(line=st.binary(max_size=40), is_complete=st.booleans())
def test_any_line_is_let_by_or_refused(judge, line, is_complete):
    refusal = refusal_of(judge, line, is_complete=is_complete)

    assert (
        refusal is None or issubclass(refusal[0], BadHttpMessage) or refusal[1] in (414, 421, 431, 501, 505)
    )
