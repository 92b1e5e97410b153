"""The effective configuration, written as a file that ``--config`` reads.

This file alone decides how a setting looks in TOML. What was given, by a flag, a variable or a file, is a
line that counts, with its source behind it. A default is a comment: it may be another one in the next
version, and nobody has asked for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aioserve.errors import ConfigurationError
from aioserve.escaping import escape_controls
from aioserve.options import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aioserve.kinds import Kind
    from aioserve.options import Given, Option, Section


def format_config(sections: Sequence[Section], given: Mapping[str, Given]) -> str:
    """Write what is given, and all defaults beside it.

    Args:
        sections: the declared options; those that a file cannot set are left out.
        given: what counts, by key. Each text must be of its option's kind.

    Raises:
        ConfigurationError: a text is none of Unicode, as the name of a file can be; TOML cannot say it.
    """
    options = [one for part in sections for one in part.options.values()]
    excluded = {other: one.key for one in options if one.key in given for other in one.excludes}
    blocks = []
    for part in sections:
        lines = [
            _line(one, given.get(one.key), excluded.get(one.key))
            for one in part.options.values()
            if one.reach is Reach.FILE
        ]
        if lines:
            blocks.append("".join(f"{line}\n" for line in (f"# {part.title}", *lines)))
    return "\n".join(blocks)


def _line(one: Option, given: Given | None, excluder: str | None) -> str:
    return _default_line(one, excluder) if given is None else _given_line(one, given)


def _given_line(one: Option, given: Given) -> str:
    return f"{one.key} = {_format(one, one.parse(given), given.source)}  # {_one_line(given.source)}"


def _default_line(one: Option, excluder: str | None) -> str:
    said = "default"
    if one.default is not None:
        value = _format(one, one.default, said)
    elif one.default_text and " " not in one.default_text:
        value = _format(one, one.kind.parse(one.default_text), said)
    else:
        value = ""
    if not value:
        said = f"default: {one.default_text or 'none'}"
    elif one.default_text and " " in one.default_text:
        said = f"default: {one.default_text}"
    if excluder:
        said = f"not used, because of {excluder}"
    return f"# {one.key} = {value}".rstrip() + f"  # {said}"


def _format(one: Option, value: Any, source: str) -> str:
    if not one.repeatable:
        return _format_value(one.kind, value, source)
    return f"[{', '.join(_format_value(one.kind, each, source) for each in value)}]"


def _format_value(kind: Kind[Any], value: Any, source: str) -> str:
    if bool in kind.toml:
        return "true" if value else "false"
    text = kind.format(value)
    if int in kind.toml and text.isdecimal():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{source}: {text!r} has bytes in it that are no UTF-8, which a TOML file must be"
        ) from None
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    r"""Write a character of a basic string (TOML 1.0); what cannot be seen, as its number."""
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _one_line(source: str) -> str:
    """Return what can stand in a comment: the path of a file may have anything in it."""
    return escape_controls(source).replace("\n", r"\n")
