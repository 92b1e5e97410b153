"""What `aioserve --print-unit` prints, judged by systemd itself, and tried as far as that goes without it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import closing
from ctypes.util import find_library
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.system.program import APPS, PATIENCE, ROOT, environment
from tests.units.systemd import read_command, read_unit

EXPOSURE = 1.5  # of 10, as `systemd-analyze security` counts

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="systemd is not installed: it does not judge the units"
)
needs_seccomp = pytest.mark.skipif(
    not find_library("seccomp"), reason="libseccomp is not installed: no system call is refused"
)

APP = f"{APPS / 'origin.py'}:Handler"
COMMANDS = [
    (APP,),
    (APP, "--bind", "0.0.0.0:80", "--workers", "2", "--drain-delay", "1h"),
    (
        "--static",
        ".",
        "--bind",
        ":80",
        "--bind",
        "unix:/run/web/web.sock?mode=660",
        "--pid-file",
        "/run/x/pid",
    ),
    (
        "--static",
        "a b%c\"'$d",
        "--port",
        "443",
        "--ssl-certfile",
        "/etc/a.pem",
        "--ssl-keyfile",
        "/etc/a key",
    ),
    (
        APP,
        "--bind",
        "192.0.2.1:80",
        "--bind",
        "[::1]:80",
        "--reuse-port",
        "--port-file",
        "p",
        "--config",
        "x.toml",
    ),
    ("--static", ".", "-H", "X-A: ; $HOME %h \\ 'b' \"c\"", "--cors"),
]


def tool(*words, **more):
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, timeout=PATIENCE, **more
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def install(command, tmp_path):
    """Write the units for a command, as a person would; return the folder."""

    def install(*words, **variables):
        (tmp_path / "x.toml").write_text("workers = 2\nbind = ':80'\n")
        folder = tmp_path / "units"
        folder.mkdir()
        for suffix in ("service", "socket"):
            code, text = tool(
                "aioserve", f"--print-unit={suffix}", *words, cwd=tmp_path, env={**command, **variables}
            )
            assert code == 0, text
            (folder / f"site.{suffix}").write_text(text)
        return folder

    return install


@needs_systemd
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:4]).replace(str(APPS), ""))
def test_systemd_has_nothing_to_complain_about_and_little_is_exposed(install, words):
    folder = install(*words, AIOSERVE_KEEP_ALIVE="5s", AIOSERVE_HEADER="A: b\nC: 5% $d")
    files = [folder / "site.service", folder / "site.socket"]

    assert tool("systemd-analyze", "verify", "--man=no", *files) == (0, "")
    # The threshold is in tenths.
    code, said = tool(
        *("systemd-analyze", "security", "--no-pager", "--offline=true"),
        *(f"--threshold={EXPOSURE * 10:.0f}", files[0]),
    )
    assert code == 0, said
    exposure = float(re.search(r"Overall exposure level for site\.service: ([0-9.]+)", said)[1])
    assert exposure <= (EXPOSURE if words[0] == APP else 0.8)


@pytest.mark.skipif(not shutil.which("systemctl"), reason="systemd is not installed: nothing is enabled")
def test_enabling_the_service_enables_its_socket(install, tmp_path):
    folder = install(APP)
    (tmp_path / "etc/systemd").mkdir(parents=True)
    folder.rename(tmp_path / "etc/systemd/system")

    code, said = tool("systemctl", f"--root={tmp_path}", "enable", "site.service")

    assert code == 0, said
    wants = {path.parent.name for path in (tmp_path / "etc/systemd/system").glob("*.wants/site.*")}
    assert wants == {"multi-user.target.wants", "sockets.target.wants"}


# What it may do is enough


def allowed_calls(values):
    """Return the names of the system calls that a unit allows, as systemd has them."""
    code, said = tool("systemd-analyze", "syscall-filter", "--no-pager")
    assert code == 0, said
    groups = {}
    for line in said.splitlines():
        if line.startswith("@"):
            group = groups.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            group.append(line.strip())

    def expand(name):
        return {each for inner in groups[name] for each in expand(inner)} if name in groups else {name}

    calls = set()
    for value in values:
        names = {each for name in value.lstrip("~").split() for each in expand(name)}
        calls = calls - names if value.startswith("~") else calls | names
    return calls


@pytest.fixture
def confined(install, start, loop, tmp_path):
    """Start what a unit says, with a socket and no more system calls than it allows; return its port too."""

    def confined(*words):
        loop_words = ["--uvloop" if loop == "uvloop" else "--no-uvloop"]
        unit = read_unit((install(*words, *loop_words) / "site.service").read_text())
        (tmp_path / "credentials").mkdir()
        for each in unit.get("LoadCredential", ()):
            name, _, path = each.partition(":")
            shutil.copy(path, tmp_path / "credentials" / name)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.set_inheritable(True)
            program = start(
                *(sys.executable, ROOT / "tests/system/confine.py", listening.fileno()),
                " ".join(allowed_calls(unit["SystemCallFilter"])),
                unit["RestrictAddressFamilies"][0],
                *read_command(unit["ExecStart"][0], d=str(tmp_path / "credentials")),
                env=environment(NOTIFY_SOCKET=str(tmp_path / "notify")),
                pass_fds=(listening.fileno(),),
                cwd=unit["WorkingDirectory"][0],
            )
            program.stderr.wait_for("listening on ")
            assert "\nSeccomp:\t2\n" in Path(f"/proc/{program.pid}/status").read_text()
            return program, listening.getsockname()[1]

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        yield confined
        assert manager.recv(4096).startswith(b"READY=1\n")


def ends_well(program):
    assert program.stop() == 0, program.stderr.text
    assert "Traceback" not in program.stderr.text
    assert "Operation not permitted" not in program.stderr.text


@needs_systemd
@needs_seccomp
def test_application_serves_with_what_the_unit_allows(confined):
    program, port = confined(APP, "--port", "80", "--workers", "2", "--max-rss", "1G")

    with closing(HTTPConnection("127.0.0.1", port, PATIENCE)) as client:
        client.request("POST", "/x", b"x" * 100_000)
        assert json.loads(client.getresponse().read())["length"] == 100_000
    ends_well(program)


@needs_systemd
@needs_seccomp
def test_files_are_served_with_what_the_unit_allows(confined, tmp_path):
    (tmp_path / "site").mkdir()
    large = os.urandom(8 << 20)
    (tmp_path / "site/large.bin").write_bytes(large)
    (tmp_path / "site/page.txt").write_text("x" * 10_000)
    program, port = confined("--static", "site", "--listing", "--port", "80")

    with closing(HTTPConnection("127.0.0.1", port, PATIENCE)) as client:
        for path, fields, body in [
            ("/large.bin", {}, large),
            ("/page.txt", {}, b"x" * 10_000),
            ("/page.txt", {"Accept-Encoding": "gzip"}, None),
            ("/", {}, None),
        ]:
            client.request("GET", path, headers=fields)
            answer = client.getresponse()
            assert answer.status == 200
            assert answer.read() == body or body is None
    ends_well(program)
