"""Conditional requests: RFC 9110 §13."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.conditional import (
    NotModified,
    PreconditionFailed,
    Proceed,
    Validators,
    evaluate_preconditions,
    matches_strongly,
    matches_weakly,
    parse_entity_tags,
)
from aioserve.http.dates import format_http_date
from aioserve.http.messages import HttpVersion11, RequestMessage

CHANGED = 784111777
NOW = CHANGED + 3600
AT_CHANGE = format_http_date(CHANGED)
BEFORE = format_http_date(CHANGED - 1)
AFTER = format_http_date(CHANGED + 1)
STRONG = Validators('"v1"', CHANGED)
WEAK = Validators('W/"v1"', CHANGED)
TIMELESS = Validators('"v1"', None)

WHOLE = Proceed(None)
PART = Proceed("bytes=0-1")
FAILED = PreconditionFailed()
KNOWN = NotModified()


def request(method: str, *fields: str) -> RequestMessage:
    section = "".join(f"{field}\r\n" for field in ("Host: a", *fields)).encode()
    return RequestMessage(method, "/", HttpVersion11, section, b"\n" + section.lower())


@pytest.mark.parametrize(
    ("clause", "method", "fields", "expected"),
    [
        ("no condition", "GET", (), WHOLE),
        # §13.1.1 If-Match
        ("same tag", "GET", ('If-Match: "v1"',), WHOLE),
        ("one of a list", "PUT", ('If-Match: "v0", "v1"',), WHOLE),
        ("any", "PUT", ("If-Match: *",), WHOLE),
        ("another tag", "GET", ('If-Match: "v2"',), FAILED),
        ("another tag, HEAD", "HEAD", ('If-Match: "v2"',), FAILED),
        ("a weak tag never matches", "PUT", ('If-Match: W/"v1"',), FAILED),
        ("malformed names nothing", "PUT", ("If-Match: v1",), FAILED),
        ("empty names nothing", "PUT", ("If-Match:",), FAILED),
        # §13.1.4 If-Unmodified-Since
        ("unmodified since the change", "PUT", (f"If-Unmodified-Since: {AT_CHANGE}",), WHOLE),
        ("unmodified since later", "PUT", (f"If-Unmodified-Since: {AFTER}",), WHOLE),
        ("modified", "PUT", (f"If-Unmodified-Since: {BEFORE}",), FAILED),
        ("modified, GET", "GET", (f"If-Unmodified-Since: {BEFORE}",), FAILED),
        ("a bad date is ignored", "PUT", ("If-Unmodified-Since: yesterday",), WHOLE),
        ("ignored with If-Match", "PUT", ('If-Match: "v1"', f"If-Unmodified-Since: {BEFORE}"), WHOLE),
        # §13.1.2 If-None-Match
        ("same tag, GET", "GET", ('If-None-Match: "v1"',), KNOWN),
        ("same tag, HEAD", "HEAD", ('If-None-Match: "v1"',), KNOWN),
        ("same tag, PUT", "PUT", ('If-None-Match: "v1"',), FAILED),
        ("any, GET", "GET", ("If-None-Match: *",), KNOWN),
        ("any, PUT", "PUT", ("If-None-Match: *",), FAILED),
        ("weak comparison", "GET", ('If-None-Match: W/"v1"',), KNOWN),
        ("one of a list", "GET", ('If-None-Match: "v0", W/"v1"',), KNOWN),
        ("one of two fields", "GET", ('If-None-Match: "v0"', 'If-None-Match: "v1"'), KNOWN),
        ("another tag", "GET", ('If-None-Match: "v2"',), WHOLE),
        ("unquoted names nothing", "GET", ("If-None-Match: v1",), WHOLE),
        # §13.1.3 If-Modified-Since
        ("not modified since the change", "GET", (f"If-Modified-Since: {AT_CHANGE}",), KNOWN),
        ("not modified since later", "HEAD", (f"If-Modified-Since: {AFTER}",), KNOWN),
        ("RFC 850", "GET", ("If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT",), KNOWN),
        ("asctime", "GET", ("If-Modified-Since: Sun Nov  6 08:49:37 1994",), KNOWN),
        ("modified", "GET", (f"If-Modified-Since: {BEFORE}",), WHOLE),
        ("a bad date is ignored", "GET", ("If-Modified-Since: 0",), WHOLE),
        ("two dates are ignored", "GET", (f"If-Modified-Since: {AFTER}",) * 2, WHOLE),
        ("for GET and HEAD only", "POST", (f"If-Modified-Since: {AFTER}",), WHOLE),
        ("no match wins over the date", "GET", ('If-None-Match: "v2"', f"If-Modified-Since: {AFTER}"), WHOLE),
        ("even malformed", "GET", ("If-None-Match: v2", f"If-Modified-Since: {AFTER}"), WHOLE),
        # §14.2 Range and §13.1.5 If-Range
        ("a range", "GET", ("Range: bytes=0-1",), PART),
        ("a range for HEAD is ignored", "HEAD", ("Range: bytes=0-1",), WHOLE),
        ("a range for POST is ignored", "POST", ("Range: bytes=0-1",), WHOLE),
        ("If-Range without Range", "GET", ('If-Range: "v1"',), WHOLE),
        ("the same tag", "GET", ("Range: bytes=0-1", 'If-Range: "v1"'), PART),
        ("another tag", "GET", ("Range: bytes=0-1", 'If-Range: "v2"'), WHOLE),
        ("a weak tag", "GET", ("Range: bytes=0-1", 'If-Range: W/"v1"'), WHOLE),
        ("a list is no validator", "GET", ("Range: bytes=0-1", 'If-Range: "v1", "v2"'), WHOLE),
        ("any is no validator", "GET", ("Range: bytes=0-1", "If-Range: *"), WHOLE),
        ("the very date", "GET", ("Range: bytes=0-1", f"If-Range: {AT_CHANGE}"), PART),
        ("a later date", "GET", ("Range: bytes=0-1", f"If-Range: {AFTER}"), WHOLE),
        ("an earlier date", "GET", ("Range: bytes=0-1", f"If-Range: {BEFORE}"), WHOLE),
        ("neither tag nor date", "GET", ("Range: bytes=0-1", "If-Range: v1"), WHOLE),
        # §13.2.2 the order
        ("steps 1, 3", "GET", ('If-Match: "v2"', 'If-None-Match: "v1"'), FAILED),
        ("steps 1, 3 both hold", "GET", ('If-Match: "v1"', 'If-None-Match: "v1"'), KNOWN),
        ("steps 2, 3", "GET", (f"If-Unmodified-Since: {BEFORE}", 'If-None-Match: "v1"'), FAILED),
        (
            "steps 2, 4",
            "GET",
            (f"If-Unmodified-Since: {AT_CHANGE}", f"If-Modified-Since: {AT_CHANGE}"),
            KNOWN,
        ),
        ("steps 3, 5", "GET", ('If-None-Match: "v1"', "Range: bytes=0-1"), KNOWN),
        ("steps 3, 5 pass", "GET", ('If-None-Match: "v2"', 'If-Range: "v1"', "Range: bytes=0-1"), PART),
        ("steps 1, 5", "GET", ('If-Match: "v1"', "Range: bytes=0-1"), PART),
    ],
)
def test_conditions_are_weighed_in_order(clause, method, fields, expected):
    assert evaluate_preconditions(request(method, *fields), STRONG, NOW) == expected, clause


@pytest.mark.parametrize(
    ("clause", "fields", "expected"),
    [
        ("§13.1.1 compares strongly", ('If-Match: W/"v1"',), FAILED),
        ("§13.1.1 nor does its opaque part", ('If-Match: "v1"',), FAILED),
        ("§13.1.1 but any does", ("If-Match: *",), WHOLE),
        ("§13.1.2 compares weakly", ('If-None-Match: "v1"',), KNOWN),
        ("§13.1.2 compares weakly, both", ('If-None-Match: W/"v1"',), KNOWN),
        ("§13.1.5 compares strongly", ("Range: bytes=0-1", 'If-Range: W/"v1"'), WHOLE),
    ],
)
def test_weak_validator_is_weak(clause, fields, expected):
    assert evaluate_preconditions(request("GET", *fields), WEAK, NOW) == expected, clause


@pytest.mark.parametrize(
    ("clause", "method", "fields", "expected"),
    [
        ("§13.1.4 is ignored", "PUT", (f"If-Unmodified-Since: {BEFORE}",), WHOLE),
        ("§13.1.4 is ignored, GET", "GET", (f"If-Unmodified-Since: {BEFORE}",), WHOLE),
        ("§13.1.3 is ignored", "GET", (f"If-Modified-Since: {AFTER}",), WHOLE),
        ("§13.1.3 is ignored, HEAD", "HEAD", (f"If-Modified-Since: {AT_CHANGE}",), WHOLE),
        ("§13.1.5 no date is its own", "GET", ("Range: bytes=0-1", f"If-Range: {AT_CHANGE}"), WHOLE),
        ("§13.1.5 nor is what is none", "GET", ("Range: bytes=0-1", "If-Range: yesterday"), WHOLE),
        ("§13.1.5 but the tag is", "GET", ("Range: bytes=0-1", 'If-Range: "v1"'), PART),
        ("§14.2 a range", "GET", ("Range: bytes=0-1",), PART),
        ("§13.1.1 the tag counts", "GET", ('If-Match: "v2"',), FAILED),
        ("§13.1.1 and holds", "PUT", ('If-Match: "v1"', f"If-Unmodified-Since: {BEFORE}"), WHOLE),
        ("§13.1.2 the tag counts", "GET", ('If-None-Match: "v1"', f"If-Modified-Since: {AFTER}"), KNOWN),
        ("§13.1.2 for others too", "PUT", ('If-None-Match: "v1"', f"If-Unmodified-Since: {AFTER}"), FAILED),
        (
            "§13.2.2 steps 2, 3",
            "GET",
            (f"If-Unmodified-Since: {BEFORE}", 'If-None-Match: "v1"'),
            KNOWN,
        ),
    ],
)
def test_conditions_about_a_time_that_is_not_known_are_ignored(clause, method, fields, expected):
    assert evaluate_preconditions(request(method, *fields), TIMELESS, NOW) == expected, clause


def test_date_of_the_running_second_is_no_strong_validator():
    message = request("GET", "Range: bytes=0-1", f"If-Range: {AT_CHANGE}")

    assert evaluate_preconditions(message, STRONG, now=CHANGED) == WHOLE
    assert evaluate_preconditions(message, STRONG, now=CHANGED + 1) == PART


@pytest.mark.parametrize(
    ("reason", "value", "tags"),
    [
        ("one", '"a"', ['"a"']),
        ("weak", 'W/"a"', ['W/"a"']),
        ("empty tag", '""', ['""']),
        ("several", '"a",W/"b" \t,  "c"', ['"a"', 'W/"b"', '"c"']),
        ("§5.6.1.2: empty elements", ', ,"a",,\t"b", ,', ['"a"', '"b"']),
        ("a comma is part of a tag", '"a,b", "c"', ['"a,b"', '"c"']),
        ("a backslash escapes nothing", r'"a\", "b"', ['"a\\"', '"b"']),
        ("obs-text", '"é\udcff"', ['"é\udcff"']),
        ("nothing", "", []),
        ("nothing but commas", ",,", []),
    ],
)
def test_entity_tags_are_read(reason, value, tags):
    assert parse_entity_tags(value) == tags, reason


@pytest.mark.parametrize(
    "value",
    [
        "a",
        '"a',
        'a"',
        'w/"a"',
        'W"a"',
        'W/ "a"',
        "W/a",
        "'a'",
        '"a b"',
        '"a\tb"',
        '"a\x7f"',
        '"a\x00"',
        '"a"\n',
        '\n"a"',
        '"a" "b"',
        '"a""b"',
        '"a";"b"',
        '"a", b',
        'a, "b"',
        "*",
        '*, "a"',
        '"a", *',
    ],
)
def test_malformed_list_names_nothing(value):
    assert parse_entity_tags(value) == []


etagc = st.characters(min_codepoint=0x21, exclude_characters='"\x7f')
entity_tags = st.builds(
    "{}{}".format, st.sampled_from(["", "W/"]), st.text(etagc, max_size=5).map('"{}"'.format)
)


@given(st.lists(entity_tags), st.sampled_from([",", ", ", " \t,,"]))
def test_what_is_written_by_the_grammar_is_read_back(tags, separator):
    assert parse_entity_tags(separator.join(tags)) == tags


@given(st.text('W/"a,* \t\\') | st.text(), entity_tags)
def test_any_text_is_read_and_a_strong_match_is_a_weak_one(value, etag):
    assert all(tag in value for tag in parse_entity_tags(value))
    assert matches_weakly(value, etag) or not matches_strongly(value, etag)


FIELDS = ("If-Match", "If-Unmodified-Since", "If-None-Match", "If-Modified-Since", "If-Range", "Range")
VALUES = ('"v1"', '"v2"', 'W/"v1"', "*", "bytes=0-1", BEFORE, AT_CHANGE, AFTER, "", "?")


@given(
    st.sampled_from(["GET", "HEAD", "PUT", "OPTIONS"]),
    st.lists(st.builds("{}: {}".format, st.sampled_from(FIELDS), st.sampled_from(VALUES))),
    st.sampled_from([STRONG, WEAK, TIMELESS]),
)
def test_any_request_has_an_outcome(method, fields, validators):
    match evaluate_preconditions(request(method, *fields), validators, NOW):
        case Proceed(range_header):
            assert range_header is None or method == "GET"
        case NotModified():
            assert method in {"GET", "HEAD"}
        case PreconditionFailed():
            assert any(
                field.startswith(("If-Match", "If-Unmodified-Since", "If-None-Match")) for field in fields
            )


@given(
    st.sampled_from(["GET", "HEAD", "PUT"]),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES)),
)
def test_without_a_time_the_fields_about_it_change_nothing(method, fields):
    others = {name: value for name, value in fields.items() if not name.endswith("-Since")}
    asked, without = (
        request(method, *(f"{name}: {value}" for name, value in each.items())) for each in (fields, others)
    )

    assert evaluate_preconditions(asked, TIMELESS, NOW) == evaluate_preconditions(without, TIMELESS, NOW)
