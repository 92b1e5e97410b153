"""The configuration file: TOML with the long flags as keys.

This file alone decides how such a file is read. The keys are those of the flags (``keep-alive = "5s"``), with
underscores as well; in a file named ``pyproject.toml`` they stand in ``[tool.aioserve]``. A relative path in
the file is relative to the current folder, as the same path on the command line is. For an option whose value
can be left out, ``true`` is the flag without a value and ``false`` is no flag.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError
from aioserve.options import Given, Option, Reach, refuse
from aioserve.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aioserve.options import OnProblem

_TYPE_NAMES = {
    bool: "a boolean",
    int: "an integer",
    float: "a float",
    str: "a string",
    list: "an array",
    dict: "a table",
}


def read_config_file(
    path: str, options: Iterable[Option], on_problem: OnProblem = refuse
) -> dict[str, Given]:
    """Collect what a configuration file says, by key.

    Args:
        path: where the file is; its last part decides whether it is a ``pyproject.toml``.
        options: the declared options; those that a file cannot set count as unknown.
        on_problem: called with a key and what is wrong with it: it is no option (the message names the
            nearest), is there twice, or has a value of a type that the option does not take. If it returns,
            the key is left out.

    Raises:
        ConfigurationError: the file cannot be read, or is no TOML.
    """
    known = {one.key: one for one in options if one.reach is Reach.FILE}
    given: dict[str, Given] = {}
    for name, value in _read_table(path).items():
        try:
            given |= _read_key(path, name, value, known, given)
        except ConfigurationError as problem:
            on_problem(name.replace("_", "-"), problem)
    return given


def _read_key(
    path: str, name: str, value: object, known: Mapping[str, Option], given: Mapping[str, Given]
) -> dict[str, Given]:
    """Read one more key beside those that are given, and return what it gives."""
    key = name.replace("_", "-")
    if key not in known:
        raise ConfigurationError(f"{path}: unknown key {name!r}{did_you_mean(key, known)}")
    if key in given:
        raise ConfigurationError(f"{path}: {key!r} is there twice, with a hyphen and with an underscore")
    if value is False and known[key].implied:
        return {}
    return {key: Given(_format_texts(f"{path}: {name}", known[key], value), f"{path}: {name}")}


def _read_table(path: str) -> Mapping[str, object]:
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path}: nested too deeply") from error
    except ValueError as error:  # no UTF-8, no TOML, a number of more than 4300 digits, a NUL in the path
        raise ConfigurationError(f"{path}: {error}") from error
    if Path(path).name != "pyproject.toml":
        return document
    tool = document.get("tool")
    table = tool.get("aioserve") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        raise ConfigurationError(f"{path}: there is no table [tool.aioserve] in it")
    return table


def _format_texts(source: str, option: Option, value: object) -> tuple[str, ...]:
    values = value if option.repeatable and isinstance(value, list) else [value]
    return tuple(_format_text(source, option, one) for one in values)


def _format_text(source: str, option: Option, value: object) -> str:
    if value is True and option.implied:
        return option.implied
    is_huge = isinstance(value, int) and value.bit_length() > 64  # TOML's integers have 64 bits
    if type(value) not in option.kind.toml or is_huge:  # not isinstance: True is no number here
        found = _TYPE_NAMES.get(type(value), "a date or time")
        raise ConfigurationError(f"{source}: this must be {option.kind.expected}, not {found}")
    return str(value).lower() if isinstance(value, bool) else str(value)
