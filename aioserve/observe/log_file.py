"""The file that the access log is written to, where it is not the standard output.

This file decides how it is opened, and that it is opened anew when it has been moved away: logrotate(8) moves
it and sends SIGUSR1. Several workers append to the same file, each line in one piece.
"""

from __future__ import annotations

import logging
import os
from io import FileIO
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError
from aioserve.observe.sinks import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_MODE = 0o640  # what was asked for may be private; the umask may take away more
# A named pipe without a reader is refused rather than waited for.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOCTTY | os.O_NONBLOCK


class LogFile:
    """A file of lines.

    Args:
        path: where it is, or is to be.

    Raises:
        ConfigurationError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lost_before = 0  # by those that were open before
        try:
            self._file, self._sink = _open(path)
        except (OSError, ValueError) as error:
            problem = f"--access-log-file: {path!r} cannot be written: {_reason(error)}"
            raise ConfigurationError(problem) from None

    @property
    def lost(self) -> int:
        """Lines that could not be written, so far."""
        return self._lost_before + self._sink.lost

    @property
    def sent(self) -> int:
        """Bytes that the one that is open now has taken."""
        return self._sink.sent

    @property
    def has_waiting(self) -> bool:
        """Whether lines wait for somebody to read those before them."""
        return self._sink.waiting > 0

    def write(self, text: str) -> None:
        """Write whole lines of ASCII, or keep them until `push`.

        Raises:
            OSError: lines are lost, these or earlier ones.
        """
        self._sink.write(text.encode("utf-8", "backslashreplace"))

    def push(self) -> None:
        """Write what waits, as far as it is read.

        Raises:
            OSError: it is lost.
        """
        self._sink.push()

    def reopen(self, flush: Callable[[], object]) -> None:
        """Open what has that name now; where that cannot be, the old one is written on, which is logged.

        Args:
            flush: writes what still belongs to the old one.
        """
        try:
            opened = _open(self._path)
        except OSError as error:
            problem = "access log: %r cannot be opened anew: %s; the old one is written on"
            logger.error(problem, self._path, _reason(error))  # noqa: TRY400 - the disk's fault
            return
        flush()
        self.close()
        self._lost_before += self._sink.lost
        self._file, self._sink = opened

    def close(self, *, is_copy: bool = False) -> None:
        """Write what waits as long as somebody reads; in a forked process, only let go."""
        self._sink.close(is_copy=is_copy)
        self._file.close()


def _open(path: str) -> tuple[FileIO, Sink]:
    file = FileIO(path, "a", opener=lambda name, _: os.open(name, _FLAGS, _MODE))
    sink = Sink(file.fileno())
    try:
        sink.open()
    except OSError:  # there are no descriptors left
        file.close()
        raise
    return file, sink


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
