"""Files by which scripts and other programs find a running server.

This file decides that such a file appears at once and whole, that it never says what is no longer so, that it
goes only while it is still ours, and that what another server has written stays while that runs. Nobody is
waited for: what stands at such a path may be a pipe.
"""

from __future__ import annotations

import errno
import logging
import os
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from aioserve.errors import ConfigurationError
from aioserve.own_file import OwnFile, hold, is_held

logger = logging.getLogger(__name__)

_UNREAD = (errno.ENXIO, errno.EPIPE, errno.EAGAIN)


class MarkerFile:
    """One such file.

    Args:
        flag: asks for it.
        name: its path; None where none is wanted.
    """

    def __init__(self, flag: str, name: str | None) -> None:
        self._flag = flag
        self._path = None if name is None else Path(name)
        self._own: OwnFile | None = None
        self._held: int | None = None  # a descriptor by which others see that we are there

    @property
    def is_wanted(self) -> bool:
        """Whether it is to be written at all."""
        return self._path is not None

    def clear(self) -> None:
        """Remove what a server has left that was killed: who waits for the file would take it for ours.

        What a server has written that runs stays, until ours takes its place: this one may never get so far,
        and the other would go on without its file. Who starts a second server with the files of the first
        removes them before, or looks for the number of the process in the file.
        """
        if self._path is not None and self._path.is_file() and not is_held(self._path):
            with suppress(OSError):  # nor can it be written then, which is complained of
                self._path.unlink()

    def write(self, text: str) -> None:
        """Write it, in the place of what was there; a pipe or a device is written to, and not replaced.

        A pipe that nobody reads, or that is full, is told of in the log.

        Raises:
            ConfigurationError: it cannot be written.
        """
        if self._path is None:
            return
        try:
            if self._path.exists() and not self._path.is_file():
                self._pass(self._path, text.encode())
            else:
                self._replace(self._path, text)
        except OSError as error:
            name = str(self._path)
            raise ConfigurationError(f"{self._flag}: {name!r} cannot be written: {error.strerror}") from error

    def _pass(self, path: Path, data: bytes) -> None:
        is_pipe = path.is_fifo()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            # Without a reader a pipe cannot be opened; one that has gone meanwhile, or does not read, is no
            # better.
            if not is_pipe or error.errno not in _UNREAD:
                raise
            logger.warning("%s: nobody reads the pipe %r; it is not written to", self._flag, str(path))

    def _replace(self, path: Path, text: str) -> None:
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)  # of a process that had this number before
        with ExitStack() as undone:
            undone.callback(temporary.unlink, missing_ok=True)
            # It follows no link that others have put there.
            with temporary.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                held = hold(file.fileno())
            undone.callback(os.close, held)
            written = OwnFile.at(temporary)
            temporary.replace(path)
            undone.pop_all()
        self.let_go()
        self._own, self._held = replace(written, path=path), held

    def let_go(self) -> None:
        """Hold it no more; it stays. For a forked process, which must not seem to be its parent."""
        if self._held is not None:
            os.close(self._held)
        self._held = None

    def remove(self) -> None:
        """Remove it, if it is there and nobody has put another in its place."""
        if self._own is not None:
            self._own.remove()
        self._own = None
        self.let_go()
