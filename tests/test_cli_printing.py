"""What the command prints instead of serving: its configuration, and units of systemd."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner

from aioserve import cli


@pytest.fixture(autouse=True)
def folder(own_folder):
    return own_folder


def invoke(*words, **environment):
    return CliRunner().invoke(cli.command, words, env=environment)


def printed(*words, **environment):
    result = invoke(*words, **environment)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


# --print-config


def test_configuration_has_what_counts_with_its_source(folder):
    (folder / "aioserve.toml").write_text("port = 1\nworkers = 1\nkeep_alive = 5\nspa = true\n")
    environment = {"AIOSERVE_PORT": "2", "WEB_CONCURRENCY": "2", "AIOSERVE_SPA": "off"}

    text = printed("--print-config", "-c", "aioserve.toml", "-p3", **environment)

    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [
        "port = 3  # --port",
        "workers = 2  # WEB_CONCURRENCY",
        'keep-alive = "5s"  # aioserve.toml: keep_alive',
        "spa = false  # AIOSERVE_SPA",
    ]
    assert "config" not in text
    (folder / "again.toml").write_text(text)
    assert tomllib.loads(printed("--print-config", "-c", "again.toml")) == tomllib.loads(text)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", "x"), "--port: 'x' is not a port"),
        (("--bind", ":80", "--port", "1"), "--bind cannot be given together with --port"),
        (("--config", "none"), "none: No such file or directory"),
        (("--static", "caf\udce9"), "--static: 'caf\\udce9' has bytes in it that are no UTF-8"),
    ],
)
def test_configuration_that_is_none_is_refused(words, said):
    result = invoke("--print-config", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"aioserve: error: {said}")


def test_configuration_is_utf_8_whatever_the_terminal_speaks():
    done = subprocess.run(
        [sys.executable, "-m", "aioserve", "--print-config", "--static", "café"],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert tomllib.loads(done.stdout.decode()) == {"static": ["café"]}
    assert re.search(rb"[^\n]\n\Z", done.stdout)


# --print-unit


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--print-unit", "app:Handler"), ["service", "socket"]),
        (("--print-unit=service", "app:Handler"), ["service"]),
        (("--print-unit", "socket", "app:Handler"), ["socket"]),
        (("app:Handler", "--print-unit"), ["service", "socket"]),
    ],
)
def test_units_are_printed_for_the_command_beside_it(folder, words, parts):
    text = printed(*words, "--port", "80", "--workers", "2", AIOSERVE_KEEP_ALIVE="5s")

    assert re.findall(r"^# /etc/systemd/system/aioserve\.(\w+)$", text, re.MULTILINE) == parts
    assert ("ListenStream=127.0.0.1:80\n" in text) == ("socket" in parts)
    if "service" in parts:
        assert re.search(r"^ExecStart=/.* app:Handler --workers 2$", text, re.MULTILINE)
        assert f"\nWorkingDirectory={folder}\nEnvironment=AIOSERVE_KEEP_ALIVE=5s\n" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to serve"),
        (("app:Handler", "--port", "x"), "--port: 'x' is not a port"),
        (("app:Handler", "--port", "0"), "--print-unit: a socket unit cannot take any free port"),
        (("--static", "caf\udce9"), "--print-unit: 'caf\\udce9' has bytes in it that are no UTF-8"),
    ],
)
def test_units_that_are_none_are_refused(words, said):
    result = invoke("--print-unit", *words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"aioserve: error: {said}")


# --attach


def test_nobody_to_attach_to_is_one_line():
    result = invoke("--attach", "none")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "aioserve: error: cannot attach to none: No such file or directory; "
        "is a server running with --control?\n"
    )


@pytest.mark.parametrize(
    ("said", "stderr"), [("the server has ended", "aioserve: the server has ended\n"), ("", "")]
)
def test_end_of_a_server_that_is_looked_at_is_told(monkeypatch, said, stderr):
    asked = []
    monkeypatch.setattr("aioserve.live.attach.attach", lambda *args: asked.append(args) or said)
    result = invoke("--attach", "ctl", AIOSERVE_COLOR="never")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", stderr)
    assert asked == [("ctl", "never")]
