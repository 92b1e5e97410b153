"""What the parent says of its workers: why one is replaced, and what the end has cost."""

from __future__ import annotations

import logging
import signal

import pytest

from aioserve.settings import Process, Settings
from aioserve.workers import supervisor as module
from tests.workers.parent import BIND

pytestmark = pytest.mark.usefixtures("_fakes")


def test_why_a_worker_is_replaced_is_said_and_one_that_is_too_large_again_waits_for_it(
    make, caplog, monkeypatch
):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    caplog.set_level(logging.INFO)
    parent = make()

    def wait():
        now[0] += 1.0

    parent.run(
        parent.serve(1),
        parent.say(1, b"tired", 0, 2 << 20),
        parent.serve(2),
        parent.say(2, b"tired", 0, 2 << 20),
        lambda: parent.processes.log.append("waits") or wait(),
        parent.serve(3),
        parent.say(3, b"tired", 100, 0),
        parent.serve(4),
        parent.send(signal.SIGTERM),
        parent.say(4, b"tired"),  # systemd sends SIGTERM to all
        parent.die_all(),
    )

    starts = [each for each in parent.processes.log if each == "waits" or each[0] == "start"]
    assert starts == [("start", 1), ("start", 2), "waits", ("start", 3), ("start", 4)]
    assert [message[:24] for message in caplog.messages] == [
        "worker 1 has 2 MiB, 0.0 ",
        "worker 2 has 2 MiB; anot",
        "worker 3 has served 100 ",
    ]


@pytest.mark.parametrize(("number", "is_forced"), [(signal.SIGQUIT, True), (signal.SIGTERM, False)])
def test_workers_that_are_ended_before_they_tell_of_their_answers_are_counted(make, number, is_forced):
    """But not the third, which has not served, nor one that ends while the others go on."""
    parent = make(Settings(bind=BIND, process=Process(workers=3)))
    parent.run(
        parent.serve(1),
        parent.serve(2),
        parent.die(2, code=-11),
        parent.serve(3),
        parent.send(number),
        parent.say(1, b"ended", 2, 1),
        parent.die_all(),
    )

    assert parent.public.log[-1] == ("stopped", 1, 1, 1, is_forced)
