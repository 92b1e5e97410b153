"""What the command says, and on which stream.

This file decides that the standard output carries the access log and nothing else, that every message goes to
the standard error, and in which dress each of the two appears: laid out for a person on a terminal, with
priorities for the journal, and as plain lines elsewhere. Without a person to read, rich is never loaded.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from aioserve.error_pages import format_traceback
from aioserve.escaping import escape_controls
from aioserve.observe.access import AccessLog
from aioserve.observe.layouts import choose_format
from aioserve.observe.log_file import LogFile
from aioserve.observe.streams import Output

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from aioserve.observe.access import AccessRecord, CallLater, Format
    from aioserve.observe.console import Screen
    from aioserve.settings import Logs

logger = logging.getLogger("aioserve")

STANDARD_OUTPUT = "-"
"""What stands for it where the path of a file could stand."""

# Those of syslog(3); what is less is 7, debug.
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


class _BlockFormatter(logging.Formatter):
    """Text in which all lines but the first are indented: none that is in a message can pass for one."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; what follows its first line is a traceback or the message's own lines."""
        return escape_controls(super().format(record)).replace("\n", "\n  ")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's
        """Write an exception, whatever its methods do; nothing where there is none."""
        return "" if ei[1] is None else format_traceback(ei[1]).rstrip("\n")


class LineFormatter(_BlockFormatter):
    """Plain lines: ``2026-11-24T06:00:00+0000 INFO message``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")


class JournalFormatter(logging.Formatter):
    """Lines for the journal, which keeps the time itself: ``<6>message`` (sd-daemon(3)).

    Args:
        inner: makes the lines.
    """

    def __init__(self, inner: logging.Formatter | None = None) -> None:
        super().__init__()
        self._inner = inner or _BlockFormatter()

    def format(self, record: logging.LogRecord) -> str:
        """Write a record with its priority before each line, as each becomes an entry of its own."""
        priority = next((priority for level, priority in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in self._inner.format(record).split("\n"))


class OutputHandler(logging.Handler):
    """Writes log messages to an output of the process."""

    def __init__(self, output: Output, formatter: logging.Formatter) -> None:
        super().__init__()
        self._output = output
        self._told = 0  # of the lost lines, as many as somebody was told of
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message; where the stream is broken there is nobody left to tell."""
        try:
            text = self.format(record) + "\n"
        except Exception:  # noqa: BLE001 - a message's arguments are anybody's objects
            self.handleError(record)
        else:
            with contextlib.suppress(OSError, ValueError):
                self._output.write(text, is_block=True)
                if self._output.lost > self._told and not self._output.has_waiting:
                    self._tell_losses()

    def _tell_losses(self) -> None:
        count, self._told = self._output.lost - self._told, self._output.lost
        told = {"levelno": logging.WARNING, "levelname": "WARNING", "msg": f"lines lost before this: {count}"}
        self._output.write(self.format(logging.makeLogRecord(told)) + "\n")


class LoggerSetup:
    """Gives loggers a handler and a level for as long as it is open.

    The tree ``aioserve`` keeps its messages from the root, so that none appears twice. The root gets the same
    handler, for the ``logging.info()`` of a handler class, unless the application has set up logging itself.
    """

    def __init__(self, handler: logging.Handler, level: str) -> None:
        root = logging.getLogger()
        self._handler = handler
        self._before = [(logger, logger.level, logger.propagate)]
        if not root.handlers:
            self._before.append((root, root.level, root.propagate))
        for each, *_ in self._before:
            each.addHandler(handler)
            each.setLevel(level.upper())
        logger.propagate = False

    def close(self) -> None:
        """Leave the loggers as they were."""
        for each, level, propagate in self._before:
            each.removeHandler(self._handler)
            each.setLevel(level)
            each.propagate = propagate


