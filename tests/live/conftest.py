"""What the tests of the view share."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import time

import pytest


@pytest.fixture
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class Pty:
    """A terminal: what is typed goes into one end, and the program has the other."""

    def __init__(self):
        self.person, self.program = pty.openpty()
        os.set_blocking(self.person, False)
        self.resize(80, 24)

    def resize(self, columns, lines):
        fcntl.ioctl(self.program, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys):
        os.write(self.person, keys)

    def shown(self):
        """Return what has been written since the last time."""
        whole = b""
        try:
            while data := os.read(self.person, 1 << 16):
                whole += data
        except BlockingIOError:
            pass
        return whole.decode()

    def close(self):
        os.close(self.person)
        os.close(self.program)


@pytest.fixture
def terminal_pair():
    pair = Pty()
    yield pair
    pair.close()
