"""The code blocks of aiohttp's page of 2014 run, with nothing changed but the names of what is imported."""

from __future__ import annotations

import re
import signal
import sys
import textwrap
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.system.program import PATIENCE, environment

PAGE = (Path(__file__).parent / "seed" / "aiohttp-server.rst").read_text(encoding="utf-8")
HELLO, SERVE, GET_PARAMETERS, POST_DATA = (
    textwrap.dedent(block) for block in re.findall(r"\.\. code-block:: python\n\n((?:[ \t].*\n|\n)+)", PAGE)
)
# The third and fourth block use what the first one imported.
IMPORTS = "import asyncio\nimport aiohttp\nimport aiohttp.server\n"
HANDLERS = {"hello": HELLO, "get": IMPORTS + GET_PARAMETERS, "post": IMPORTS + POST_DATA}


def as_printed(block):
    """Substitute the names of what is imported; asyncio's decorator is gone since Python 3.11."""
    return block.replace("asyncio.coroutine", "aioserve.coroutine").replace("aiohttp", "aioserve")


def as_async_def(block):
    """Write the same for ``async`` and ``await``."""
    block = re.sub(r"^ *@asyncio\.coroutine\n", "", block, flags=re.MULTILINE)
    return (
        as_printed(block)
        .replace("def handle_request", "async def handle_request")
        .replace("yield from", "await")
    )


def ask(connection):
    """Ask for a page, for one with parameters, and with a form; return the statuses and bodies."""
    answers = []
    for method, target, body in [("GET", "/", None), ("GET", "/?a=1&b=2", None), ("POST", "/", b"x=1&y=2")]:
        connection.request(method, target, body)
        answer = connection.getresponse()
        answers.append((answer.status, answer.read()))
    return answers


def check(name, answers, printed):
    body = b"<h1>It Works!</h1>" if name == "hello" else b""
    assert answers == [(200, body)] * 3
    if name == "get":
        assert "Passed in GET <MultiDict('a': '1', 'b': '2')>" in printed
    if name == "post":
        assert "Passed in POST <MultiDict(b'x': b'1', b'y': b'2')>" in printed


forms = pytest.mark.parametrize("form", [as_printed, as_async_def])
handlers = pytest.mark.parametrize("name", HANDLERS)


@forms
@handlers
def test_under_the_command(serve, tmp_path, form, name):
    (tmp_path / "seed.py").write_text(form(HANDLERS[name]), encoding="utf-8")
    server = serve("seed:HttpRequestHandler", "--no-access-log")

    with closing(HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as connection:
        answers = ask(connection)
    server.stop_cleanly()

    check(name, answers, server.stdout.text)


OWN_LOOP = """
import asyncio
import sys

if sys.argv[1] == "uvloop":
    import uvloop
    asyncio.set_event_loop(uvloop.new_event_loop())
else:
    asyncio.set_event_loop(asyncio.new_event_loop())
"""


@forms
@handlers
def test_under_its_own_loop(start, loop, tmp_path, form, name):
    """The page's second block, with a port that is free instead of 8080, and a loop that is there."""
    script = OWN_LOOP + form(HANDLERS[name]) + form(SERVE).replace("'8080'", "'0'")
    (tmp_path / "seed.py").write_text(script, encoding="utf-8")
    program = start(sys.executable, "seed.py", loop, env=environment())
    port = int(program.stdout.wait_for(r"serving on \('0\.0\.0\.0', (\d+)\)")[1])

    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        answers = ask(connection)
        code = program.stop(signal.SIGINT)

    check(name, answers, program.stdout.text)
    assert code == 0
    assert "Error" not in program.stderr.text
