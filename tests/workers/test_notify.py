"""sd_notify(3), against a socket of the kind that systemd opens."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time

import pytest

from aioserve.workers import notify as module
from aioserve.workers.notify import ServiceManager


@pytest.fixture(params=["path", "abstract"])
def manager_socket(request, tmp_path):
    """A service manager's socket, and what it writes into NOTIFY_SOCKET."""
    address = str(tmp_path / "notify")
    if request.param == "abstract":
        if sys.platform != "linux":
            pytest.skip("abstract sockets are Linux's")
        address = f"@aioserve-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + address[1:] if address.startswith("@") else address)
        sock.settimeout(30)
        yield sock, address


@pytest.fixture
def told(manager_socket):
    """A client of it, and a function that returns the lines of the next datagram."""
    sock, address = manager_socket
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    yield manager, lambda: sock.recv(4096).decode().split("\n")
    manager.close()


def test_ready_says_who_is_and_how_things_are(told):
    manager, lines = told
    manager.ready("2 workers on http://[::1]:80")

    assert lines() == ["READY=1", "STATUS=2 workers on http://[::1]:80", f"MAINPID={os.getpid()}"]


def test_each_event_is_one_datagram(told):
    manager, lines = told
    manager.status("fine")
    manager.stopping(12.5, "stopping")
    manager.alive()

    assert lines() == ["STATUS=fine"]
    assert lines() == ["STOPPING=1", "EXTEND_TIMEOUT_USEC=12500000", "STATUS=stopping"]
    assert lines() == ["WATCHDOG=1"]


def test_reloading_says_since_when_on_the_clock_of_the_system(told):
    """MONOTONIC_USEC belongs to RELOADING=1 for Type=notify-reload: CLOCK_MONOTONIC in microseconds."""
    manager, lines = told
    before = time.monotonic_ns() // 1000
    manager.reloading()
    after = time.monotonic_ns() // 1000

    reloading, since, status = lines()
    assert (reloading, status) == ("RELOADING=1", "STATUS=reloading")
    assert before <= int(since.removeprefix("MONOTONIC_USEC=")) <= after


def test_nobody_is_told_anything_where_there_is_no_service_manager():
    manager = ServiceManager({})
    manager.ready("fine")
    manager.alive()
    manager.close()

    assert manager.period == 0


def test_environment_is_that_of_the_process_unless_another_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "1000000")
    manager = ServiceManager()
    manager.close()

    assert manager.period == 1.0
    assert "NOTIFY_SOCKET" not in os.environ


def test_what_is_read_is_taken_out_of_the_environment_and_nothing_else():
    environ = {"NOTIFY_SOCKET": "/none", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}
    ServiceManager(environ).close()

    assert environ == {"HOME": "/"}


@pytest.mark.parametrize(
    ("environ", "period"),
    [
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getpid())}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getppid())}, 0.0),
        ({"WATCHDOG_USEC": "2500000", "NOTIFY_SOCKET": ""}, 0.0),
        ({"WATCHDOG_USEC": "soon"}, 0.0),
        ({"WATCHDOG_USEC": "²"}, 0.0),
        ({"WATCHDOG_USEC": "-1"}, 0.0),
        ({"WATCHDOG_USEC": ""}, 0.0),
        ({}, 0.0),
    ],
    ids=["anybody", "us", "another", "no socket", "word", "digit", "negative", "empty", "none"],
)
def test_period_is_that_of_the_watchdog_if_it_watches_us(environ, period):
    """sd_watchdog_enabled(3)."""
    manager = ServiceManager({"NOTIFY_SOCKET": "/none"} | environ)
    manager.close()

    assert manager.period == period


@pytest.mark.parametrize("address", ["/none/notify", "/" + 200 * "a", "vsock:2:1234"])
def test_nobody_minds_that_nobody_listens(address):
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.ready("fine")
    manager.close()


def test_nobody_waits_for_a_manager_that_has_too_much_to_read(told):
    manager, lines = told
    fill(manager)
    manager.status("fine")

    assert lines() == ["WATCHDOG=1"]


def fill(manager):
    """Leave no room for another datagram; systemd's socket has some for a few hundred."""
    for _ in range(10_000):
        manager.alive()


STATES = {
    "READY=1": lambda manager: manager.ready("fine"),
    "RELOADING=1": lambda manager: manager.reloading(),
    "STOPPING=1": lambda manager: manager.stopping(1.0, "stopping"),
}


@pytest.mark.parametrize("word", STATES)
def test_manager_that_has_too_much_to_read_is_waited_for_with_what_is_said_once(
    manager_socket, word, monkeypatch
):
    """It would end the service when it has not heard of it in time."""
    monkeypatch.setattr(module, "_PATIENCE", 60.5)
    sock, address = manager_socket
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    fill(manager)
    speaker = threading.Thread(target=STATES[word], args=[manager])
    speaker.start()
    while (heard := sock.recv(4096).decode().split("\n")[0]) == "WATCHDOG=1":
        pass
    speaker.join()
    manager.close()

    assert heard == word


def test_manager_that_reads_nothing_is_not_waited_for_for_long(manager_socket, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE", 0.001)
    _, address = manager_socket
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    fill(manager)
    manager.ready("fine")
    manager.close()


def test_nothing_is_said_after_the_end(manager_socket):
    sock, address = manager_socket
    manager = ServiceManager({"NOTIFY_SOCKET": address})
    manager.close()
    manager.close()
    manager.alive()

    sock.setblocking(False)
    with pytest.raises(BlockingIOError):
        sock.recv(4096)
