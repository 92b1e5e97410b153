from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from aioserve.options import Reach
from aioserve.settings import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "man" / "aioserve.1"
FILE_MANUAL = ROOT / "man" / "aioserve.toml.5"
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
        "man/aioserve.toml.5 is stale; run: python man/make.py\n"
        "docs/options.md is stale; run: python man/make.py\n"
        "docs/signals.md is stale; run: python man/make.py\n"
        "deploy/systemd/aioserve.service is stale; run: python man/make.py\n"
        "deploy/systemd/aioserve.socket is stale; run: python man/make.py\n"
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
        "NOTES",
        "EXAMPLES",
        "SEE ALSO",
    ]


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed: the markup is not judged")
@pytest.mark.parametrize("page", [MANUAL, FILE_MANUAL], ids=lambda page: page.name)
def test_mandoc_has_no_complaint(page):
    judged = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False
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


# The page of the configuration file

EXAMPLES = [
    block.replace(r"\(dq", '"').replace(r"\-", "-")
    for block in re.findall(r"^\.EX\n(.*?)^\.EE", FILE_MANUAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.key)
def test_every_key_stands_in_the_manual_of_the_file_with_type_default_and_variable(option):
    manual = FILE_MANUAL.read_text("utf-8").replace(r"\-", "-")
    entries = dict(entry.split("\n", 1) for entry in manual.split(".TP\n")[1:])
    found = [text for head, text in entries.items() if head.startswith(rf"\fB{option.key}\fR = \fI")]

    assert len(found) == (option.reach is Reach.FILE)
    for text in found:
        assert rf"Environment: \%{option.variable}." in text
        assert ("Default: " in text) == bool(option.default_shown)


def test_both_pages_name_each_other_and_are_installed():
    shared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shared = shared["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    assert ".BR aioserve.toml (5)," in MANUAL.read_text("utf-8").partition(".SH SEE ALSO")[2]
    assert ".BR aioserve (1)" in FILE_MANUAL.read_text("utf-8").partition(".SH SEE ALSO")[2]
    assert shared == {
        "man/aioserve.1": "share/man/man1/aioserve.1",
        "man/aioserve.toml.5": "share/man/man5/aioserve.toml.5",
    }


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.partition("\n")[0])
def test_examples_of_a_file_are_right(text, tmp_path):
    name = "pyproject.toml" if "[tool." in text else "aioserve.toml"
    (tmp_path / name).write_text(text.replace(":8000", ":0"), "utf-8")
    (tmp_path / "shop.py").write_text("import aioserve\nclass Handler(aioserve.ServerHttpProtocol): pass\n")
    for folder in ("site", "docs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "404.html").touch()
    own = ["--port", "0"] if "bind" not in text else []
    env = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "aioserve", "-c", name]

    checked, printed = (
        subprocess.run([*command, *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        for words in ([*own, "--check"], ["--print-config"])
    )

    assert (checked.returncode, checked.stderr) == (0, "aioserve: ok\n")
    table = tomllib.loads(text)
    assert tomllib.loads(printed.stdout).keys() == table.get("tool", {}).get("aioserve", table).keys()


def test_there_are_examples_of_a_file():
    assert len(EXAMPLES) == 4
