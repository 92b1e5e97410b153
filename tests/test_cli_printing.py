"""What the command prints instead of serving: its configuration."""

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
def folder(monkeypatch, tmp_path):
    """A folder of one's own, and no options of the person testing."""
    for name in [name for name in os.environ if name.startswith("AIOSERVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
