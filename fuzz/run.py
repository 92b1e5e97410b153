"""Search for findings for so many seconds: ``python fuzz/run.py 600``.

This file decides what a run is: which targets, for how long, from which corpus, and when it has failed. The
corpus is made anew of the conformance rows, so that a row that was added is searched around from then on.
"""

# ruff: noqa: ANN001, ANN201, INP001, S603, T201 - a script that prints and starts targets

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.rows import ROWS

HERE = Path(__file__).parent
FINDINGS = HERE / "findings"
MOST = 4_096  # bytes of an input
MEGABYTES = 1_024
KINDS = ("crash", "timeout", "oom", "leak")  # how libFuzzer names what it found
EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)

# The plans of the inputs that are made here; what their bytes mean is each target's to say.
PLANS = {
    "parser": (bytes(4), bytes((1, 1, 5, 30)), bytes((6, 0, 0, 0))),
    "connection": (bytes(8), bytes((2, 60, 1, 9, 2, 1, 0, 2)), bytes((9, 0, 0, 0, 0, 0, 0, 0))),
}


def requests_for_handlers():
    """Yield requests that reach each way of answering that ``fuzz/handlers.py`` has, and two at once."""
    for way in "abcdefghijlmnpqrstuwxy2":
        line = f"/{way}?s=200&n=X&v=a HTTP/1.1\r\nHost: a\r\n".encode()
        get = b"GET " + line + b"Connection: upgrade\r\nUpgrade: a\r\n\r\n"
        yield b"HEAD " + line + b"\r\n" + get
        yield b"POST " + line + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello" + get
        yield b"POST " + line + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + get
    form = b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\nx\r\n--b--\r\n'
    head = b"POST /f HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    yield head + b"Content-Length: %d\r\n\r\n" % len(form) + form


def requests_alike():
    """Yield pairs of requests with one header section, which the parser may remember, and different lines."""
    lines = ("GET / HTTP/1.1", "GET / HTTP/1.0", "HEAD /x HTTP/1.2", "FOO / HTTP/1.1", "OPTIONS * HTTP/1.1")
    for line in (*lines, "GET http://a/ HTTP/1.1", "CONNECT a:1 HTTP/1.1", f"GET /{'a' * 64} HTTP/1.1"):
        for section in ("Host: a\r\n\r\n", "Host: a\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"):
            request, other = f"{line}\r\n{section}".encode(), f"GET /y HTTP/1.1\r\n{section}".encode()
            yield request + other
            yield other + request
    yield b"GET /q HTTP/1.1\r\nHost: a\r\n\r\n" * 40  # more than one turn of the loop answers
    yield b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * 8 + b"\r\n"  # more fields than a plan's limit


def fill(corpus, target):
    """Write the inputs to begin with."""
    streams = [*(row.sent for row in ROWS.values()), *requests_alike()]
    if target == "connection":
        streams += requests_for_handlers()
    inputs = (plan + stream for stream in streams for plan in PLANS[target])
    for number, data in enumerate(each for each in inputs if len(each) <= MOST):
        (corpus / str(number)).write_bytes(data)


def search(target, seconds):
    """Run one target; return whether it found nothing."""
    before = set(FINDINGS.iterdir())
    with tempfile.TemporaryDirectory() as corpus:
        fill(Path(corpus), target)
        run = subprocess.run(
            [
                *(sys.executable, "-m", f"fuzz.{target}", corpus, f"-dict={HERE / 'http.dict'}"),
                *(f"-artifact_prefix={FINDINGS}/{target}-", f"-max_total_time={seconds}"),
                *(f"-max_len={MOST}", f"-rss_limit_mb={MEGABYTES}", "-timeout=5", "-print_final_stats=1"),
            ],
            cwd=HERE.parent,
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    executed = EXECUTED.search(run.stdout)
    print(f"{target}: {executed[1] if executed else 'an unknown number of'} executions")
    prefixes = tuple(f"{target}-{kind}-" for kind in KINDS)
    found = sorted(each for each in set(FINDINGS.iterdir()) - before if each.name.startswith(prefixes))
    if run.returncode or found or executed is None:
        print(run.stdout[-8_000:])
        print(f"{target}: failed with {run.returncode}")
    for path in found:
        print(f"{target}: found {path}\n  look at it by: {sys.executable} -m fuzz.shrink {target} {path}")
    return not run.returncode and not found and executed is not None


def main():
    """Search with both targets, half of the time each."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    FINDINGS.mkdir(exist_ok=True)
    is_clean = [search(target, max(seconds // 2, 1)) for target in PLANS]
    return 0 if all(is_clean) else 1


if __name__ == "__main__":
    sys.exit(main())
