"""From declared options to what click parses, completes and helps with.

This file alone decides how an option looks when typed and in the help. click gives no meaning to the values:
what was typed comes back as text, to be put in order with what environment and file say.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from aioserve.options import Given

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from click.shell_completion import CompletionItem

    from aioserve.kinds import Kind
    from aioserve.options import Option


def make_parameters(options: Iterable[Option]) -> list[click.Parameter]:
    """Make what click parses; a shortcut is a parameter of its own with the same name."""
    return [parameter for one in options for parameter in _parameters(one)]


def _parameters(one: Option) -> Iterator[click.Parameter]:
    name = _name(one)
    meaning = _plain(one.description)

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
        from click import shell_completion  # noqa: PLC0415 - only when a shell asks

        item = shell_completion.CompletionItem
        if one.kind.completes:
            return [item(incomplete, type=one.kind.completes)]
        return [item(word) for word in one.kind.choices if word.startswith(incomplete)]

    if one.is_argument:
        yield click.Argument([name], required=False, shell_complete=complete)
    elif one.is_flag:
        long = f"{one.flags[-1]}/{one.negative}" if one.negative else one.flags[-1]
        yield click.Option([name, *one.flags[:-1], long], is_flag=True, help=meaning)
    else:
        yield click.Option([name, *one.flags], multiple=one.repeatable, help=meaning, shell_complete=complete)
    for flag, text in one.shortcuts:
        yield click.Option([name, flag], flag_value=text, help=_shortcut_meaning(one, text))


def supply_implied(words: Sequence[str], options: Iterable[Option]) -> list[str]:
    """Write the implied value behind each flag that was typed without one: ``--cors=*`` for ``--cors``.

    click alone takes any next word for the value, and ``--cors app:Handler`` would lose its application. Here
    the next word is the value only if it looks like one.
    """
    flags = {one.flags[-1]: one for one in options if one.implied}
    supplied: list[str] = []
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        one = None if "--" in supplied else flags.get(word)
        has_value = one and (following == one.implied or _looks_like_value(one.kind, following))
        supplied.append(f"{word}={one.implied}" if one and not has_value else word)
    return supplied


def _looks_like_value(kind: Kind[Any], word: str) -> bool:
    return word in kind.choices or bool(kind.mark and re.search(kind.mark, word))


def read_typed(ctx: click.Context, options: Iterable[Option]) -> dict[str, Given]:
    """Collect what was typed, by key."""
    return {
        one.key: Given(_format_texts(ctx.params[_name(one)]), one.flags[-1])
        for one in options
        if ctx.get_parameter_source(_name(one)) is ParameterSource.COMMANDLINE
    }


def _format_texts(value: str | bool | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (str(value),)


def help_rows(options: Iterable[Option]) -> list[tuple[str, str]]:
    """List what the help says of some options: how each is typed, and what it means."""
    return [row for one in options for row in _help_rows(one)]


def _help_rows(one: Option) -> Iterator[tuple[str, str]]:
    words = [_plain(one.description)]
    if one.default_shown:
        words.append(f"[default: {one.default_shown}]")
    if one.variable:
        words.append(f"[${one.variable}]")
    yield f"{', '.join(one.forms)} {one.metavar}".rstrip(), " ".join(words)
    for flag, text in one.shortcuts:
        yield flag, _shortcut_meaning(one, text)


def _shortcut_meaning(one: Option, text: str) -> str:
    return f"Short for {one.flags[-1]} {text}."


def _name(one: Option) -> str:
    return one.key.replace("-", "_")


def _plain(text: str) -> str:
    return text.replace("`", "")
