from __future__ import annotations

import importlib.metadata
import os
import re
import socket
import subprocess
import sys
from types import ModuleType

import pytest
from click.testing import CliRunner

import aioserve
from aioserve import cli
from aioserve.errors import ConfigurationError, StartupError
from aioserve.preflight import prepare
from aioserve.settings import SECTIONS

pytestmark = pytest.mark.usefixtures("own_folder")

HANDLER = "from aioserve.server import ServerHttpProtocol\nclass Handler(ServerHttpProtocol): pass\n"


class FakeSupervisor(ModuleType):
    """The parent without workers: it tries what a worker would, notes it, and ends as it is told to."""

    def __init__(self):
        super().__init__("aioserve.workers.supervisor")
        self.calls = []
        self.outcome = 0

    def supervise(self, settings, read_settings):
        ready = prepare(settings)
        ready.listening.close()
        if ready.problems:
            raise ready.problems[0]
        self.calls.append((settings, ready.factory, ready.listening.sockets))
        self.read_settings = read_settings
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


@pytest.fixture(autouse=True)
def parent(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "aioserve.workers.supervisor", parent := FakeSupervisor())
    return parent


def invoke(*words, **environment):
    return CliRunner().invoke(cli.command, words, env=environment)


def refused(code, *words, **environment):
    """Return the one line of a refusal."""
    result = invoke(*words, **environment)
    assert (result.exit_code, result.stdout) == (code, "")
    assert re.fullmatch(r"aioserve: error: .+\n", result.stderr)
    return result.stderr.removeprefix("aioserve: error: ").rstrip("\n")


def served(parent, *words, **environment):
    """Return the settings that are served with."""
    result = invoke("--port", "0", *words, **environment)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    ((settings, _, _),) = parent.calls
    return settings


# What is shown


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_both_forms_and_every_option_under_its_heading(flag):
    result = invoke(flag)

    assert (result.exit_code, result.stderr) == (0, "")
    head = "".join(result.stdout.splitlines(keepends=True)[:4])
    assert head.startswith("Usage: aioserve [OPTIONS] [APP]\n")
    assert "aioserve app:Handler --port 8080" in head
    assert "aioserve --static ./site" in head
    for section, following in zip(SECTIONS, [*SECTIONS[1:], None], strict=True):
        start = result.stdout.index(f"\n{section.title}:\n")
        end = result.stdout.index(f"\n{following.title}:\n") if following else len(result.stdout)
        for one in section.options.values():
            assert all(form in result.stdout[start:end] for form in one.forms)
            assert not one.variable or f"${one.variable}]" in result.stdout[start:end]


def test_help_is_plain_and_fits_a_terminal():
    help_text = invoke("--help").stdout

    assert help_text.isascii()
    assert "\x1b" not in help_text
    assert max(map(len, help_text.splitlines())) <= 80


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_version_tells_what_it_would_run_on(flag, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: {"uvloop": "1.2.3"}[name])
    python = sys.version.split()[0].rstrip("+")

    assert invoke(flag).stdout == f"aioserve {aioserve.__version__} (Python {python}, uvloop 1.2.3)\n"


def test_version_tells_that_uvloop_is_missing(monkeypatch):
    def version(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)

    assert ", no uvloop)" in invoke("-V").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(shell):
    result = invoke("--completion", shell)

    assert result.exit_code == 0
    assert f"_AIOSERVE_COMPLETE={shell}_complete" in result.stdout


def test_what_is_shown_needs_nothing_else_to_be_right():
    assert invoke("--port", "x", "--help").exit_code == 0


# What is served


def test_application_is_loaded_by_the_worker(parent, tmp_path):
    (tmp_path / "cli_app.py").write_text(HANDLER)

    settings = served(parent, "cli_app:Handler")

    assert settings.application.app == "cli_app:Handler"
    ((_, factory, (listening,)),) = parent.calls
    assert factory is sys.modules.pop("cli_app").Handler
    assert isinstance(listening, socket.socket)


def test_folder_alone_is_served_without_an_application(parent):
    assert served(parent, "--static", ".").static.mounts == (("/", "."),)
    assert parent.calls[0][1] is None


