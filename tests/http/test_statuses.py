"""Reason phrases, and which statuses have no content."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from aioserve.http.statuses import REASONS, has_no_content, reason_of

# Where the phrases of the registry are not those of every Python's own table.
RENAMED = {
    413: "Content Too Large",  # RFC 9110 §15.5.14
    414: "URI Too Long",  # RFC 9110 §15.5.15
    416: "Range Not Satisfiable",  # RFC 9110 §15.5.17
    418: "I'm a Teapot",  # RFC 2324 §2.3.2; reserved by RFC 9110 §15.5.19
    422: "Unprocessable Content",  # RFC 9110 §15.5.21
}


@pytest.mark.parametrize("status", REASONS)
def test_phrases_are_those_of_the_registry(status):
    assert REASONS[status] == RENAMED.get(status, HTTPStatus(status).phrase)


def test_statuses_are_those_of_the_registry():
    obsolete = {HTTPStatus.NOT_EXTENDED}  # RFC 2774 is historic

    assert set(REASONS) == set(HTTPStatus) - obsolete
    assert list(REASONS) == sorted(REASONS)


def test_every_status_has_a_phrase():
    assert reason_of(404) == "Not Found"
    assert reason_of(299) == "299"  # RFC 9110 §15: an unregistered code may be used


@pytest.mark.parametrize(
    ("clause", "status", "expected"),
    [
        ("9112 §6.3: 1xx", 100, True),
        ("9112 §6.3: any 1xx", 199, True),
        ("9112 §6.3: 204", 204, True),
        ("9112 §6.3: 304", 304, True),
        ("9112 §6.3: 200", 200, False),
        ("9110 §15.3.6: 205 has content, of no bytes", 205, False),
        ("9110 §15.5: an error", 404, False),
    ],
)
def test_some_answers_end_with_their_head(clause, status, expected):
    assert has_no_content(status) is expected, clause
