"""What a constructor's arguments mean, and what they leave to the command."""

from __future__ import annotations

import logging
from dataclasses import FrozenInstanceError, fields
from math import inf, nan

import pytest

from aioserve.handler_options import DEFAULT_OPTIONS, HandlerOptions, access_logger, options_of, server_logger
from aioserve.http1.parser import ParserLimits
from aioserve.http1.rules import REGISTERED_METHODS
from aioserve.observe.access import AccessRecord
from aioserve.ready import ReadyAnswer
from tests.answers import DATE, Answering
from tests.doubles import request

TIMES = ["keep_alive", "timeout", "body_timeout", "write_timeout", "lingering_time"]


def changed(given, defaults=DEFAULT_OPTIONS):
    """Return by name the options that arguments change."""
    options = options_of(given, defaults)
    names = [each.name for each in fields(HandlerOptions) if each.init]
    values = {name: getattr(options, name) for name in names}
    return {name: value for name, value in values.items() if value != getattr(defaults, name)}


def ready_answer(size):
    """Make an answer with a body of so many bytes."""
    parts = b"HTTP/1.1 200 OK\r\n" + DATE + b"\r\n", bytes(size)
    return ReadyAnswer(request(), 200, parts, DATE, bool)


def test_nothing_given_is_the_defaults():
    assert options_of({}) == HandlerOptions()
    assert changed({}, HandlerOptions(debug=True, keep_alive=5.0)) == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"keep_alive": 5}, {"keep_alive": 5.0}),
        ({"debug": True, "auto_decompress": False}, {"debug": True, "auto_decompress": False}),
        ({"cancel_on_disconnect": True}, {"cancel_on_disconnect": True}),
        ({"tcp_keepalive": False}, {"tcp_keepalive": False}),
        ({"keep_alive_on": False}, {"tcp_keepalive": False}),
        ({"log": access_logger}, {"logger": access_logger}),
        ({"logger": access_logger}, {"logger": access_logger}),
        ({"access_log": None}, {"access_log": None}),
        ({"access_log_format": "common"}, {"access_log_format": "common"}),
        ({"allowed_methods": ("GET", "HEAD")}, {"allowed_methods": ("GET", "HEAD")}),
        ({"allowed_methods": ["GET"]}, {"allowed_methods": ("GET",)}),
        ({"allowed_methods": {"GET": "read"}}, {"allowed_methods": ("GET",)}),
        ({"max_line_size": 1}, {"limits": ParserLimits(line=1)}),
        ({"max_field_size": 2, "max_headers": 3}, {"limits": ParserLimits(field=2, head=3)}),
        ({"max_header_count": 4, "max_body_size": 0}, {"limits": ParserLimits(headers=4, body=0)}),
    ],
    ids=repr,
)
def test_each_argument_changes_its_option(given, expected):
    assert changed(given) == expected


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    ("given", "seconds"), [(0, 0), (None, 0), (False, 0), (0.5, 0.5), (30, 30), ("2.5", 2.5), (inf, inf)]
)
def test_a_time_is_a_number_of_seconds_and_nothing_turns_it_off(name, given, seconds):
    value = getattr(options_of({name: given}), name)

    assert (value, type(value)) == (seconds, float)


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("given", [-1, -0.001, nan, "soon"])
def test_anything_else_is_no_time(name, given):
    with pytest.raises(ValueError, match=r"number|could not convert"):
        options_of({name: given})


@pytest.mark.parametrize(
    "name", ["nonsense", "limits", "responders", "ready_limit", "ready", "access_sink", "loop", "port", ""]
)
def test_an_argument_that_is_not_known_is_refused(name):
    with pytest.raises(
        TypeError, match=rf"^ServerHttpProtocol\(\) got an unexpected keyword argument '{name}'$"
    ):
        options_of({"debug": True, name: 1})


def test_one_method_is_no_sequence_of_methods():
    with pytest.raises(TypeError, match="allowed_methods is a sequence of names, not one"):
        options_of({"allowed_methods": "GET"})


def test_a_type_error_of_a_value_is_not_hidden():
    with pytest.raises(TypeError, match="not iterable"):
        options_of({"allowed_methods": 5})


# Over defaults


def test_what_the_author_gave_stands_over_what_the_command_says():
    defaults = HandlerOptions(
        keep_alive=5.0,
        debug=True,
        limits=ParserLimits(line=1, body=2),
        responders=(len,),
        allowed_methods=("GET",),
    )
    options = options_of({"keep_alive": 75, "max_body_size": 3}, defaults)

    assert options.keep_alive == 75  # also where that is the usual value
    assert options.limits == ParserLimits(line=1, body=3)
    assert (options.debug, options.responders, options.allowed_methods) == (True, (len,), ("GET",))


@pytest.mark.parametrize("given", [{"keep_alive": 5}, {"debug": True, "keep_alive": 5}, {"access_log": None}])
def test_connections_made_alike_share_one_value(given):
    assert options_of(given) is options_of(dict(reversed(given.items())))


