"""What cannot be served is refused in one line, with the exit code that says why."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.program import PATIENCE, ROOT, environment

PORT_ZERO = ["--port", "0"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.py").write_text(
        "import aioserve\nclass Handler(aioserve.ServerHttpProtocol):\n    pass\n", encoding="utf-8"
    )
    (tmp_path / "broken.py").write_text("def f():\n    return 1 / 0\nf()\n", encoding="utf-8")
    (tmp_path / "needs.py").write_text("import a_module_that_is_not_there\n", encoding="utf-8")
    return tmp_path


def refuse(folder, *words, **more):
    """Run the command, which must refuse; return its exit code and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "aioserve", *words],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        **more,
    )
    assert done.stdout == ""
    assert str(ROOT / "aioserve") not in done.stderr, "a traceback of ours"
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["nosuch:Thing", *PORT_ZERO], 3, "there is no module 'nosuch'"),
        (["app:Handlr", *PORT_ZERO], 3, "did you mean 'Handler'?"),
        (["app", *PORT_ZERO], 3, "app:Handler"),
        (["--static", "nosuch", *PORT_ZERO], 2, "No such file or directory"),
        (["app:Handler", "--port", "x"], 2, "--port"),
        (["app:Handler", "--port", "70000"], 2, "--port"),
        (["app:Handler", "--prot", "80"], 2, "--port"),
        (["app:Handler", "--keep-alive", "soon"], 2, "--keep-alive"),
        (["app:Handler", "--config", "nosuch.toml"], 2, "nosuch.toml"),
        (["app:Handler", "--host", "no such host"], 4, "no such host"),
        ([], 2, "aioserve app:Handler or aioserve --static ./site"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_one_line(folder, words, code, part):
    returned, lines = refuse(folder, *words)

    assert returned == code
    assert len(lines) == 1, lines
    assert lines[0].startswith("aioserve: error: ")
    assert part in lines[0]


@pytest.mark.parametrize(
    ("app", "summary"),
    [
        ("broken:Handler", "ZeroDivisionError: division by zero"),
        ("needs:Handler", "a_module_that_is_not_there"),
    ],
)
def test_a_module_that_fails_shows_its_own_traceback(folder, app, summary):
    code, lines = refuse(folder, app, *PORT_ZERO)

    assert code == 3
    assert lines[0] == "Traceback (most recent call last):"
    assert f'File "{folder / app.partition(":")[0]}.py"' in lines[1]
    assert lines[-1].startswith("aioserve: error: ")
    assert summary in lines[-1]


def test_a_taken_port_names_who_holds_it(folder):
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        code, lines = refuse(folder, "app:Handler", "--port", str(port))

    assert code == 4
    assert len(lines) == 1
    assert f"port {port}: it is in use" in lines[0]
    if Path("/proc/net/tcp").exists():
        assert "(pid " in lines[0]


AS_NOBODY = """
import os, sys
import asyncio, encodings.idna, aioserve.cli, aioserve.preflight
os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.argv = ["aioserve", *sys.argv[1:]]
from aioserve.cli import main
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ports are privileged in Linux's way")
def test_a_privileged_port_says_what_helps():
    """Run as nobody from code that is loaded already: nobody may not be able to read this checkout."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    start = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii")
    if int(start) <= 80:
        pytest.skip("this machine lets everybody have port 80")
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, "--static", "/usr", "--port", "80"],
        cwd="/",
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "setcap" in done.stderr
    assert ".socket" in done.stderr
