"""Foreign text made safe to show.

This file decides which characters of somebody else's text (a peer's request, an exception's message) may
reach a log, a terminal or a page. A control byte in a log can forge a line; to a terminal it is a command.
"""

from __future__ import annotations

import re

_NOT_PLAIN = r"(?a)[^ !#-\[\]-~]"

# C0 but tab and line feed, DEL, C1, the marks and overrides that turn the direction of text around
# (CVE-2021-42574), the line separators, and surrogates, which no encoding can carry.
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def escape_line(text: str) -> str:
    r"""Return ``text`` as printable ASCII on one line, in such a way that it can be read back.

    ``"`` and ``\`` get a backslash; every other byte of its UTF-8 form that is not printable ASCII becomes
    ``\xNN``. Surrogate escapes stand for the bytes that they were made of.
    """
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text  # nearly every text: 0.3 us for a browser's User-Agent
    return re.sub(_NOT_PLAIN, _escape_bytes, text)


def escape_controls(text: str) -> str:
    r"""Return ``text`` with its lines and its letters of any language, and every control character visible.

    Characters that steer a terminal or the direction of text become ``\xNN`` or ``\uNNNN``. The result can be
    encoded as UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_CONTROL, _escape_control, text)


def _escape_bytes(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def _escape_control(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
