from __future__ import annotations

import os
from contextlib import nullcontext

import pytest

from aioserve.errors import ConfigurationError, HttpProcessingError
from aioserve.http.dates import format_http_date
from aioserve.responders import make_responders
from aioserve.settings import Static
from tests.doubles import request

NOW = 1_795_500_000


@pytest.fixture
def folders(tmp_path):
    for name in ("site", "docs", "api"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(name)
        (tmp_path / name / f"{name}.txt").write_text(name)
    return tmp_path


def responders_of(folders, *mounts, has_application=False, **more):
    static = Static(tuple((prefix, str(folders / name)) for prefix, name in mounts), **more)
    return make_responders(static, has_application=has_application, clock=lambda: NOW, call_later=fail)


def answer_of(responders, path):
    """Ask in order, as a connection does."""
    message = request(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    for respond in responders:
        if (answer := respond(message)) is not None:
            return answer
    return None


def fail(*_):
    pytest.fail("no file is kept open")


def text_in(answer):
    return answer.body.decode()


def test_nothing_to_serve_is_no_responder():
    assert make_responders(Static(), has_application=True, clock=lambda: NOW, call_later=fail) == ()


@pytest.mark.parametrize(
    ("path", "name"), [("/", "site"), ("/docs/", "docs"), ("/docs/api/", "api"), ("/site.txt", "site")]
)
def test_longest_prefix_is_asked(folders, path, name):
    responders = responders_of(folders, ("/", "site"), ("/docs/api", "api"), ("/docs", "docs"))

    assert text_in(answer_of(responders, path)) == name


@pytest.mark.parametrize("has_application", [True, False])
def test_url_belongs_to_one_folder_whether_or_not_an_application_is_there(folders, has_application):
    (folders / "site/docs").mkdir()
    (folders / "site/docs/only.txt").write_text("of the outer folder")
    responders = responders_of(folders, ("/", "site"), ("/docs", "docs"), has_application=has_application)

    with nullcontext() if has_application else pytest.raises(HttpProcessingError):
        assert answer_of(responders, "/docs/only.txt") is None


def test_application_is_left_what_is_no_file(folders):
    assert answer_of(responders_of(folders, ("/", "site"), has_application=True), "/none") is None


def test_files_alone_say_that_there_is_none(folders):
    with pytest.raises(HttpProcessingError) as raised:
        answer_of(responders_of(folders, ("/", "site")), "/none")

    assert raised.value.code == 404


def test_index_is_as_the_settings_say(folders):
    assert text_in(answer_of(responders_of(folders, ("/", "site"), index=("site.txt",)), "/")) == "site"


def test_all_folders_are_served_as_the_settings_say(folders):
    responders = responders_of(folders, ("/", "site"), ("/docs", "docs"), headers=(("/*", "X-One", "1"),))

    assert [dict(answer_of(responders, path).headers)["X-One"] for path in ("/", "/docs/")] == ["1", "1"]


def test_no_file_is_newer_than_the_clock_that_dates_the_answer(folders):
    os.utime(folders / "site" / "index.html", (NOW + 60, NOW + 60))

    answer = answer_of(responders_of(folders, ("/", "site")), "/")

    assert text_in(answer) == "site"
    assert dict(answer.headers)["Last-Modified"] == format_http_date(NOW)


def test_folder_that_cannot_be_served_is_refused(folders):
    with pytest.raises(ConfigurationError, match="none"):
        responders_of(folders, ("/", "none"))
