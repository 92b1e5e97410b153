"""The file that the access log is written to, where it is not the standard output.

This file decides how it is opened, and that it is opened anew when it has been moved away: logrotate(8) moves
it and sends SIGUSR1. Several workers append to the same file, each line in one piece.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING

from aioserve.observe.sinks import Sink
from aioserve.observe.streams import SinkOutput

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_MODE = 0o640  # what was asked for may be private; the umask may take away more
# A named pipe without a reader is refused rather than waited for.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOCTTY | os.O_NONBLOCK


class LogFile(SinkOutput):
    """A file of lines.

    Where it cannot be opened its lines are lost, as where it cannot be written, until it can: whether it
    could be had when the server began was looked at then, and a worker that comes later serves without it.

    Args:
        path: where it is, or is to be.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._file: FileIO | None = None
        with suppress(OSError):  # now, and not with the first line, when there may be no descriptors left
            self._opened()

    def write(self, text: str) -> None:
        """Write whole lines of ASCII, or keep them until `push`.

        Raises:
            OSError: lines are lost, these or earlier ones.
        """
        try:
            sink = self._opened()
        except OSError:
            self._lost += text.count("\n")
            raise
        sink.write(text.encode("utf-8", "backslashreplace"))

    def reopen(self, flush: Callable[[], object]) -> None:
        """Open what has that name now; where that cannot be, the old one is written on, which is logged.

        Args:
            flush: writes what still belongs to the old one.
        """
        try:
            opened = _open(self._path)
        except OSError as error:
            problem = "access log: %r cannot be opened anew: %s; the old one is written on"
            logger.error(problem, self._path, error.strerror)  # noqa: TRY400 - the disk's fault
            return
        flush()
        self.close()
        self._file, self._sink = opened

    def close(self, *, is_copy: bool = False) -> None:
        """Write what waits as long as somebody reads; in a forked process, only let go."""
        if self._sink is not None and self._file is not None:
            self._sink.close(is_copy=is_copy)
            self._lost += self._sink.lost
            self._file.close()
        self._file = self._sink = None

    def _opened(self) -> Sink:
        if self._sink is None:
            self._file, self._sink = _open(self._path)
        return self._sink


def _open(path: str) -> tuple[FileIO, Sink]:
    file = FileIO(path, "a", opener=lambda name, _: os.open(name, _FLAGS, _MODE))
    sink = Sink(file.fileno())
    try:
        sink.open()
    except OSError:  # there are no descriptors left
        file.close()
        raise
    return file, sink