@pytest.mark.parametrize(
    ("words", "environment", "file", "level", "source"),
    [
        ((), {}, "", "info", None),
        ((), {}, 'log-level = "error"', "error", "aioserve.toml: log-level"),
        ((), {"AIOSERVE_LOG_LEVEL": "critical"}, 'log-level = "error"', "critical", "AIOSERVE_LOG_LEVEL"),
        (("-v",), {"AIOSERVE_LOG_LEVEL": "critical"}, 'log-level = "error"', "debug", "--log-level"),
        (("-v",), {"AIOSERVE_LOG_LEVEL": "unusable"}, "log-level = 'as well'", "debug", "--log-level"),
    ],
    ids=[
        "default",
        "file",
        "environment before file",
        "flag before environment",
        "only what counts is judged",
    ],
)
def test_flag_counts_before_environment_before_file_before_default(
    parent, tmp_path, words, environment, file, level, source
):
    (tmp_path / "aioserve.toml").write_text(file)

    settings = served(parent, "--static", ".", "-c", "aioserve.toml", *words, **environment)

    assert settings.logs.level == level
    assert settings.sources.get("log-level") == source


def test_file_can_be_named_by_the_environment_and_say_everything(parent, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.aioserve]\nstatic = '.'\nport = 1\n")

    assert served(parent, AIOSERVE_CONFIG="pyproject.toml").static.mounts == (("/", "."),)


def test_headers_of_the_environment_stand_on_lines_and_may_have_commas(parent):
    settings = served(parent, "--static", ".", AIOSERVE_HEADER="A: b, c\n/x/* D: e\n")

    assert settings.static.headers == (("/*", "A", "b, c"), ("/x/*", "D", "e"))


def test_application_behind_an_option_whose_value_was_left_out_is_the_application(parent, tmp_path):
    (tmp_path / "cli_cors.py").write_text(HANDLER)

    settings = served(parent, "--cors", "cli_cors:Handler")

    assert (settings.static.cors, settings.application.app) == ("*", "cli_cors:Handler")
    assert parent.calls[0][1] is sys.modules.pop("cli_cors").Handler


@pytest.mark.parametrize("code", [0, 1, 130])
def test_outcome_of_the_parent_is_the_exit_code(parent, code):
    parent.outcome = code

    assert invoke("--static", ".", "-p", "0").exit_code == code


# What is refused


def test_nothing_to_serve_is_a_usage_error_that_shows_both_forms():
    said = refused(2)

    assert "aioserve app:Handler" in said
    assert "aioserve --static ./site" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--port", "x"),
            "--port: 'x' is not a port: a number from 0 to 65535 or the name of a known service",
        ),
        (("--prot", "1"), "No such option"),
        (("--port",), "Option '--port' requires an argument."),
        (("a:b", "c:d"), "Got unexpected extra argument (c:d)"),
        (("--color", "no"), "--color: 'no' is not one of auto, always, never"),
        (("--completion", "tcsh"), "--completion: 'tcsh' is not one of bash, zsh, fish"),
        (("--keep-alive", "5d"), "--keep-alive: '5d' is not a duration"),
        (("--cors=https://a.example/b",), "--cors: 'https://a.example/b' is not an origin"),
        (("--cors", "http://a.example/"), "--cors: 'http://a.example/' is not an origin"),
        (("-H", "Date: now"), "--header: Date is written by the server alone"),
        (("--error-page", "404=../x"), "--error-page: '../x' is not the path of a file beneath the folder"),
        (("--cache-control", "max-age 5"), "--cache-control: 'max-age 5' is not a list of directives"),
        (("--limit-line", "0"), "--limit-line: '0' is not a size from 1 byte on"),
        (("--static", "./none"), "cannot serve 'none': No such file or directory"),
        (("--config", "./none"), "./none: No such file or directory"),
        (("--config", ""), "--config: must not be empty"),
        (("--static", "a\nb"), "cannot serve 'a\\nb': No such file or directory"),
        (("--a\nb",), "No such option"),
    ],
)
def test_unusable_words_are_refused_in_one_line(words, said):
    assert said in refused(2, *words)


