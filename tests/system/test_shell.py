"""The command in a shell script: started with `&`, waited for, asked, and stopped by SIGINT."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.system.program import PATIENCE, ROOT, environment

SCRIPT = """
set -e
"$PYTHON" -m aioserve "$EXAMPLES/hello.py:Handler" --port 0 --port-file p &
server=$!
while ! [ -s p ]; do sleep 0.05; done
curl -s "http://127.0.0.1:$(cat p)/"
kill -INT $server
wait $server
echo "exit code $?"
"""


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl (Debian: curl)")
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_script(tmp_path, shell):
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    done = subprocess.run(
        [shell, "-c", SCRIPT],
        cwd=tmp_path,
        env=environment(PYTHON=sys.executable, EXAMPLES=str(ROOT / "examples")),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stdout.startswith("Hello, World!\n"), done.stderr
    assert done.stdout.endswith("exit code 0\n"), done.stderr
    assert not (tmp_path / "p").exists()
