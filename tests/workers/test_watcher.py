"""Changes are found, put together and told: of real files in a thread, and of such as the test makes up."""

from __future__ import annotations

import json
import os
import socket
import threading

import pytest
import watchfiles

from aioserve.workers.sources import Sources
from aioserve.workers.watcher import watch

PATIENCE = 60
ADDED, MODIFIED, DELETED = watchfiles.Change


class Told:
    """What the parent is told, line by line."""

    def __init__(self, sock):
        self._sock = sock
        self._file = sock.makefile()

    def next(self):
        return json.loads(self._file.readline())

    def all(self):
        return [json.loads(line) for line in self._file]

    def close(self):
        self._file.close()
        self._sock.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE)
    with theirs:
        told = Told(ours)
        yield told, theirs
        told.close()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


# Real files


@pytest.fixture
def begin(pair):
    """Look for changes in a thread; what is looked at is, as soon as this returns."""
    told, parent = pair
    threads = []

    def begin(sources):
        threads.append(threading.Thread(target=watch, args=(sources, parent)))
        threads[0].start()
        return told

    yield begin
    told.close()
    for each in threads:
        each.join(PATIENCE)
        assert not each.is_alive()


@pytest.fixture
def looks(monkeypatch):
    """Tell how many folders are looked at: a number that comes when the system does."""
    begun = threading.Semaphore(0)
    look = watchfiles.watch

    def watch_and_tell(*folders, **more):
        for number, found in enumerate(look(*folders, **more)):
            if not number:
                begun.release()
            yield found

    monkeypatch.setattr(watchfiles, "watch", watch_and_tell)
    return begun


def test_changed_file_is_told_by_its_path_from_here(begin, folder, looks):
    told = begin(Sources((str(folder),)))
    assert looks.acquire(timeout=PATIENCE)
    (folder / "page.html").write_text("nothing to do with it")
    (folder / "app.py").write_text("1")

    assert told.next() == [1, ["site/app.py"]]


def test_many_changes_are_one_and_a_few_are_named(begin, folder, looks):
    told = begin(Sources((str(folder),)))
    assert looks.acquire(timeout=PATIENCE)
    for number in range(500):
        (folder / f"{number:03}.py").write_text("1")

    numbers, names = [], []
    while sum(numbers) < 500:
        number, some = told.next()
        numbers.append(number)
        names += some
    assert len(numbers) <= 3  # a slow machine may pause in between
    assert len(names) <= 3 * len(numbers)
    assert names[0].startswith("site/")


def test_files_of_a_folder_that_comes_whole_are_told(begin, folder, tmp_path, looks):
    """They were there before it was: for them nothing happens."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "app.py").write_text("1")
    told = begin(Sources((str(folder),)))
    assert looks.acquire(timeout=PATIENCE)
    (tmp_path / "package").rename(folder / "package")

    assert told.next() == [1, ["site/package/app.py"]]


def test_folder_that_has_been_replaced_is_looked_at_as_the_one_before(begin, folder, tmp_path, looks):
    told = begin(Sources((str(folder),)))
    assert looks.acquire(timeout=PATIENCE)
    folder.rename(tmp_path / "old")
    folder.mkdir()
    while told.next() != [1, ["site"]]:
        pass
    (folder / "app.py").write_text("1")

    assert told.next() == [1, ["site/app.py"]]


# Made up


@pytest.fixture
def find(monkeypatch, pair):
    """Let things happen, one after the other; each may return what is found then. None is an interruption."""
    told, parent = pair
    calls = []

    def find(sources, *script):
        steps = iter(script)

        def look(*folders, **more):
            calls.append((folders, more))
            for step in steps:
                if step is None:
                    return
                yield step() or set()
            told._sock.shutdown(socket.SHUT_WR)
            yield set()

        monkeypatch.setattr(watchfiles, "watch", look)
        code = watch(sources, parent)
        parent.close()
        return code, told.all()

    find.calls = calls
    return find


def test_it_ends_when_the_parent_has_gone(find, folder):
    assert find(Sources((str(folder),)), lambda: None) == (0, [])
    ((folders, more),) = find.calls
    assert folders == (str(folder),)
    assert more["watch_filter"] is None
    assert more["yield_on_timeout"]


def test_it_ends_when_nobody_can_be_told_any_more(pair, folder, monkeypatch):
    told, parent = pair
    monkeypatch.setattr("select.select", lambda *_: ([], [], []))
    monkeypatch.setattr(watchfiles, "watch", lambda *_, **__: iter([{(MODIFIED, str(folder / "app.py"))}]))
    told.close()

    assert watch(Sources((str(folder),)), parent) == 0


def test_files_that_have_gone_are_told_too(find, folder):
    path = str(folder / "app.py")

    assert find(Sources((str(folder),)), lambda: {(DELETED, path)})[1] == [[1, ["site/app.py"]]]


def test_what_does_not_matter_is_not_told(find, folder):
    path = str(folder / "__pycache__" / "app.py")

    assert find(Sources((str(folder),)), lambda: {(ADDED, path)})[1] == []


@pytest.mark.parametrize("error", [OSError("no space left"), RuntimeError("internal"), ImportError("none")])
def test_what_is_in_the_way_is_told_and_is_the_end(find, folder, error):
    def fail():
        raise error

    assert find(Sources((str(folder),)), fail) == (1, [[str(error)]])


def test_it_goes_on_after_an_interruption(find, folder):
    path = str(folder / "app.py")

    assert find(Sources((str(folder),)), None, lambda: {(MODIFIED, path)}) == (0, [[1, ["site/app.py"]]])


# The configuration file


def test_configuration_file_is_told_once_for_each_change_wherever_it_is(find, tmp_path):
    file = tmp_path / "aioserve.toml"
    file.write_text("")

    _, told = find(
        Sources((), config=str(file)),
        lambda: None,
        lambda: file.write_text("workers = 1") and None,
        lambda: None,
        lambda: file.write_text("workers = 20") and None,
    )

    assert told == [[1, ["aioserve.toml"]], [1, ["aioserve.toml"]]]


def test_configuration_file_that_goes_and_comes_again_has_changed_when_it_is_another(find, tmp_path):
    file, other, third = (tmp_path / name for name in ("aioserve.toml", "other", "third"))
    file.write_text("")
    third.write_text("")

    _, told = find(
        Sources((), config=str(file)),
        lambda: file.rename(other) and None,
        lambda: os.link(third, file),
        lambda: None,
    )

    assert told == [[1, ["aioserve.toml"]]]


def test_path_that_is_none_is_no_configuration_file(find):
    assert find(Sources((), config="a\0b"), lambda: None)[1] == []


# Folders that go and come


def test_folder_that_is_not_there_is_looked_at_when_it_is(find, folder):
    folder.rmdir()

    _, told = find(Sources((str(folder),)), lambda: None, folder.mkdir, lambda: None)

    assert told == [[1, ["site"]]]
    assert [folders for folders, _ in find.calls] == [(), (str(folder),)]


def test_that_a_folder_has_gone_is_nothing_to_load(find, folder):
    _, told = find(Sources((str(folder),)), folder.rmdir)

    assert told == []
    assert [folders for folders, _ in find.calls] == [(str(folder),), ()]
