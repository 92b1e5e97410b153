"""A real process in a test: started, watched while it runs, and stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 60  # seconds after which a test gives up on a process, also on a slow machine

ROOT = Path(__file__).parents[2]
APPS = Path(__file__).parent / "apps"


def environment(**more):
    """Return the environment of a process that finds this aioserve, and no options of the person testing."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIOSERVE_")}
    return {**own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


class Output:
    """One output stream of a process, read as it comes.

    Attributes:
        text: what has come so far.
    """

    def __init__(self, pipe):
        self.text = ""
        self._pipe = pipe
        self._is_ended = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for(self, pattern):
        """Wait until a regular expression is found in the text, and return the match."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_ended or re.search(pattern, self.text), PATIENCE)
        found = re.search(pattern, self.text)
        assert found, f"{pattern!r} did not come; this did:\n{self.text}"
        return found

    def wait_end(self):
        """Wait until whoever writes it has closed it."""
        self._thread.join(PATIENCE)

    def _read(self):
        with self._pipe:
            while data := self._pipe.read1():
                self._add(data.decode(errors="replace"), is_ended=False)
        self._add("", is_ended=True)

    def _add(self, text, *, is_ended):
        with self._changed:
            self.text += text
            self._is_ended = is_ended
            self._changed.notify_all()


class Program:
    """A process, with nothing to read, whose output is kept.

    Args:
        words: of its command line.
        cwd: the folder it runs in.
        env: its environment.
        **more: for `subprocess.Popen`.
    """

    def __init__(self, words, *, cwd, env=None, **more):
        self._process = subprocess.Popen(
            [str(word) for word in words],
            cwd=cwd,
            env=env or environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )
        self.pid = self._process.pid
        self.stdout = Output(self._process.stdout)
        self.stderr = Output(self._process.stderr)

    @property
    def is_running(self):
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, number):
        """Send a signal."""
        self._process.send_signal(number)

    def ends_within(self, seconds):
        """Wait for its end for a while, and tell whether it has come."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def wait(self):
        """Wait until it has ended, and return its exit code."""
        code = self._process.wait(PATIENCE)
        self.stdout.wait_end()
        self.stderr.wait_end()
        return code

    def stop(self, number=signal.SIGTERM):
        """Ask it to stop, and return its exit code."""
        self.send(number)
        return self.wait()

    def kill(self):
        """End it if it still runs."""
        if self.is_running:
            self._process.kill()
            self.wait()


class Server(Program):
    """The command ``aioserve``, serving.

    Args:
        words: of its command line, without those for loop and port.
        cwd: the folder it runs in.
        loop: ``asyncio`` or ``uvloop``.
        port_file: a file that is not there yet.
        **more: for `subprocess.Popen`.

    Attributes:
        port: where it listens.
        url: the same, as a URL without a slash at its end.
    """

    def __init__(self, words, *, cwd, loop, port_file, **more):
        own = ["--uvloop" if loop == "uvloop" else "--no-uvloop", "--port", "0", "--port-file", port_file]
        super().__init__([sys.executable, "-m", "aioserve", *words, *own], cwd=cwd, **more)
        self.port_file = port_file
        try:
            self.url = self.stderr.wait_for(r"listening on (https?://\S+)\n")[1]
            self.port = int(port_file.read_text(encoding="ascii"))
        except BaseException:
            self.kill()
            raise

    def stop_cleanly(self):
        """Ask it to stop, and see that it does so as it should."""
        code = self.stop()
        assert "Traceback" not in self.stderr.text, self.stderr.text
        assert code == 0, self.stderr.text
        assert "INFO stopped" in self.stderr.text.splitlines()[-1], self.stderr.text
        assert not self.port_file.exists()
