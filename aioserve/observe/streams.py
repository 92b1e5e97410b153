"""The two output streams, each judged by itself.

This file decides whether a stream is a terminal, gets colour, or is the journal, and how text reaches it: in
the stream's own encoding, past Python's buffer. A buffer would keep what could not be written and try again
at the end of the process, which turns ``aioserve ... | head -1`` into an error.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve.observe.sinks import Sink

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

_LAST_STANDARD = 2  # the standard error


class SinkOutput:
    """What writes to a sink, where there is one, and what there is to say of it."""

    __slots__ = ("_lost", "_sink")

    def __init__(self, sink: Sink | None = None) -> None:
        self._sink = sink
        self._lost = 0  # without the sink's doing

    @property
    def lost(self) -> int:
        """Lines that could not be written, so far."""
        return self._lost + (self._sink.lost if self._sink else 0)

    @property
    def sent(self) -> int:
        """Bytes that somebody has taken, so far."""
        return self._sink.sent if self._sink else 0

    @property
    def has_waiting(self) -> bool:
        """Whether lines wait for somebody to read those before them."""
        return self._sink is not None and self._sink.waiting > 0

    def push(self) -> None:
        """Write what waits, as far as it is read.

        Raises:
            OSError: it is lost.
        """
        if self._sink is not None:
            self._sink.push()


class Output(SinkOutput):
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

    __slots__ = ("encoding", "is_coloured", "is_journal", "is_terminal", "stream")

    def __init__(
        self,
        stream: TextIO | None,
        color: str = "auto",
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        descriptor = _descriptor(stream)
        super().__init__(None if descriptor is None else Sink(descriptor))
        self.stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.is_terminal = descriptor is not None and os.isatty(descriptor)
        self.is_coloured = stream is not None and _is_coloured(color, environ, is_terminal=self.is_terminal)
        self.is_journal = _is_journal(descriptor, environ)

    def open(self) -> None:
        """Be ready for a time when there are no descriptors left."""
        if self._sink is not None:
            with suppress(OSError):  # there are none left now; then the first line tries again
                self._sink.open()

    @property
    def is_dressed(self) -> bool:
        """Lines are laid out for the eye rather than for a program."""
        return self.is_terminal or self.is_coloured

    def write(self, text: str, *, is_block: bool = False) -> None:
        """Write whole lines, or keep them until `push`; what the encoding lacks becomes a backslash escape.

        Lines of a block stay together.

        Raises:
            OSError: lines are lost, these or earlier ones.
            ValueError: so are they, as a stream in memory has been closed.
        """
        data = text.encode(self.encoding, "backslashreplace")
        if self._sink is not None:
            self._sink.write(data, is_block=is_block)
        elif self.stream is not None:
            try:
                self.stream.write(data.decode(self.encoding))
                self.stream.flush()
            except (OSError, ValueError):
                self._lost += text.count("\n")
                raise

    def close(self, *, is_copy: bool = False) -> None:
        """Write what waits as long as somebody reads; in a forked process, only let go."""
        if self._sink is not None:
            self._sink.close(is_copy=is_copy)


def open_standard_descriptors() -> None:
    """Open ``/dev/null`` where a standard descriptor was closed before the start.

    Its number would be taken by the next file that is opened, a listening socket perhaps, and whatever writes
    to number 1 or 2 without asking, a library in C or a program that a handler starts, would write there.
    """
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR)
        if descriptor > _LAST_STANDARD:
            os.close(descriptor)
            return
        os.set_inheritable(descriptor, True)


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
