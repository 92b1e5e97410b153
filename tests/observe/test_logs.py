"""What is said on which stream, and in which dress."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
import textwrap
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout

import pytest

from aioserve.observe.formats import format_combined, format_common, format_dev
from aioserve.observe.json_lines import format_json
from aioserve.observe.logs import JournalFormatter, LineFormatter, OutputHandler, open_observers
from aioserve.observe.streams import Output
from aioserve.settings import Logs

ROOT = logging.getLogger()
TREE = logging.getLogger("aioserve")
ADDRESSES = ("http://127.0.0.1:43121", "http://[::1]:43121")


def never(delay, callback):
    """Stand in for ``loop.call_later``, in a test that is over before the time."""


@contextmanager
def root_handlers(*handlers):
    """Give the root logger these handlers; pytest puts some of its own there in each phase of a test."""
    before = ROOT.handlers[:]
    ROOT.handlers[:] = handlers
    yield
    ROOT.handlers[:] = before


@pytest.fixture
def streams():
    """What stands in for the standard output and the standard error."""
    return io.StringIO(), io.StringIO()


@pytest.fixture
def observe(streams, monkeypatch):
    """Open observers of ``streams`` that are closed after the test, with timers that never fire."""
    for name in ("NO_COLOR", "FORCE_COLOR", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)
    opened = []

    def open_them(*, debug=False, **logs):
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            opened.append(open_observers(Logs(**logs), debug=debug, call_later=never))
        return opened[-1]

    yield open_them
    for each in reversed(opened):
        each.close()


def entry(message="message", level=logging.INFO, exc=None):
    made = logging.LogRecord("aioserve", level, "file.py", 1, message, (), exc and (type(exc), exc, None))
    made.created = 1795500000.5
    return made


# Lines


@pytest.mark.usefixtures("utc")
def test_a_plain_line_has_time_and_level():
    assert LineFormatter().format(entry()) == "2026-11-24T06:00:00+0000 INFO message"


@pytest.mark.usefixtures("utc")
def test_an_exception_follows_its_plain_line():
    assert LineFormatter().format(entry(exc=ValueError("wrong"))).splitlines() == [
        "2026-11-24T06:00:00+0000 INFO message",
        "  ValueError: wrong",
    ]


@pytest.mark.parametrize("formatter", [LineFormatter(), JournalFormatter()])
def test_no_line_of_a_message_or_an_exception_passes_for_a_message(formatter):
    forged = "\n2026-11-24T06:00:00+0000 ERROR forged\n<2>forged"
    text = formatter.format(entry("a" + forged, exc=ValueError("b" + forged)))

    assert [line for line in text.splitlines() if re.match(r"(<4>)?(2026\S+ ERROR|<2>)", line)] == []


def test_an_exception_that_cannot_tell_of_itself_is_told_of_and_none_is_none():
    class OddError(Exception):
        def __str__(self):
            raise RuntimeError

    made = entry()
    made.exc_info = (None, None, None)

    assert "OddError" in LineFormatter().format(entry(exc=OddError()))
    assert LineFormatter().format(made).endswith("INFO message")


@pytest.mark.parametrize("formatter", [LineFormatter(), JournalFormatter()])
def test_control_characters_are_shown(formatter):
    assert formatter.format(entry("a\x1b[2J\rb")).endswith("a\\x1b[2J\\x0db")


@pytest.mark.parametrize(
    ("level", "priority"),
    [(5, 7), (10, 7), (19, 7), (20, 6), (25, 6), (30, 4), (40, 3), (50, 2), (99, 2)],
)
def test_the_journal_gets_the_priorities_of_syslog(level, priority):
    assert JournalFormatter().format(entry(level=level)) == f"<{priority}>message"


def test_each_line_of_the_journal_has_its_priority():
    assert JournalFormatter().format(entry("a\nb", exc=ValueError("c"))) == "<6>a\n<6>  b\n<6>  ValueError: c"


def test_a_message_that_cannot_be_formatted_is_reported_and_not_raised(streams):
    made = entry("%d")
    made.args = ("no number",)
    with redirect_stderr(streams[1]):
        OutputHandler(Output(streams[1]), LineFormatter()).emit(made)

    assert "--- Logging error ---" in streams[1].getvalue()


def test_a_broken_stream_takes_no_message_and_raises_nothing(streams):
    handler = OutputHandler(Output(streams[1]), LineFormatter())
    streams[1].close()

    handler.emit(entry())


def test_messages_that_were_lost_are_told_of_when_there_is_somebody_to_tell():
    """A pipe that nobody reads keeps some messages, the server some more, and then they are lost."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb", 0) as reader, os.fdopen(write_end, "w") as writer:
        output = Output(writer)
        handler = OutputHandler(output, LineFormatter())
        for _ in range(40):
            handler.emit(entry("x" * (1 << 15)))
        lost = output.lost
        os.set_blocking(read_end, False)
        for _ in range(20):
            reader.read()
            output.push()
        handler.emit(entry("after"))
        handler.emit(entry("the end"))
        after, told, end = reader.read().decode().splitlines()[-3:]
        output.close()

    assert lost > 0
    assert after.endswith("INFO after")
    assert told.endswith(f"WARNING lines lost before this: {lost}")
    assert end.endswith("INFO the end")


