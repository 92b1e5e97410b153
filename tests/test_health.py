"""What those are answered who ask whether the server lives and wants requests."""

from __future__ import annotations

import pytest

from aioserve.health import HealthAnswers
from aioserve.settings import Health
from tests.doubles import request


def ask(answers, path, method="GET"):
    return answers(request(f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()))


@pytest.fixture
def answers():
    return HealthAnswers(Health())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "body"),
    [("/-/live", b"live\n"), ("/-/ready", b"ready\n"), ("/-/live?verbose", b"live\n")],
)
def test_a_server_lives_and_wants_requests(answers, method, path, body):
    answer = ask(answers, path, method)

    assert (answer.status, answer.body) == (200, body)
    assert dict(answer.headers) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "no-store",
    }


def test_one_that_drains_lives_and_wants_none(answers):
    answers.drain()

    assert ask(answers, "/-/live").status == 200
    assert (ask(answers, "/-/ready").status, ask(answers, "/-/ready").body) == (503, b"stopping\n")


@pytest.mark.parametrize("path", ["/", "/-/live/", "/-/liveness", "/-/", "/a/-/live", "/-%2Flive"])
def test_other_paths_are_not_about_it(answers, path):
    assert ask(answers, path) is None


def test_other_methods_are_not_allowed(answers):
    """RFC 9110 §15.5.6: the answer says which are."""
    answer = ask(answers, "/-/ready", "POST")

    assert answer.status == 405
    assert dict(answer.headers)["Allow"] == "GET, HEAD"


def test_the_paths_can_be_others():
    answers = HealthAnswers(Health(live="/healthz", ready="/readyz"))

    assert ask(answers, "/healthz").body == b"live\n"
    assert ask(answers, "/readyz").body == b"ready\n"
    assert ask(answers, "/-/live") is None


def test_no_answer_is_kept_for_others(answers):
    assert ask(answers, "/-/ready").is_current is None
