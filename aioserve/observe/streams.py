"""The two output streams, each judged by itself.

This file decides whether a stream is a terminal, gets colour, or is the journal, and how text reaches it:
whole, at once, in the stream's own encoding, past Python's buffer. A buffer would keep what could not be
written and try again at the end of the process, which turns ``aioserve ... | head -1`` into an error.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO


class Output:
    """One output stream of the process.

    Args:
        stream: ``sys.stdout`` or ``sys.stderr``. None, as where the descriptor was closed before the start,
            swallows all text.
        color: ``auto``, ``always`` or ``never``.
        environ: where ``NO_COLOR``, ``FORCE_COLOR``, ``TERM`` and ``JOURNAL_STREAM`` are looked up.

    Attributes:
        stream: as given.
        encoding: the encoding of the stream.
        is_terminal: a person reads along.
        is_coloured: colours are wanted.
        is_journal: it goes to the journal of systemd, which reads ``<N>`` priorities and has its own time.
    """

    __slots__ = ("_descriptor", "_is_torn", "encoding", "is_coloured", "is_journal", "is_terminal", "stream")

    def __init__(
        self,
        stream: TextIO | None,
        color: str = "auto",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self._descriptor = _descriptor(stream)
        self._is_torn = False
        self.is_terminal = self._descriptor is not None and os.isatty(self._descriptor)
        self.is_coloured = stream is not None and _is_coloured(color, environ, is_terminal=self.is_terminal)
        self.is_journal = _is_journal(self._descriptor, environ)

    @property
    def is_dressed(self) -> bool:
        """Lines are laid out for the eye rather than for a program."""
        return self.is_terminal or self.is_coloured

    def write(self, text: str) -> None:
        """Write whole lines; what the encoding lacks is written as a backslash escape.

        Raises:
            OSError: the text, or the rest of it, could not be written and is lost. A line that broke off is
                ended before the next text, so that it does not swallow a whole one.
        """
        data = text.encode(self.encoding, "backslashreplace")
        if self._descriptor is not None:
            self._write_descriptor(memoryview(b"\n" + data if self._is_torn else data))
        elif self.stream is not None:
            self.stream.write(data.decode(self.encoding))
            self.stream.flush()

    def _write_descriptor(self, rest: memoryview) -> None:
        while rest:
            written = os.write(self._descriptor, rest)  # type: ignore[arg-type]
            self._is_torn = written < len(rest)
            rest = rest[written:]


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError, AttributeError):  # a stream in memory
        return None


def _is_coloured(color: str, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Decide in the order of precedence that Python's own coloured output has."""
    if color != "auto":
        return color == "always"
    if environ.get("NO_COLOR"):  # https://no-color.org: present and not empty
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal and environ.get("TERM") != "dumb"


def _is_journal(descriptor: int | None, environ: Mapping[str, str]) -> bool:
    """Compare as systemd.exec(5) says: the variable is inherited also by those whose stream is another."""
    if descriptor is None or "JOURNAL_STREAM" not in environ:
        return False
    status = os.fstat(descriptor)
    return environ["JOURNAL_STREAM"] == f"{status.st_dev}:{status.st_ino}"