# Loggers


def test_the_tree_and_the_root_write_to_standard_error(observe, streams):
    with root_handlers():
        observe()
        logging.getLogger("aioserve.server").info("of the server")
        logging.getLogger("app").info("of the application")
    lines = streams[1].getvalue().splitlines()

    assert [line.split(" ", 1)[1] for line in lines] == ["INFO of the server", "INFO of the application"]
    assert streams[0].getvalue() == ""


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_the_level_holds_for_both(observe, streams, level):
    number = getattr(logging, level.upper())
    with root_handlers():
        observe(level=level)
        for name in ("aioserve", "app"):
            logging.getLogger(name).log(number, "heard")
            logging.getLogger(name).log(number - 1, "not heard")

    assert streams[1].getvalue().count("\n") == 2


def test_an_application_that_set_up_logging_keeps_its_own(observe, streams):
    own = logging.StreamHandler(io.StringIO())
    with root_handlers(own):
        observe()
        logging.getLogger("app").warning("of the application")
        TREE.warning("of the server")

    assert own.stream.getvalue() == "of the application\n"
    assert [line.split(" ", 1)[1] for line in streams[1].getvalue().splitlines()] == ["WARNING of the server"]


def test_close_leaves_the_loggers_as_they_were(observe):
    def state():
        return [(each.level, each.propagate, each.handlers[:]) for each in (ROOT, TREE)]

    with root_handlers():
        before = state()
        observers = observe(level="debug")
        during = state()
        observers.close()

        assert state() == before != during


# The server's own words


def test_ready_is_one_line_with_all_addresses(observe, streams):
    observe().ready(ADDRESSES, ["app:Handler"])

    assert re.fullmatch(
        r"\S+ INFO listening on http://127\.0\.0\.1:43121, http://\[::1\]:43121\n", streams[1].getvalue()
    )


def test_stopped_is_a_line(observe, streams):
    observe().stopped()
    observe().stopped("stopped by SIGTERM")

    assert [line.split(" ", 1)[1] for line in streams[1].getvalue().splitlines()[::2]] == [
        "INFO stopped",
        "INFO stopped by SIGTERM",
    ]


@pytest.mark.parametrize(
    ("form", "line"), [("text", "<6>listening on http://127.0.0.1:43121\n"), ("json", '<6>{"time".*}\n')]
)
def test_the_journal_gets_priorities_and_only_json_its_time(tmp_path, monkeypatch, form, line):
    with (tmp_path / "journal").open("w+", encoding="utf-8") as journal, redirect_stderr(journal):
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs = Logs(color="never", log_format=form)
        with closing(open_observers(logs, debug=False, call_later=never)) as observers:
            observers.ready(ADDRESSES[:1], [])
        journal.seek(0)

        assert re.fullmatch(line, journal.read())


