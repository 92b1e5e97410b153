"""What of foreign text may be shown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.escaping import escape_controls, escape_line

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # surrogates too


def unescape(line: str) -> bytes:
    return re.sub(
        rb'\\(?:x([0-9a-f]{2})|(["\\]))',
        lambda match: match[2] or bytes.fromhex(match[1].decode()),
        line.encode("ascii"),
    )


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("nothing to do", "/a b?c=d%20'e'", "/a b?c=d%20'e'"),
        ("empty", "", ""),
        ("a quote would end the field", 'a"b', r"a\"b"),
        ("the escape character itself", "a\\x41", r"a\\x41"),
        ("a forged line", "a\r\nb", r"a\x0d\x0ab"),
        ("a terminal command", "\x1b[2J\x9b2J", r"\x1b[2J\xc2\x9b2J"),
        ("NUL and DEL", "\x00\x7f", r"\x00\x7f"),
        ("bytes of UTF-8", "é€", r"\xc3\xa9\xe2\x82\xac"),
        ("a direction override", "\u202e", r"\xe2\x80\xae"),
        ("a byte that was no UTF-8", "\udcff", r"\xff"),
        ("a lone surrogate", "\ud800", r"\xed\xa0\x80"),
    ],
)
def test_a_line_is_printable_ascii(reason, text, expected):
    assert escape_line(text) == expected, reason


@given(st.binary())
def test_an_escaped_line_can_be_read_back(data):
    line = escape_line(data.decode("utf-8", "surrogateescape"))

    assert line.isascii()
    assert line.isprintable()
    assert unescape(line) == data


@given(ANY_TEXT)
def test_any_text_becomes_one_printable_line(text):
    line = escape_line(text)

    assert line.isascii()
    assert line.isprintable()
    assert re.search(r'(?<!\\)(?:\\\\)*"', line) is None


@pytest.mark.parametrize(
    ("reason", "text", "expected"),
    [
        ("lines and tabs stay", "a\n\tb\n", "a\n\tb\n"),
        ("letters of all languages stay", "é 文 ע 🙂", "é 文 ע 🙂"),
        ("a carriage return writes over the line", "a\rb", r"a\x0db"),
        ("escape, and its eight-bit form", "\x1b[2J\x9b2J", r"\x1b[2J\x9b2J"),
        ("direction overrides, CVE-2021-42574", "\u202e\u2066\u200f", r"\u202e\u2066\u200f"),
        ("line separators", "\u2028\x85\x0b", r"\u2028\x85\x0b"),
        ("a byte that was no UTF-8", "\udcff", r"\xff"),
        ("a lone surrogate", "\ud800", r"\ud800"),
    ],
)
def test_control_characters_become_visible(reason, text, expected):
    assert escape_controls(text) == expected, reason


@given(ANY_TEXT)
def test_no_control_character_is_left_and_the_rest_can_be_encoded(text):
    shown = escape_controls(text)

    shown.encode("utf-8")
    assert {c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} <= {"\n", "\t"}
    assert {unicodedata.bidirectional(c) for c in shown}.isdisjoint(
        ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    )
