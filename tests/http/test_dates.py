"""HTTP dates: RFC 9110 §5.6.7."""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.dates import format_http_date, parse_http_date

EXAMPLE = 784111777  # the RFC's own: Sun, 06 Nov 1994 08:49:37 GMT
SECONDS = st.integers(
    int(datetime(1, 1, 1, tzinfo=UTC).timestamp()),
    int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()),
)


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE, id="IMF-fixdate"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE, id="RFC 850"),
        pytest.param("Sun Nov  6 08:49:37 1994", EXAMPLE, id="asctime"),
        pytest.param("Wed Nov 16 08:49:37 1994", EXAMPLE + 864000, id="asctime, two digits of day"),
        pytest.param("Mon, 06 Nov 1994 08:49:37 GMT", EXAMPLE, id="the wrong day of the week"),
        pytest.param("Thu, 01 Jan 1970 00:00:00 GMT", 0, id="the epoch"),
        pytest.param("Wed, 31 Dec 1969 23:59:59 GMT", -1, id="before the epoch"),
        pytest.param("Thu, 29 Feb 2024 00:00:00 GMT", at(2024, 2, 29), id="leap day"),
        pytest.param("Sat, 31 Dec 2016 23:59:60 GMT", at(2017, 1, 1), id="leap second"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", at(9999, 12, 31, 23, 59, 59), id="the last second"),
    ],
)
def test_date_is_read(value, expected):
    assert parse_http_date(value, EXAMPLE) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "784111777",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 GMT\n",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 06  Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19940 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 00:00:00 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Feb 30 08:49:37 1994",
    ],
)
def test_anything_else_is_no_date(value):
    assert parse_http_date(value, EXAMPLE) is None


@pytest.mark.parametrize(
    ("reason", "now", "year", "expected"),
    [
        ("this year", at(2026, 6, 15, 12), "26", 2026),
        ("next year", at(2026, 6, 15, 12), "27", 2027),
        ("forty-nine years from now", at(2026, 6, 15, 12), "75", 2075),
        ("fifty years to the second", at(2026, 6, 15, 12), "76", 2076),
        ("a second more", at(2026, 6, 15, 11, 59, 59), "76", 1976),
        ("fifty-one years would be", at(2026, 6, 15, 12), "77", 1977),
        ("a new century lies near", at(1999, 6, 15, 12), "05", 2005),
        ("and the old one still counts", at(2001, 6, 15, 12), "99", 1999),
    ],
)
def test_two_digit_year_is_at_most_fifty_years_away(reason, now, year, expected):
    assert parse_http_date(f"Monday, 15-Jun-{year} 12:00:00 GMT", now) == at(expected, 6, 15, 12), reason


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (EXAMPLE, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (at(1, 1, 1), "Mon, 01 Jan 0001 00:00:00 GMT"),
    ],
)
def test_date_is_written(seconds, expected):
    assert format_http_date(seconds) == expected


@given(SECONDS, SECONDS)
def test_what_is_written_is_read_back(seconds, now):
    assert parse_http_date(format_http_date(seconds), now) == seconds


@given(st.integers(0, 4_000_000_000))
def test_writing_agrees_with_the_standard_library(seconds):
    assert format_http_date(seconds) == email.utils.formatdate(seconds, usegmt=True)


@given(
    st.text()
    | st.from_regex(
        r"(Sun|Monday),? [0-9]{2}[ -](Feb|Nov)[ -]([0-9]{2}|[0-9]{4}) [0-9]{2}:[0-9]{2}:[0-6][0-9]( GMT)?"
    ),
    SECONDS,
)
def test_any_text_is_read_without_an_error(value, now):
    seconds = parse_http_date(value, now)

    assert seconds is None or isinstance(seconds, int)
