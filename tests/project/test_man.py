from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aioserve.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "man" / "aioserve.1"
REFERENCE = ROOT / "docs" / "options.md"


@pytest.fixture
def main(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    return runpy.run_path(str(ROOT / "man" / "make.py"))["main"]


def test_manual_and_reference_are_fresh():
    checked = subprocess.run(
        [sys.executable, ROOT / "man" / "make.py", "--check"], capture_output=True, text=True, check=False
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_check_names_what_is_missing_or_stale_and_writing_makes_it_fresh(main, tmp_path, capsys):
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == (
        "man/aioserve.1 is stale; run: python man/make.py\n"
        "docs/options.md is stale; run: python man/make.py\n"
        "docs/signals.md is stale; run: python man/make.py\n"
    )

    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0

    with (tmp_path / "docs" / "options.md").open("a") as file:
        file.write("by hand\n")

    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().err == "docs/options.md is stale; run: python man/make.py\n"


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.key)
def test_every_option_stands_in_manual_and_reference(option):
    manual = MANUAL.read_text("utf-8").replace(r"\-", "-")
    reference = REFERENCE.read_text("utf-8")

    for form in (*option.forms, *dict(option.shortcuts)):
        assert rf"\f{'I' if option.is_argument else 'B'}{form}\fR" in manual
        assert f"`{form}" in reference
    if option.variable:
        assert rf"Environment: \%{option.variable}." in manual
        assert f"| `{option.variable}` |" in reference


def test_manual_has_its_sections_in_the_usual_order():
    sections = [line[4:] for line in MANUAL.read_text("utf-8").splitlines() if line.startswith(".SH ")]

    assert sections == [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "ENVIRONMENT",
        "FILES",
        "CONFIGURATION FILE",
        "STATIC FILES",
        "SIGNALS",
        "EXIT STATUS",
        "EXAMPLES",
        "SEE ALSO",
    ]


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed: the markup is not judged")
def test_mandoc_has_no_complaint():
    judged = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", MANUAL], capture_output=True, text=True, check=False
    )

    assert (judged.stdout, judged.stderr, judged.returncode) == ("", "", 0)


def test_man_displays_the_page():
    if not shutil.which("man") or not shutil.which("groff"):  # a stub of man comes without groff
        pytest.skip("man is not installed: the page is not displayed")
    shown = subprocess.run(
        ["man", "-l", MANUAL],
        env={"PATH": os.defpath, "MANPAGER": "cat", "MANWIDTH": "100", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "aioserve - HTTP server that runs a handler class and serves files" in shown.stdout
    assert "-p, --port PORT" in shown.stdout