def test_unusable_variable_is_refused_by_its_name():
    assert refused(2, "--static", ".", AIOSERVE_PORT="tcp://10.0.0.1:80").startswith("AIOSERVE_PORT: 'tcp:")


def test_unknown_key_is_refused_with_the_nearest(tmp_path):
    (tmp_path / "aioserve.toml").write_text("prot = 80")

    said = refused(2, "-c", "aioserve.toml")

    assert said == "aioserve.toml: unknown key 'prot' (did you mean 'port'?)"


def test_application_that_is_not_there_is_refused():
    assert "there is no module 'nosuch'" in refused(3, "nosuch:Thing", "-p", "0")


def test_traceback_of_the_users_module_stands_before_the_line(tmp_path):
    (tmp_path / "cli_broken.py").write_text("1 / 0\n")

    result = invoke("cli_broken:Handler", "-p", "0")

    assert (result.exit_code, result.stdout) == (3, "")
    lines = result.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "aioserve: error: cli_broken cannot be imported: ZeroDivisionError: division by zero"
    assert [line for line in lines if "File" in line] == [
        f'  File "{tmp_path}/cli_broken.py", line 1, in <module>'
    ]


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield str(listening.getsockname()[1])


def test_taken_port_is_refused(taken):
    assert taken in refused(4, "--static", ".", "-p", taken)


def test_only_the_first_problem_is_told(taken):
    assert "nosuch" in refused(3, "nosuch:Thing", "-p", taken)


def test_refusal_of_the_parent_is_told_with_its_code(parent):
    parent.outcome = StartupError("the handler did not start")

    assert refused(3, "--static", ".", "-p", "0") == "the handler did not start"


def test_interrupt_before_there_is_a_server_is_130(parent):
    parent.outcome = KeyboardInterrupt()

    assert invoke("--static", ".", "-p", "0").exit_code == 130


def test_failure_of_our_own_is_one_line_without_a_traceback(parent):
    parent.outcome = ZeroDivisionError("of ours")

    assert refused(1, "--static", ".", "-p", "0") == "internal error: ZeroDivisionError: of ours"


def test_failure_of_our_own_shows_its_traceback_with_debug(parent):
    parent.outcome = ZeroDivisionError("of ours")

    result = invoke("--static", ".", "-p", "0", "--debug")

    assert result.exit_code == 1
    assert result.stderr.startswith("Traceback")
    assert result.stderr.endswith("\naioserve: error: internal error: ZeroDivisionError: of ours\n")


# --check


def test_check_says_ok_and_does_not_serve(parent):
    result = invoke("--check", "--static", ".", "-p", "0")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "aioserve: ok\n")
    assert parent.calls == []


def test_check_tells_every_problem_with_the_code_of_the_first(parent, taken):
    result = invoke("--check", "nosuch:Thing", "--static", "a", "--static", "/b=b", "-p", taken)

    assert (result.exit_code, result.stdout) == (3, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("aioserve: error: ") for line in lines)
    assert [word in line for word, line in zip(("nosuch", "'a'", "'b'", taken), lines, strict=True)] == [
        True
    ] * 4
    assert parent.calls == []


