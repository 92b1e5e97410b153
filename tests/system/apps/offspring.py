"""A handler that makes processes, as handlers do that leave work to them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import time

import aioserve

FOR_EVER = 3600
FORK = multiprocessing.get_context("fork")


def pool():
    with FORK.Pool(2) as made:
        return made.map(abs, [-1, 2])


def terminate():
    made = FORK.Process(target=time.sleep, args=(FOR_EVER,))
    made.start()
    made.terminate()
    made.join()
    return made.exitcode


def program():
    made = subprocess.Popen(["sleep", str(FOR_EVER)])
    made.terminate()
    return made.wait()


def stay():
    """Make a process that the server does not know of, and that nothing but a signal ends."""
    pid = os.fork()
    if not pid:
        signal.sigwait([signal.SIGUSR1])
        os._exit(0)
    return pid


MAKE = {"/pool": pool, "/terminate": terminate, "/program": program, "/stay": stay}


class Handler(aioserve.ServerHttpProtocol):
    def handle_request(self, message, _payload):
        make = MAKE.get(message.path, os.getpid)
        self.writer.write_response(200, f"{make()}\n")
