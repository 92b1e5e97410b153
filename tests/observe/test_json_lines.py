"""Lines of the access log for programs."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.observe.json_lines import describe_message, format_json, readable

FIELDS = b"Host: a\r\nReferer: http://a/\r\nUser-Agent: curl/8\r\n"


def test_a_request_is_an_object(message, record):
    line = format_json(record(message(path="/x?y", fields=FIELDS), length=1234))

    assert json.loads(line) == {
        "time": "2026-11-24T06:00:00.250+00:00",
        "peer": "192.0.2.1",
        "method": "GET",
        "target": "/x?y",
        "protocol": "HTTP/1.1",
        "status": 200,
        "body_bytes": 1234,
        "sent_bytes": 1354,
        "seconds": 0.0008,
        "referer": "http://a/",
        "user_agent": "curl/8",
        "pid": os.getpid(),
    }


def test_what_is_no_request_is_an_object_with_its_first_line(record):
    read = json.loads(format_json(record(None, status=400, refused="\x16\x03\udcff")))

    assert read["refused"] == "\x16\x03\\xff"
    assert [read[key] for key in ("method", "target", "protocol", "referer", "user_agent")] == [None] * 5


def test_absent_fields_are_null(message, record):
    read = json.loads(format_json(record(message())))

    assert read["referer"] is read["user_agent"] is None


@pytest.mark.parametrize(
    ("peer", "expected"),
    [(("::1", 5), "::1"), ("/run/me.sock", "/run/me.sock"), ("", None), (None, None), ("a\udcff", "a\\xff")],
)
def test_a_peer_is_its_host_or_name(record, peer, expected):
    assert json.loads(format_json(record(peer=peer)))["peer"] == expected


def test_every_byte_leaves_one_line_that_any_reader_takes(message, record):
    for byte in range(256):
        foreign = b"a%cb" % byte
        text = foreign.decode("utf-8", "surrogateescape")
        fields = b"User-Agent: %b\r\nReferer: %b\r\n" % (foreign, foreign)
        line = format_json(record(message(method=text, path=text, fields=fields), peer=text))

        assert line.isascii(), byte
        assert line.isprintable(), byte
        json.dumps(json.loads(line), ensure_ascii=False).encode()  # no half of a pair


@given(st.binary())
def test_no_half_of_a_pair_is_left_of_any_bytes(data):
    readable(data.decode("utf-8", "surrogateescape")).encode()


@pytest.mark.parametrize("trace", [b"", b"00-%b-%b-01" % (b"0a" * 16, b"b7" * 8), b"00-0-0-0"])
def test_ids_are_there_where_requests_have_them(message, record, trace):
    made = record(message(fields=b"traceparent: %b\r\n" % trace))
    assert "request_id" not in json.loads(format_json(made))

    made.message.request_id = "8f1e-7"
    read = json.loads(format_json(made))

    assert read["request_id"] == "8f1e-7"
    found = (read.get("trace_id"), read.get("parent_id"))
    assert found == (tuple(trace.decode().split("-")[1:3]) if len(trace) > 10 else (None, None))


def test_messages_say_which_request_they_are_about(message):
    made = message(path="/\udcff", fields=b"traceparent: 00-%b-%b-01\r\n" % (b"0a" * 16, b"b7" * 8))
    made.peer = ("::1", 5)
    told = {"method": "GET", "target": "/\\xff", "protocol": "HTTP/1.1", "peer": "::1"}
    assert describe_message(made) == told

    made.request_id = "8f1e"
    ids = {"request_id": "8f1e", "trace_id": "0a" * 16, "parent_id": "b7" * 8}
    assert describe_message(made) == told | ids
