"""The completion scripts in real shells: bash and zsh on a terminal of their own, as for a person."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

PATIENCE = 60.0
INTERACTIVE = {
    "bash": (["bash", "--noprofile", "--norc", "-i"], "source <(aioserve --completion bash)"),
    "zsh": (
        ["zsh", "--no-rcs", "-i"],
        "autoload -Uz compinit; compinit -u -D; source <(aioserve --completion zsh)",
    ),
}
LINES = [
    ("aioserve --acc", "aioserve --access-log"),
    ("aioserve --access-log-fo", "aioserve --access-log-format "),
    ("aioserve -v --color al", "aioserve -v --color always "),
    ("aioserve --static ./si", "aioserve --static ./site/"),
    ("aioserve ./sh", "aioserve ./shop.py "),
]


def needs(shell):
    return pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed")


@pytest.fixture
def home(tmp_path):
    """A folder with the command on its own path, and with something to complete."""
    program = tmp_path / "bin" / "aioserve"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m aioserve "$@"\n')
    program.chmod(0o755)
    (tmp_path / "site").mkdir()
    (tmp_path / "shop.py").touch()
    return tmp_path


def environment(home):
    return {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(home),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }


@contextmanager
def terminal(command, home):
    """Run a shell on a terminal, and give the function that types and waits for what is to appear."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, cwd=home, env=environment(home), start_new_session=True
    )
    os.close(its)

    def type_until(text, expected):
        os.write(ours, text.encode())
        seen, end = "", time.monotonic() + PATIENCE
        while expected not in re.sub(r"\x07|\x1b\[[0-9;?]*[A-Za-z]", "", seen):
            ready, _, _ = select.select([ours], [], [], end - time.monotonic())
            assert ready, f"{expected!r} did not appear in {seen!r}"
            seen += os.read(ours, 4096).decode("utf-8", "replace")

    try:
        yield type_until
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.parametrize("shell", [pytest.param(shell, marks=needs(shell)) for shell in INTERACTIVE])
def test_tab_key_completes_options_words_folders_and_files(shell, home):
    command, setup = INTERACTIVE[shell]

    with terminal(command, home) as type_until:
        type_until(f"{setup}; echo rea''dy\n", "ready\r\n")
        for line, completed in LINES:
            type_until(f"{line}\t", completed)
            type_until("\x15echo do''ne\n", "done\r\n")  # ^U takes the line away


@needs("fish")
@pytest.mark.parametrize(("line", "completed"), LINES)
def test_fish_completes_the_same(line, completed, home):
    script = f"aioserve --completion fish | source; complete --do-complete '{line}'"
    shown = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert shown.stderr == ""
    assert completed.split()[-1] in [offer.partition("\t")[0] for offer in shown.stdout.splitlines()]
