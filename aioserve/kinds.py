"""The kinds of values that options take.

This file alone decides which texts are a duration, a size, a port and so on, and how each is written back.
A kind knows nothing of flags, variables or files: those say where a text came from.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Mount = tuple[str, str]
Skip = tuple[str, str]

_DURATION = r"(?a)([0-9]{1,9})(ms|m|h)|([0-9]{1,9}(?:\.[0-9]{1,3})?)s?"
_SIZE = r"(?ai)([0-9]{1,12})([KMG]?)"
_COUNT = r"(?a)[0-9]{1,9}"
_PORT = r"(?a)[0-9]{1,5}"
_STATUS = r"(?a)[1-5](?:[0-9]{2}|xx)"
_SHARE = r"(?a)([0-9]{1,3}(?:\.[0-9]{1,9})?)(%?)"
# The segments of a path (RFC 3986 §3.3), without the "=" that ends the prefix.
_PREFIX = r"(?a)/|(?:/(?!\.\.?(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,;:@-]|%[0-9A-Fa-f]{2})+)+/?"

_SECONDS = {"ms": 0.001, "m": 60.0, "h": 3600.0}
_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_BOOLEANS = dict.fromkeys(("true", "on", "yes", "1"), True) | dict.fromkeys(
    ("false", "off", "no", "0"), False
)


@value
class Kind(Generic[T]):
    """One kind of value.

    Attributes:
        metavar: what stands for the value in help texts; empty where the flag alone says everything.
        expected: what is accepted, in words that complete "this must be ...".
        parse: makes the value of its text; raises ValueError with a sentence for whoever wrote the text.
        format: writes a value as a text from which `parse` makes that value again.
        toml: the types of a configuration file that can hold it.
        choices: the only texts accepted, where they can be listed.
        completes: what a shell offers on the Tab key besides ``choices``.
        mark: a regular expression that is found in such a text and in no name of an application, for a value
            that can be left out.
    """

    metavar: str
    expected: str
    parse: Callable[[str], T]
    format: Callable[[T], str]
    toml: tuple[type, ...] = (str,)
    choices: tuple[str, ...] = ()
    completes: str = ""
    mark: str = ""


def _parse_text(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("must not be empty" if not text else f"{text!r} has a NUL character in it")
    return text


def _parse_boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise ValueError(f"{text!r} is not {BOOLEAN.expected}")
    return value


def _format_boolean(value: bool) -> str:
    return "on" if value else "off"


def _parse_duration(text: str) -> float:
    found = re.fullmatch(_DURATION, text)
    if not found:
        raise ValueError(f"{text!r} is not {DURATION.expected}")
    whole, unit, seconds = found.groups()
    if unit == "ms":
        return int(whole) / 1000  # exact to the last bit where * 0.001 is not
    return float(seconds) if seconds else int(whole) * _SECONDS[unit]


def _format_duration(seconds: float) -> str:
    if seconds % 1:
        return f"{seconds * 1000:.0f}ms" if seconds < 1 else f"{seconds:.3f}".rstrip("0") + "s"
    for unit in ("h", "m"):
        if seconds and not seconds % _SECONDS[unit]:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    return f"{seconds:.0f}s" if seconds else "0"


def _parse_size(text: str) -> int:
    found = re.fullmatch(_SIZE, text)
    if not found:
        raise ValueError(f"{text!r} is not {SIZE.expected}")
    return int(found[1]) * _BYTES[found[2].upper()]


def _parse_length(text: str) -> int:
    size = _parse_size(text)
    if not size:
        raise ValueError(f"{text!r} is not {LENGTH.expected}")
    return size


def _format_size(size: int) -> str:
    for unit in ("G", "M", "K"):
        if size and not size % _BYTES[unit]:
            return f"{size // _BYTES[unit]}{unit}"
    return str(size)


def _parse_count(text: str) -> int:
    if not re.fullmatch(_COUNT, text) or not int(text):
        raise ValueError(f"{text!r} is not {COUNT.expected}")
    return int(text)


def _parse_workers(text: str) -> int:
    return 0 if text == "auto" else _parse_count(text)


def _format_workers(number: int) -> str:
    return str(number or "auto")


def _parse_port(text: str) -> int | str:
    if re.fullmatch(_PORT, text) and int(text) <= 65535:
        return int(text)
    if not _is_service(text):
        raise ValueError(f"{text!r} is not {PORT.expected}")
    return text


def _is_service(name: str) -> bool:
    import socket  # noqa: PLC0415 - nearly every port is a number, and socket costs a tenth of the start

    try:
        socket.getservbyname(name, "tcp")
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate in the name
        return False
    return True


def _parse_mount(text: str) -> Mount:
    prefix, equals, folder = text.partition("=")
    if not (text.startswith("/") and equals):
        return "/", _parse_text(text)
    if not re.fullmatch(_PREFIX, prefix):
        raise ValueError(f"{prefix!r} is not the path of a URL, such as /docs")
    return prefix.rstrip("/") or "/", _parse_text(folder)


def _parse_url_path(text: str) -> str:
    if not re.fullmatch(_PREFIX, text):
        raise ValueError(f"{text!r} is not {URL_PATH.expected}")
    return text


def _parse_layout(text: str) -> str:
    if text in LAYOUT.choices:
        return text
    if "%" not in text or not text.replace("\t", "").isprintable():
        raise ValueError(f"{text!r} is not {LAYOUT.expected}")
    return text


def _parse_skip(text: str) -> Skip:
    glob, *statuses = text.split() or [""]
    if not glob.startswith(("/", "*")) or not all(re.fullmatch(_STATUS, each) for each in statuses):
        raise ValueError(f"{text!r} is not {SKIP.expected}")
    return glob, " ".join(statuses)


def _format_skip(skip: Skip) -> str:
    return " ".join(filter(None, skip))


def _parse_share(text: str) -> float:
    found = re.fullmatch(_SHARE, text)
    share = float(found[1]) / (100 if found[2] else 1) if found else 2.0
    if share > 1:
        raise ValueError(f"{text!r} is not {SHARE.expected}")
    return share


def _format_share(share: float) -> str:
    percent = f"{share * 100:.12g}%"
    return percent if _parse_share(percent) == share else f"{share:.9f}"  # 0.29 * 100 is not 29


def _format_mount(mount: Mount) -> str:
    prefix, folder = mount
    is_plain = prefix == "/" and not (folder.startswith("/") and "=" in folder)
    return folder if is_plain else f"{prefix}={folder}"


def choice(*values: str) -> Kind[str]:
    """Make the kind whose value is one of these words."""
    expected = f"one of {', '.join(values)}"

    def parse(text: str) -> str:
        if text not in values:
            raise ValueError(f"{text!r} is not {expected}")
        return text

    return Kind("|".join(values), expected, parse, str, choices=values)


TEXT = Kind("TEXT", "a text", _parse_text, str)
TARGET = Kind(
    "APP",
    "a module and the name of a handler in it, as in app:Handler",
    _parse_text,
    str,
    completes="file",
)
GLOB = Kind("GLOB", "a pattern of names, as in *.html", _parse_text, str)
PATH = Kind("PATH", "a path", _parse_text, str, completes="file")
FOLDER = Kind("DIR", "the path of a folder", _parse_text, str, completes="dir")
BOOLEAN = Kind("", "true or false", _parse_boolean, _format_boolean, toml=(bool,))
DURATION = Kind(
    "DURATION",
    "a duration: seconds, or a number with its unit as in 500ms, 10s, 5m, 1h",
    _parse_duration,
    _format_duration,
    toml=(str, int, float),
)


def at_least(seconds: float) -> Kind[float]:
    """Make the kind of a duration that can be 0, or as long as this or longer."""

    def parse(text: str) -> float:
        found = _parse_duration(text)
        if 0 < found < seconds:
            raise ValueError(f"{text!r} is less than {_format_duration(seconds)}, and is not 0")
        return found

    return replace(DURATION, parse=parse)


SIZE = Kind(
    "SIZE",
    "a size: bytes, or a number with its unit as in 64K, 16M, 1G",
    _parse_size,
    _format_size,
    toml=(str, int),
)
LENGTH = Kind(
    "SIZE",
    "a size from 1 byte on, as in 8190, 64K, 16M, 1G",
    _parse_length,
    _format_size,
    toml=(str, int),
)
COUNT = Kind("N", "a whole number from 1 on", _parse_count, str, toml=(str, int))
WORKERS = Kind(
    "N|auto",
    "a whole number from 1 on, or `auto`",
    _parse_workers,  # 0 stands for auto
    _format_workers,
    toml=(str, int),
)
PORT = Kind(
    "PORT",
    "a port: a number from 0 to 65535 or the name of a known service",
    _parse_port,
    str,
    toml=(str, int),
)
SKIP = Kind(
    "GLOB",
    "a path with * in it, and the statuses for which it counts, if not for all, as in '/health* 2xx 304'",
    _parse_skip,
    _format_skip,
)
SHARE = Kind("SHARE", "a share, as in 1% or 0.01", _parse_share, _format_share, toml=(str, int, float))
LAYOUT = Kind(
    "FORMAT",
    "one of common, combined, dev, json, or a line of text with directives as in '%a %t \"%r\" %s'",
    _parse_layout,
    str,
    choices=("common", "combined", "dev", "json"),
)
URL_PATH = Kind("/URL", "the path of a URL, such as /docs", _parse_url_path, str)
MOUNT = Kind("[/URL=]DIR", "a folder, or /url=folder", _parse_mount, _format_mount, completes="dir")
