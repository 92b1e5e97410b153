"""What systemd reads in a unit file: systemd.syntax(7), systemd.unit(5), systemd.service(5)."""

from __future__ import annotations

import re

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_ESCAPES |= {"\\": "\\", '"': '"', "'": "'"}
_BLANK = " \t\n\r"


def read_unit(text):
    """Return the values of each key, as they stand in the file."""
    values = {}
    for line in text.split("\n"):
        if not line.strip() or line[0] in "#;[":
            continue
        key, equals, value = line.partition("=")
        assert equals, line
        assert not re.search(r"(?<!\\)(?:\\\\)*\\$", line), "the next line goes on with it"
        values.setdefault(key.strip(), []).append(value.strip(_BLANK))
    return values


def split_words(line):
    """Take a line apart, as extract_first_word() does with EXTRACT_UNQUOTE and EXTRACT_CUNESCAPE."""
    words, word, quote = [], None, ""
    todo = iter(line)
    for character in todo:
        if character == "\\":
            word = (word or b"") + _unescape(todo)
        elif character == quote:
            quote = ""
        elif not quote and character in "\"'":
            word, quote = word or b"", character
        elif not quote and character in _BLANK:
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or b"") + character.encode()
    assert not quote
    return [each.decode() for each in (*words, word) if each is not None]


def _unescape(todo):
    character = next(todo)
    if character == "x":
        return bytes([int(next(todo) + next(todo), 16)])
    return _ESCAPES[character].encode()


def expand(text, **specifiers):
    """Put specifiers in."""
    known = {"%": "%", **specifiers}
    assert not re.search(r"%[^a-zA-Z%]|%$", text.replace("%%", ""))
    return re.sub("%(.)", lambda found: known[found[1]], text, flags=re.DOTALL)


def read_command(line, **specifiers):
    """Return the words that a program is started with."""
    words = [expand(word, **specifiers) for word in split_words(line)]
    assert not any("$" in word.replace("$$", "") for word in words), "a variable"
    return [word.replace("$$", "$") for word in words]
