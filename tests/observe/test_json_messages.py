"""Messages for programs: what is in them, and that nothing makes more or less than one line."""

from __future__ import annotations

import json
import logging
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.observe.json_messages import JsonFormatter

USUAL = {"time", "level", "logger", "message", "pid"}


def told(message="message", *args, exc=None, sinfo=None, **extra):
    """Return what a message becomes, as a program reads it."""
    logger = logging.getLogger("app.part")
    exc_info = exc and (type(exc), exc, exc.__traceback__)
    made = logger.makeRecord("app.part", 30, "a.py", 1, message, args, exc_info, None, extra, sinfo)
    made.created = 1795500000.25
    line = JsonFormatter().format(made)
    assert line.isascii()
    assert line.isprintable()
    read = json.loads(line)
    json.dumps(read, ensure_ascii=False).encode()  # no half of a pair
    return read


def test_a_message_has_time_level_logger_text_and_process():
    assert told("%d of %s", 1, "two\n\x1b\udcff") == {
        "time": "2026-11-24T06:00:00.250+00:00",
        "level": "WARNING",
        "logger": "app.part",
        "message": "1 of two\n\x1b\\xff",
        "pid": os.getpid(),
    }


def test_an_exception_has_type_text_and_traceback():
    with pytest.raises(KeyError) as raised:
        {}["a\nb"]
    found = told(exc=raised.value)["exception"]

    assert found["type"] == "KeyError"
    assert found["message"] == r"'a\nb'"
    assert found["traceback"].startswith("Traceback (most recent call last):\n")
    assert found["traceback"].endswith(r"KeyError: 'a\nb'")


def test_where_there_is_no_exception_there_is_none():
    made = logging.makeLogRecord({"exc_info": (None, None, None)})

    assert "exception" not in json.loads(JsonFormatter().format(made))


def test_a_stack_is_there():
    assert told(sinfo="Stack:\n  here")["stack"] == "Stack:\n  here"


def test_a_request_is_described(message):
    made = message(path="/a")
    made.peer, made.request_id = ("::1", 7), "8f1e"

    assert told(request=made)["request"] == {
        "method": "GET",
        "target": "/a",
        "protocol": "HTTP/1.1",
        "peer": "::1",
        "request_id": "8f1e",
    }


def test_no_request_is_not_and_what_else_is_called_so_is_a_field_of_others():
    assert told(request=None).keys() == USUAL
    assert told(request="mine")["extra.request"] == "mine"


def test_fields_of_others_follow_and_take_no_place_of_ours():
    found = told(user="me", time=1, pid="x", **{"a\udcff": None})

    assert found.keys() - USUAL == {"user", "extra.time", "extra.pid", "a\\xff"}
    assert (found["user"], found["extra.time"], found["extra.pid"]) == ("me", 1, "x")
    assert found["pid"] == os.getpid()


class Odd:
    """Fails at everything."""

    def __repr__(self):
        raise RuntimeError("no")


class Text(str):
    """A text that says something else of itself."""

    __slots__ = ()

    def __str__(self):
        return "\udcff"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (10**40, 10**40),
        (Text("a"), "a"),
        (b"\xff", "b'\\xff'"),
        ({1: ("a", {"b"})}, {"1": ["a", "{'b'}"]}),
        (Odd(), "<Odd: RuntimeError>"),
        ({Odd(): Odd()}, {"<Odd: RuntimeError>": "<Odd: RuntimeError>"}),
    ],
)
def test_any_value_has_a_form(value, expected):
    assert told(value=value)["value"] == expected


def test_what_holds_itself_has_an_end():
    ring = []
    ring.append(ring)
    round_trip = {}
    round_trip["again"] = round_trip

    assert "[[...]]" in json.dumps(told(value=ring))
    assert "{...}" in json.dumps(told(value=round_trip))


@given(st.recursive(st.none() | st.floats() | st.text() | st.binary(), st.lists, max_leaves=5), st.text())
def test_whatever_it_is_it_is_one_line(value, name):
    found = told(name.replace("%", "%%"), value=value, exc=ValueError(name), **{f"x{name}": value})

    assert found.keys() >= USUAL
    assert sys.getsizeof(found)
