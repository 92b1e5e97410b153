from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from aioserve.listen import holders
from aioserve.listen.holders import holder_of_path, holder_of_port

LISTENING = "0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 4711 1"
CONNECTED = "1: 0100007F:1F90 0100007F:C350 01 0:0 00:0 0 0 0 4712 1"
UNIX = """\
Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 4711 /run/my web.sock
0000000000000000: 00000003 00000000 00000000 0001 03 4712 /run/client.sock
0000000000000000: 00000003 00000000 00000000 0001 03 4713
"""


@pytest.fixture
def proc(monkeypatch, tmp_path):
    """Let the files of the system be those of a folder, in which nothing is yet."""
    monkeypatch.setattr(holders, "Path", lambda path: tmp_path / path.removeprefix("/"))
    return tmp_path / "proc"


@pytest.fixture
def listening(proc):
    """Somebody listens on port 8080 and at a path, and a client is connected to each."""
    (proc / "net").mkdir(parents=True)
    (proc / "net" / "tcp").write_text(f"  sl  local_address\n{LISTENING}\n{CONNECTED}\n")
    (proc / "net" / "unix").write_text(UNIX)
    return proc


def add_process(proc, pid, name, *links):
    (proc / pid / "fd").mkdir(parents=True)
    (proc / pid / "comm").write_text(f"{name}\n")
    for number, link in enumerate(links):
        (proc / pid / "fd" / str(number)).symlink_to(link)


def test_holder_is_whoever_has_the_socket_that_listens(listening):
    add_process(listening, "9", "curl", "/dev/null", "socket:[4712]")
    add_process(listening, "10", "nginx", "/dev/null", "socket:[4711]")

    assert holder_of_port(8080) == "nginx (pid 10)"
    assert holder_of_path("/run/my web.sock") == "nginx (pid 10)"


def test_holder_whose_descriptors_are_its_own_business_is_not_found(listening):
    (listening / "9").mkdir()  # its `fd` cannot be listed
    add_process(listening, "10", "curl", "/dev/null")
    (listening / "10" / "fd" / "1").touch()  # as a descriptor that is closed meanwhile: no link

    assert holder_of_port(8080) is None


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("port", [8081, 50000])
def test_port_that_nobody_listens_on_has_no_holder(port):
    assert holder_of_port(port) is None


@pytest.mark.parametrize("path", ["/run/client.sock", "/run/my", "/run/none"])
def test_path_that_nobody_listens_on_has_no_holder(listening, path):
    add_process(listening, "10", "curl", "socket:[4712]")

    assert holder_of_path(path) is None


def test_nobody_is_found_where_the_system_has_no_such_files(proc):
    assert not proc.exists()
    assert holder_of_port(8080) is None
    assert holder_of_path("/run/my web.sock") is None


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="this system has no /proc/net/unix")
def test_holder_of_a_real_path_is_found(tmp_path):
    path = str(tmp_path / "web ü.sock")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()

        assert holder_of_path(path).endswith(f" (pid {os.getpid()})")