def test_an_argument_that_cannot_be_hashed_makes_a_value_of_its_own():
    given = {"allowed_methods": ["GET"]}

    assert options_of(given) == options_of(given)
    assert options_of(given) is not options_of(given)


def test_a_value_of_its_own_keeps_no_answers_ready():
    """Each connection would fill that memory for itself alone."""
    defaults = HandlerOptions(ready_limit=100_000)

    assert options_of({"allowed_methods": ["GET"]}, defaults).ready is None
    assert options_of({"allowed_methods": ("GET",)}, defaults).ready is not None


def test_options_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        options_of({}).debug = True


# What follows from them


@pytest.mark.parametrize(
    ("reason", "times", "shortest"),
    [
        ("the least", {"timeout": 3.0}, 3.0),
        (
            "those that are off do not count",
            {"keep_alive": 0.0, "timeout": 0.0, "lingering_time": 20.0},
            20.0,
        ),
        ("all are off", dict.fromkeys(TIMES, 0.0), 1.0),
    ],
)
def test_the_shortest_timeout(reason, times, shortest):
    assert HandlerOptions(**times).shortest_timeout == shortest, reason


def test_methods_of_ones_own_are_known_beside_the_registered_ones():
    assert HandlerOptions().known_methods is REGISTERED_METHODS
    known = options_of({"allowed_methods": ("GET", "BREW")}).known_methods

    assert known == REGISTERED_METHODS | {b"BREW": "BREW"}
    with pytest.raises(ValueError, match="ascii"):
        options_of({"allowed_methods": ("BR\u00c4U",)})


def test_header_sections_are_remembered_for_those_alone_who_share_the_options():
    one, other = HandlerOptions(), HandlerOptions()

    assert one == other
    assert one.known_sections == {}
    assert one.known_sections is not other.known_sections


def test_answers_are_kept_ready_only_where_there_is_room_for_them():
    assert HandlerOptions().ready is None
    options = HandlerOptions(ready_limit=100_000)

    assert len(options.ready) == options.ready.size == 0
    options.ready.keep(b"small", ready_answer(1_000))
    options.ready.keep(b"large", ready_answer(20_000))
    assert len(options.ready) == 1
    assert "ready=" not in repr(options)


def test_answers_are_ready_for_those_alone_who_share_the_options():
    one, other = HandlerOptions(ready_limit=100_000), HandlerOptions(ready_limit=100_000)
    assert one == other
    assert one.ready is not other.ready
    changed_by_author = options_of({"debug": True}, one)

    assert options_of({}, one).ready is one.ready
    assert changed_by_author.ready_limit == 100_000
    assert changed_by_author.ready is not one.ready  # its pages may be others
    assert options_of({"debug": True}, one).ready is changed_by_author.ready


# The access log


RECORD = AccessRecord(None, ("192.0.2.1", 1), 400, 0, 0, 0.0, 0.001)


def test_a_logger_gets_lines_in_a_format(caplog):
    caplog.set_level(logging.INFO)
    options = options_of({"access_log": server_logger, "access_log_format": "dev"})
    options.access_sink(RECORD)

    assert [(record.name, record.levelname) for record in caplog.records] == [("aioserve.server", "INFO")]
    assert " 400 - " in caplog.text


def test_by_default_there_is_a_log_that_costs_nothing_until_it_is_wanted(caplog):
    caplog.set_level(logging.WARNING)
    HandlerOptions().access_sink(RECORD)
    assert not caplog.records
    caplog.set_level(logging.INFO, "aioserve.access")
    HandlerOptions().access_sink(RECORD)

    assert [record.name for record in caplog.records] == ["aioserve.access"]


def test_a_function_gets_the_records_themselves():
    records = []
    options_of({"access_log": records.append}).access_sink(RECORD)

    assert records == [RECORD]


def test_there_may_be_no_log():
    assert options_of({"access_log": None}).access_sink is None


def test_a_format_that_is_not_known_is_refused():
    with pytest.raises(
        ValueError, match=r"^access_log_format: 'pretty' is neither one of common, combined, dev, json nor"
    ):
        options_of({"access_log_format": "pretty"})


def test_without_arguments_nothing_is_made():
    """A handler is made for each connection."""
    assert options_of({}) is options_of({})
    defaults = HandlerOptions(keep_alive=1)
    assert options_of({}, defaults) is defaults


def test_where_requests_have_ids_no_answer_is_the_same_for_all():
    assert HandlerOptions(ready_limit=100_000, identify=print).ready is None


def test_each_request_is_prepared_for_its_answer_where_there_is_anything_to_do():
    told, message, writer = [], request(), Answering().writer

    assert HandlerOptions().prepare is None
    HandlerOptions(read_origin=told.append).prepare(message, writer)
    assert writer.request_id == ""
    HandlerOptions(identify=lambda _: "8f1e").prepare(message, writer)
    assert writer.request_id == "8f1e"
    assert told == [message]
