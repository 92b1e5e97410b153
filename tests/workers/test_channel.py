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
