"""What cannot be served is refused: the code that is documented, one line, and no traceback of ours."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import pytest

APP = """
import aioserve

class Handler(aioserve.ServerHttpProtocol):
    pass

def make_handler():
    return {}["handler"]
"""
MODULES = {
    "app": APP,
    "needs": "import nosuch\n",
    "raises": "import app\n\nraise ValueError('of mine')\n",
    "unreadable": "def (:\n",
}

# Everything is loaded already: an ordinary user may not be able to read this checkout, or Python.
AS_NOBODY = """
import encodings.idna, os, sys
import aioserve.cli, aioserve.workers.supervisor, aioserve.workers.worker
os.setgroups([]), os.setgid(65534), os.setuid(65534)
sys.argv[0] = "aioserve"
aioserve.cli.main()
"""


@pytest.fixture
def refuse(start, tmp_path):
    """Run the command in a folder with some modules; return exit code, last line, and those above it."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text)

    def refuse(*words, program=("-m", "aioserve")):
        if not {"--port", "--bind"} & {*words}:
            words = (*words, "--port", "0")  # the address is tried first, and another test may have 8080
        program = start(sys.executable, *program, *words)
        code = program.wait()
        assert program.stdout.text == ""
        *above, last = program.stderr.text.splitlines()
        assert last.startswith("aioserve: error: ")
        return code, last.removeprefix("aioserve: error: "), above

    return refuse


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("nosuch:Thing", 3, r"there is no module 'nosuch' in /.+"),
        ("ap:Handler", 3, r"there is no module 'ap' in /.+ \(did you mean 'app'\?\)"),
        ("app:Handlr", 3, r"app has no 'Handlr' \(did you mean 'Handler'\?\)"),
        ("app", 3, r"app is a module; a handler of it is app:Handler"),
        ("./ap.py:Handler", 3, r"there is no Python file 'ap\.py' \(did you mean 'app\.py'\?\)"),
        ("--static ./none", 2, r"cannot serve 'none': No such file or directory"),
        ("app:Handler --static ./none", 2, r"cannot serve 'none': No such file or directory"),
        ("app:Handler --port x", 2, r"--port: 'x' is not a port.*"),
        ("app:Handler --port 70000", 2, r"--port: '70000' is not a port.*"),
        ("app:Handler --keep-alive soon", 2, r"--keep-alive: 'soon' is not a duration.*"),
        ("app:Handler --config none.toml", 2, r"none\.toml: No such file or directory"),
        ("app:Handler --prot 1", 2, r"No such option.*--prot.*"),
        ("", 2, r"nothing to serve; try aioserve app:Handler or aioserve --static \./site"),
        ("app:Handler --host host.invalid", 4, r"cannot listen on 'host\.invalid': .+"),
        ("app:Handler --bind 8080", 2, r"--bind: '8080' is not an address: HOST:PORT, .+"),
        ("app:Handler --bind :0 --port 0", 2, r"--bind cannot be given together with --port"),
        ("app:Handler --bind systemd", 4, r"cannot listen on systemd: it has handed over no socket; .+"),
        ("app:Handler --bind fd://999", 4, r"cannot listen on fd://999: it is not open"),
        (
            "app:Handler --bind unix:web.sock --port-file port",
            2,
            r"--port-file: there is no port, only unix sockets",
        ),
        ("app:Handler --control none/ctl", 4, r"--control: cannot listen on unix:none/ctl: No such file.+"),
        ("app:Handler --timeout-worker 1ms", 2, r"--timeout-worker: '1ms' is less than 500ms, and is not 0"),
        ("app:Handler --port-file none/port", 2, r"--port-file: 'none/port' cannot be written"),
    ],
)
def test_refusal_is_one_line(refuse, words, code, said):
    refused, last, above = refuse(*words.split())

    assert refused == code
    assert re.fullmatch(said, last)
    assert above == []


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("raises:Handler", "raises cannot be imported: ValueError: of mine"),
        ("needs:Handler", "needs cannot be imported: ModuleNotFoundError: No module named 'nosuch'"),
        ("unreadable:Handler", "unreadable cannot be imported: SyntaxError: .+"),
        ("app:make_handler", r"app:make_handler\(\) fails: KeyError: 'handler'"),
    ],
)
def test_failure_of_the_users_module_has_its_own_traceback_and_none_of_ours(refuse, tmp_path, app, said):
    code, last, above = refuse(app)

    assert code == 3
    assert re.fullmatch(said, last)
    files = [line.strip() for line in above if line.strip().startswith("File ")]
    assert [file for file in files if str(tmp_path) not in file] == []
    assert len(files) == 1


def test_taken_port_is_refused_with_the_name_of_who_holds_it(refuse):
    name = Path("/proc/self/comm").read_text().strip()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        code, last, above = refuse("app:Handler", "--port", port)

    assert code == 4
    assert last == f"cannot listen on 127.0.0.1 port {port}: it is in use by {name} (pid {os.getpid()})"
    assert above == []


def test_privileged_port_is_refused_to_an_ordinary_user_with_what_helps(refuse):
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 80:
        pytest.skip("everybody may have port 80 here (net.ipv4.ip_unprivileged_port_start)")
    program = ("-m", "aioserve") if os.geteuid() else ("-c", AS_NOBODY)

    code, last, above = refuse("--static", "/usr", "--port", "80", program=program)

    assert code == 4
    assert last.startswith("cannot listen on 127.0.0.1 port 80: ports below 1024 are privileged; ")
    assert "systemd .socket unit" in last
    assert "setcap cap_net_bind_service=+ep" in last
    assert above == []
