"""The four code blocks of the seed, as printed and in the form of today.

Only the names of what is imported are replaced: ours for aiohttp's, and our decorator for the one that Python
no longer has.
"""

from __future__ import annotations

import re
import signal
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.system.clients import Ask, ask_http_client

HERE = Path(__file__).parent


def code_blocks(text):
    """Return the code of a reStructuredText document, block by block."""
    found = re.findall(r"^ \.\. code-block:: python\n((?:\n|    .*\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block).strip() + "\n" for block in found]


def as_printed(code):
    return code.replace("asyncio.coroutine", "aioserve.coroutine").replace("aiohttp", "aioserve")


def as_async_def(code):
    code = re.sub(r"@asyncio\.coroutine\n +def ", "async def ", code)
    return code.replace("yield from ", "await ").replace("aiohttp", "aioserve")


START, MAIN, GET_PARAMS, POST_DATA = code_blocks((HERE / "seed" / "aiohttp-server.rst").read_text())
ASKS = [
    Ask("/"),
    Ask("/path?name=Ada&name=Grace&year=1843"),
    Ask("/", "POST", {"Content-Type": "application/x-www-form-urlencoded"}, b"name=Ada&year=1843"),
    Ask("/", "HEAD"),
]


@dataclass(frozen=True)
class Sample:
    """A handler of the seed, and what comes of `ASKS`: each answer's body, and what is printed.

    Attributes:
        length: the Content-Length of each answer.
    """

    code: str
    body: bytes
    length: str
    prints: tuple[str, ...] = ()


SAMPLES = {
    "run a basic server": Sample(START, b"<h1>It Works!</h1>", "18"),
    "handling GET params": Sample(
        START + GET_PARAMS,
        b"",
        "0",
        (
            "Passed in GET <MultiDict()>",
            "Passed in GET <MultiDict('name': 'Ada', 'name': 'Grace', 'year': '1843')>",
            "Passed in GET <MultiDict()>",
            "Passed in GET <MultiDict()>",
        ),
    ),
    "handling POST data": Sample(
        START + POST_DATA,
        b"",
        "0",
        (
            "Passed in POST <MultiDict()>",
            "Passed in POST <MultiDict()>",
            "Passed in POST <MultiDict(b'name': b'Ada', b'year': b'1843')>",
            "Passed in POST <MultiDict()>",
        ),
    ),
}


@pytest.fixture(params=SAMPLES.values(), ids=SAMPLES)
def sample(request):
    return request.param


@pytest.fixture(params=[as_printed, as_async_def])
def form(request):
    """Each form of the code in turn: a function that puts it into that form."""
    return request.param


def must_be_answered(url, sample):
    for ask, reply in zip(ASKS, ask_http_client(url, ASKS), strict=True):
        assert reply.status == 200
        assert reply.body == (b"" if ask.method == "HEAD" else sample.body)
        assert reply.headers["content-length"] == sample.length
        assert "connection" not in reply.headers  # it is kept


def prints_of(program):
    return tuple(line for line in program.stdout.text.splitlines() if line.startswith("Passed in"))


def test_seed_runs_under_the_command(serve, tmp_path, sample, form):
    (tmp_path / "program.py").write_text(form(sample.code))
    server = serve("program:HttpRequestHandler")

    must_be_answered(server.url, sample)

    server.stop_cleanly()
    assert prints_of(server) == sample.prints


def test_seed_runs_in_its_own_loop(start, loop, tmp_path, sample, form):
    (tmp_path / "program.py").write_text(form(sample.code + MAIN))
    program = start(sys.executable, HERE / "seed_driver.py", loop, "program.py")
    port = program.stdout.wait_for(r"serving on \('127\.0\.0\.1', (\d+)\)")[1]

    must_be_answered(f"http://127.0.0.1:{port}", sample)

    assert program.stop(signal.SIGINT) == 0
    assert program.stderr.text == ""
    assert prints_of(program) == sample.prints


def test_forms_differ():
    assert "yield from" in as_printed(START)
    assert "@aioserve.coroutine" in as_printed(START)
    assert as_async_def(START).count("async def") == as_async_def(START).count("await") == 1
    assert "coroutine" not in as_async_def(START + GET_PARAMS + POST_DATA)
