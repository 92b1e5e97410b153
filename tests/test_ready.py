"""Answers that are ready: which bytes they are, how long they hold, and which of them give way."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.ready import _OVERHEAD, ReadyAnswer, ReadyAnswers
from tests.answers import DATE
from tests.doubles import request
from tests.wire import on_both_loops, turns

LATER = b"Date: Mon, 07 Nov 1994 00:00:00 GMT\r\n"
LATEST = b"Date: Tue, 08 Nov 1994 00:00:00 GMT\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nX: 1\r\n" + DATE + b"Content-Length: 4\r\n\r\n"

ENOUGH = 1_000_000  # bytes


def ready(head=HEAD, body=b"body", is_current=lambda: True):
    """Make an answer."""
    return ReadyAnswer(request(), 200, (head, body), DATE, is_current)


class Looked:
    """What tells whether an answer holds; it says so until the test says otherwise.

    Attributes:
        times: how often it was asked.
    """

    def __init__(self):
        self.holds = True
        self.times = 0

    def __call__(self):
        self.times += 1
        return self.holds


# One answer


def test_it_is_sent_as_it_was():
    assert ready().render(DATE) == HEAD + b"body"


def test_within_one_date_nothing_is_made_anew():
    answer = ready()

    assert answer.render(DATE) is answer.render(DATE)
    assert answer.render(LATER) is answer.render(LATER)


@pytest.mark.parametrize(
    ("reason", "head"),
    [
        ("among the others", HEAD),
        ("the first field", b"HTTP/1.1 200 OK\r\n" + DATE + b"X: 1\r\n\r\n"),
        ("the last field", b"HTTP/1.1 200 OK\r\nX: 1\r\n" + DATE + b"\r\n"),
        ("the only field", b"HTTP/1.1 204 No Content\r\n" + DATE + b"\r\n"),
        ("a field whose name ends so", b"HTTP/1.1 200 OK\r\nX-" + DATE + DATE + b"X: 1\r\n\r\n"),
        ("a field with the same value", b"HTTP/1.1 200 OK\r\nLast-Modified" + DATE[4:] + DATE + b"\r\n"),
    ],
)
def test_the_date_is_the_present_one_and_nothing_else_changes(reason, head):
    body = b"\r\n" + DATE + b"\r\n\r\n"
    answer = ready(head, body)

    for date in (LATER, LATEST, DATE, LATER):
        before, after = head.split(b"\r\n" + DATE)
        assert answer.render(date) == before + b"\r\n" + date + after + body, reason


def test_it_tells_an_access_log_what_is_sent():
    answer = ready()

    assert (answer.status, answer.message.path) == (200, "/")
    assert (answer.headers_length, answer.body_length) == (len(HEAD), 4)
    assert answer.output_length == len(answer.render(LATER)) == len(HEAD) + 4


# Many of them


@on_both_loops
async def test_the_same_request_finds_its_answer_and_no_other_does():
    answers = ReadyAnswers(ENOUGH)
    one, other = ready(), ready(body=b"other")
    answers.keep(b"one", one)
    answers.keep(b"other", other)

    assert answers.find(b"one") is one
    assert answers.find(b"other") is other
    for head in (b"", b"on", b"one ", b"One"):
        assert answers.find(head) is None


@on_both_loops
async def test_what_no_longer_holds_is_forgotten():
    answers, looked = ReadyAnswers(ENOUGH), Looked()
    answers.keep(b"one", ready(is_current=looked))
    looked.holds = False

    assert answers.find(b"one") is None
    assert (len(answers), answers.size) == (0, 0)
    looked.holds = True
    assert answers.find(b"one") is None


@on_both_loops
async def test_what_was_found_to_hold_is_fresh_for_a_turn_of_the_loop():
    answers, looked = ReadyAnswers(ENOUGH), Looked()
    for head in (b"one", b"other"):
        answers.keep(head, ready(is_current=looked))
    assert answers.fresh == {}  # it was made a while ago, as far as anybody knows

    for _ in range(2):
        found = {head: answers.find(head) for head in (b"one", b"other")}
        assert answers.fresh == found
        await turns(1)
        assert answers.fresh == {}
    assert looked.times == 4


@on_both_loops
async def test_what_does_not_hold_is_not_fresh():
    answers, looked = ReadyAnswers(ENOUGH), Looked()
    answers.keep(b"one", ready(is_current=looked))
    looked.holds = False
    answers.find(b"one")

    assert answers.fresh == {}


def test_a_new_answer_takes_the_place_of_the_old_one():
    answers = ReadyAnswers(ENOUGH)
    answers.keep(b"one", ready(body=bytes(1000)))
    answers.keep(b"one", ready(body=b"short"))

    assert len(answers) == 1
    assert answers.size == len(b"one") + len(HEAD) + len(b"short") + _OVERHEAD


# Those that give way


def room_for(number, body=b"body"):
    """Return the bytes that so many answers to requests of one byte take."""
    return number * (1 + len(HEAD) + len(body) + _OVERHEAD)


@on_both_loops
async def test_those_used_longest_ago_give_way():
    answers = ReadyAnswers(room_for(10))
    for number in range(10):
        answers.keep(b"%d" % number, ready())
    answers.find(b"0")
    answers.find(b"1")
    answers.keep(b"x", ready())
    answers.keep(b"y", ready())

    assert len(answers) == 10
    assert answers.size == room_for(10)
    assert [number for number in range(10) if answers.find(b"%d" % number) is None] == [2, 3]
    assert answers.find(b"x") is not None


def test_one_that_takes_much_pushes_out_several_and_all_that_is_needed():
    answers = ReadyAnswers(room_for(10))
    for number in range(10):
        answers.keep(b"%d" % number, ready())
    answers.keep(b"x", ready(body=bytes(room_for(1) // 8)))

    assert len(answers) == 9
    assert answers.size <= room_for(10)


@pytest.mark.parametrize(
    ("reason", "limit", "kept"),
    [
        ("an eighth at the most", room_for(8), 1),
        ("a byte more than an eighth would push out many", room_for(8) - 1, 0),
        ("nothing is kept where nothing may be", 0, 0),
    ],
)
def test_one_alone_does_not_take_much_of_the_room(reason, limit, kept):
    answers = ReadyAnswers(limit)
    answers.keep(b"x", ready())

    assert len(answers) == kept, reason
    assert answers.size == room_for(kept)


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["keep", "find", "lose"]), st.sampled_from(b"abcdefgh"), st.integers(0, 2_000))
)


@given(OPERATIONS, st.integers(0, room_for(12)))
def test_the_size_is_that_of_what_is_there_and_never_over_the_limit(operations, limit):
    async def play():
        answers, lookers = ReadyAnswers(limit), {}
        for operation, letter, size in operations:
            head = bytes([letter])
            if operation == "keep":
                looked = Looked()
                before = answers._kept.get(head)
                answers.keep(head, ready(body=bytes(size), is_current=looked))
                if answers._kept.get(head) is not before:
                    lookers[head] = looked
            elif operation == "find":
                found = answers.find(head)
                assert found is None or lookers[head].holds
            elif head in lookers:
                lookers[head].holds = False
            assert answers.size <= limit
            assert answers.size == sum(
                len(head) + answer.output_length + _OVERHEAD for head, answer in answers._kept.items()
            )

    asyncio.run(play())
