"""What is said on one side is heard on the other, however it is torn on the way."""

from __future__ import annotations

import os
import select
import socket
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.workers.channel import Channel, News, Order

WORDS = [*Order, *News]


@pytest.fixture
def pair():
    """Both ends."""
    one, other = Channel.pair()
    with closing(one), closing(other):
        yield one, other


@pytest.mark.parametrize("word", WORDS)
def test_word_is_heard_as_it_was_said_in_both_directions(pair, word):
    for says, hears in (pair, pair[::-1]):
        says.say(word)

        assert [*hears.heard()] == [(word.value, [])]


def test_every_word_is_another_line():
    lines = {each.value for each in WORDS}

    assert len(lines) == len(WORDS)
    assert not any(b" " in line or b"\n" in line for line in lines)


def test_words_are_heard_in_their_order_with_their_numbers(pair):
    one, other = pair
    one.say(News.SERVES)
    one.say(News.ENDED, 7, 0)
    one.say(News.ALIVE)

    assert [*other.heard()] == [(b"serves", []), (b"ended", [7, 0]), (b"alive", [])]


def test_nothing_is_heard_when_nothing_was_said(pair):
    assert [*pair[0].heard()] == []


def test_channel_can_be_waited_for(pair):
    one, other = pair
    one.say(Order.STOP)

    assert select.select([one, other], [], [], 0) == ([other], [], [])


def test_words_said_before_the_end_are_heard_and_then_the_end_again_and_again(pair):
    one, other = pair
    one.say(News.TIRED)
    one.close()

    assert [*other.heard()] == [(b"tired", []), None]
    assert [*other.heard()] == [None]


def test_one_that_goes_without_having_listened_is_gone_all_the_same(pair):
    """Linux says ECONNRESET then, and not that the stream is at its end."""
    one, other = pair
    other.say(Order.STOP)
    one.say(News.ENDED, 1, 1)
    one.close()

    assert [*other.heard()] == [(b"ended", [1, 1]), None]


def test_word_that_broke_off_at_the_end_was_not_said():
    raw, sock = socket.socketpair()
    raw.sendall(b"alive\nend")
    raw.close()
    with closing(Channel(sock)) as channel:
        assert [*channel.heard()] == [(b"alive", []), None]


def test_nobody_minds_speaking_to_one_who_is_gone(pair):
    one, other = pair
    one.close()
    other.say(News.ALIVE)
    one.say(News.ALIVE)

    assert one.fileno() == -1


def test_one_who_does_not_listen_misses_words_and_delays_nobody(pair):
    one, other = pair
    most = 100_000
    for _ in range(most):
        one.say(Order.REOPEN)
    heard = 0
    while said := [*other.heard()]:
        assert set(map(repr, said)) == {"(b'reopen', [])"}
        heard += len(said)

    assert 0 < heard < most
    one.say(Order.STOP)
    assert [*other.heard()] == [(b"stop", [])]


@pytest.mark.parametrize("word", [Order.REOPEN, Order.DESCRIBE, Order.PUBLISH, News.ALIVE, News.ASKED])
def test_what_is_said_once_is_heard_by_one_who_has_not_listened_for_long(pair, word):
    one, other = pair
    for _ in range(1000):
        one.say(word)
    once = [Order.RETIRE, *[Order.TELL] * 20, Order.STOP, Order.FORCE]
    for each in once:
        one.say(each)

    heard = [said for said, _ in other.heard()]
    assert heard[-len(once) :] == [each.value for each in once]
    assert set(heard[: -len(once)]) == {word.value}


class FullSocket:
    """Has room for so many bytes, which nobody reads."""

    def __init__(self, room):
        self.room = room
        self.sent = b""

    def setblocking(self, flag):
        assert not flag

    def fileno(self):
        return -1

    def getsockopt(self, *_):
        return 1000

    def send(self, data):
        if not self.room:
            raise BlockingIOError
        taken, self.room = data[: self.room], max(self.room - len(data), 0)
        self.sent += taken
        return len(taken)


def test_line_for_which_there_is_no_room_is_said_before_the_next():
    channel = Channel(sock := FullSocket(room=9))
    channel.say(Order.RETIRE)
    channel.say(Order.STOP)
    channel.say(Order.REOPEN)  # is not worth being kept
    assert sock.sent == b"retire\nst"

    sock.room = 1000
    channel.say(Order.FORCE)
    channel.say(Order.REOPEN)
    assert sock.sent == b"retire\nstop\nforce\nreopen\n"


def test_what_waits_is_said_with_a_repeated_word_as_well_when_there_is_room_again():
    channel = Channel(sock := FullSocket(room=3))
    channel.say(Order.STOP)
    sock.room = 1000
    channel.say(Order.REOPEN)

    assert sock.sent == b"stop\nreopen\n"


def test_word_that_nobody_knows_is_not_heard():
    """It may be a line that was torn, and is no reason to fail."""
    raw, sock = socket.socketpair()
    raw.sendall(b"alive\nreo\n\nopen x\nstop 7\n")
    raw.close()
    with closing(Channel(sock)) as channel:
        assert [*channel.heard()] == [(b"alive", []), (b"stop", [7]), None]


def test_channel_does_not_block():
    one, other = socket.socketpair()
    with one, closing(Channel(other)):
        assert one.getblocking()
        assert not os.get_blocking(other.fileno())


@given(
    said=st.lists(
        st.tuples(st.sampled_from(WORDS), st.lists(st.integers(0, 10**12), max_size=3)), max_size=8
    ),
    data=st.data(),
)
def test_words_are_heard_whole_wherever_the_stream_is_torn(said, data):
    one, other = Channel.pair()
    with closing(one), closing(other):
        for word, numbers in said:
            one.say(word, *numbers)
        stream = other._sock.recv(65_536) if said else b""
        cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))) | {0, len(stream)})
        heard = []
        for start, end in pairwise(cuts):
            one._sock.sendall(stream[start:end])
            heard += other.heard()

        assert heard == [(word.value, numbers) for word, numbers in said]
