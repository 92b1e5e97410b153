"""Runs a program as ``python program.py`` does, on a loop of a given kind and at a port that is free.

The seed's program asks for the loop and creates its server at port '8080', all in its own text.
"""

from __future__ import annotations

import asyncio
import runpy
import signal
import sys


def adapt(kind):
    """Make a kind of loop for the test's needs."""

    class Loop(kind):
        def create_server(self, factory, host, port):
            if (host, port) != ("0.0.0.0", "8080"):  # noqa: S104 - what the seed says
                raise ValueError((host, port))
            return super().create_server(factory, "127.0.0.1", "0")

        def run_forever(self):
            # Between two callbacks: uvloop loses a KeyboardInterrupt that is raised inside of a protocol's.
            self.add_signal_handler(signal.SIGINT, signal.default_int_handler, signal.SIGINT, None)
            super().run_forever()

    return Loop


if __name__ == "__main__":
    loop_name, program = sys.argv[1:]
    kind = asyncio.SelectorEventLoop
    if loop_name == "uvloop":
        import uvloop

        kind = uvloop.Loop
    asyncio.set_event_loop(adapt(kind)())
    runpy.run_path(program, run_name="__main__")
