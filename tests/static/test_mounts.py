"""A URL belongs to one folder, whether or not that has something for it, and however it is spelled."""

from __future__ import annotations

from contextlib import suppress

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.static.mounts import Mounts
from aioserve.static.responder import StaticFiles
from tests.static.asking import read, request
from tests.static.files import write

FILES = {
    "root": ("a", "a b", "docsx", "docs/b", "docs/api/c", "docs%2Fa", "q%x/a"),
    "docs": ("a", "a b", "api/c"),
    "api": ("a",),
    "strange": ("a",),
}
PLACES = {"/docs": "docs", "/": "root", "/docs/api": "api", "/m%c3%a9t%c3%a9o%23%25": "strange"}


@pytest.fixture
def mount(tmp_path):
    """Serve folders; each file holds the name of its folder."""
    for folder, names in FILES.items():
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, folder.encode())
    made = []

    def make(places, *, alone=True):
        made.extend(StaticFiles(tmp_path / place, mount=at, alone=alone) for at, place in places.items())
        return Mounts(made)

    yield make
    for each in made:
        each.store.close()


def ask(mounts, target):
    """Return which folder answered, or where it sends the client; None for nobody."""
    answer = None
    with suppress(HttpProcessingError):
        answer = mounts(request("GET", target))
    if answer is None:
        return None
    reply = read(answer)
    return reply.fields["Location"] if reply.status == 308 else reply.body.decode()


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/a", "root"),
        ("/a%20b", "root"),
        ("/docsx", "root"),
        ("/docs/a", "docs"),
        ("/docs/a%20b", "docs"),
        ("/docs/%61", "docs"),
        ("/docs/api/a", "api"),
        ("/docs/b", None),
        ("/docs/api/c", None),
        ("/b", None),
        # RFC 3986 §6.2.2.2
        ("/d%6Fcs/a", "docs"),
        ("/d%6fcs/a%20b", "docs"),
        ("/%64%6f%63%73/%61", "docs"),
        ("/d%6Fcsx", "root"),
        ("/d%6Fcs/b", None),
        ("/d%6Fcs/api/a", "api"),
        ("/docs/ap%69/a", "api"),
        ("/docs/ap%69/c", None),
        ("/d%6Fcs/%61pi/c", None),
        # An encoded slash separates nothing, and a percent sign is decoded once.
        ("/docs%2Fa", None),
        ("/docs%2fapi/a", None),
        ("/docs/api%2Fa", None),
        ("/docs%252Fa", "root"),
        ("/d%256Fcs/a", None),
        ("/%2Fdocs/a", None),
        # Dots lead nowhere.
        ("/%2e/docs/a", None),
        ("/d%6Fcs/%2e%2e/a", None),
        # Names that cannot be written without a percent sign.
        ("/m%c3%a9t%c3%a9o%23%25/a", "strange"),
        ("/%6D%C3%A9t%C3%A9o%23%25/a", "strange"),
        ("/m\xe9t\xe9o#%/a", None),
        ("/m%c3%a9t%c3%a9o%23%/a", None),
        # What is no path.
        ("/d%6Fcs/%zz", None),
        ("/d%zzcs/a", None),
        ("*", None),
        ("%2Fdocs/a", None),
    ],
)
def test_url_belongs_to_the_folder_with_the_longest_place_and_to_no_other(mount, alone, path, answer):
    assert ask(mount(PLACES, alone=alone), path) == answer


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/docs", "/docs/"),
        ("/d%6Fcs", "/docs/"),
        ("/d%6Fcs?a=%6F", "/docs/?a=%6F"),
        ("/docs/ap%69", "/docs/api/"),
    ],
)
def test_place_without_its_slash_is_redirected_as_the_place_is_spelled(mount, path, location):
    assert ask(mount(PLACES), path) == location


@pytest.mark.parametrize("place", ["/d%6Fcs", "/%64ocs/"])
@pytest.mark.parametrize("path", ["/docs/a", "/d%6Fcs/a", "/doc%73/a"])
def test_place_may_be_spelled_in_another_way(mount, place, path):
    assert ask(mount({"/": "root", place: "docs"}), path) == "docs"


def test_longest_place_is_that_of_the_most_names(mount):
    places = {"/%64%6F%63%73": "docs", "/docs/api": "api"}
    for each in (places, dict(reversed(places.items()))):
        assert ask(mount(each), "/docs/api/a") == "api"


def test_of_two_folders_at_one_place_the_first_has_it(mount):
    assert ask(mount({"/d%6Fcs": "docs", "/docs": "api"}), "/docs/a") == "docs"


@pytest.mark.parametrize("path", ["/a", "/d%6Fcsx/a", "/docs%2Fa"])
def test_url_beneath_no_folder_is_left_to_others(mount, path):
    assert mount({"/docs": "docs"})(request("GET", path)) is None


def test_all_that_is_kept_is_known(mount):
    mounts = mount(PLACES)

    assert ask(mounts, "/docs/a") == "docs"
    assert [len(store) for store in mounts.stores].count(0) == len(PLACES) - 1


def test_what_folders_find_is_told(mount):
    found = []
    mounts = mount({"/": "root", "/docs": "docs"})
    mounts.tell_found(found.append)
    for path in ("/a", "/docs/a"):
        mounts(request("GET", path))

    assert found == [False, False]
