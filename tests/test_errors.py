"""The exceptions: what each carries, and where it stands."""

from __future__ import annotations

import inspect

import pytest

from aioserve import errors
from aioserve.errors import (
    AioserveError,
    AttachError,
    BadHttpMessage,
    BadStatusLine,
    BindError,
    ClientDisconnectedError,
    ConfigurationError,
    ContentEncodingError,
    HttpMethodNotAllowed,
    HttpProcessingError,
    InvalidHeader,
    LineTooLong,
    PayloadTooLarge,
    RequestTimeout,
    StartupError,
    TlsError,
    TooManyFields,
    TransferEncodingError,
    first_of,
    pairs_of,
)

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, Exception) and value.__name__ == name
}


@pytest.mark.parametrize("name", CLASSES)
def test_everything_has_one_root_and_a_text(name):
    assert issubclass(CLASSES[name], AioserveError)
    assert CLASSES[name].__doc__


def test_tree_is_drawn_as_it_is():
    tree = errors.__doc__.partition("::\n\n")[2].partition("\n\n")[0]
    names, path = set(), []
    for line in tree.splitlines():
        rest = line.lstrip(" │├└─")
        name = rest.split()[0]
        names.add(name)
        path[(len(line) - len(rest)) // 4 - 1 :] = [name]  # four columns a level
        assert [each.__name__ for each in reversed(CLASSES[name].__mro__) if each.__name__ in CLASSES] == path

    assert names == set(CLASSES)


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(AttachError, 1), (ConfigurationError, 2), (StartupError, 3), (BindError, 4), (TlsError, 5)],
)
def test_command_exits_with_a_code_of_its_own(error, exit_code):
    assert error.exit_code == exit_code
    assert error("text").exit_code == exit_code


def test_startup_may_have_details():
    assert str(StartupError("text", "more\nlines")) == "text"
    assert StartupError("text", "more\nlines").details == "more\nlines"
    assert BindError("text").details == ""


def test_first_of_several_problems_has_the_others_and_each_once():
    first, second, third = ConfigurationError("first"), BindError("second"), TlsError("third")
    second.others = (third,)

    found = first_of([first, second, third, TlsError("second"), ConfigurationError("first")])

    assert (type(found), str(found)) == (ConfigurationError, "first")
    assert list(map(str, found.others)) == ["second", "third"]
    assert first_of([third]) is third
    assert third.others == BindError("text").others == ()


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (HttpProcessingError(), 500, ""),
        (HttpProcessingError(404), 404, ""),
        (HttpProcessingError(404, "text"), 404, "text"),
        (HttpProcessingError(code=404, message="text"), 404, "text"),
        (BadHttpMessage(), 400, ""),
        (BadHttpMessage("text"), 400, "text"),
        (BadHttpMessage("text", code=422), 422, "text"),
        (BadStatusLine("text"), 400, "text"),
        (InvalidHeader("text"), 400, "text"),
        (TransferEncodingError("text"), 400, "text"),
        (ContentEncodingError("text"), 400, "text"),
        (HttpMethodNotAllowed(["GET"]), 405, ""),
        (HttpMethodNotAllowed(["GET"], "text"), 405, "text"),
        (RequestTimeout(), 408, "The request did not arrive in time."),
        (PayloadTooLarge(5), 413, "The body is larger than the limit of 5 bytes."),
        (TooManyFields("header", 5), 431, "There are more header fields than the limit of 5."),
        (LineTooLong("The line", 5), 431, "The line is longer than the limit of 5 bytes."),
        (LineTooLong("The line", 5, 414), 414, "The line is longer than the limit of 5 bytes."),
    ],
    ids=repr,
)
def test_error_of_http_has_a_code_and_a_message(error, code, message):
    assert (error.code, error.message) == (code, message)
    assert str(error) == (f"{code}, {message}" if message else str(code))
    assert error.args == (code, message)


def test_one_error_does_not_change_the_next():
    HttpProcessingError(404, "text")

    assert (HttpProcessingError().code, HttpProcessingError().message) == (500, "")


def test_limits_are_kept():
    assert PayloadTooLarge(5).limit == LineTooLong("The line", 5).limit == 5
    assert TooManyFields("header", 5).limit == 5


@pytest.mark.parametrize(
    ("reason", "headers", "pairs"),
    [
        ("none", None, ()),
        ("a mapping", {"A": "b", "C": "d"}, (("A", "b"), ("C", "d"))),
        ("pairs, also equal ones", [("A", "b"), ("A", "b")], (("A", "b"), ("A", "b"))),
        ("an iterator", iter([("A", "b")]), (("A", "b"),)),
    ],
)
def test_headers_are_given_in_many_ways(reason, headers, pairs):
    assert pairs_of(headers) == pairs, reason


def test_headers_are_added_to_the_answer():
    assert HttpProcessingError(302, headers={"Location": "/a"}).headers == (("Location", "/a"),)
    assert BadHttpMessage("text", [("A", "b")]).headers == (("A", "b"),)
    assert HttpProcessingError(404).headers == ()


def test_other_methods_are_named():  # RFC 9110 §15.5.6
    assert HttpMethodNotAllowed(name for name in ("GET", "HEAD")).headers == (("Allow", "GET, HEAD"),)
    assert HttpMethodNotAllowed(()).headers == (("Allow", ""),)  # RFC 9110 §10.2.1: none at the moment


def test_client_that_has_gone_is_a_reset_connection():
    with pytest.raises(ConnectionResetError):
        raise ClientDisconnectedError("text")


def test_old_names_are_kept():
    assert errors.HttpException is errors.HttpErrorException is HttpProcessingError
    assert errors.HttpBadRequest is BadHttpMessage