class Observers:
    """What the runner tells about itself, and the access log that it hands to the server.

    Attributes:
        access_log: called with each `AccessRecord`, or None where no access log is wanted.
    """

    def __init__(
        self,
        access_log: AccessLog | None,
        outputs: tuple[Output | LogFile, Output],
        screen: Screen | None,
        setup: LoggerSetup,
    ) -> None:
        self.access_log = access_log
        self._outputs = outputs
        self._screen = screen
        self._setup = setup

    def ready(self, addresses: Sequence[str], served: Sequence[str]) -> None:
        """Say that requests are answered from now on.

        Args:
            addresses: each as ``http://127.0.0.1:43121``, ``http://[::1]:43121`` or ``unix:/run/web.sock``.
            served: the application and the folders, as the user named them.
        """
        if self._screen is None:
            logger.info("listening on %s", ", ".join(addresses))
        else:
            self._show(self._screen.format_start(addresses, served))

    def stopped(self, how: str = "stopped") -> None:
        """Say that the server has come to its end, and ``how``."""
        if self.access_log is not None:
            self.access_log.flush()
        if self._screen is None:
            logger.info("%s", how)
        else:
            self._show(self._screen.format_stop(how))

    def reopen(self) -> None:
        """Open the file of the access log anew, as it may have been moved away."""
        out, _ = self._outputs
        if self.access_log is not None and isinstance(out, LogFile):
            out.reopen(self.access_log.flush)

    def close(self, *, is_copy: bool = False) -> None:
        """Write what is left, and leave logging as it was found; in a forked process, only the latter."""
        out, err = self._outputs
        if self.access_log is not None:
            self.access_log.flush()
            out.close(is_copy=is_copy)
            if self.access_log.dropped:
                logger.warning("access log: %d lines were lost", self.access_log.dropped)
        err.close(is_copy=is_copy)
        self._setup.close()

    def _show(self, text: str) -> None:
        if logger.isEnabledFor(logging.INFO):
            with contextlib.suppress(OSError, ValueError):
                self._outputs[1].write(text)


def open_observers(logs: Logs, *, debug: bool, call_later: CallLater) -> Observers:
    """Set up logging and the access log on the streams of the process.

    Args:
        logs: the section of the settings.
        debug: the exceptions of handlers are drawn with their source where a person reads.
        call_later: ``loop.call_later``, or what behaves like it.
    """
    out = _open_output(logs)
    err = Output(sys.stderr, logs.color)
    err.open()
    is_json = logs.log_format == "json"
    screen = None if is_json else _open_screen(err)
    formatter = _json_formatter(err) if is_json else _formatter(err, screen, debug=debug)
    setup = LoggerSetup(OutputHandler(err, formatter), logs.level)
    # A person sees the line of a request at once, between the messages that belong to it.
    delay = 0.0 if isinstance(out, Output) and out.is_terminal else 0.1
    access_log = None
    if logs.access_log:
        access_log = AccessLog(out, _format(out, logs), call_later, wants=_choose(logs), delay=delay)
    return Observers(access_log, (out, err), screen, setup)


def _choose(logs: Logs) -> Callable[[AccessRecord], bool] | None:
    """Return what tells which requests are logged; None where all are."""
    if not logs.access_log_skip and logs.access_log_sample >= 1 and not logs.slow:
        return None
    from aioserve.observe.selection import Selection  # noqa: PLC0415 - for those who use it

    return Selection(logs.access_log_skip, logs.access_log_sample, logs.slow).wants


def _open_output(logs: Logs) -> Output | LogFile:
    if logs.access_log and logs.access_log_file != STANDARD_OUTPUT:
        return LogFile(logs.access_log_file)
    output = Output(sys.stdout, logs.color)
    if logs.access_log:
        output.open()
    return output


def _open_screen(output: Output) -> Screen | None:
    if not output.is_dressed:
        return None
    from aioserve.observe.console import Screen  # noqa: PLC0415 - rich is loaded only where a person looks

    return Screen(output)


def _formatter(output: Output, screen: Screen | None, *, debug: bool) -> logging.Formatter:
    if screen is not None:
        from aioserve.observe.console import ScreenFormatter  # noqa: PLC0415 - as above

        return ScreenFormatter(screen, debug=debug)
    return JournalFormatter() if output.is_journal else LineFormatter()


def _json_formatter(output: Output) -> logging.Formatter:
    from aioserve.observe.json_messages import JsonFormatter  # noqa: PLC0415 - for those who use it

    return JournalFormatter(JsonFormatter()) if output.is_journal else JsonFormatter()


def _format(output: Output | LogFile, logs: Logs) -> Format:
    if isinstance(output, LogFile):
        return choose_format(logs.access_log_format or "combined")
    name = logs.access_log_format or ("dev" if output.is_terminal else "combined")
    screen = _open_screen(output) if name == "dev" else None
    return choose_format(name) if screen is None else screen.format_request
