"""The parent's side: real processes, which leave by `os._exit`, and this one in the place of a new one."""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket

import pytest

from aioserve.workers import lookout as module
from aioserve.workers.lookout import BecomeWatcher, Lookout
from aioserve.workers.sources import Sources

# Python warns of forks beside other threads; pytest-xdist has one, which the new processes have no need of.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

SOURCES, OTHERS = Sources(("/srv/site",)), Sources(("/srv/other",))
SOON, LATER = 0.5, 30.0
UNSEEN = "--reload: changes are not seen for a while: "


class Scene:
    """A lookout whose processes are sockets of the test, and whose clock stands still."""

    def __init__(self, selector, monkeypatch):
        self.selector = selector
        self.now = 1000.0
        self.changes = []
        self.watchers = []
        self.fork_error = None
        self.lookout = Lookout(selector, self.changes.append)
        make_pair = socket.socketpair

        def socketpair():
            ours, theirs = make_pair()
            self.watchers.append(theirs.dup())
            return ours, theirs

        def fork(_leave):
            if self.fork_error:
                raise self.fork_error
            return 1

        monkeypatch.setattr(module.socket, "socketpair", socketpair)
        monkeypatch.setattr(module, "fork", fork)
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)

    def keep(self, seconds=0.0):
        """Let so many seconds pass, and return whether a process is started then."""
        self.now += seconds
        before = len(self.watchers)
        self.lookout.keep(lambda: None)
        return len(self.watchers) > before

    def turn(self):
        ready = self.selector.select(30)
        assert ready
        for key, _ in ready:
            key.data()

    def say(self, *what, end=b"\n"):
        self.watchers[-1].sendall(json.dumps(what).encode() + end)
        self.turn()

    def die(self):
        self.watchers[-1].close()
        self.turn()


@pytest.fixture
def selector():
    with selectors.DefaultSelector() as selector:
        yield selector


@pytest.fixture
def scene(selector, monkeypatch):
    scene = Scene(selector, monkeypatch)
    yield scene
    scene.lookout.close()
    for each in scene.watchers:
        each.close()


@pytest.fixture
def looking(scene):
    """A scene in which there is a process."""
    scene.lookout.watch(SOURCES)
    assert scene.keep()
    return scene


# When there is a process


def test_there_is_none_until_there_is_something_to_look_at(scene):
    assert scene.lookout.due == float("inf")
    assert not scene.keep()

    scene.lookout.watch(SOURCES)
    assert scene.lookout.due < scene.now
    assert scene.keep()
    assert scene.lookout.due == float("inf")
    assert not scene.keep(3600.0)


def test_same_files_keep_the_process_and_others_need_another(looking):
    looking.lookout.watch(Sources(("/srv/site",)))
    assert not looking.keep()

    looking.lookout.watch(OTHERS)
    assert looking.watchers[0].recv(1) == b""
    assert looking.keep()


def test_there_is_none_any_more_when_nothing_is_to_be_looked_at(looking):
    looking.lookout.watch(None)

    assert looking.watchers[0].recv(1) == b""
    assert not looking.selector.get_map()
    assert not looking.keep()


def test_where_there_is_nothing_to_look_at_that_is_said(scene, caplog):
    scene.lookout.watch(Sources(()))

    assert not scene.keep()
    assert caplog.messages == ["--reload: there is nothing to look at; static files are served as they are"]
    scene.lookout.watch(Sources((), config="aioserve.toml"))
    assert scene.keep()


# What it says


@pytest.mark.parametrize(
    ("number", "names", "words"),
    [
        (1, ["app.py"], "app.py changed"),
        (2, ["app.py", "b.py"], "app.py, b.py changed"),
        (500, ["a.py", "b.py", "c.py"], "a.py, b.py, c.py and 497 more changed"),
    ],
)
def test_changes_are_told_in_words(looking, number, names, words):
    looking.say(number, names)

    assert looking.changes == [words]


def test_words_that_come_in_pieces_are_one(looking):
    looking.say(1, ["app.py"], end=b"")
    assert looking.changes == []
    looking.watchers[0].sendall(b'\n[1, ["b.py"]]\n')
    looking.turn()

    assert looking.changes == ["app.py changed", "b.py changed"]


