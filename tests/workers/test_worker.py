"""What a process does that has just become a worker."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

from aioserve.errors import ConfigurationError, StartupError
from aioserve.settings import Process, Settings, Static, Timeouts
from aioserve.workers import worker as module
from aioserve.workers.channel import Channel
from aioserve.workers.worker import work


@pytest.fixture
def parent():
    """The parent's end of the channel."""
    return SimpleNamespace()


@pytest.fixture
def channel(parent):
    ours, theirs = Channel.pair()
    parent.heard = ours.heard
    yield theirs
    ours.close()
    theirs.close()


@pytest.fixture(autouse=True)
def ran(monkeypatch):
    """Serve nothing, but note what would be served; and leave this process as it is."""
    ran = []
    monkeypatch.setattr(module, "run", lambda *args: ran.append(args))
    monkeypatch.setattr(module, "_end_with_parent", lambda: None)
    # What is frozen no collection finds: what earlier tests have left would be told of in some later test.
    monkeypatch.setattr(gc, "freeze", lambda: None)
    was_enabled = faulthandler.is_enabled()
    yield ran
    if not was_enabled:
        faulthandler.disable()


def test_it_serves_what_the_settings_name_from_the_sockets_it_was_given(ran, channel, tmp_path):
    settings = Settings(static=Static((("/", str(tmp_path)),)), timeouts=Timeouts(shutdown=7.0))
    sockets = [object()]

    assert work(settings, sockets, channel, reports="reports", station="station") == 0
    ((*args, orders, reports, station),) = ran
    assert (reports, station) == ("reports", "station")
    assert args == [settings, None, sockets, None]
    assert (orders._channel, orders._ending._limit) == (channel, 7.0)
    assert faulthandler.is_enabled()


@pytest.mark.parametrize("may_change", [True, False])
def test_nothing_compiled_is_kept_where_files_may_change_at_any_time(
    channel, tmp_path, monkeypatch, may_change
):
    """Python does not notice a second change within a second."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    settings = Settings(static=Static((("/", str(tmp_path)),)), process=Process(reload=may_change))

    work(settings, [], channel)

    assert sys.dont_write_bytecode is may_change


def test_what_is_not_there_is_told_before_it_serves(ran, channel, parent):
    with pytest.raises(ConfigurationError, match="/none"):
        work(Settings(static=Static((("/", "/none"),))), [], channel)

    assert ran == []
    assert [*parent.heard()] == [(b"refused", [2])]


@pytest.mark.parametrize(
    ("problem", "code", "told"),
    [
        (StartupError("no app", "Traceback\n  of theirs\n"), 3, "ERROR no app\n  Traceback\n    of theirs\n"),
        (ConfigurationError("no folder"), 2, "ERROR no folder\n"),
        (ZeroDivisionError("ours"), 1, "ERROR internal error\n"),
    ],
)
def test_who_comes_later_tells_the_log_what_is_wrong(
    channel, parent, monkeypatch, capfd, problem, code, told
):
    """Nobody waits for it to begin; in the log each message has its time, or its priority."""

    def prepare(_settings, *, is_worker, certificates):
        assert is_worker
        assert certificates is None
        raise problem

    monkeypatch.setattr(module, "prepare", prepare)

    assert work(Settings(), [], channel, is_first=False) == code
    assert [*parent.heard()] == [(b"refused", [code])]
    assert told in capfd.readouterr().err


def test_parent_that_has_gone_before_leaves_nothing_to_do(ran, channel, monkeypatch):
    parents = iter([5, 1])
    monkeypatch.setattr(os, "getppid", lambda: next(parents))

    assert work(Settings(), [], channel) == 1
    assert ran == []


def test_stacks_are_not_written_where_there_is_no_standard_error(ran, channel, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stderr", None)

    assert work(Settings(static=Static((("/", str(tmp_path)),))), [], channel) == 0
    assert len(ran) == 1


@pytest.mark.parametrize(
    ("timeout", "watchdog", "period"),
    [
        (30.0, 0.0, 7.5),
        (1.0, 0.0, 0.25),
        (3600.0, 0.0, 10.0),
        (0.0, 0.0, 0.0),
        (0.0, 2.0, 0.5),
        (30.0, 2.0, 0.5),
        (1.0, 2.0, 0.25),
        (0.0, 3600.0, 10.0),
    ],
)
def test_signs_of_life_come_several_times_in_the_time_that_anybody_waits(
    ran, channel, tmp_path, timeout, watchdog, period
):
    """The parent, which waits for ever without --timeout-worker, or the service manager behind it."""
    settings = Settings(static=Static((("/", str(tmp_path)),)), timeouts=Timeouts(worker=timeout))
    work(settings, [], channel, watchdog)

    ((*_, orders, _, _),) = ran
    assert orders._period == period


def test_worker_is_told_by_the_system_when_its_parent_is_gone():
    """A process that asks for it dies of SIGTERM when the one that started it has ended."""
    program = (
        "import os, signal, sys\n"
        "from aioserve.workers import worker\n"
        "if not os.fork():\n"
        "    worker._end_with_parent()\n"
        "    signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'told'), os._exit(0)))\n"
        "    os.write(1, b'.')\n"
        "    signal.pause()\n"
        "os.read(0, 1)\n"
        "os._exit(0)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.read(1) == b"."
        process.stdin.close()
        assert process.stdout.read() == b"told"


def test_other_systems_have_no_word_for_that(monkeypatch):
    monkeypatch.undo()
    calls = []
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace(prctl=lambda *args: calls.append(args)))
    module._end_with_parent()
    monkeypatch.setattr(sys, "platform", "darwin")
    module._end_with_parent()

    assert calls == [(1, signal.SIGTERM)]
