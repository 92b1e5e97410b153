"""How bytes reach files, pipes, terminals and sockets whose other end may not read."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import termios
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.observe import sinks
from aioserve.observe.sinks import PIPE_BUF, Sink

FULL = Path("/dev/full")
LINE = b"x" * 99 + b"\n"
MUCH = LINE * 10_000  # more than any of them takes at once


class Ends:
    """The end that is written, and the one that is read, as descriptors; both are closed in the end."""

    def __init__(self, write_end, read_end):
        self.write_end = write_end
        self.read_end = read_end
        os.set_blocking(read_end, False)

    def read(self):
        """Read what is there."""
        parts = []
        try:
            while part := os.read(self.read_end, 1 << 16):
                parts.append(part)
        except BlockingIOError:
            pass
        return b"".join(parts)

    def close(self):
        os.close(self.write_end)
        os.close(self.read_end)


def open_pipe():
    read_end, write_end = os.pipe()
    return Ends(write_end, read_end)


def open_terminal():
    outer, inner = os.openpty()
    attributes = termios.tcgetattr(inner)
    attributes[1] = 0  # "\n" stays as it is
    termios.tcsetattr(inner, 0, attributes)
    return Ends(inner, outer)


def open_sockets():
    ours, theirs = socket.socketpair()
    return Ends(ours.detach(), theirs.detach())


@pytest.fixture(params=[open_pipe, open_terminal, open_sockets], ids=["pipe", "terminal", "socket"])
def ends(request):
    with closing(request.param()) as ends:
        yield ends


@pytest.fixture
def pipe():
    with closing(open_pipe()) as ends:
        yield ends


@pytest.fixture(params=["opened anew", "asked before"])
def each_pipe(request, pipe, monkeypatch):
    """A pipe, where files can be opened by their descriptor and where they cannot."""
    if request.param == "asked before":
        real_open = os.open

        def refuse_descriptors(path, *flags):
            if path.startswith("/proc/"):
                raise FileNotFoundError(errno.ENOENT, "No such file")
            return real_open(path, *flags)

        monkeypatch.setattr(sinks.os, "open", refuse_descriptors)
    return pipe


def test_lines_arrive(ends):
    with closing(Sink(ends.write_end)) as sink:
        sink.write(b"one\n")
        sink.write(b"two\n")

        assert ends.read() == b"one\ntwo\n"
        assert (sink.waiting, sink.lost) == (0, 0)


def test_it_may_be_opened_before_the_first_line(pipe):
    with closing(Sink(pipe.write_end)) as sink:
        sink.open()
        sink.write(b"one\n")
        sink.open()

        assert pipe.read() == b"one\n"
        assert sink.sent == 4


def test_nobody_waits_for_a_reader_and_every_line_arrives_in_the_end(ends):
    sink = Sink(ends.write_end)
    sink.write(MUCH)

    assert 0 < sink.waiting < len(MUCH)

    read = b""
    while sink.waiting:
        read += ends.read()
        sink.push()
    read += ends.read()
    sink.close()

    assert read == MUCH
    assert sink.lost == 0


def test_the_descriptor_stays_as_it_was_for_others(ends):
    flags = fcntl.fcntl(ends.write_end, fcntl.F_GETFL)
    with closing(Sink(ends.write_end)) as sink:
        sink.write(MUCH)

        assert fcntl.fcntl(ends.write_end, fcntl.F_GETFL) == flags
    assert os.fstat(ends.write_end)


def test_a_descriptor_that_the_application_closes_is_not_missed(pipe):
    with closing(Sink(pipe.write_end)) as sink:
        sink.write(b"one\n")
        kept = os.dup(pipe.write_end)
        os.close(pipe.write_end)
        other = os.open(os.devnull, os.O_WRONLY)  # takes its number

        assert other == pipe.write_end

        sink.write(b"two\n")
        os.dup2(kept, other)
        os.close(kept)

        assert pipe.read() == b"one\ntwo\n"


def test_what_is_too_much_is_lost_and_the_rest_arrives(pipe):
    sink = Sink(pipe.write_end, limit=len(MUCH) + len(LINE))
    sink.write(MUCH)
    taken = len(MUCH) - sink.waiting
    fitting = b"y\n" * ((taken + len(LINE)) // 2)
    sink.write(fitting)
    with pytest.raises(BlockingIOError, match="nobody reads it"):
        sink.write(LINE * 3)

    assert sink.lost == 3

    read = b""
    while sink.waiting:
        read += pipe.read()
        sink.push()
    sink.close()

    assert read + pipe.read() == MUCH + fitting


def test_a_text_beyond_the_limit_is_taken_where_nothing_waits(pipe):
    with closing(Sink(pipe.write_end, limit=10)) as sink:
        sink.write(LINE)

        assert pipe.read() == LINE


def test_a_pipe_takes_whole_lines_together(each_pipe):
    ours, theirs = Sink(each_pipe.write_end), Sink(each_pipe.write_end)
    read = b""
    for sink, letter in ((ours, b"a"), (theirs, b"b")):
        sink.write((letter * 1500 + b"\n") * 100)
    while ours.waiting or theirs.waiting:
        read += each_pipe.read()
        ours.push()
        theirs.push()
    read += each_pipe.read()
    ours.close()
    theirs.close()

    assert sorted(read.splitlines()) == [b"a" * 1500] * 100 + [b"b" * 1500] * 100


def test_a_line_that_no_pipe_takes_at_once_arrives(each_pipe):
    line = b"x" * (3 * PIPE_BUF) + b"\n"
    with closing(Sink(each_pipe.write_end)) as sink:
        sink.write(LINE + line + LINE)

        assert each_pipe.read() == LINE + line + LINE


def test_a_pipe_is_not_waited_for_either_way(each_pipe):
    with closing(Sink(each_pipe.write_end)) as sink:
        sink.write(MUCH)

        assert sink.waiting
        assert len(each_pipe.read()) + sink.waiting == len(MUCH)


@pytest.mark.skipif(not FULL.exists(), reason="a device of Linux")
def test_no_space_is_an_error_each_time():
    descriptor = os.open(FULL, os.O_WRONLY)
    with closing(Sink(descriptor)) as sink:
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                sink.write(b"one\ntwo\n")

        assert (sink.waiting, sink.lost) == (0, 4)
    os.close(descriptor)


def test_no_reader_is_an_error_before_and_after(each_pipe):
    sink = Sink(each_pipe.write_end)
    os.close(each_pipe.read_end)
    for _ in range(2):
        with pytest.raises(BrokenPipeError):
            sink.write(b"one\n")
    sink.close()
    each_pipe.read_end = os.open(os.devnull, os.O_RDONLY)

    assert sink.lost == 2


def test_what_waits_for_a_reader_that_goes_is_lost_with_the_new_lines(pipe):
    sink = Sink(pipe.write_end)
    sink.write(MUCH)
    lost = sink._waiting.count(b"\n")
    os.close(pipe.read_end)
    with pytest.raises(BrokenPipeError):
        sink.write(LINE)
    sink.close()
    pipe.read_end = os.open(os.devnull, os.O_RDONLY)

    assert sink.lost == lost + 1


class Disk:
    """Stands in for ``os.write`` to a file on a disk that has room for so many bytes."""

    def __init__(self, room):
        self.room = room
        self.data = b""

    def __call__(self, _descriptor, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        self.data += taken
        return len(taken)


@pytest.fixture
def disk(monkeypatch, tmp_path):
    disk = Disk(0)
    monkeypatch.setattr(sinks.os, "write", disk)
    with (tmp_path / "log").open("wb") as file:
        yield disk, file.fileno()


def test_a_line_that_broke_off_does_not_swallow_the_next(disk):
    disk, descriptor = disk
    disk.room = 6
    with closing(Sink(descriptor)) as sink:
        with pytest.raises(OSError, match="No space"):
            sink.write(b"one\ntwo\nthree\n")

        assert sink.lost == 2

        with pytest.raises(OSError, match="No space"):
            sink.write(b"four\n")
        disk.room = 100
        sink.write(b"five\n")
        sink.write(b"six\n")

        assert disk.data == b"one\ntw\nfive\nsix\n"
        assert sink.lost == 3


BATCHES = st.lists(st.lists(st.text("ab\r", max_size=9), min_size=1, max_size=4), max_size=9)


@given(batches=BATCHES, data=st.data())
def test_each_line_is_written_or_counted(batches, data):
    """Whatever the disk has room for, no line is lost in silence, and none is joined to another."""
    disk = Disk(0)
    lines = []
    descriptor = os.open(os.devnull, os.O_WRONLY)
    with pytest.MonkeyPatch.context() as patch, closing(Sink(descriptor)) as sink:
        patch.setattr(sinks.os, "write", disk)
        for texts in batches:
            disk.room = data.draw(st.integers(0, 30))
            batch = [f"<{text}>" for text in texts]
            lines += batch
            with suppress(OSError):
                sink.write("".join(f"{line}\n" for line in batch).encode())
        lost = sink.lost
    os.close(descriptor)
    written = disk.data.decode().split("\n")
    whole = [line for line in written if line.endswith(">")]

    assert set(whole) <= set(lines)
    assert len(lines) - len(whole) <= lost <= len(lines)


def test_a_file_is_written_whole(tmp_path):
    with (tmp_path / "log").open("wb") as file, closing(Sink(file.fileno())) as sink:
        sink.write(MUCH * 10)

    assert (tmp_path / "log").read_bytes() == MUCH * 10


def test_the_end_waits_for_a_reader_that_reads(ends):
    sink = Sink(ends.write_end)
    sink.write(MUCH)
    read = []
    os.set_blocking(ends.read_end, True)

    def read_all():
        while sum(map(len, read)) < len(MUCH):
            read.append(os.read(ends.read_end, 1 << 16))

    thread = threading.Thread(target=read_all)
    thread.start()
    sink.close()
    thread.join()

    assert b"".join(read) == MUCH
    assert sink.lost == 0


def test_the_end_does_not_wait_for_one_that_does_not(ends, monkeypatch):
    monkeypatch.setattr(sinks, "_STEP", 0.01)
    sink = Sink(ends.write_end)
    sink.write(MUCH)
    waiting = sink._waiting.count(b"\n")
    sink.close()

    assert sink.waiting == 0
    assert 0 < sink.lost <= waiting  # a terminal goes on taking a little


def test_the_end_does_not_wait_for_ever(pipe, monkeypatch):
    monkeypatch.setattr(sinks, "_PATIENCE", 0.0)
    sink = Sink(pipe.write_end)
    sink.write(MUCH)
    sink.close()

    assert sink.lost > 0


def test_the_end_of_a_pipe_without_a_reader_is_quiet(pipe):
    sink = Sink(pipe.write_end)
    sink.write(MUCH)
    os.close(pipe.read_end)
    sink.close()
    pipe.read_end = os.open(os.devnull, os.O_RDONLY)

    assert sink.waiting == 0


def test_the_copy_of_a_forked_process_writes_nothing(pipe):
    sink = Sink(pipe.write_end)
    sink.write(MUCH)
    read = pipe.read()
    sink.close(is_copy=True)

    assert read
    assert pipe.read() == b""
    assert (sink.waiting, sink.lost) == (0, 0)


def test_it_can_be_used_after_its_end(pipe):
    sink = Sink(pipe.write_end)
    sink.close()
    sink.write(b"one\n")
    sink.close()

    assert pipe.read() == b"one\n"


def test_a_block_stays_together_between_the_lines_of_others(pipe):
    """Two sinks of one pipe, as two workers have them."""
    block = b"".join(b"%d %b\n" % (number, b"x" * 100) for number in range(100))
    one, other = Sink(pipe.write_end), Sink(pipe.write_end)
    one.write(b"a\n")
    one.write(block, is_block=True)
    other.write(b"b\n")
    assert pipe.read() == b"a\n" + block + b"b\n"
    one.close()
    other.close()


def test_a_block_is_taken_by_one_call(monkeypatch, pipe):
    calls = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: calls.append(bytes(data)) or write(file, data))
    block = b"x\n" * PIPE_BUF
    sink = Sink(pipe.write_end)
    sink.write(block, is_block=True)
    sink.close()

    assert calls == [block]


def test_bytes_of_a_wide_encoding_are_left_alone(pipe):
    sink = Sink(pipe.write_end)
    text = "a\nb\n".encode("utf-16-le")
    sink.write(text, is_block=True)
    sink.write(b"c\nd\n", is_block=True)
    sink.close()

    assert pipe.read() == text + b"c\nd\n"
