"""When the lines of the access log are made and written, and what happens to those that cannot be."""

from __future__ import annotations

import logging

import pytest

from aioserve.observe.access import AccessLog, LoggerAccessLog


class FakeTimers:
    """Stands in for ``loop.call_later``; ``run`` is the passing of time."""

    def __init__(self):
        self.waiting = []

    def __call__(self, delay, callback):
        self.waiting.append((delay, callback))

    def run(self):
        waiting, self.waiting = self.waiting, []
        for _, callback in waiting:
            callback()


class FakeOutput:
    """Takes texts, or raises the error that it was told; while it ``is_stuck`` they wait."""

    def __init__(self):
        self.texts = []
        self.error = None
        self.is_stuck = False
        self.lost = 0
        self.waiting = []

    @property
    def has_waiting(self):
        return bool(self.waiting)

    @property
    def sent(self):
        return sum(map(len, self.texts))

    def write(self, text):
        if self.error is not None:
            self.lost += text.count("\n")
            raise self.error
        self.waiting.append(text)
        self.push()

    def push(self):
        if self.error is not None and self.waiting:
            self.lost += "".join(self.waiting).count("\n")
            self.waiting = []
            raise self.error
        if not self.is_stuck:
            self.texts += self.waiting
            self.waiting = []


class FakeClock:
    """Stands in for ``time.monotonic``."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


def format_status(record):
    return f"status {record.status}"


def format_badly(record):
    raise KeyError(record.status)


@pytest.fixture
def timers():
    return FakeTimers()


@pytest.fixture
def sink():
    return FakeOutput()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def log(sink, timers, clock):
    return AccessLog(sink, format_status, timers, delay=0.5, batch=3, clock=clock)


def test_a_record_waits_for_its_time(log, sink, timers, record):
    log(record(status=200))

    assert sink.texts == []
    assert [delay for delay, _ in timers.waiting] == [0.5]


def test_records_of_the_same_time_are_one_write(log, sink, timers, record):
    log(record(status=200))
    log(record(status=404))
    timers.run()

    assert sink.texts == ["status 200\nstatus 404\n"]


def test_there_is_one_timer_at_a_time_and_none_when_idle(log, timers, record):
    log(record())
    log(record())

    assert len(timers.waiting) == 1

    timers.run()

    assert timers.waiting == []

    log(record())

    assert len(timers.waiting) == 1


def test_a_full_batch_does_not_wait(log, sink, timers, record):
    for status in (200, 201, 202, 203):
        log(record(status=status))

    assert sink.texts == ["status 200\nstatus 201\nstatus 202\n"]

    timers.run()

    assert sink.texts[1:] == ["status 203\n"]


def test_flush_writes_what_waits_and_the_timer_then_finds_nothing(log, sink, timers, record):
    log(record())
    log.flush()
    timers.run()
    log.flush()

    assert sink.texts == ["status 200\n"]


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), BrokenPipeError(32, "Broken pipe"), ValueError("closed file")],
    ids=["no space", "no reader", "closed"],
)
def test_a_failing_sink_costs_lines_and_one_warning(log, sink, timers, record, caplog, error):
    sink.error = error
    for _ in range(3 + 1):
        log(record())
    timers.run()

    assert log.dropped == 4
    assert [(entry.levelname, entry.name) for entry in caplog.records] == [
        ("WARNING", "aioserve.observe.access")
    ]
    assert f"cannot write: {error.strerror if isinstance(error, OSError) else error};" in caplog.text


def test_a_sink_that_works_again_is_used_again(log, sink, timers, record):
    sink.error = OSError(28, "No space left on device")
    log(record(status=200))
    timers.run()
    sink.error = None
    log(record(status=201))
    timers.run()

    assert sink.texts == ["status 201\n"]
    assert log.dropped == 1


def test_the_end_of_a_failure_is_told_once_with_its_losses(log, sink, record, clock, caplog):
    for _ in range(2):
        caplog.clear()
        sink.error = OSError(28, "No space left on device")
        for _ in range(3 + 3):
            log(record())
        sink.error = None
        clock.seconds += 9
        for _ in range(3):
            log(record())

        assert [entry.levelname for entry in caplog.records] == ["WARNING"]

        clock.seconds += 1
        for _ in range(3 + 3):
            log(record())

        assert caplog.messages[1:] == ["access log: written again; 6 lines were lost"]


def test_a_reader_that_is_slow_again_and_again_is_told_of_once(log, sink, record, clock, caplog):
    for _ in range(5):
        sink.error = BlockingIOError(11, "nobody reads it")
        for _ in range(3):
            log(record())
        sink.error = None
        clock.seconds += 5
        for _ in range(3):
            log(record())

    assert len(caplog.records) == 1
    assert log.dropped == 15


def test_lines_that_nobody_reads_are_tried_again_by_themselves(log, sink, timers, record):
    sink.is_stuck = True
    log(record(status=200))
    timers.run()

    assert [delay for delay, _ in timers.waiting] == [0.1]

    timers.run()
    sink.is_stuck = False
    timers.run()

    assert sink.texts == ["status 200\n"]
    assert timers.waiting == []


def test_new_lines_do_not_make_further_timers_while_others_wait(log, sink, timers, record):
    sink.is_stuck = True
    for _ in range(3 + 3 + 1):
        log(record())

    assert len(timers.waiting) == 1


def test_one_that_nobody_reads_is_told_of_once_before_anything_is_lost(
    log, sink, timers, record, clock, caplog
):
    sink.is_stuck = True
    for _ in range(4):
        log(record())
        timers.run()
        clock.seconds += 0.5

    assert caplog.messages == [
        "access log: nobody reads it; its lines wait, and are dropped when there are many"
    ]

    clock.seconds += 60
    timers.run()
    sink.is_stuck = False
    for _ in range(2):
        log(record())
        timers.run()
        clock.seconds += 10

    assert caplog.messages[1:] == ["access log: written again; 0 lines were lost"]
    assert log.dropped == 0


def test_a_slow_reader_is_not_told_of(log, sink, timers, record, clock, caplog):
    for _ in range(10):
        sink.is_stuck = True
        log(record())
        timers.run()
        clock.seconds += 0.9
        sink.is_stuck = False
        timers.run()

    assert caplog.messages == []


def test_waiting_lines_can_be_lost_later(log, sink, timers, record, caplog):
    sink.is_stuck = True
    log(record())
    timers.run()
    sink.error = BrokenPipeError(32, "Broken pipe")
    timers.run()

    assert log.dropped == 1
    assert "Broken pipe" in caplog.text


def test_a_failing_format_costs_its_line_only(sink, timers, record, caplog):
    def format_but_404(record):
        return format_badly(record) if record.status == 404 else format_status(record)

    log = AccessLog(sink, format_but_404, timers)
    for status in (200, 404, 201):
        log(record(status=status))
    log.flush()

    assert sink.texts == ["status 200\nstatus 201\n"]
    assert log.dropped == 1
    assert "KeyError(404)" in caplog.text


def test_lines_are_made_of_those_that_are_wanted(sink, timers, record):
    log = AccessLog(sink, format_status, timers, wants=lambda each: each.status != 200)
    for status in (200, 404, 200):
        log(record(status=status))
    log.flush()

    assert sink.texts == ["status 404\n"]
    assert log.dropped == 0


def test_nothing_is_written_where_no_line_could_be_made(sink, timers, record):
    log = AccessLog(sink, format_badly, timers)
    log(record())
    log.flush()

    assert sink.texts == []


@pytest.fixture
def target():
    return logging.getLogger("tests.observe.access")


def test_a_logger_gets_each_line_at_once_at_info(target, record, caplog):
    caplog.set_level(logging.INFO, target.name)
    LoggerAccessLog(target, lambda _: "100% of it")(record())

    assert caplog.record_tuples == [(target.name, logging.INFO, "100% of it")]


def test_nothing_is_formatted_for_a_logger_that_does_not_listen(target, record, caplog):
    caplog.set_level(logging.WARNING, target.name)
    LoggerAccessLog(target, format_badly)(record())

    assert caplog.records == []


def test_a_failing_format_is_logged_and_not_raised(target, record, caplog):
    caplog.set_level(logging.INFO, target.name)
    LoggerAccessLog(target, format_badly)(record(status=418))

    assert [(entry.levelname, entry.message) for entry in caplog.records] == [("ERROR", "Error in logging")]
    assert "KeyError: 418" in caplog.text
