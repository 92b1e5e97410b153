"""One generation of workers takes the place of another, or cannot; with a real server."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.system.program import APPS
from tests.system.test_workers import Client, answer_of, on_path, wait_gone


def test_reload_lets_answers_take_as_long_as_they_need(serve):
    """Only the end of the server has a limit."""
    server = serve(f"{APPS}/stopping.py:Handler", "--timeout-shutdown", "0")
    with Client(server).connect() as slow:
        slow.putrequest("POST", "/echo")
        slow.putheader("Content-Length", "4")
        slow.endheaders(b"he")
        assert Client(server).ask("/hello")
        server.send(signal.SIGHUP)
        server.stderr.wait_for("INFO reloaded\n")
        assert not server.ends_within(2.5)  # nothing ends; an old worker would have been killed after two
        server.send(signal.SIGHUP)
        server.stderr.wait_for("old workers that still finish what they have: 1\n")
        slow.send(b"re")
        assert slow.getresponse().read() == b"here"


def test_worker_that_a_person_ends_is_replaced_and_no_client_is_cut_off(serve):
    """A client that is idle may be about to ask, and is answered once more."""
    server = serve(f"{APPS}/workers.py:Handler")
    client = Client(server)
    with client.connect() as idle:
        before = int(answer_of(idle))
        os.kill(before, signal.SIGTERM)
        while client.workers(1) == {before}:
            pass
        assert int(answer_of(idle)) == before
    wait_gone(before)


HANGS = "import asyncio\nasyncio.run(asyncio.sleep(3600))\n"


def test_reload_that_hangs_is_given_up(serve, tmp_path):
    code = tmp_path / "app.py"
    code.write_text((APPS / "workers.py").read_text())
    server = serve("app:Handler", "--timeout-start", "1s")
    (before,) = Client(server).workers(1)
    code.write_text(HANGS)
    server.send(signal.SIGHUP)

    server.stderr.wait_for("has not come to serve within --timeout-start and is ended")
    server.stderr.wait_for(r'File ".*/app.py", line 2')  # of its stack
    server.stderr.wait_for("not reloaded: ")
    assert Client(server).workers(1) == {before}


def test_start_that_hangs_is_a_failure(start, tmp_path):
    (tmp_path / "app.py").write_text(HANGS)
    program = start("aioserve", "app:Handler", "--port", "0", "--timeout-start", "1s", env=on_path())

    assert program.wait() == 3
    assert 'app.py", line 2' in program.stderr.text


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import os; os._exit(7)", "the application ended the process while it was imported (exit code 7)"),
        (
            "import os; os.kill(os.getpid(), 9)",
            "the process was ended by SIGKILL while the application was imported",
        ),
    ],
)
def test_module_that_ends_the_process_is_told_of(start, tmp_path, code, message):
    (tmp_path / "app.py").write_text(code)
    program = start("aioserve", "app:Handler", "--port", "0", env=on_path())

    assert program.wait() == 3
    assert message in program.stderr.text


def test_mistake_in_what_is_loaded_anew_is_told_in_the_log(serve, tmp_path):
    code = tmp_path / "app.py"
    code.write_text((APPS / "workers.py").read_text())
    server = serve("app:Handler")
    code.write_text("def broken(:\n")
    server.send(signal.SIGHUP)

    server.stderr.wait_for("not reloaded: ")
    assert re.search(r"T\S+ ERROR app cannot be imported: .*\n +File ", server.stderr.text)
