"""The live view on a terminal of tmux, and who attaches from outside."""

from __future__ import annotations

import os
import re
import shutil
import signal
from contextlib import closing
from pathlib import Path

import pytest

from tests.system.clients import Ask, ask_http_client
from tests.system.program import APPS
from tests.system.terminal import Terminal

pytestmark = pytest.mark.skipif(
    not shutil.which("tmux"), reason="tmux is not installed (Debian: apt install tmux)"
)

SERVING = r"^http://127\.0\.0\.1:(\d+) "


@pytest.fixture
def terminal(command, tmp_path):
    """A terminal of 80 columns and 24 lines, with the view of a server in it."""
    shutil.copy(APPS / "failing.py", tmp_path)
    words = "echo before; aioserve failing:Handler --live --port 0 --control ctl"
    with closing(Terminal(tmp_path, words, command)) as terminal:
        terminal.resize(80, 24)
        yield terminal


def children_of(pid):
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def server_of(terminal):
    """Return the number of the server, and that of the process that draws."""
    (server,) = children_of(terminal.shell)
    (view,) = [
        each for each in children_of(server) if b"live.child" in Path(f"/proc/{each}/cmdline").read_bytes()
    ]
    return server, view


def test_view_shows_paths_errors_and_messages_and_q_stops_the_server(terminal):
    found, _ = terminal.wait_for(SERVING)
    list(ask_http_client(f"http://127.0.0.1:{found[1]}", [Ask("/"), Ask("/none?query"), Ask("/%1b[2J")]))

    terminal.wait_for(r"^/none +[\d.]+ ")
    _, screen = terminal.wait_for(r"^\d\d:\d\d:\d\d 500 GET /none  KeyError: .*/none")
    assert "Messages ─" in screen
    assert len(screen.splitlines()) == 24
    assert screen.splitlines()[-1].startswith("q or Ctrl+C stops the server")

    terminal.resize(40, 10)
    _, screen = terminal.wait_for(r"^q or Ctrl\+C stops the server$")
    assert len(screen.splitlines()) == 10
    terminal.resize(80, 24)
    terminal.press("q")
    _, screen = terminal.wait_for("^exit code 0$")
    assert screen.startswith("before\n")
    assert "Traceback" in screen  # the messages are there again
    assert "Messages ─" not in screen


def test_the_view_has_nothing_of_the_server(terminal):
    terminal.wait_for(SERVING)
    server, view = server_of(terminal)

    def sockets_of(pid):
        return {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}

    assert not {each for each in sockets_of(server) & sockets_of(view) if each.startswith("socket:")}
    terminal.press("C-c")
    terminal.wait_for("^exit code 0$")


def test_killing_the_view_leaves_the_server_and_killing_the_server_ends_the_view(terminal):
    terminal.wait_for(SERVING)
    server, view = server_of(terminal)
    os.kill(view, signal.SIGKILL)
    terminal.wait_for(r"the view has ended; the server goes on")
    os.kill(server, signal.SIGKILL)
    terminal.wait_for("^exit code 137$")


def test_the_server_that_is_killed_ends_the_view(terminal):
    terminal.wait_for(SERVING)
    server, _ = server_of(terminal)
    os.kill(server, signal.SIGKILL)

    _, screen = terminal.wait_for("^exit code 137$")
    assert screen.startswith("before\n")


def test_scripts_and_people_attach(terminal, command, tmp_path, start):
    terminal.wait_for(SERVING)
    script = start("aioserve", "--attach", "ctl", env=command)
    script.stdout.wait_for(r"(?m)^\S+ state=serving requests/s=\d+\.\d .* workers=1 errors=\d+ restarts=0$")
    for folder in ("second", "third"):  # each terminal has a server of tmux of its own
        (tmp_path / folder).mkdir()
    words = f"aioserve --attach {tmp_path / 'ctl'}"
    with closing(Terminal(tmp_path / "second", words, command)) as other:
        other.wait_for("^q ends the view; the server goes on")
        other.press("q")
        other.wait_for("^exit code 0$")
    with closing(Terminal(tmp_path / "third", words, command)) as other:
        other.wait_for("^q ends the view; the server goes on")
        terminal.press("q")
        other.wait_for("^aioserve: the server has ended\nexit code 0$")
    terminal.wait_for("^exit code 0$")

    assert script.wait() == 0
    assert script.stderr.text == "aioserve: the server has ended\n"


def test_without_a_terminal_the_server_runs_as_usual(serve):
    server = serve("--static", ".", "--live")

    assert "WARNING --live needs a terminal" in server.stderr.text
    assert re.search(r"INFO listening on", server.stderr.text)
