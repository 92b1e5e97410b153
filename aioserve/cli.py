"""The command ``aioserve``: from the words typed to an exit code.

This file alone prints errors and exits. It reads the settings, tries what they name, and hands them to the
runner; what is only for serving is imported when it comes to that, so that ``--help`` stays quick.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import click

from aioserve import __version__
from aioserve.errors import ConfigurationError, StartupError
from aioserve.escaping import escape_controls
from aioserve.loading import quickly
from aioserve.observe.streams import open_standard_descriptors
from aioserve.options import Given, read_environment, refuse
from aioserve.parameters import help_rows, make_parameters, read_typed, supply_implied
from aioserve.settings import OPTIONS, SECTIONS, build_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aioserve.options import OnProblem
    from aioserve.settings import Settings

_INTRODUCTION = """\
Usage: aioserve [OPTIONS] [APP]

  aioserve app:Handler --port 8080    run the handler class Handler of app.py
  aioserve --static ./site            serve the files of a folder

Both together: files first, then the application.
"""
_ORDER = """
Long names are also the keys of the file that --config reads. What a flag says
counts before the environment, that before the file, that before the default.
"""


# Nothing is said of what nobody asked for: of the default address where another could not be read (those that
# could are tried), nor that there is nothing to serve where that could not.
_ADDRESS = {"host", "port", "bind", "config"}
_CONTENT = {"app", "static", "config"}


def main() -> NoReturn:
    """Run the command with the words of the command line and exit."""
    open_standard_descriptors()
    command.main(prog_name="aioserve")


class _Command(click.Command):
    """click's command, with our help, our errors, and serving as its work."""

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the options under the headings of their sections."""
        formatter.write(_INTRODUCTION)
        for section in SECTIONS:
            with formatter.section(section.title):
                formatter.write_dl(help_rows(section.options.values()))
        formatter.write(_ORDER)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words, with the values that were left out put in."""
        return super().parse_args(ctx, supply_implied(args, OPTIONS.values()))

    def invoke(self, ctx: click.Context) -> int:
        """Do what was asked for and return the exit code."""
        typed = read_typed(ctx, OPTIONS.values())
        if "help" in typed:
            click.echo(ctx.get_help())
        elif "version" in typed:
            click.echo(_describe_version())
        elif "completion" in typed:
            from click.shell_completion import get_completion_class  # noqa: PLC0415 - only for that

            shell = OPTIONS["completion"].parse(typed["completion"])
            click.echo(get_completion_class(shell)(self, {}, "aioserve", "_AIOSERVE_COMPLETE").source())
        elif "print-config" in typed:
            click.echo(_describe_config(typed))
        elif "print-unit" in typed:
            click.echo(_describe_unit(typed))
        elif "attach" in typed:
            _attach(typed)
        else:
            return _serve(typed)
        return 0

    def main(self, *args: Any, **more: Any) -> NoReturn:
        """Exit with the code of the outcome, having said in one line what is wrong."""
        try:
            code = super().main(*args, **more | {"standalone_mode": False})
        except click.UsageError as error:
            _complain(error.format_message())
            code = ConfigurationError.exit_code
        except (ConfigurationError, StartupError) as error:
            code = _report(error)
        except click.Abort:  # SIGINT while there is no server yet that could stop
            code = 130
        except Exception as error:  # noqa: BLE001 - a traceback of ours is for those who ask for it
            if "--debug" in (more.get("args") or sys.argv):
                traceback.print_exc()
            _complain(f"internal error: {type(error).__name__}: {error}")
            code = 1
        sys.exit(code)


def _collect(typed: Mapping[str, Given], on_problem: OnProblem = refuse) -> dict[str, Given]:
    """Put what was typed before what the environment says, and that before what the file says."""
    given = {**read_environment(OPTIONS.values(), os.environ), **typed}
    if "config" in given:
        from aioserve.config_file import read_config_file  # noqa: PLC0415 - for those who have a file

        try:
            path = OPTIONS["config"].parse(given["config"])
            given = {**read_config_file(path, OPTIONS.values(), on_problem), **given}
        except ConfigurationError as problem:
            on_problem("config", problem)
            del given["config"]
    return given


def _read_settings(typed: Mapping[str, Given], on_problem: OnProblem = refuse) -> Settings:
    settings = build_settings(_collect(typed, on_problem), on_problem)
    if not settings.application.app and not settings.static.mounts:
        problem = ConfigurationError("nothing to serve; try aioserve app:Handler or aioserve --static ./site")
        on_problem("", problem)
    return settings


def _serve(typed: Mapping[str, Given]) -> int:
    if "check" in typed:
        return _check(typed)
    settings = _read_settings(typed)
    with quickly():
        from aioserve.workers.supervisor import supervise  # noqa: PLC0415 - only for serving

    return supervise(settings, lambda: _read_settings(typed))


def _attach(typed: Mapping[str, Given]) -> None:
    from aioserve.live.attach import attach  # noqa: PLC0415 - not needed to serve

    settings = build_settings(_collect(typed))
    if said := attach(str(settings.live.attach), settings.logs.color):
        click.echo(f"aioserve: {said}", err=True)


def _check(typed: Mapping[str, Given]) -> int:
    """Report all that is wrong. What could not be read has its default, with which the rest is tried."""
    from aioserve.preflight import prepare  # noqa: PLC0415 - brings asyncio and the user's application

    wrong: list[tuple[str, ConfigurationError]] = []
    settings = _read_settings(typed, lambda key, problem: wrong.append((key, problem)))
    keys = {key for key, _ in wrong}
    ready = prepare(settings, is_address_known=keys.isdisjoint(_ADDRESS))
    ready.listening.close()
    unread = [problem for key, problem in wrong if key or keys.isdisjoint(_CONTENT)]
    codes = [_report(problem) for problem in (*unread, *ready.problems)]
    if not codes:
        click.echo("aioserve: ok", err=True)
    return codes[0] if codes else 0


def _report(problem: ConfigurationError | StartupError) -> int:
    if isinstance(problem, StartupError) and problem.details:
        click.echo(problem.details.rstrip(), err=True)
    _complain(str(problem))
    return problem.exit_code


def _complain(message: str) -> None:
    click.echo(f"aioserve: error: {escape_controls(' '.join(message.splitlines()))}", err=True)


def _describe_config(typed: Mapping[str, Given]) -> bytes:
    """Write the effective configuration, as the UTF-8 that TOML is, whatever the terminal speaks."""
    from aioserve.print_config import format_config  # noqa: PLC0415 - not needed to serve

    given = _collect(typed)
    build_settings(given)  # refuses what contradicts itself
    return format_config(SECTIONS, given).rstrip("\n").encode()


def _describe_unit(typed: Mapping[str, Given]) -> bytes:
    """Write the units of systemd, which are UTF-8 too."""
    from aioserve.units.place import Place  # noqa: PLC0415 - not needed to serve
    from aioserve.units.printing import format_units  # noqa: PLC0415 - as above

    which = OPTIONS["print-unit"].parse(typed["print-unit"])
    return format_units(which, typed, _read_settings(typed), Place.here()).rstrip("\n").encode()


def _describe_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - not needed to serve

    try:
        loop = f"uvloop {version('uvloop')}"
    except PackageNotFoundError:
        loop = "no uvloop"
    python = ".".join(map(str, sys.version_info[:3]))
    return f"aioserve {__version__} (Python {python}, {loop})"


command = _Command("aioserve", params=make_parameters(OPTIONS.values()), add_help_option=False)