def test_what_is_in_its_way_is_said_and_it_is_tried_again(looking, caplog):
    looking.say("no space left")

    assert caplog.messages == [UNSEEN + "no space left"]
    assert looking.lookout.due == looking.now + SOON
    assert not looking.selector.get_map()


# When it ends


def test_another_takes_its_place_after_a_while(looking, caplog):
    looking.die()

    assert caplog.messages == [UNSEEN + "the process that does it has ended"]
    assert not looking.keep(SOON / 2)
    assert looking.keep(SOON / 2)
    looking.say(1, ["app.py"])
    assert looking.changes == ["app.py changed"]


def test_while_it_ends_again_and_again_the_pauses_grow_and_no_more_is_said(looking, caplog):
    pauses = []
    for _ in range(9):
        looking.die()
        pauses.append(looking.lookout.due - looking.now)
        assert looking.keep(pauses[-1])

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, LATER, LATER, LATER]
    assert len(caplog.messages) == 1


def test_end_after_a_long_time_is_news(looking, caplog):
    looking.die()
    looking.keep(SOON)
    looking.now += 60.0
    looking.die()

    assert looking.lookout.due == looking.now + SOON
    assert len(caplog.messages) == 2


def test_reset_is_an_end(looking, caplog):
    """Something was told to it that it did not read."""
    looking.lookout._socket.sendall(b"nothing")
    looking.die()

    assert len(caplog.messages) == 1


@pytest.mark.parametrize("what", ["descriptors", "processes"])
def test_where_none_can_be_made_it_is_tried_again(scene, monkeypatch, caplog, what):
    error = OSError(errno.EAGAIN, "there is no room")

    def fail():
        raise error

    scene.lookout.watch(SOURCES)
    with monkeypatch.context() as full:
        if what == "descriptors":
            full.setattr(module.socket, "socketpair", fail)
        scene.fork_error = error
        scene.keep()
    assert not scene.selector.get_map()
    assert caplog.messages == [UNSEEN + "there is no room"]
    scene.fork_error = None

    assert scene.keep(SOON)


def test_words_that_come_in_the_turn_in_which_it_is_dismissed_are_not_heard(looking):
    looking.watchers[0].sendall(b'[1, ["app.py"]]\n')
    ready = looking.selector.select(30)
    looking.lookout.watch(None)

    for key, _ in ready:
        key.data()
    assert looking.changes == []


def test_words_after_those_at_which_it_was_dismissed_are_not_heard(looking, caplog):
    """As when what it says leads to other settings, and the end has come with it."""
    looking.lookout._on_changed = lambda _what: looking.lookout.watch(None)
    looking.watchers[0].sendall(b'[1, ["app.py"]]\n')
    looking.watchers[0].close()
    looking.turn()

    assert caplog.messages == []


# The process itself


def test_new_process_has_its_end_and_what_matters(selector, monkeypatch):
    """As in the new process, in this one."""
    left = []
    monkeypatch.setattr(os, "fork", lambda: 0)
    lookout = Lookout(selector, pytest.fail)
    lookout.watch(SOURCES)

    with pytest.raises(BecomeWatcher) as become:
        lookout.keep(lambda: left.append("all"))

    assert left == ["all"]
    assert become.value.sources is SOURCES
    assert become.value.parent.recv(1) == b""
    assert not selector.get_map()
    become.value.parent.close()


def test_process_is_heard_and_learns_of_the_end(selector):
    changes, parent, code = [], os.getpid(), 99
    lookout = Lookout(selector, changes.append)
    lookout.watch(SOURCES)
    try:
        lookout.keep(lookout.close)
    except BecomeWatcher as become:
        become.parent.sendall(json.dumps([1, [str(os.getpid())]]).encode() + b"\n")
        code = 7 if become.parent.recv(1) == b"" else 8
    finally:
        if os.getpid() != parent:
            os._exit(code)

    ((key, _),) = selector.select(30)
    key.data()
    pid = int(changes[0].split()[0])
    lookout.close()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
