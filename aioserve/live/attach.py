"""Looking at a server from outside, by its control socket.

This file decides what a person sees, what a script reads, and how it ends.
"""

from __future__ import annotations

import signal
import socket
import sys
from contextlib import ExitStack, closing, suppress

from aioserve.errors import AttachError
from aioserve.live.plain import format_line
from aioserve.live.rates import History
from aioserve.live.stream import Stream
from aioserve.observe.streams import Output

_ENDS = (signal.SIGWINCH, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def attach(path: str, color: str = "auto") -> str:
    """Show the server at a control socket until one of them ends.

    Args:
        path: of the socket.
        color: ``auto``, ``always`` or ``never``.

    Returns:
        What is to be said of the end; empty where somebody wanted it.

    Raises:
        AttachError: nobody listens there, or the server goes on and does not want us any more.
    """
    with closing(connect(path)) as stream, closing(Output(sys.stdout, color)) as output:
        is_over = show(stream, output) if output.is_terminal else print_lines(stream, output)
    if not is_over:
        return ""
    try:
        connect(path).close()
    except AttachError:
        return "the server has ended"
    raise AttachError(f"{path} has left this view: it was too slow, or too many look on")


def connect(path: str) -> Stream:
    """Connect to a control socket.

    Raises:
        AttachError: nobody listens there.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise AttachError(f"cannot attach to {path}: {_explain(error)}") from None
    return Stream(sock)


def show(stream: Stream, output: Output) -> bool:
    """Show a picture until somebody has enough of it; return whether the server has ended it."""
    from aioserve.live.terminal import Terminal  # noqa: PLC0415 - rich is loaded only where a person looks
    from aioserve.live.viewer import End, Viewer, Wakeups  # noqa: PLC0415 - as above

    assert output.stream is not None  # noqa: S101 - it is a terminal
    screen = output.stream.fileno()
    with ExitStack() as undone:
        wakeups = undone.enter_context(closing(Wakeups(_ENDS)))
        terminal = Terminal(
            _keyboard(screen), screen, encoding=output.encoding, is_coloured=output.is_coloured
        )
        undone.enter_context(closing(terminal))
        terminal.open()
        viewer = Viewer(
            stream,
            terminal,
            wakeups,
            keys=lambda _state: "q ends the view; the server goes on",
            on_quit=lambda: True,
        )
        return viewer.run() is End.OVER


def print_lines(stream: Stream, output: Output) -> bool:
    """Print a line for each second; return whether the server has ended it."""
    history = History()
    with suppress(KeyboardInterrupt, OSError):  # somebody has enough of it, or nobody reads it any more
        while (said := stream.read()) is not None:
            for each in said:
                if isinstance(each, str):
                    continue
                is_first = history.latest is None
                history.add(each)
                if not is_first:
                    output.write(format_line(history, each) + "\n")
        return True
    return False


def _keyboard(screen: int) -> int:
    """Return the descriptor that keys come from: the standard input, where it is open."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, ValueError, OSError):
        return screen


def _explain(error: OSError) -> str:
    if error.errno is None:  # said by Python, before the system is asked
        return "the path is too long for a socket"
    return f"{error.strerror}; is a server running with --control?"
