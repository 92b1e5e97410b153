"""Writes the manual pages, docs/options.md, docs/signals.md and deploy/systemd/ from what the code declares.

``python man/make.py`` writes them; ``python man/make.py --check`` writes nothing and exits with 1 where one
of them is stale. What is not about single options or signals is written by hand in man/*.in.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from aioserve import __version__  # noqa: E402 - this checkout's, wherever the script is started
from aioserve.options import Given, Reach  # noqa: E402
from aioserve.settings import SECTIONS, build_settings  # noqa: E402
from aioserve.units.place import Place  # noqa: E402
from aioserve.units.printing import format_units  # noqa: E402
from aioserve.workers.signals import MEANINGS  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aioserve.options import Option

TOML_TYPES = {bool: "boolean", int: "integer", float: "float", str: "string"}

REFERENCE_HEAD = """\
# Options

Made by `man/make.py` from the declarations in `aioserve/settings.py`, and for static files in
`aioserve/static/settings.py`; change them there.

What a flag says counts before what the environment variable says, that before the key in the configuration
file, that before the default. A duration is seconds or a number with a unit (`500ms` `10s` `5m` `1h`), a
size is bytes or a number with a unit (`64K` `16M` `1G`). Several values are an array in the file and are
separated by commas in the variable, unless said otherwise. Where a value can be left out, `true` in the file
leaves it out.
"""

SIGNALS_HEAD = """\
# Signals

Made by `man/make.py` from the table in `aioserve/workers/signals.py`; change it there.

They are for the process that was started, whose number `--pid-file` and `--ready-file` tell, and not for its
workers. A worker that gets SIGTERM finishes what it has and is replaced; one that is replaced already has
`--timeout-shutdown` for that.
"""


def render_manual() -> str:
    """Make the manual page of the command."""
    lines = []
    for section in SECTIONS:
        lines.append(f".SS {section.title}")
        for option in section.options.values():
            lines += _manual_entry(option)
    signals = []
    for number, meaning in MEANINGS.items():
        signals += [".TP", rf"\fB{number.name}\fR", _manual_text(meaning)]
    return _fill("aioserve.1.in", {"@OPTIONS@": lines, "@SIGNALS@": signals})


def render_file_manual() -> str:
    """Make the manual page of the configuration file."""
    lines = []
    for section in SECTIONS:
        options = [option for option in section.options.values() if option.reach is Reach.FILE]
        if options:
            lines.append(f".SS {section.title}")
        for option in options:
            lines += _key_entry(option)
    return _fill("aioserve.toml.5.in", {"@KEYS@": lines})


def _fill(name: str, made: Mapping[str, list[str]]) -> str:
    template = (ROOT / "man" / name).read_text("utf-8").replace("@VERSION@", __version__)
    for mark, lines in made.items():
        template = template.replace(mark, "\n".join(lines))
    return template


def _manual_entry(option: Option) -> list[str]:
    metavar = rf" \fI{_roff(option.metavar)}\fR" if option.metavar else ""
    face = "I" if option.is_argument else "B"
    lines = [".TP", ", ".join(rf"\f{face}{_roff(form)}\fR" for form in option.forms) + metavar]
    lines += [_manual_text(option.description), *_manual_ends(option)]
    for flag, text in option.shortcuts:
        lines += [".TP", rf"\fB{_roff(flag)}\fR", rf"Short for \fB{_roff(f'{option.flags[-1]} {text}')}\fR."]
    return lines


def _key_entry(option: Option) -> list[str]:
    expected = _manual_text(option.kind.expected)
    many = ", or an array of such" if option.repeatable else ""
    implied = rf", or \fBtrue\fR for \fB{_roff(option.implied)}\fR" if option.implied else ""
    head = rf"\fB{_roff(option.key)}\fR = \fI{_toml_types(option)}\fR"
    value = [".br", f"Value: {expected}{many}{implied}."] if option.kind.metavar else []
    return [".TP", head, _manual_text(option.meaning), *value, *_manual_ends(option)]


def _toml_types(option: Option) -> str:
    names = [TOML_TYPES[each] for each in option.kind.toml]
    if option.implied:
        names.append(TOML_TYPES[bool])
    if option.repeatable:
        names.append("array")
    return " | ".join(names)


def _manual_ends(option: Option) -> list[str]:
    lines = []
    if option.default_shown:
        lines += [".br", f"Default: {_roff(option.default_shown)}."]
    if option.variable:
        lines += [".br", rf"Environment: \%{option.variable}."]  # \% keeps the name in one piece
    return lines


def _manual_text(text: str) -> str:
    return re.sub(r"`(.+?)`", r"\\fB\1\\fR", _roff(text))


def _roff(text: str) -> str:
    return text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")


def render_reference() -> str:
    """Make the reference of all options, in Markdown."""
    parts = [REFERENCE_HEAD]
    for section in SECTIONS:
        rows = [row for option in section.options.values() for row in _reference_rows(option)]
        parts.append(
            f"## {section.title}\n\n"
            "| Flag | Environment variable | Key | Default | Meaning |\n"
            "|---|---|---|---|---|\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)
        )
    return "\n".join(parts)


def _reference_rows(option: Option) -> list[tuple[str, str, str, str, str]]:
    code = [
        _code(f"{one} {option.metavar}".rstrip() if one == option.flags[-1] else one) for one in option.forms
    ]
    key = _code(option.key) if option.reach is Reach.FILE else ""
    variable = _code(option.variable) if option.variable else ""
    row = (" ".join(code), variable, key, option.default_shown, option.description)
    return [row] + [
        (_code(flag), "", "", "", f"Short for {_code(f'{option.flags[-1]} {text}')}.")
        for flag, text in option.shortcuts
    ]


def _code(text: str) -> str:
    escaped = text.replace("|", r"\|")
    return f"`{escaped}`"


def render_signals() -> str:
    """Make the table of signals, in Markdown."""
    rows = "".join(f"| `{number.name}` | {meaning} |\n" for number, meaning in MEANINGS.items())
    return f"{SIGNALS_HEAD}\n| Signal | Meaning |\n|---|---|\n{rows}"


def render_unit(which: str) -> str:
    """Make what ``--print-unit`` prints for the command line that deploy/README.md names."""
    typed = {
        "app": Given(("app:Handler",), "APP"),
        "bind": Given(("0.0.0.0:80", "[::]:80"), "--bind"),
        "workers": Given(("auto",), "--workers"),
    }
    place = Place(("/srv/site/.venv/bin/aioserve",), "/srv/site", ("/srv/site/.venv", "/usr"))
    return format_units(which, typed, build_settings(typed), place)


OUTPUTS: dict[str, Callable[[], str]] = {
    "man/aioserve.1": render_manual,
    "man/aioserve.toml.5": render_file_manual,
    "docs/options.md": render_reference,
    "docs/signals.md": render_signals,
    "deploy/systemd/aioserve.service": partial(render_unit, "service"),
    "deploy/systemd/aioserve.socket": partial(render_unit, "socket"),
}


def main(words: list[str], root: Path = ROOT) -> int:
    """Write what is made, or say which of it is stale, and return the exit code."""
    made = {name: render() for name, render in OUTPUTS.items()}
    if words == ["--check"]:
        stale = [name for name, text in made.items() if _read(root / name) != text]
        for name in stale:
            print(f"{name} is stale; run: python man/make.py", file=sys.stderr)
        return 1 if stale else 0
    for name, text in made.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return 0


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
