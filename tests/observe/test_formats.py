"""The plain lines of the access log."""

from __future__ import annotations

import calendar
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.observe.formats import (
    FORMATS,
    describe_request,
    format_clock,
    format_duration,
    format_peer,
    format_size,
)

FIELDS = b"Host: a\r\nReferer: http://a/\r\nUser-Agent: curl/8\r\n"

# A line of the Combined Log Format, as a program that reads logs would take it apart.
QUOTED = r'"((?:[^"\\]|\\.)*)"'
COMBINED = re.compile(
    rf"(\S+) - - \[(\d\d/[A-Z][a-z]{{2}}/\d{{4}}:\d\d:\d\d:\d\d [+-]\d{{4}})\] {QUOTED} (\d{{3}}) (\d+)"
    rf" {QUOTED} {QUOTED}",
    re.ASCII,
)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("common", '192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "GET /x?y HTTP/1.1" 200 1234'),
        (
            "combined",
            '192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "GET /x?y HTTP/1.1" 200 1234 "http://a/" "curl/8"',
        ),
        ("dev", "06:00:00 200 GET /x?y 1.2kB 0.8ms"),
    ],
)
@pytest.mark.usefixtures("utc")
def test_a_request_is_a_line(name, line, message, record):
    assert FORMATS[name](record(message(path="/x?y", fields=FIELDS), length=1234)) == line


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("common", '192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "-" 400 18'),
        ("combined", '192.0.2.1 - - [24/Nov/2026:06:00:00 +0000] "-" 400 18 "-" "-"'),
        ("dev", "06:00:00 400 - 18B 0.8ms"),
    ],
)
@pytest.mark.usefixtures("utc")
def test_a_request_that_could_not_be_parsed_has_a_line_too(name, line, record):
    assert FORMATS[name](record(None, status=400)) == line


@pytest.mark.parametrize("name", FORMATS)
def test_the_first_line_of_what_could_not_be_parsed_is_shown_without_harm(name, record):
    line = FORMATS[name](record(None, status=400, refused='\x16\x03\x01\udcff "GET"'))
    assert r"\x16\x03\x01\xff \"GET\"" in line
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize(
    "fields", [b"Host: a\r\n", b"Host: a\r\nReferer:\r\nUser-Agent: \r\n"], ids=["no", "empty"]
)
def test_absent_fields_are_hyphens(fields, message, record):
    assert FORMATS["combined"](record(message(fields=fields))).endswith(' 200 18 "-" "-"')


@pytest.mark.parametrize("name", FORMATS)
def test_every_byte_leaves_one_parsable_line_of_printable_ascii(name, message, record):
    for byte in range(256):
        foreign = b"a%cb" % byte
        text = foreign.decode("utf-8", "surrogateescape")
        fields = b"User-Agent: %b\r\nReferer: %b\r\n" % (foreign, foreign)
        line = FORMATS[name](record(message(method=text, path=text, fields=fields), peer=text))

        assert line.isascii(), byte
        assert line.isprintable(), byte
        assert name != "combined" or COMBINED.fullmatch(line), byte


@given(st.text(st.characters(exclude_categories=())), st.binary())
def test_whatever_is_sent_the_line_can_be_taken_apart(message, record, text, value):
    fields = b"User-Agent: %b\r\n" % value.replace(b"\r", b"")
    line = FORMATS["combined"](record(message(method=text, path=text, fields=fields), peer=text))

    assert COMBINED.fullmatch(line)


@pytest.mark.parametrize(
    ("reason", "peer", "expected"),
    [
        ("IPv4", ("192.0.2.1", 80), "192.0.2.1"),
        ("IPv6", ("2001:db8::1", 80), "2001:db8::1"),
        ("IPv6 with flow and scope", ("fe80::1%eth0", 80, 0, 2), "fe80::1%eth0"),
        ("a named unix socket", "/run/client.sock", "/run/client.sock"),
        ("its name is one word", '/run/a b\n"', r"/run/a\x20b\x0a\""),
        ("a nameless unix socket", "", "-"),
        ("an abstract one, in bytes", b"\0name", "-"),
        ("unknown", None, "-"),
    ],
)
def test_peers(reason, peer, expected):
    assert format_peer(peer) == expected, reason


def utc_moment(*parts):
    return calendar.timegm((*parts, 0, 0, 0))


@pytest.mark.parametrize(
    ("zone_name", "moment", "expected"),
    [
        ("UTC0", (2026, 1, 2, 3, 4, 5), "[02/Jan/2026:03:04:05 +0000]"),
        ("<+0545>-5:45", (2026, 12, 31, 23, 0, 0), "[01/Jan/2027:04:45:00 +0545]"),
        ("<-0930>9:30", (2026, 5, 1, 9, 0, 0), "[30/Apr/2026:23:30:00 -0930]"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", (2026, 3, 29, 0, 59, 59), "[29/Mar/2026:01:59:59 +0100]"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", (2026, 3, 29, 1, 0, 0), "[29/Mar/2026:03:00:00 +0200]"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", (2026, 10, 25, 0, 59, 59), "[25/Oct/2026:02:59:59 +0200]"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", (2026, 10, 25, 1, 0, 0), "[25/Oct/2026:02:00:00 +0100]"),
    ],
)
def test_local_time_with_its_offset(zone, record, zone_name, moment, expected):
    zone(zone_name)

    assert expected in FORMATS["common"](record(started=utc_moment(*moment) + 0.999))


@pytest.mark.usefixtures("utc")
def test_requests_of_one_second_share_its_text():
    assert format_clock(86399.0) is format_clock(86399.9)
    assert format_clock(86400.0) == "00:00:00"


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, "0B"),
        (999, "999B"),
        (1000, "1.0kB"),
        (1234, "1.2kB"),
        (999_949, "999.9kB"),
        (999_951, "1.0MB"),
        (1 << 30, "1.1GB"),
        (5 * 10**12, "5.0TB"),
    ],
)
def test_sizes(length, expected):
    assert format_size(length) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0.00ms"),
        (0.00004, "0.04ms"),
        (0.0000949, "0.09ms"),
        (0.000096, "0.1ms"),
        (0.0008, "0.8ms"),
        (0.9999, "999.9ms"),
        (0.99996, "1.0s"),
        (75.04, "75.0s"),
    ],
)
def test_durations(seconds, expected):
    assert format_duration(seconds) == expected


@pytest.mark.parametrize(
    ("peer", "request_id", "text"),
    [
        (None, "", r"GET /\xff HTTP/1.1"),
        (("::1", 4), "", r"GET /\xff HTTP/1.1 from ::1"),
        ("/run/a", 'a"', r"GET /\xff HTTP/1.1 from /run/a, id a\""),
    ],
)
def test_a_request_is_found_again_by_what_messages_say_of_it(message, peer, request_id, text):
    made = message(path="/\udcff")
    made.peer, made.request_id = peer, request_id

    assert describe_request(made) == text