def checked(*words):
    """Return the lines of a check that finds problems, each without the program's name."""
    result = invoke("--check", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    return [line.removeprefix("aioserve: error: ") for line in result.stderr.splitlines()]


def test_check_goes_on_with_defaults_where_something_cannot_be_read(tmp_path):
    (tmp_path / "a.toml").write_text("hsot = 1\nworkers = true\nslow = 'x'\nindex = 'a'\n")
    words = ("nosuch:Thing", "--keep-alive", "x", "-p", "0", "--ssl-certfile", "none", "-c", "a.toml")

    starts = (
        "a.toml: unknown key 'hsot' (did you mean 'host'?)",
        "a.toml: workers: this must be ",
        "--keep-alive: 'x' is not a duration",
        "a.toml: slow: 'x' is not a duration",
        "there is no module 'nosuch'",
        "'none': No such file",
    )
    lines = checked(*words)
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == [*starts]


def test_check_does_not_try_the_default_address_where_another_cannot_be_read(monkeypatch):
    def bind_sockets(_bind):
        raise AssertionError

    monkeypatch.setattr("aioserve.preflight.bind_sockets", bind_sockets)

    assert len(checked("--static", ".", "--port", "x")) == 1
    assert checked("--static", ".", "--port", "1", "--bind", ":2") == [
        "--bind cannot be given together with --port"
    ]


def test_check_looks_at_everything_else_where_an_address_cannot_be_read():
    files = {"--reload-dir": "/nope", "--pid-file": "/nope/y", "--access-log-file": "/nope/x"}
    words = [word for pair in files.items() for word in pair]

    lines = checked("--port", "abc", *words, "--control", "/nope/z", "--reload", "--static", ".")
    assert [line.partition(":")[0] for line in lines] == ["--port", *files, "--control"]


def test_check_tries_the_addresses_that_can_be_read(taken):
    binds = ("8080", f"127.0.0.1:{taken}", "[:x", "unix:none/web.sock")
    words = [word for each in binds for word in ("--bind", each)]

    lines = checked("--static", ".", *words)
    starts = (
        "--bind: '8080' is not",
        "--bind: '[:x': ",
        "cannot listen on 127.0.0.1",
        "cannot listen on unix:",
    )
    assert [line[: len(start)] for line, start in zip(lines, starts, strict=True)] == [*starts]


@pytest.mark.parametrize("words", [["--static", ""], ["-c", "none.toml"], ["-c", ""], [""]])
def test_check_says_nothing_of_what_is_served_where_that_cannot_be_read(words):
    assert len(checked("-p", "0", *words)) == 1


def test_check_says_that_there_is_nothing_to_serve_beside_the_rest():
    first, second = checked("--keep-alive", "x", "-p", "0")

    assert first.startswith("--keep-alive: ")
    assert second.startswith("nothing to serve; ")


# As a program


def run(*words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "aioserve", *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_program_prints_help_to_stdout_and_errors_to_stderr():
    assert run("--help").stdout.startswith("Usage: aioserve [OPTIONS] [APP]\n")
    failed = run("--port", "x", "--static", ".")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("aioserve: error: --port: 'x' is not a port")
    assert failed.stderr.count("\n") == 1


def test_program_refuses_an_application_that_is_not_there():
    failed = run("nosuch:Thing", "--port", "0")

    assert (failed.returncode, failed.stdout) == (3, "")
    assert re.fullmatch(r"aioserve: error: there is no module 'nosuch' in .*\n", failed.stderr)


def test_program_checks_a_folder_and_an_address():
    checked = run("--check", "--static", ".", "--port", "0")

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "aioserve: ok\n")


def test_entry_point_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["aioserve", "--version"])

    with pytest.raises(SystemExit) as exited:
        cli.main()

    assert exited.value.code == 0
    assert capsys.readouterr().out.startswith("aioserve ")


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["--completion", "zsh"], ["--port", "x"]])
def test_what_is_shown_loads_nothing_that_serving_needs(words):
    program = """
import sys
from aioserve.cli import main
heavy = {"asyncio", "uvloop", "rich", "multidict", "tomllib"}
try:
    main()
finally:
    print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.stderr.splitlines()[-1] == "[]"


def test_settings_can_be_read_again(parent, tmp_path):
    """For a reload: what the file says by then, and what was typed."""
    file = tmp_path / "aioserve.toml"
    file.write_text('index = "a"\n')
    assert served(parent, "--static", ".", "-c", "aioserve.toml", "--listing").static.index == ("a",)
    file.write_text('index = "b"\n')

    again = parent.read_settings()

    assert (again.static.index, again.static.listing) == (("b",), True)
    file.write_text("index = [")
    with pytest.raises(ConfigurationError):
        parent.read_settings()


def test_number_of_workers_may_be_said_by_the_platform(parent):
    assert served(parent, "--static", ".", WEB_CONCURRENCY="3").process.workers == 3
    parent.calls.clear()
    environment = {"WEB_CONCURRENCY": "3", "AIOSERVE_WORKERS": "auto"}
    assert served(parent, "--static", ".", **environment).process.workers == 0
