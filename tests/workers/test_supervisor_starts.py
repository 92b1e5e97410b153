"""The first worker cannot start; its parent is one of fakes."""

from __future__ import annotations

import signal

import pytest

from aioserve.workers import supervisor as module
from tests.workers.parent import TWO

pytestmark = pytest.mark.usefixtures("_fakes")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (0, "the application ended the process while it was imported (exit code 0)"),
        (7, "the application ended the process while it was imported (exit code 7)"),
        (-9, "the process was ended by SIGKILL while the application was imported"),
    ],
)
def test_first_worker_that_ends_without_a_word_is_a_failure_to_start(make, caplog, code, message):
    parent = make(TWO)

    assert parent.run(parent.die(1, code=code)) == 3
    assert caplog.messages == [message]


def test_first_worker_that_does_not_come_to_serve_ends_the_server(make, caplog, monkeypatch):
    now = [0.0]

    def wait():
        now[0] += 60.0

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parent = make()

    assert parent.run(wait, parent.die(1, code=-6)) == 3
    assert parent.processes.log == [("start", 1), (signal.SIGABRT, 1)]
    assert caplog.messages[0] == "worker 1 has not come to serve within --timeout-start and is ended"
