"""A file leaves by the system, to a socket that nobody else writes to, and never as a mix of two versions."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest

from aioserve import direct_sending, file_body
from aioserve.direct_sending import send_directly
from aioserve.file_body import Fetch, Wait
from aioserve.http.messages import FileSlice
from aioserve.send_buffer import Pace

SIZE = 3_000_000
CONTENT = bytes(range(250)) * (SIZE // 250)
LAST = 65_536  # of a long run, held back

# How a run of bytes is sent: by sendfile where nobody knows its version; copied; by sendfile but for its end.
WAYS = {"referred": (None, 0), "copied": (lambda: True, SIZE), "long": (lambda: True, 499_999)}


@pytest.fixture(autouse=True)
def _no_pace_is_counted(monkeypatch):
    monkeypatch.setattr(Pace, "open_ones", 0)


@pytest.fixture(params=WAYS)
def is_unchanged(request, monkeypatch):
    """What a slice says of its version, for each of the ways."""
    tells, copied = WAYS[request.param]
    monkeypatch.setattr(direct_sending, "_COPIED", copied)
    return tells


@contextmanager
def connected(sending, receiving=0):
    """Make two connected sockets that do not block, with buffers of so many bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if receiving:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receiving)
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sending)
    one.setblocking(False)
    other.setblocking(False)
    with one, other:
        yield one, other


@pytest.fixture
def pair():
    with connected(sending=65_536) as pair:
        yield pair


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with path.open("rb", buffering=0) as file:
        yield file


class Pacing(Pace):
    """A pace that is written down; the socket is the test's to close."""

    def __init__(self, sock):
        super().__init__(sock)
        self.log = []

    def begin(self):
        self.log.append("begin")
        super().begin()

    def add(self, length):
        self.log.append(length)
        super().add(length)

    def end(self):
        self.log.append("end")
        super().end()


class Run:
    """One sending, driven step by step; the client reads whenever there is no room.

    Attributes:
        waits: what it waited for.
        counted: the numbers of bytes of the body that it reported.
        received: what the client has.
    """

    def __init__(self, pair, head, *pieces):
        self.sock, self._client = pair
        self.waits = []
        self.counted = []
        self.received = b""
        self.pace = Pacing(self.sock)
        self.sending = send_directly(self.pace, head, pieces, self.counted.append)

    def step(self):
        """Let it go on; False at its end."""
        wait = next(self.sending, None)
        if wait is None:
            return False
        self.waits.append(wait)
        if isinstance(wait, Fetch):
            wait()
        if wait in (Wait.ROOM, Wait.DELIVERY):
            self.read()
        return True

    def stall(self):
        """Let it go on until it only waits for the client, which reads nothing; return what it waits for."""
        while (wait := next(self.sending)) is Wait.TURN:
            pass
        for _ in range(10):
            assert next(self.sending) is wait
        return wait

    def read(self):
        """Read what there is."""
        try:
            while data := self._client.recv(1_000_000):
                self.received += data
        except BlockingIOError:
            pass

    def finish(self):
        """Let it go on to its end, and read all of it."""
        while self.step():
            pass
        self.sock.shutdown(socket.SHUT_WR)
        self._client.setblocking(True)
        self.read_to_the_end()
        return self.received

    def read_to_the_end(self):
        while data := self._client.recv(1_000_000):
            self.received += data


def overwrite(file):
    """Write to a file in place."""
    with Path(file.name).open("r+b") as writing:
        writing.write(bytes(SIZE))


@pytest.mark.parametrize(
    ("offset", "length"), [(0, SIZE), (0, 0), (5, 1), (10, 65_536), (10, 65_537), (1_000_000, 2_000_000)]
)
def test_head_and_slice_arrive_as_they_are(pair, file, is_unchanged, offset, length):
    run = Run(pair, b"head", FileSlice(file, offset, length, is_unchanged))

    assert run.finish() == b"head" + CONTENT[offset : offset + length]
    assert sum(run.counted) == length
    assert file.closed


def test_others_have_their_turn_and_the_client_its_time(pair, file, is_unchanged):
    run = Run(pair, b"", FileSlice(file, 0, SIZE, is_unchanged))
    run.finish()

    assert set(run.waits) - {Wait.DELIVERY} == {Wait.TURN, Wait.ROOM}


def test_pieces_arrive_in_their_order(pair, tmp_path):
    (tmp_path / "a").write_bytes(b"0123456789")
    files = [(tmp_path / "a").open("rb", buffering=0) for _ in range(2)]
    pieces = b"<", FileSlice(files[0], 2, 3), b"|", FileSlice(files[1], 9, 1), b">"
    run = Run(pair, b"head ", *pieces)

    assert run.finish() == b"head <234|9>"
    assert sum(run.counted) == 7
    assert all(each.closed for each in files)


def test_a_head_that_does_not_fit_waits_for_room(pair):
    head = bytes(5_000_000)
    run = Run(pair, head)

    assert run.finish() == head
    assert Wait.ROOM in run.waits


def test_file_waits_where_there_is_no_room_at_all(pair, file, is_unchanged):
    sending, _ = pair
    filled = 0
    try:
        while True:
            filled += sending.send(bytes(100_000))
    except BlockingIOError:
        pass
    run = Run(pair, b"", FileSlice(file, 0, SIZE, is_unchanged))

    assert run.finish() == bytes(filled) + CONTENT
    assert run.waits[0] is Wait.ROOM


