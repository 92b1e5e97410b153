"""The view while it is open: snapshots and keys come in, pictures go out.

This file decides what ends a view, what its keys do, and how often it draws. Nothing of the server is known
here but the lines that come from it.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from aioserve.live.lines import glyphs_for
from aioserve.live.panels import Scene
from aioserve.live.picture import draw_picture
from aioserve.live.rates import History

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.live.stream import Stream
    from aioserve.live.terminal import Terminal

MESSAGES = 200
"""The last lines of the server's that are kept."""

_PAUSE = 0.1  # seconds between two pictures at least: messages can come by the thousand
_QUIT = b"qQ"


class End(Enum):
    """Why a view has ended."""

    QUIT = "somebody wanted that"
    OVER = "nothing comes any more"


class Wakeups:
    """Signals to be waited for beside other things.

    Args:
        numbers: of them.
        ignored: of others that are to do nothing.
    """

    def __init__(self, numbers: tuple[int, ...], ignored: tuple[int, ...] = ()) -> None:
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
        self._before |= {number: signal.signal(number, lambda *_: None) for number in numbers}
        signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return what becomes readable when one has come."""
        return self._reading.fileno()

    def taken(self) -> bytes:
        """Take the numbers of those that have come."""
        with suppress(BlockingIOError):
            return self._reading.recv(4096)
        return b""

    def close(self) -> None:
        """Let them do what they did before."""
        signal.set_wakeup_fd(-1)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reading.close()
        self._writing.close()


class Viewer:
    """One view.

    Args:
        stream: what comes from the server.
        terminal: what is drawn on; it is open.
        wakeups: signals; SIGWINCH draws anew, all others end the view.
        keys: says what the keys do, of the state of the server.
        on_quit: called for the key ``q``; returns whether that ends the view.
        clock: tells seconds.
    """

    def __init__(
        self,
        stream: Stream,
        terminal: Terminal,
        wakeups: Wakeups,
        *,
        keys: Callable[[str], str],
        on_quit: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._terminal = terminal
        self._wakeups = wakeups
        self._keys = keys
        self._on_quit = on_quit
        self._clock = clock
        self._glyphs = glyphs_for(terminal.encoding)
        self._history = History()
        self._messages: deque[str] = deque(maxlen=MESSAGES)
        self._must_draw = False
        self._drawn = 0.0
        self._end: End | None = None

    def run(self) -> End:
        """Show what comes until something ends it; also when the terminal has gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._stream, selectors.EVENT_READ, self._read_stream)
            selector.register(self._wakeups, selectors.EVENT_READ, self._take_signals)
            with suppress(OSError, ValueError):  # a file can be no keyboard
                selector.register(
                    self._terminal.keyboard, selectors.EVENT_READ, lambda: self._read_keys(selector)
                )
            with suppress(OSError):
                while self._end is None:
                    for key, _ in selector.select(self._pause()):
                        key.data()
                    self._draw()
        return self._end or End.QUIT

    def _pause(self) -> float | None:
        return max(self._drawn + _PAUSE - self._clock(), 0.0) if self._must_draw else None

    def _draw(self) -> None:
        latest = self._history.latest
        if not self._must_draw or latest is None or self._clock() < self._drawn + _PAUSE:
            return
        self._must_draw = False
        self._drawn = self._clock()
        size = self._terminal.size
        scene = Scene(self._history, latest, tuple(self._messages), self._keys(latest.state), self._glyphs)
        self._terminal.show(draw_picture(scene, *size), size)

    def _read_stream(self) -> None:
        said = self._stream.read()
        if said is None:
            self._end = self._end or End.OVER
            return
        for each in said:
            if isinstance(each, str):
                self._messages.append(each)
            else:
                self._history.add(each)
            self._must_draw = self._history.latest is not None

    def _read_keys(self, selector: selectors.BaseSelector) -> None:
        keys = os.read(self._terminal.keyboard, 4096)
        if not keys:
            selector.unregister(self._terminal.keyboard)
        elif any(key in _QUIT for key in keys) and self._on_quit():
            self._end = End.QUIT

    def _take_signals(self) -> None:
        for number in self._wakeups.taken():
            if number == signal.SIGWINCH:
                self._must_draw = self._history.latest is not None
            else:
                self._end = End.QUIT
