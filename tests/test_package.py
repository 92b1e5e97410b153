"""The public names, and what importing the package costs."""

from __future__ import annotations

import importlib.metadata
import inspect
import os
import re
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import aioserve
from aioserve import errors
from aioserve.__main__ import main

ROOT = Path(aioserve.__file__).parents[1]


def run(*args):
    done = subprocess.run(
        [sys.executable, "-W", "error", *args], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", aioserve.__all__)
def test_public_name_is_there_and_documented(name):
    value = getattr(aioserve, name)

    assert name == "__version__" or aioserve.__getattr__(name) is value
    if inspect.isclass(value) or inspect.isfunction(value) or inspect.ismodule(value):
        assert inspect.getdoc(value)


def test_public_names_are_sorted_and_told_to_type_checkers():
    source = Path(aioserve.__file__).read_text("utf-8")
    typed = source.partition("if TYPE_CHECKING:\n")[2].partition("\n\n__version__")[0]
    names = set(re.findall(r"\b[A-Za-z]\w*\b", re.sub(r"from [\w.]+ import", "", typed)))

    assert names == set(aioserve.__all__) - {"__version__"}
    assert aioserve.__all__ == sorted(aioserve.__all__, key=lambda name: (not name[0].isupper(), name))


def test_names_are_the_things_themselves():
    from aioserve.server import ServerHttpProtocol

    assert aioserve.ServerHttpProtocol is ServerHttpProtocol
    assert aioserve.HttpProcessingError is errors.HttpProcessingError
    assert aioserve.server is sys.modules["aioserve.server"]
    assert aioserve.multidict is sys.modules["aioserve.multidict"]


@pytest.mark.parametrize("name", ["ConfigurationError", "nothing", "connection_", "import_modul"])
def test_other_names_are_not_there(name):
    with pytest.raises(AttributeError, match=rf"^module 'aioserve' has no attribute '{name}'$"):
        getattr(aioserve, name)


def test_everything_can_be_imported_at_once():
    assert run("-c", "from aioserve import *; print(Response, server, coroutine)")[0] == 0


def test_import_loads_nothing_that_is_not_needed():
    said = run(
        "-c", "import aioserve, sys; print({'asyncio', 'rich', 'uvloop', 'click', 'ssl'} & set(sys.modules))"
    )

    assert said == (0, "set()\n", "")


def test_help_loads_no_more_than_the_command_line():
    said = run(
        "-X",
        "importtime",
        "-m",
        "aioserve",
        "--help",
    )
    loaded = set(re.findall(r"\| +(\S+)$", said[2], re.MULTILINE))

    assert said[0] == 0
    assert "click" in loaded
    assert not {"asyncio", "rich", "uvloop", "ssl"} & loaded


def test_module_is_the_command():
    code, out, err = run("-m", "aioserve", "--version")

    assert (code, err) == (0, "")
    assert out.startswith(f"aioserve {aioserve.__version__}")


def test_module_is_the_command_when_it_is_run_and_not_when_it_is_imported(monkeypatch, capsys):
    path = Path(aioserve.__file__).with_name("__main__.py")
    monkeypatch.setattr(sys, "argv", ["aioserve", "--version"])

    monkeypatch.setattr(signal, "signal", lambda *_: None)

    runpy.run_path(str(path))
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(path), run_name="__main__")
    assert (caught.value.code, capsys.readouterr().out[:8]) == (0, "aioserve")


@pytest.fixture
def command(monkeypatch):
    """Call the command, up to the import of what takes long; return what it set for signals."""

    def call(*words):
        handlers = {}
        monkeypatch.setattr(sys, "argv", ["aioserve", *words])
        monkeypatch.setattr(signal, "signal", handlers.__setitem__)
        monkeypatch.setattr("aioserve.cli.main", lambda: None)
        main()
        return handlers

    return call


@pytest.mark.parametrize(
    "words", [["--check", "a:b"], ["a:b", "--print-unit=socket"], ["--completion", "zsh"]]
)
def test_question_that_is_not_answered_ends_as_python_has_it(command, words):
    assert command(*words) == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_command_before_there_is_a_server(command, monkeypatch, number):
    handlers = command("a:b")
    codes = []

    def exit_at_once(code):
        codes.append(code)
        raise SystemExit

    monkeypatch.setattr(os, "_exit", exit_at_once)

    with pytest.raises(SystemExit):
        handlers[number](number, None)
    assert codes == [0]


def test_signal_does_in_a_process_of_the_command_what_it_does_by_default(command, monkeypatch):
    handlers, sent = command("a:b"), []
    stop, here = handlers[signal.SIGTERM], os.getpid()
    monkeypatch.setattr(os, "kill", lambda *what: sent.append(what))
    monkeypatch.setattr(os, "getpid", lambda: here + 1)
    stop(signal.SIGTERM, None)

    assert handlers[signal.SIGTERM] is signal.SIG_DFL
    assert sent == [(here + 1, signal.SIGTERM)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_that_comes_while_the_command_is_loaded_ends_it_without_a_word(tmp_path, number):
    """Of what takes long the first is click; this one never comes to an end."""
    (tmp_path / "click.py").write_text("import sys\nprint('loading', flush=True)\nsys.stdin.read()\n")
    with subprocess.Popen(
        [sys.executable, "-m", "aioserve", "a:b"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(number)

        assert process.wait(60) == 0
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")


def test_version_is_that_of_the_distribution():
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", aioserve.__version__)
    try:
        installed = importlib.metadata.version("aioserve")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("aioserve is not installed here")
    assert installed == aioserve.__version__


def test_package_is_typed():
    assert (Path(aioserve.__file__).parent / "py.typed").exists()
