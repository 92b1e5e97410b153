"""The process that draws for ``--live``.

This file decides what such a process has: the terminal, one end of a pair of sockets, and nothing else of the
server's. What it wants it says there, with the letter ``q``; signals that a terminal sends to all are for the
server, which ends the view when it has ended itself.
"""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import ExitStack, closing, suppress

from aioserve.live.modes import DONE, QUIT
from aioserve.live.stream import Stream
from aioserve.live.terminal import Terminal
from aioserve.live.viewer import End, Viewer, Wakeups

_ENDS = (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP)
_NOT_OURS = (signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTSTP)


def main() -> None:
    """Show what comes from the parent.

    The words of the command line are the number of the descriptor that it comes from, and ``colour`` where
    colours are wanted. The standard output is the terminal.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})  # which the parent has wait
    with ExitStack() as undone:
        wakeups = undone.enter_context(closing(Wakeups(_ENDS, _NOT_OURS)))
        stream = undone.enter_context(closing(Stream(socket.socket(fileno=int(sys.argv[1])))))
        terminal = Terminal(
            sys.stdin.fileno(),
            sys.stdout.fileno(),
            encoding=sys.stdout.encoding,
            is_coloured="colour" in sys.argv,
        )
        undone.callback(_say_done, stream)
        undone.enter_context(closing(terminal))
        terminal.open()

        def ask_to_stop() -> bool:
            stream.say(QUIT)
            return False  # it is shown until the server has ended

        end = Viewer(stream, terminal, wakeups, keys=_keys, on_quit=ask_to_stop).run()
    sys.exit(0 if end is End.OVER else 1)


def _say_done(stream: Stream) -> None:
    with suppress(OSError):  # the server is gone
        stream.say(DONE)


def _keys(state: str) -> str:
    if state == "stopping":
        return "q or Ctrl+C again stops at once"
    return "q or Ctrl+C stops the server"
