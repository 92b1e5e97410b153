"""A terminal of tmux, its screen taken as text."""

from __future__ import annotations

import re
import subprocess
import time

from tests.system.program import PATIENCE


class Terminal:
    """A terminal in which a command runs."""

    def __init__(self, folder, command, environment):
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "tmux")]
        size = ["-x", "100", "-y", "50"]
        words = [*self._tmux, "new-session", "-d", *size, f"{command}; echo exit code $?; exec cat"]
        subprocess.run(words, cwd=folder, env={**environment, "TERM": "screen"}, check=True)

    def _run(self, *words):
        done = subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def resize(self, columns, lines):
        self._run("resize-window", "-x", str(columns), "-y", str(lines))

    @property
    def shell(self):
        """The number of the process that has started the command."""
        return int(self._run("list-panes", "-F", "#{pane_pid}"))

    def press(self, key):
        self._run("send-keys", key)

    def wait_for(self, pattern):
        """Wait until a regular expression is found on the screen; return the match and the screen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self._run("capture-pane", "-p")
            if found := re.search(pattern, screen, re.MULTILINE):
                return found, screen
        raise AssertionError(screen)

    def close(self):
        self._run("kill-server")
