"""Lines that anybody can cause: one in a while."""

from __future__ import annotations

import logging

import pytest

from aioserve.observe.seldom import Seldom

LOGGER = logging.getLogger("aioserve.test")


class Saying:
    """Says things by a clock that the test sets."""

    def __init__(self, **options):
        self.now = 0.0
        self.seldom = Seldom(LOGGER, logging.WARNING, clock=lambda: self.now, **options)

    def say(self, now, kind, message=None):
        self.now = now
        self.seldom.say(kind, message or kind)


@pytest.mark.parametrize(("options", "period"), [({}, 10), ({"period": 60.0}, 60)])
def test_one_of_a_kind_is_written_in_a_while_and_how_many_were_not(caplog, options, period):
    saying = Saying(**options)
    for now in (0, 1, period - 0.1, period, period + 1, 2 * period, 4 * period):
        saying.say(now, "kind", f"at {now:g}: 100 %s")

    assert caplog.messages == [
        "at 0: 100 %s",
        f"at {period}: 100 %s (and 2 like it since the last line)",
        f"at {2 * period}: 100 %s (and 1 like it since the last line)",
        f"at {4 * period}: 100 %s",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_each_kind_is_written_by_itself(caplog):
    saying = Saying()
    for kind in ("one", "other", "one", "other"):
        saying.say(1, kind)

    assert caplog.messages == ["one", "other"]


def test_many_kinds_are_one(caplog):
    saying = Saying()
    for number in range(1000):
        saying.say(1, f"kind {number}")
    assert len(caplog.messages) == 65

    caplog.clear()
    saying.say(11, "kind 999")
    assert caplog.messages == ["kind 999 (and 935 like it since the last line)"]
