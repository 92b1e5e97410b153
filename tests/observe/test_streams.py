"""What a stream is, and how text reaches it."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import pytest

from aioserve.observe import streams
from aioserve.observe.streams import Output

FULL = Path("/dev/full")


@pytest.fixture
def pipe():
    """Both ends of a pipe, as an unbuffered reader and a text stream such as ``sys.stdout``."""
    read_end, write_end = os.pipe()
    with (
        os.fdopen(read_end, "rb", 0) as reader,
        os.fdopen(write_end, "w", encoding="utf-8", closefd=False) as writer,
    ):
        yield reader, writer
        os.close(write_end)


@pytest.fixture
def terminal():
    """The inner end of a pseudo-terminal, as a text stream."""
    outer, inner = os.openpty()
    with os.fdopen(outer, "rb", 0), os.fdopen(inner, "w", encoding="utf-8") as writer:
        yield writer


def test_a_pipe_is_no_terminal(pipe):
    output = Output(pipe[1], environ={})

    assert (output.is_terminal, output.is_coloured, output.is_dressed) == (False, False, False)


def test_a_terminal_is_one(terminal):
    output = Output(terminal, environ={"TERM": "xterm"})

    assert (output.is_terminal, output.is_coloured, output.is_dressed) == (True, True, True)


@pytest.mark.parametrize(
    ("reason", "color", "environ", "on_terminal", "elsewhere"),
    [
        ("nothing said", "auto", {}, True, False),
        ("the option", "always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        ("the option", "never", {"FORCE_COLOR": "1"}, False, False),
        ("NO_COLOR", "auto", {"NO_COLOR": "1"}, False, False),
        ("NO_COLOR comes before FORCE_COLOR", "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ("empty NO_COLOR says nothing", "auto", {"NO_COLOR": ""}, True, False),
        ("FORCE_COLOR", "auto", {"FORCE_COLOR": "1"}, True, True),
        ("empty FORCE_COLOR says nothing", "auto", {"FORCE_COLOR": ""}, True, False),
        ("a terminal without colours", "auto", {"TERM": "dumb"}, False, False),
    ],
)
def test_each_stream_is_coloured_by_itself(pipe, terminal, reason, color, environ, on_terminal, elsewhere):
    assert Output(terminal, color, environ).is_coloured is on_terminal, reason
    assert Output(pipe[1], color, environ).is_coloured is elsewhere, reason


def test_a_terminal_without_colours_is_dressed_all_the_same(terminal):
    assert Output(terminal, "never", {}).is_dressed


def test_the_journal_is_known_by_device_and_inode(pipe, terminal):
    status = os.fstat(pipe[1].fileno())
    environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}

    assert Output(pipe[1], environ=environ).is_journal
    assert not Output(terminal, environ=environ).is_journal
    assert not Output(io.StringIO(), environ=environ).is_journal
    assert not Output(pipe[1], environ={}).is_journal


def test_text_passes_the_buffer_of_the_stream(pipe):
    reader, writer = pipe
    with closing(Output(writer)) as output:
        output.write("é\n")

    assert reader.read(100) == "é\n".encode()


def test_what_the_encoding_lacks_is_escaped(pipe):
    reader, writer = pipe
    writer.reconfigure(encoding="latin-1")
    with closing(Output(writer)) as output:
        output.write("é € \udcff\n")

    assert reader.read(100) == b"\xe9 \\u20ac \\udcff\n"


def test_a_stream_in_memory_is_written_too():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Output(stream).write("é\n")

    assert stream.buffer.getvalue() == b"\\xe9\n"


def test_a_stream_that_was_closed_before_the_start_swallows_all():
    output = Output(None, "always")
    output.write("text\n")

    assert not output.is_dressed


def test_text_that_nobody_reads_waits(pipe):
    reader, writer = pipe
    with closing(Output(writer)) as output:
        output.write("x" * 70_000 + "\n")

        assert output.has_waiting

        reader.read(1 << 16)
        output.push()

        assert not output.has_waiting


def test_it_can_be_opened_before_there_are_no_descriptors_left(pipe, monkeypatch):
    reader, writer = pipe
    with closing(Output(writer)) as output:
        output.open()
        monkeypatch.setattr("aioserve.observe.sinks.os.open", no_descriptors)
        monkeypatch.setattr("aioserve.observe.sinks.os.dup", no_descriptors)
        output.write("text\n")

        assert reader.read(100) == b"text\n"
        assert output.sent == 5


def test_where_there_are_none_left_already_the_first_line_tries_again(pipe, monkeypatch):
    reader, writer = pipe
    with closing(Output(writer)) as output:
        with monkeypatch.context() as patch:
            patch.setattr("aioserve.observe.sinks.os.open", no_descriptors)
            patch.setattr("aioserve.observe.sinks.os.dup", no_descriptors)
            output.open()
        output.write("text\n")

        assert reader.read(100) == b"text\n"


def no_descriptors(*_):
    raise OSError(errno.EMFILE, "Too many open files")


def test_what_is_lost_is_an_error_and_counted():
    with FULL.open("w", encoding="utf-8") as full, closing(Output(full)) as output:
        with pytest.raises(OSError, match="No space left"):
            output.write("text\n")

        assert output.lost == 1


def test_a_stream_without_a_descriptor_never_waits():
    output = Output(io.StringIO())
    output.write("text\n")
    output.open()
    output.push()
    output.close()

    assert (output.lost, output.sent, output.has_waiting) == (0, 0, False)


def test_lines_for_a_stream_in_memory_that_is_closed_are_counted():
    stream = io.StringIO()
    output = Output(stream)
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        output.write("one\ntwo\n")

    assert output.lost == 2


def test_the_copy_of_a_forked_process_writes_nothing(pipe):
    reader, writer = pipe
    output = Output(writer)
    output.write("x" * 70_000 + "\n")
    reader.read(1 << 16)
    output.close(is_copy=True)

    os.set_blocking(reader.fileno(), False)
    assert len(reader.read(1 << 16) or b"") == 0


def test_what_is_closed_below_the_last_standard_descriptor_is_opened(monkeypatch):
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    monkeypatch.setattr(streams, "_LAST_STANDARD", free)
    streams.open_standard_descriptors()

    assert os.get_inheritable(free)

    os.close(free)


def test_closed_standard_descriptors_become_the_null_device():
    script = textwrap.dedent("""
        import os, sys
        from aioserve.observe.streams import open_standard_descriptors
        open_standard_descriptors()
        open_standard_descriptors()
        print(*(os.readlink(f"/dev/fd/{number}") for number in (0, 1)), file=sys.stderr)
        print(*map(os.get_inheritable, (0, 1, 2)), file=sys.stderr)
    """)
    command = ["sh", "-c", 'exec "$0" -c "$1" <&- >&-', sys.executable, script]
    done = subprocess.run(command, stderr=subprocess.PIPE, check=True)

    assert done.stderr.split() == [b"/dev/null", b"/dev/null", b"True", b"True", b"True"]
