r"""How texts are written in a unit file of systemd, so that it reads the same texts.

This file alone decides what is escaped, and how. systemd takes a line apart in three steps, which are undone
here in the opposite order: words with their quotes and escapes (systemd.syntax(7)), then ``%`` specifiers
(systemd.unit(5)), and in a command line, when it is run, ``$`` variables (systemd.service(5)).
"""

from __future__ import annotations

import re

from aioserve.errors import ConfigurationError
from aioserve.escaping import escape_line

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NO_PROGRAM = re.compile(r"[\"'\\$]")
_PLAIN = re.compile(r"[A-Za-z0-9_@%$+=:,./~^!?*()\[\]-]+", re.ASCII)


def quote(text: str) -> str:
    r"""Write a word of a list, such as that of ``Environment=``.

    What is not printable becomes the ``\xNN`` of its bytes in UTF-8.

    Raises:
        ConfigurationError: the text is no Unicode, as the name of a file can be.
    """
    if not text.isprintable() and _SURROGATE.search(text):
        raise ConfigurationError(f"--print-unit: {text!r} has bytes in it that are no UTF-8")
    text = text.replace("%", "%%")
    if _PLAIN.fullmatch(text):
        return text
    return '"' + "".join(map(_escape, text)) + '"'


def quote_command(words: tuple[str, ...]) -> str:
    """Write a command line, in which nothing is a variable or a specifier.

    Raises:
        ConfigurationError: a word is no Unicode, or systemd takes no program of this name.
    """
    bare(words[0], "the program")
    if _NO_PROGRAM.search(words[0]):
        raise ConfigurationError(f"--print-unit: a unit file cannot name the program {words[0]!r}")
    return " ".join(quote(word.replace("$", "$$")) for word in words)


def bare(path: str, what: str) -> str:
    """Write an absolute path where systemd takes the rest of the line as it is.

    Args:
        path: to be written.
        what: it is for, to be named where it cannot be.

    Raises:
        ConfigurationError: systemd has no way to write such a path.
    """
    if not path.isprintable() or path != path.strip() or path.endswith("\\"):
        raise ConfigurationError(f"--print-unit: a unit file cannot name {what} {path!r}")
    return path.replace("%", "%%")


def describe(text: str) -> str:
    """Write what is for a person, on one line."""
    return escape_line(text).replace("%", "%%")


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())
