"""What a person sees: a terminal of tmux, its screen taken as text. ``pytest -s`` shows it."""

from __future__ import annotations

import re
import shutil
from contextlib import closing

import pytest

from tests.system.clients import Ask, ask_http_client
from tests.system.program import APPS
from tests.system.terminal import Terminal

pytestmark = pytest.mark.skipif(
    not shutil.which("tmux"), reason="tmux is not installed (Debian: apt install tmux)"
)


def test_terminal_shows_requests_and_a_traceback(command, loop, tmp_path):
    option = "--uvloop" if loop == "uvloop" else "--no-uvloop"
    shutil.copy(APPS / "failing.py", tmp_path)
    words = f"aioserve failing:Handler --debug --port 0 {option}"
    with closing(Terminal(tmp_path, words, command)) as terminal:
        found, _ = terminal.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$")

        replies = list(ask_http_client(f"http://127.0.0.1:{found[1]}", [Ask("/"), Ask("/none")]))
        terminal.wait_for("500 GET +/none")
        terminal.press("C-c")
        _, screen = terminal.wait_for("^exit code 0$")

    print(screen)  # noqa: T201 - the picture
    assert [reply.status for reply in replies] == [200, 500]
    lines = screen.splitlines()
    assert re.fullmatch(r"aioserve \S+ serves failing:Handler", lines[0])
    assert lines[2] == "Ctrl+C stops"
    assert re.search(r"^\d\d:\d\d:\d\d 200 GET +/ +6B +[\d.]+m?s( slow)?$", screen, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d ERROR Error handling request", screen, re.MULTILINE)
    assert re.search(r"❱ 11 .*answers\[message\.path\]", screen)
    assert re.search(r"^  KeyError: '/none'$", screen, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d 500 GET +/none +\S+ +[\d.]+m?s( slow)?$", screen, re.MULTILINE)
    assert "stopped" in lines


def test_server_in_the_background_serves_though_its_terminal_stops_who_writes(command, tmp_path):
    """`stty tostop`: SIGTTOU comes at each write, to the workers as well."""
    shutil.copy(APPS / "failing.py", tmp_path)
    script = "stty tostop; aioserve failing:Handler --port 0 & wait"
    with closing(Terminal(tmp_path, f"bash -mc '{script}'", command)) as terminal:
        found, _ = terminal.wait_for(r"listening on http://127\.0\.0\.1:(\d+)$")
        replies = list(ask_http_client(f"http://127.0.0.1:{found[1]}", [Ask("/"), Ask("/none")]))
        terminal.wait_for("500 GET +/none")

    assert [reply.status for reply in replies] == [200, 500]
