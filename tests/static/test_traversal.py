"""No way of writing a path leads out of the folder, or to what is hidden in it."""

from __future__ import annotations

import contextlib
import os
import re
from urllib.parse import unquote_to_bytes

import pytest

from tests.semantics.client import Answer
from tests.semantics.hosting import hosting
from tests.semantics.judge import leaks
from tests.semantics.rows import Request
from tests.semantics.site import DOCS, MAIN, build
from tests.static import race
from tests.static.traversal import targets
from tests.wire import LOOPS

TARGETS = targets()
ENOUGH = 5_000

SAFE_LOCATION = re.compile(r"/(?![/\\])[!-\[\]-~]*")
REFUSALS = {400, 404, 405, 414, 501}

# Every URL that may be answered by a file, with what is in it; a link has a URL of its own.
FILES = {
    **{f"/{name}": content for name, content in MAIN.items()},
    **{f"/docs/{name}": content for name, content in DOCS.items()},
    "/link.txt": MAIN["letters.txt"],
    "/folder/link-up.txt": MAIN["letters.txt"],
    **{f"/link-{name}": content for name, content in MAIN.items() if name.startswith("folder/")},
}
PUBLIC = {
    url.encode("utf-8", "surrogateescape"): content
    for url, content in FILES.items()
    if not re.search(r"/\.(?!well-known/)", url)
}
PUBLIC |= {
    url.removesuffix(b"index.html"): content
    for url, content in PUBLIC.items()
    if url.endswith(b"/index.html")
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build(tmp_path_factory.mktemp("site"))


def ask_all(make_loop, *words):
    """Yield every target with its answer."""
    with hosting(make_loop) as host:
        client = host.client(words)
        for target in TARGETS:
            yield target, client.ask(Request("GET", target))


def path_of(target):
    """Return the path that a target names, decoded once, as simply as it can be said."""
    return unquote_to_bytes(re.sub(r"\Ahttps?://[^/?#]*", "", target).partition("?")[0].encode("latin-1"))


def test_there_are_enough_and_no_two_are_the_same():
    assert len(TARGETS) == len(set(TARGETS)) > ENOUGH


@pytest.mark.parametrize("make_loop", LOOPS, ids=lambda make: make.__module__)
def test_nothing_from_outside_and_nothing_hidden_is_ever_sent(make_loop, site):
    """Also, only a path that names a file that everybody may see is answered by that file."""
    shown = 0
    for target, answer in ask_all(
        make_loop, "--static", str(site / "main"), "--static", f"/docs={site}/docs"
    ):
        assert isinstance(answer, Answer), target
        assert not leaks(answer), target
        if answer.status == 200:
            assert answer.body == PUBLIC[path_of(target)], target
            shown += 1
        elif answer.status in {301, 307, 308}:
            assert SAFE_LOCATION.fullmatch(answer.field("location")), target
        else:
            assert answer.status in REFUSALS, target
    assert shown > 0


def test_nor_where_every_door_is_open_that_is_not_asked_to_lead_out(site):
    words = ["--listing", "--clean-urls", "--spa", "--error-page", "404=errors/404.html", "--cors", "*"]
    for target, answer in ask_all(LOOPS[0], "--static", str(site / "main"), *words):
        assert isinstance(answer, Answer), target
        assert not leaks(answer), target
        assert b"canary" not in answer.body.replace(os.fsencode(target), b""), target
        if (location := answer.field("location")) is not None:
            assert SAFE_LOCATION.fullmatch(location), target


FETCHES = 2_000


@pytest.fixture
def exchanged(tmp_path):
    """A root in which a folder and a file are exchanged for links to the outside all the time."""
    root = race.build(tmp_path)
    with race.exchanging(root):
        yield root


@pytest.mark.parametrize("make_loop", LOOPS, ids=lambda make: make.__module__)
def test_a_folder_and_a_file_exchanged_for_links_lead_nowhere_else(make_loop, exchanged):
    with hosting(make_loop) as host:
        seen = race.fetch(host.port(("--static", str(exchanged))), FETCHES)

    assert {status for status, _ in seen} == {200, 404}
    assert {body for status, body in seen if status == 200} <= {race.INSIDE, race.TWIN}


def test_who_opens_them_by_name_sees_the_outside(exchanged):
    seen = set()
    while seen != {race.INSIDE, race.CANARY}:
        with contextlib.suppress(FileNotFoundError):
            seen.add((exchanged / "dir/file.txt").read_bytes())
