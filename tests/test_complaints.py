"""Complaints of the loop, from the loop itself."""

from __future__ import annotations

import asyncio
import errno

import pytest

from aioserve.complaints import Complaints

FULL = OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(Complaints())
    yield loop
    loop.close()


def test_exhausted_descriptors_are_told_once_in_a_while(loop, monkeypatch, caplog):
    now = 0.0
    monkeypatch.setattr(loop, "time", lambda: now)
    context = {"message": "socket.accept() out of system resource", "exception": FULL}
    for now in (0.0, 1.0, 9.9, 10.0, 11.0):  # noqa: B007 - the loop's time
        loop.call_exception_handler(context)
    assert caplog.messages == ["No connection can be accepted: Too many open files"] * 2
    assert not any(record.exc_info for record in caplog.records)


class Loop:
    """Has a clock that the test turns, and the next trial."""

    def __init__(self):
        self.seconds = 0.0

    def time(self):
        return self.seconds

    def call_later(self, delay, trial, *arguments):
        self.trial = trial, arguments
        self.delay = delay


def test_they_are_found_out_where_the_loop_does_not_tell(monkeypatch, caplog):
    loop = Loop()
    Complaints().watch(loop)

    assert (caplog.messages, loop.delay) == ([], 0.5)

    for error in (FULL, OSError(errno.EACCES, "Permission denied")):
        with monkeypatch.context() as patch:
            patch.setattr("aioserve.complaints.os.open", fail_with(error))
            for _ in range(10):
                trial, arguments = loop.trial
                trial(*arguments)
                loop.seconds += 0.5

    assert caplog.messages == ["No connection can be accepted: Too many open files"]


def fail_with(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize(
    "context",
    [
        {"message": "a task failed"},
        {"message": "a file could not be opened", "exception": FULL},
        {"message": "socket.accept() failed", "exception": OSError(errno.EINVAL, "Invalid argument")},
        {"message": "accept", "exception": ValueError("no")},
    ],
)
def test_everything_else_is_told_as_ever(loop, caplog, context):
    loop.call_exception_handler(context)
    loop.call_exception_handler(context)
    assert [message.splitlines()[0] for message in caplog.messages] == [context["message"]] * 2