def test_forced_colours_dress_the_lines(observe, streams):
    observers = observe(color="always", access_log_format="dev")
    observers.ready(ADDRESSES, ["app:Handler"])
    TREE.warning("careful")
    observers.stopped()
    lines = streams[1].getvalue().splitlines()

    assert "serves app:Handler" in lines[0]
    assert [line for line in lines if "http://[::1]:43121" in line]
    assert "\x1b[33mWARNING\x1b[0m careful" in lines[-2]
    assert lines[-1] == "\x1b[2mstopped\x1b[0m"


def test_dressed_words_keep_to_the_level(observe, streams):
    observers = observe(color="always", level="warning")
    observers.ready(ADDRESSES, ["app:Handler"])
    observers.stopped()

    assert streams[1].getvalue() == ""


def test_dressed_words_to_nobody_raise_nothing(observe, streams):
    observers = observe(color="always")
    streams[1].close()
    observers.ready(ADDRESSES, ["app:Handler"])
    observers.stopped()


# The access log


@pytest.mark.parametrize(
    ("name", "format_record"),
    [(None, format_combined), ("combined", format_combined), ("common", format_common), ("dev", format_dev)],
)
def test_the_access_log_goes_to_standard_output(observe, streams, message, record, name, format_record):
    observers = observe(access_log_format=name)
    observers.access_log(record(message()))
    observers.close()

    assert streams[0].getvalue() == format_record(record(message())) + "\n"
    assert streams[1].getvalue() == ""


@pytest.mark.parametrize(
    ("name", "format_record"), [(None, format_combined), ("dev", format_dev), ("json", format_json)]
)
def test_it_goes_to_a_file_where_that_is_asked_for(observe, tmp_path, message, record, name, format_record):
    """In the layout that a program reads, and never coloured."""
    observers = observe(access_log_file=str(tmp_path / "log"), access_log_format=name, color="always")
    observers.access_log(record(message()))
    observers.close()

    assert (tmp_path / "log").read_text() == format_record(record(message())) + "\n"


def test_its_file_is_opened_anew(observe, tmp_path, record):
    observers = observe(access_log_file=str(tmp_path / "log"))
    observers.access_log(record())
    (tmp_path / "log").rename(tmp_path / "old")
    observers.reopen()
    observers.access_log(record())
    observers.close()

    assert [(tmp_path / name).read_text().count("\n") for name in ("old", "log")] == [1, 1]


def test_some_lines_may_not_be_wanted(observe, streams, message, record):
    observers = observe(access_log_skip=(("/-/*", ""),))
    for path in ("/-/live", "/"):
        observers.access_log(record(message(path=path)))
    observers.close()

    assert streams[0].getvalue() == format_combined(record(message())) + "\n"


def test_there_need_be_no_file_to_open_anew(observe, tmp_path):
    for logs in ({}, {"access_log": False, "access_log_file": str(tmp_path / "log")}):
        observe(**logs).reopen()

    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(("name", "is_coloured"), [("dev", True), ("common", False), (None, False)])
def test_forced_colours_colour_the_format_for_people_only(observe, streams, record, name, is_coloured):
    observers = observe(color="always", access_log_format=name)
    observers.access_log(record())
    observers.close()

    assert ("\x1b" in streams[0].getvalue()) is is_coloured


def test_requests_are_written_before_the_last_word(observe, streams, record):
    observers = observe()
    observers.access_log(record())
    observers.stopped()

    assert streams[0].getvalue().count("\n") == 1


def test_the_access_log_may_be_off(observe):
    observers = observe(access_log=False)
    observers.stopped()
    observers.close()

    assert observers.access_log is None


def test_lost_lines_are_counted_at_the_end(observe, streams, record):
    observers = observe()
    streams[0].close()
    for _ in range(3):
        observers.access_log(record())
    observers.close()

    assert "WARNING access log: 3 lines were lost\n" in streams[1].getvalue()


# Real streams

SCRIPT = textwrap.dedent("""
    import sys
    from aioserve.http.messages import HttpVersion11, RequestMessage
    from aioserve.observe.access import AccessRecord
    from aioserve.observe.logs import logger, open_observers
    from aioserve.settings import Logs

    observers = open_observers(Logs(), debug=True, call_later=lambda delay, callback: None)
    observers.ready(["http://127.0.0.1:8080"], ["app:Handler"])
    message = RequestMessage("GET", "/path", HttpVersion11, b"", b"")
    for _ in range(COUNT):
        observers.access_log(AccessRecord(message, None, 200, 18, 138, 0.0, 0.0008))
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("Error handling request")
    logger.info("rich was %s", "loaded" if "rich" in sys.modules else "not loaded")
    observers.stopped()
    observers.close()
""")


