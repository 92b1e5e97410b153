"""What a stream is, and how text reaches it."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

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
    Output(writer).write("é\n")

    assert reader.read(100) == "é\n".encode()


def test_what_the_encoding_lacks_is_escaped(pipe):
    reader, writer = pipe
    writer.reconfigure(encoding="latin-1")
    Output(writer).write("é € \udcff\n")

    assert reader.read(100) == b"\xe9 \\u20ac \\udcff\n"


def test_a_stream_in_memory_is_written_too():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Output(stream).write("é\n")

    assert stream.buffer.getvalue() == b"\\xe9\n"


def test_a_stream_that_was_closed_before_the_start_swallows_all():
    output = Output(None, "always")
    output.write("text\n")

    assert not output.is_dressed


def test_a_long_text_is_written_whole(tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-8") as file:
        Output(file).write("x" * 10_000_000)

    assert (tmp_path / "log").stat().st_size == 10_000_000


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_no_space_is_an_error_each_time_and_leaves_nothing_behind():
    with FULL.open("w", encoding="utf-8") as full:
        output = Output(full)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                output.write("text\n")


def test_no_reader_is_an_error_and_leaves_nothing_behind(pipe):
    reader, writer = pipe
    output = Output(writer)
    reader.close()

    with pytest.raises(BrokenPipeError):
        output.write("text\n")

    writer.flush()


def test_a_line_that_broke_off_does_not_swallow_the_next(pipe):
    reader, writer = pipe
    os.set_blocking(writer.fileno(), False)
    output = Output(writer)
    with pytest.raises(BlockingIOError):
        output.write("x" * 10_000_000)
    with pytest.raises(BlockingIOError):
        output.write("lost\n")
    while len(reader.read(1 << 20)) == 1 << 20:
        pass
    output.write("whole\n")
    output.write("line\n")

    assert reader.read(100) == b"\nwhole\nline\n"
