"""The terminal while a view has it.

This file decides what becomes of everything that the server and its workers, their libraries and the programs
that they start write meanwhile: it goes through a pipe to the parent, which hands it to the view and writes
it to the terminal when the view has ended. Before there is a view, and when it has gone, the terminal gets
it at once. Whatever becomes of the view, the terminal is left as it was found.
"""

from __future__ import annotations

import logging
import os
import re
import selectors
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import TYPE_CHECKING

import aioserve
from aioserve.live.modes import DONE, LEAVE, QUIT, Modes
from aioserve.live.stream import message_line
from aioserve.observe.sinks import Sink
from aioserve.observe.streams import Output

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_STDOUT, _STDERR = 1, 2
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_AT_ONCE = 1 << 16  # bytes read
_LAST_READS = 32  # of that, in the end: more than a pipe has, and not for ever
_KEPT = 500  # lines that are written to the terminal when the view has ended
_LONGEST = 4096  # bytes of a line that is handed to the view
_PATIENCE = 2.0  # seconds for the view to end

# -P: the folder that somebody is in has modules of theirs. Where aioserve is comes last, behind all others'.
_COMMAND = "import sys; sys.path.append(sys.argv.pop(1)); from aioserve.live.child import main; main()"


def has_terminal() -> bool:
    """Whether there is a terminal that a view can be drawn on: that of the standard error, and it is ours."""
    if not Output(sys.stderr).is_terminal or os.environ.get("TERM") == "dumb":
        return False
    try:
        return os.tcgetpgrp(_STDERR) == os.getpgrp()  # else a shell has it, and we are behind its `&`
    except OSError:  # it is not the terminal of this session
        return False


class Stage:
    """The standard error, and the standard output where it is a terminal, from now on.

    Args:
        is_coloured: colours are wanted.
    """

    def __init__(self, *, is_coloured: bool) -> None:
        self._is_coloured = is_coloured
        self._keyboard = Modes(0)
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._saved = {number: os.dup(number) for number in (_STDOUT, _STDERR) if _is_ours(number)}
        for number in self._saved:
            os.dup2(writing, number)
        os.close(writing)
        self._terminal = Sink(self._saved[_STDERR])
        self._selector: selectors.BaseSelector | None = None
        self._on_quit: Callable[[], None] = lambda: None
        self._view: Popen[bytes] | None = None
        self._pair: socket.socket | None = None
        self._rest = b""
        self._kept: deque[bytes] = deque(maxlen=_KEPT)
        self._left_out = 0

    @property
    def is_on(self) -> bool:
        """Whether there is a view."""
        return self._pair is not None

    @property
    def has_output(self) -> bool:
        """Whether the standard output is the terminal, too."""
        return _STDOUT in self._saved

    def attend(self, selector: selectors.BaseSelector, on_quit: Callable[[], None]) -> None:
        """Take what is written from now on; ``on_quit`` is called when somebody wants the server to stop."""
        self._selector = selector
        self._on_quit = on_quit
        selector.register(self._reading, selectors.EVENT_READ, self._take_written)

    def begin(self) -> None:
        """Start the view.

        Raises:
            OSError: there are no descriptors or processes left.
        """
        assert self._selector is not None  # noqa: S101 - `attend` comes first
        # Each line is whole or not there: a view that cannot follow misses some.
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        folder = str(Path(aioserve.__file__).parents[1])
        words = [sys.executable, "-P", "-c", _COMMAND, folder, str(theirs.fileno())]
        with theirs:
            try:
                self._view = Popen(  # noqa: S603 - these words are ours
                    words + ["colour"] * self._is_coloured,
                    pass_fds=(theirs.fileno(),),
                    stdout=self._saved[_STDERR],
                )
            except OSError:
                ours.close()
                raise
        self._pair = ours
        self._selector.register(ours, selectors.EVENT_READ, self._hear)

    def tell(self, line: bytes) -> None:
        """Hand a line to the view; one that does not follow misses it."""
        if self._pair is not None:
            with suppress(OSError):
                self._pair.send(line)

    def close(self, *, is_copy: bool = False) -> None:
        """End the view, and leave the terminal as it was found; in a forked process, only let go."""
        if is_copy:
            if self._pair is not None and self._view is not None:
                self._pair.close()
                self._view.returncode = 0  # it is no child of this process
            self._terminal.close(is_copy=True)
            for each in (self._reading, *self._saved.values()):
                os.close(each)
            return
        self._end_view()
        for _ in range(_LAST_READS):
            self._take_written()
        for number, saved in self._saved.items():
            os.dup2(saved, number)
        self._write(self._rest + b"\n" if self._rest else b"")
        self._terminal.close()
        for each in (self._reading, *self._saved.values()):
            os.close(each)

    # What is written meanwhile

    def _take_written(self) -> None:
        """Take a piece, and no more: who writes without end must not keep the parent from its other work."""
        with suppress(BlockingIOError):
            data = os.read(self._reading, _AT_ONCE)
            if self.is_on:
                self._keep(data)
            else:
                self._write(data)

    def _keep(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _AT_ONCE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._left_out += len(self._kept) == _KEPT
            self._kept.append(line)
            text = _COLOUR.sub("", line[:_LONGEST].decode("utf-8", "replace")).rstrip()
            if text:
                self.tell(message_line(text))

    def _write(self, data: bytes) -> None:
        with suppress(OSError):
            self._terminal.write(data)

    # The view

    def _hear(self) -> None:
        """Do what the view wants; when it has gone by itself, the server goes on without."""
        said = _receive(self._pair)
        if said == QUIT:
            self._on_quit()
        else:
            self._end_view(is_restored=said == DONE)
            logger.warning("the view has ended; the server goes on")

    def _end_view(self, *, is_restored: bool = False) -> None:
        pair, view = self._pair, self._view
        if pair is None or view is None or self._selector is None:
            return
        self._selector.unregister(pair)
        is_restored = is_restored or _wait_for_end(pair)
        self._pair = self._view = None
        pair.close()
        try:
            view.wait(_PATIENCE if is_restored else 0)
        except TimeoutExpired:
            view.kill()
            view.wait()
        if not is_restored:
            with suppress(OSError):
                os.write(self._saved[_STDERR], LEAVE)
            self._keyboard.restore()
        if self._left_out:
            self._write(b"(%d lines before these are left out)\n" % self._left_out)
        self._write(b"".join(line + b"\n" for line in self._kept))
        self._kept.clear()
        self._left_out = 0


def _wait_for_end(pair: socket.socket) -> bool:
    """Have the view end, and return whether it has left the terminal as it was."""
    with suppress(OSError):
        pair.shutdown(socket.SHUT_WR)
    pair.settimeout(_PATIENCE)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and (said := _receive(pair)):
        if said == DONE:
            return True
    return False


def _receive(pair: socket.socket | None) -> bytes:
    try:
        return b"" if pair is None else pair.recv(16)
    except OSError:
        return b""


def _is_ours(number: int) -> bool:
    return number == _STDERR or os.isatty(number)
