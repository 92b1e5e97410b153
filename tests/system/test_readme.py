"""The README's code runs: its ``python`` blocks are files, and its ``sh`` blocks are commands beside them.

A block that ends in a command which serves is started, asked and stopped by Ctrl+C; others end by themselves.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.system.program import PATIENCE, ROOT, Program, environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
FILES = {re.match(r"# (\S+)\n", text)[1]: text for language, text in BLOCKS if language == "python"}
COMMANDS = [text for language, text in BLOCKS if language == "sh"]


@pytest.fixture
def folder(tmp_path):
    """A folder with the README's files, and with ``aioserve`` and ``python`` in the path."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, words in [("python", ""), ("aioserve", "-m aioserve")]:
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n', encoding="ascii")
        (programs / name).chmod(0o755)
    return tmp_path


def test_there_are_files_and_commands():
    assert {"app.py", "steps.py", "own_loop.py"} <= FILES.keys()
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("command", COMMANDS, ids=lambda text: text.splitlines()[-1])
def test_command(folder, command):
    if "curl" in command and not shutil.which("curl"):
        pytest.skip("curl is not installed (Debian: apt install curl)")
    env = environment(PATH=f"{folder / 'bin'}:{os.environ['PATH']}", AIOSERVE_PORT="0")
    # As in a terminal, Ctrl+C reaches the shell too, which waits for what it runs.
    command = "trap : INT\n" + command.replace("--port 8080", "--port 0")
    is_server = re.search(r"^aioserve .*[^&]$", command, re.MULTILINE)
    program = Program(["sh", "-e", "-c", command], cwd=folder, env=env, start_new_session=True)
    try:
        if is_server:
            port = int(program.stderr.wait_for(r"listening on http://127\.0\.0\.1:(\d+)\n")[1])
            connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()
            os.killpg(program.pid, signal.SIGINT)  # as a terminal does
        code = program.wait()
    finally:
        program.kill()
    assert code == 0, program.stderr.text
    assert "Traceback" not in program.stderr.text


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / Path(target)).exists(), target
