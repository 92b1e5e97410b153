"""A file in all the forms it can be sent in."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.static import resource as module
from aioserve.static.compression import codings
from aioserve.static.representation import SMALL, ChangedMeanwhileError, Representation
from aioserve.static.resource import Resource
from tests.static.files import NOW, find, write

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

TEXT = b"The same words again and again. " * 100
LARGE = TEXT * (SMALL // len(TEXT) + 1)
NOISE = os.urandom(1000)


class FakeWatch:
    """What tells of a file that is as it was, settled or not."""

    def __init__(self, *, is_settled: bool = True) -> None:
        self.is_settled = is_settled
        self.has_run_out = False

    def holds(self) -> bool:
        return True


@pytest.fixture
def make(tmp_path):
    """Make resources of files written for them; all are closed after the test."""
    made = []

    def represent(name, content, coding="identity"):
        return Representation.of(find(write(tmp_path / name, content)), "text/plain", NOW, coding)

    def make(content=TEXT, twins=(), *, is_settled=True, is_compressible=True, name="a.txt") -> Resource:
        identity = represent(name, content)
        others = {coding: represent(f"{name}.{coding}", LARGE, coding) for coding in twins}
        watch = FakeWatch(is_settled=is_settled)
        made.append(Resource(f"/{name}", name, identity, others, watch, is_compressible=is_compressible))
        return made[-1]

    yield make
    for each in made:
        each.close()


# Its forms


def all_of(resource):
    return resource.offers(in_parts=False, made=False)


def test_file_is_offered_as_it_is(make):
    resource = make(is_compressible=False)

    assert all_of(resource) == ("identity",)
    assert resource.form("identity") is resource.identity


def test_file_is_offered_in_what_can_be_made_of_it(make):
    assert all_of(make()) == (*codings(), "identity")


def test_twins_are_offered_before_what_would_have_to_be_made(make):
    assert all_of(make(twins=["gzip"])) == ("gzip", "br", "zstd", "identity")
    assert all_of(make(twins=["br", "zstd", "gzip"])) == ("br", "zstd", "gzip", "identity")
    assert all_of(make(twins=["zstd"], is_compressible=False)) == ("zstd", "identity")


def test_twin_is_a_form_from_the_beginning(make):
    form = make(twins=["gzip"]).form("gzip")

    assert (form.coding, form.read()) == ("gzip", LARGE)


def test_parts_are_offered_only_of_what_is_a_file(make):
    """What is compressed here may be other bytes tomorrow."""
    resource = make(twins=["gzip"])
    resource.make("br")

    assert resource.offers(in_parts=True, made=False) == ("gzip", "identity")
    assert resource.offers(in_parts=True, made=True) == ("gzip", "identity")


def test_what_has_to_be_made_is_no_form_until_it_was(make):
    resource = make(twins=["br"])

    assert resource.form("gzip") is None
    assert resource.offers(in_parts=False, made=True) == ("br", "identity")

    resource.make("gzip")

    form = resource.form("gzip")
    assert zlib.decompress(form.content, 16 + zlib.MAX_WBITS) == TEXT
    assert form.validators.etag == f'{resource.identity.validators.etag[:-1]}-gzip"'
    assert resource.offers(in_parts=False, made=True) == ("br", "gzip", "identity")
    assert all_of(resource) == ("br", "zstd", "gzip", "identity")


def test_large_file_is_compressed_from_the_disk(make):
    resource = make(LARGE)

    resource.make("gzip")

    assert zlib.decompress(resource.form("gzip").content, 16 + zlib.MAX_WBITS) == LARGE


@pytest.mark.parametrize("made", [True, False])
def test_coding_that_saves_too_little_is_offered_no_more(make, made):
    resource = make(NOISE)

    resource.make("br")

    assert resource.form("br") is None
    assert "br" not in resource.offers(in_parts=False, made=made)
    assert all_of(resource) == ("zstd", "gzip", "identity")


@pytest.mark.parametrize(("size", "expected"), [(1000, True), (65_536, True), (65_537, False)])
def test_small_file_is_compressed_at_once(make, size, expected):
    assert make(b"x" * size).is_made_at_once is expected


@pytest.mark.parametrize("written", [LARGE[:-1], LARGE[::-1]], ids=["cut short", "as long"])
def test_file_written_meanwhile_is_not_compressed_under_the_old_tag(make, tmp_path, written):
    resource = make(LARGE)
    write(tmp_path / "a.txt", written, NOW)

    with pytest.raises(ChangedMeanwhileError):
        resource.make("gzip")

    assert resource.form("gzip") is None
    assert "gzip" in all_of(resource)


@pytest.mark.parametrize(
    ("twins", "is_compressible", "expected"),
    [((), False, False), (("br",), False, True), ((), True, True), (("br",), True, True)],
)
def test_file_varies_where_there_is_another_form(make, twins, is_compressible, expected):  # RFC 9110 §12.5.5
    assert make(twins=twins, is_compressible=is_compressible).varies is expected


def test_file_varies_also_where_compressing_it_was_worth_nothing(make):
    resource = make(NOISE)
    for coding in codings():
        resource.make(coding)

    assert all_of(resource) == ("identity",)
    assert resource.varies


# What was made before


def test_what_was_made_of_the_same_content_is_taken_over(make):
    older, newer = make(), make()
    older.make("gzip")

    newer.adopt(older)

    assert newer.form("gzip") is older.form("gzip")


def test_what_a_thread_is_making_is_taken_over_when_it_is_done(make):
    older, newer = make(), make()
    newer.adopt(older)

    older.make("gzip")

    assert newer.form("gzip") is not None


def test_that_it_saves_too_little_is_taken_over(make):
    older, newer = make(NOISE), make(NOISE)
    older.make("br")

    newer.adopt(older)

    assert "br" not in all_of(newer)


def test_what_was_made_of_other_content_is_not_taken_over(make):
    older, newer = make(), make(TEXT[::-1])
    older.make("gzip")

    newer.adopt(older)

    assert newer.form("gzip") is None


# Its files rest


def test_files_are_closed_when_the_watch_has_run_out_and_what_was_made_stays(make):
    resource = make(LARGE, ["zstd"])
    resource.make("gzip")
    assert not resource.rest()
    assert resource.descriptors == 2
    resource.watch.has_run_out = True
    files = [form.file for form in (resource.identity, resource.form("zstd"))]

    assert resource.rest()
    assert resource.descriptors == 0
    assert all(file._file.closed for file in files)
    assert resource.form("gzip").content


def test_files_stay_open_for_another_user(make):
    resource = make(LARGE)
    resource.watch.has_run_out = True
    resource.share()
    assert not resource.rest()

    resource.close()
    assert resource.rest()


# What it takes


def test_memory_is_that_of_all_forms(make):
    resource = make(twins=["zstd"])
    before = resource.memory

    resource.make("gzip")

    assert before == module._OVERHEAD + len("/a.txt") + len(TEXT)
    assert resource.memory == before + len(resource.form("gzip").content)


def test_what_saves_too_little_takes_no_memory(make):
    resource = make(NOISE)
    before = resource.memory

    resource.make("gzip")

    assert resource.memory == before


@pytest.mark.parametrize(
    ("content", "twins", "expected"),
    [(TEXT, (), 0), (LARGE, (), 1), (TEXT, ("br",), 1), (LARGE, ("br", "gzip"), 3)],
)
def test_descriptors_are_those_of_large_forms(make, content, twins, expected):
    resource = make(content, twins)
    resource.make("zstd")

    assert resource.descriptors == expected


@given(st.lists(st.sampled_from(["share", "close"])))
def test_files_are_closed_by_the_last_user(tmp_path_factory, steps):
    folder = tmp_path_factory.getbasetemp()
    found = find(write(folder / "a.txt", LARGE)), find(write(folder / "a.txt.br", LARGE))
    identity, twin = (Representation.of(each, "text/plain", NOW) for each in found)
    resource = Resource("/", "", identity, {"br": twin}, FakeWatch(), is_compressible=True)
    users = 1
    for step in [*steps, *["close"] * len(steps), "close"]:
        if not users:
            break
        assert not any(each.file.closed for each in found)
        if step == "share":
            assert resource.share() is resource
            users += 1
        else:
            resource.close()
            users -= 1
    assert users == 0
    assert all(each.file.closed for each in found)


# Whether it is current


def test_answers_can_be_kept_where_a_change_would_be_noticed(make):
    resource = make()

    assert resource.is_current == resource.watch.holds


def test_answers_are_good_only_once_where_a_change_could_go_unnoticed(make):
    assert make(is_settled=False).is_current is None
