"""Two servers with the same files: scripts find one that serves, and never none while it does."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from tests.system.program import APPS, environment

APP = f"{APPS}/workers.py:Handler"


@pytest.fixture
def files(tmp_path):
    """The file of the process number, that of the port, and that of all addresses."""
    return tuple(tmp_path / name for name in ("pid", "port", "ready"))


def contents(files):
    return [each.read_text() if each.exists() else None for each in files]


@pytest.fixture
def refuse(start):
    """Run a server that is not to come to serve; return its exit code and what it says."""

    def refuse(*words):
        words = [sys.executable, "-m", "aioserve", *words, "--bind", "127.0.0.1:0"]
        program = start(*words, env=environment())
        return program.wait(), program.stderr.text

    return refuse


def test_server_that_is_replaced_leaves_the_files_of_the_other(serve, files):
    _, port, ready = files
    first = serve(APP, "--ready-file", ready, port_file=port)
    second = serve(APP, "--ready-file", ready, port_file=port)
    assert first.stop() == 0

    assert port.read_text() == f"{second.port}\n"
    assert json.loads(ready.read_text())["pid"] == second.pid
    second.stop_cleanly()
    assert not ready.exists()


@pytest.mark.parametrize(
    ("app", "with_pid", "code", "said"),
    [
        ("nomod:x", True, 2, "is that of a server that runs (pid "),
        (APP, True, 2, "is that of a server that runs (pid "),
        ("nomod:x", False, 3, "there is no module 'nomod'"),
    ],
)
def test_server_that_does_not_come_to_serve_leaves_the_files_of_one_that_does(
    serve, refuse, files, app, with_pid, code, said
):
    pid, port, ready = files
    server = serve(APP, "--pid-file", pid, "--ready-file", ready, port_file=port)
    before = contents(files)
    words = ["--port-file", port, "--ready-file", ready, *["--pid-file", pid] * with_pid]

    refused, text = refuse(app, *words)
    assert (refused, said in text) == (code, True)
    assert refuse("--check", *words, "--static", ".")[0] == (2 if with_pid else 0)
    assert contents(files) == before
    assert server.stop() == 0
    assert contents(files) == [None] * 3


def test_files_of_a_server_that_was_killed_are_replaced(serve, files):
    """Its workers may still finish what they have."""
    pid, port, ready = files
    first = serve(APP, "--pid-file", pid, "--ready-file", ready, port_file=port)
    first.send(signal.SIGKILL)
    first.wait()
    before = contents(files)
    second = serve(APP, "--pid-file", pid, "--ready-file", ready, port_file=port)

    assert None not in before
    assert contents(files)[0] == f"{second.pid}\n"
    second.stop_cleanly()
