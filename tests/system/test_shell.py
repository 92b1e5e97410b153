"""The command in a shell script."""

from __future__ import annotations

import shutil

import pytest

from tests.system.program import ROOT

SCRIPT = """
aioserve {root}/examples/hello.py:Handler {loop} --port 0 --port-file p &
server=$!
while ! [ -e p ]; do sleep 0.05; done
curl --silent --show-error --fail --noproxy '*' "http://127.0.0.1:$(cat p)/"
kill -INT $server
wait $server
echo "exit code $?"
[ ! -e p ]
"""


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed (Debian: apt install curl)")
@pytest.mark.parametrize("name", ["sh", "bash"])
def test_script_starts_it_asks_it_and_stops_it(start, loop, command, name):
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    option = "--uvloop" if loop == "uvloop" else "--no-uvloop"
    script = SCRIPT.format(root=ROOT, loop=option)

    shell = start(name, "-e", "-c", script, env=command)

    assert shell.wait() == 0
    assert shell.stdout.text.startswith("Hello, World!\n")
    assert shell.stdout.text.endswith("exit code 0\n")
    assert "Traceback" not in shell.stderr.text
