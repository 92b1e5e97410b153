"""The command ``aioserve``, which is ``python -m aioserve`` as well.

This file decides what a signal to stop does while there is no server yet, which is as long as it takes to
import what one needs: it ends the process as it would end the server, without a word and with 0.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from aioserve.loading import quickly

if TYPE_CHECKING:
    from types import FrameType

# Who asks for these and stops that has not got the answer, and 0 would say that.
_QUESTIONS = ("--check", "--print-", "--completion")


def main() -> NoReturn:
    """Run the command with the words of the command line and exit."""
    if not any(word.startswith(_QUESTIONS) for word in sys.argv[1:]):
        process = os.getpid()

        def stop(number: int, _frame: FrameType | None) -> None:
            if os.getpid() == process:
                os._exit(0)
            signal.signal(number, signal.SIG_DFL)  # in a worker that does not serve yet
            os.kill(os.getpid(), number)

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
    with quickly():
        from aioserve.cli import main as run  # noqa: PLC0415 - what takes long

    run()


if __name__ == "__main__":
    main()
