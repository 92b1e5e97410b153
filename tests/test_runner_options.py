"""What the settings of the command are in the handler's terms."""

from __future__ import annotations

import builtins

import pytest

from aioserve.http1.parser import ParserLimits
from aioserve.runner import make_options
from aioserve.settings import Limits, Logs, Process, Proxies, Settings, Static, Timeouts
from tests.doubles import request


def test_settings_reach_the_handler():
    settings = Settings(
        process=Process(debug=True),
        timeouts=Timeouts(keep_alive=1.0, header=2.0, body=3.0, write=4.0),
        limits=Limits(line=5, head=6, headers=7, body=8),
    )
    access_log = print
    responder = builtins.repr

    options = make_options(settings, (responder,), access_log)

    assert (options.keep_alive, options.timeout, options.body_timeout, options.write_timeout) == (1, 2, 3, 4)
    assert options.limits == ParserLimits(line=5, field=5, head=6, headers=7, body=8)
    assert options.debug
    assert options.access_log is access_log
    assert options.responders == (responder,)


@pytest.mark.parametrize("slow", [0.0, 0.5])
def test_times_are_measured_where_slow_requests_are_told_of(slow):
    assert make_options(Settings(logs=Logs(slow=slow)), (), None).is_timed is bool(slow)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_words_of_proxies_are_read_where_that_is_asked_for(scheme):
    message = request()
    options = make_options(Settings(proxies=Proxies("forwarded")), (), None, scheme)

    options.read_origin(message)

    assert message.scheme == scheme
    assert make_options(Settings(), (), None).read_origin is None


@pytest.mark.parametrize(
    ("static", "expected"),
    [
        (Static((("/", "site"),)), 32 << 20),
        (Static((("/", "site"),), cache=9), 4),
        (Static((("/", "site"),), cache=0), 0),
        (Static(), 0),
    ],
    ids=["half of what is kept", "rounded down", "nothing is kept", "an application alone"],
)
def test_half_of_the_memory_is_for_answers_that_are_ready(static, expected):
    """The other half is for files."""
    options = make_options(Settings(static=static), (repr,), None)

    assert options.ready_limit == expected
    assert (options.ready is not None) is bool(expected)


@pytest.mark.parametrize("wanted", [False, True])
def test_requests_have_ids_where_that_is_asked_for(wanted):
    options = make_options(Settings(logs=Logs(request_id=wanted)), (), None)

    assert (options.identify is not None) is wanted
