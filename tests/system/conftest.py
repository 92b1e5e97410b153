"""What the tests with real processes share."""

from __future__ import annotations

import contextlib
import os
import sys
from importlib.util import find_spec

import pytest

from tests.system.browser import Browser
from tests.system.program import Program, Server, environment

LOOPS = [
    "asyncio",
    pytest.param(
        "uvloop", marks=pytest.mark.skipif(not find_spec("uvloop"), reason="uvloop is not installed")
    ),
]


@pytest.fixture(scope="session", params=LOOPS)
def loop(request):
    """Each event loop in turn, by name."""
    return request.param


@pytest.fixture(scope="module")
def serve_all_along(loop, tmp_path_factory):
    """Start servers that serve the tests of a file; in the end each must stop cleanly."""
    with contextlib.ExitStack() as running:

        def start(*words, **more):
            folder = tmp_path_factory.mktemp("server")
            server = Server(words, loop=loop, cwd=folder, port_file=folder / "port", **more)
            running.callback(server.kill)
            running.callback(server.stop_cleanly)
            return server

        yield start


@pytest.fixture
def serve(loop, tmp_path):
    """Start servers for one test; in the end each that still runs must stop cleanly."""
    with contextlib.ExitStack() as running:

        def start(*words, **more):
            port_file = tmp_path / f"port-{len(servers)}"
            server = Server(words, **{"loop": loop, "cwd": tmp_path, "port_file": port_file} | more)
            servers.append(server)
            running.callback(_stop, server)
            return server

        servers = []
        yield start


@pytest.fixture
def start(tmp_path):
    """Start programs for one test; in the end none may be left."""
    with contextlib.ExitStack() as running:

        def start(*words, **more):
            program = Program(words, **{"cwd": tmp_path} | more)
            running.callback(program.kill)
            return program

        yield start


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    """A page that in the end must have had nothing to complain about."""
    with browser.page() as page:
        yield page
        assert page.complaints == []


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """An environment in which ``aioserve`` is this one, also where none is installed, and ``python`` ours."""
    folder = tmp_path_factory.mktemp("bin")
    for name, words in (("aioserve", "-m aioserve"), ("python", "")):
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        script.chmod(0o755)
    return environment(PATH=os.pathsep.join([str(folder), os.environ["PATH"]]))


def _stop(server):
    try:
        if server.is_running:
            server.stop_cleanly()
    finally:
        server.kill()