def environment(**extra):
    kept = {name: value for name, value in os.environ.items() if "COLOR" not in name and name != "COLUMNS"}
    return {**kept, "TERM": "xterm", "PYTHONUTF8": "1", **extra}


def run(count=1, **options):
    return subprocess.Popen([sys.executable, "-c", SCRIPT.replace("COUNT", str(count))], **options)


def read_terminal(outer):
    read = b""
    try:
        while data := os.read(outer, 65536):
            read += data
    except OSError:  # EIO is how Linux says that the other side is closed
        pass
    os.close(outer)
    return read.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("extra", [{}, {"TERM": "dumb"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}], ids=str)
def test_without_a_terminal_lines_are_plain_and_rich_is_not_loaded(extra):
    with run(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(**extra)) as process:
        out, err = process.communicate(timeout=60)

    assert re.fullmatch(r'- - - \[[^]]+\] "GET /path HTTP/1\.1" 200 18 "-" "-"\n', out)
    assert "INFO rich was not loaded\n" in err
    assert "\x1b" not in err


def test_on_a_terminal_lines_are_laid_out_and_coloured():
    outer, inner = os.openpty()
    with run(stdout=inner, stderr=inner, env=environment()) as process:
        os.close(inner)
        text = read_terminal(outer)

    assert process.returncode == 0
    assert "listening on \x1b[1;36mhttp://127.0.0.1:8080\x1b[0m\n" in text
    assert "\x1b[32m200\x1b[0m GET     /path " in text
    assert "Traceback" in text
    assert "rich was loaded\n" in text


def test_a_terminal_for_the_messages_leaves_the_piped_access_log_plain():
    outer, inner = os.openpty()
    with run(stdout=subprocess.PIPE, stderr=inner, env=environment()) as process:
        os.close(inner)
        text = read_terminal(outer)
        out = process.stdout.read()

    assert b'"GET /path HTTP/1.1" 200 18 "-" "-"\n' in out
    assert b"\x1b" not in out
    assert "\x1b[1;36mhttp://127.0.0.1:8080\x1b[0m" in text


@pytest.mark.parametrize(
    "extra", [{"TERM": "dumb"}, {"PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}]
)
def test_a_poor_terminal_is_served_too(extra):
    outer, inner = os.openpty()
    with run(stdout=inner, stderr=inner, env=environment(**extra)) as process:
        os.close(inner)
        text = read_terminal(outer)

    assert process.returncode == 0
    assert "200 GET     /path " in text.replace("\x1b[32m", "").replace("\x1b[0m", "")
    assert "ZeroDivisionError: division by zero\n" in re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_reader_that_leaves_does_not_end_the_server():
    with run(10_000, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()) as process:
        first = process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()

    assert first.endswith(b'"GET /path HTTP/1.1" 200 18 "-" "-"\n')
    assert process.returncode == 0
    assert err.count("Broken pipe") == 1
    assert re.search(r"WARNING access log: \d+ lines were lost\n", err)
    assert "INFO stopped\n" in err
    assert "Exception ignored" not in err


def test_a_standard_output_that_is_closed_from_the_start_is_no_error():
    command = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, SCRIPT.replace("COUNT", "1")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment()) as process:
        err = process.stderr.read().decode()

    assert process.returncode == 0
    assert "WARNING" not in err


# JSON


@pytest.mark.parametrize("color", ["never", "always"])
def test_messages_are_objects_where_that_is_asked_for(observe, streams, color):
    observe(log_format="json", color=color).ready(ADDRESSES, ["app:App"])
    logging.getLogger("aioserve.server").warning("a\nb\x1b")
    told = [json.loads(line) for line in streams[1].getvalue().splitlines()]

    assert [each["message"] for each in told] == [f"listening on {', '.join(ADDRESSES)}", "a\nb\x1b"]
    assert streams[1].getvalue().isascii()