def test_a_file_cut_short_is_an_error(pair, file, is_unchanged):
    run = Run(pair, b"", FileSlice(file, 0, SIZE, is_unchanged))
    run.step()
    os.truncate(file.name, 100_000)

    with pytest.raises(OSError, match="the file ends too early"):
        run.finish()
    assert file.closed


def test_a_file_cut_short_before_its_last_bytes_is_an_error(pair, file):
    os.truncate(file.name, 10)
    run = Run(pair, b"", FileSlice(file, 0, 100))

    with pytest.raises(OSError, match="the file ends too early"):
        run.finish()


@pytest.mark.parametrize("changed_at", [0, 1, SIZE - LAST])
def test_a_long_file_changed_meanwhile_is_never_sent_to_its_end(pair, file, monkeypatch, changed_at):
    monkeypatch.setattr(direct_sending, "_COPIED", SIZE - 1)
    run = Run(pair, b"", FileSlice(file, 0, SIZE, lambda: sum(run.counted) < changed_at))

    with pytest.raises(OSError, match="the file was changed while it was sent"):
        run.finish()
    assert sum(run.counted) <= SIZE - LAST
    assert file.closed


def test_file_written_in_place_behind_the_last_of_what_is_copied_arrives_as_it_was(pair, file):
    """All that the system was given is the version that was promised, wherever it is on its way."""
    versions = []
    run = Run(pair, b"", FileSlice(file, 0, 100_000, lambda: not versions))
    run.step()
    versions.append("another")
    overwrite(file)

    assert run.finish() == CONTENT[:100_000]


@pytest.mark.parametrize("room", [4_096, 425_984])
def test_file_written_in_place_while_its_pages_wait_has_no_end(file, monkeypatch, room):
    """What sendfile took changes with the file; what would make it a whole answer is still here.

    With little room the system has not taken all that it will be given; with much it waits for the client.
    """
    for name, value in (("_COPIED", 50_000), ("_TAIL", 20_000), ("_LAST", 10_000)):
        monkeypatch.setattr(direct_sending, name, value)
    versions = []
    with connected(sending=room, receiving=4_096) as pair:
        run = Run(pair, b"", FileSlice(file, 0, 100_000, lambda: not versions))
        assert run.stall() is (Wait.ROOM if room == 4_096 else Wait.DELIVERY)
        versions.append("another")
        overwrite(file)

        with pytest.raises(OSError, match="the file was changed while it was sent"):
            run.finish()
        assert sum(run.counted) <= 90_000


def test_the_end_of_a_long_file_waits_for_all_before_it(pair, file, monkeypatch):
    """A client that reads nothing has less than everything, as far as the system knows."""
    monkeypatch.setattr(direct_sending, "_COPIED", 499_999)
    copied = 262_144 - LAST  # behind what was referred to
    held = [copied + 1]
    monkeypatch.setattr(direct_sending, "unacknowledged", lambda sock: sock is pair[0] and held[0])
    run = Run(pair, b"", FileSlice(file, 0, SIZE, lambda: True))
    while run.waits[-3:] != [Wait.DELIVERY] * 3:
        assert run.step()
    assert sum(run.counted) == SIZE - LAST
    held[0] = copied

    assert run.finish() == CONTENT


@pytest.mark.parametrize("length", [0, 1, 99_999])
def test_nothing_is_waited_for_by_what_is_copied(pair, file, monkeypatch, length):
    monkeypatch.setattr(direct_sending, "unacknowledged", pytest.fail)
    run = Run(pair, b"", FileSlice(file, 0, length, lambda: True))

    assert run.finish() == CONTENT[:length]


def test_what_is_not_in_memory_is_fetched_first(pair, file, is_unchanged, monkeypatch):
    fetched = []
    read = os.preadv

    def preadv(descriptor, buffers, offset, *flags):
        if flags and offset >= max((fetch.offset + fetch.length for fetch in fetched), default=0):
            raise BlockingIOError
        return read(descriptor, buffers, offset)

    monkeypatch.setattr(file_body, "_NO_WAIT", 0)
    monkeypatch.setattr(os, "preadv", preadv)
    run = Run(pair, b"", FileSlice(file, 0, SIZE, is_unchanged))
    while run.step():
        if isinstance(run.waits[-1], Fetch):
            fetched.append(run.waits[-1])
        if len(fetched) > 30:
            pytest.fail("the same is fetched again")

    assert max(fetch.length for fetch in fetched) <= 1_048_576
    assert sum(fetch.length for fetch in fetched) < SIZE + 1_048_576
    assert run.finish() == CONTENT


def test_a_client_that_has_gone_is_an_error(pair, file):
    sending, receiving = pair
    run = Run(pair, b"", FileSlice(file, 0, SIZE))
    receiving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    receiving.close()

    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        run.finish()
    assert file.closed
    assert sending.fileno() >= 0


def test_whoever_stops_before_the_end_closes_the_file(pair, file):
    run = Run(pair, b"head", FileSlice(file, 0, SIZE))
    run.step()

    run.sending.close()

    assert file.closed


def test_pace_is_told_what_was_taken_and_when_it_is_over(pair, file, is_unchanged):
    run = Run(pair, b"head", FileSlice(file, 0, SIZE, is_unchanged))
    run.finish()

    first, *taken, last = run.pace.log
    assert (first, last) == ("begin", "end")
    assert sum(taken) == SIZE


def test_pace_is_told_also_if_it_is_never_begun(pair, file):
    run = Run(pair, b"head", FileSlice(file, 0, SIZE))

    run.sending.close()

    assert run.pace.log == ["end"]
