"""What a scraper is told of a real server, by Prometheus's parsers: nothing is missed, and totals stay."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import sys
import threading
from contextlib import closing
from http.client import HTTPConnection

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from aioserve.observe.snapshot import Snapshot
from tests.system.program import APPS, PATIENCE, ROOT

APP = f"{APPS}/workers.py:Handler"
CLIENTS, REQUESTS = 8, 150


class Scraped:
    """A server with metrics, and what it says there."""

    def __init__(self, server):
        self.server = server
        found = server.stderr.wait_for(r"metrics on http://(127\.0\.0\.1:\d+)/metrics\n")
        self.address = found[1]

    def scrape(self, accept="text/plain", path="/metrics"):
        """Return the samples by name and labels."""
        with closing(HTTPConnection(self.address, timeout=PATIENCE)) as connection:
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            assert answer.status == 200
            text = answer.read().decode()
        parse = parse_openmetrics if "openmetrics" in accept else parse_text
        return {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in parse(text)
            for sample in family.samples
        }

    def total(self, name="aioserve_requests_total", **more):
        return sum(value for key, value in self.scrape(**more).items() if key[0] == name)

    def ask(self, path="/"):
        with closing(HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)) as connection:
            connection.request("GET", path)
            return connection.getresponse().read()


@pytest.fixture
def scraped(serve):
    def start(*words, app=APP):
        return Scraped(serve(app, "--metrics", "127.0.0.1:0", *words))

    return start


def ask_often(port, sizes):
    """Make requests on a few connections, and note the size of each answer."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
        for number in range(REQUESTS):
            connection.request("POST" if number % 3 else "GET", "/", b"" if number % 3 else None)
            answer = connection.getresponse()
            answer.read()
            sizes.append(answer.status)
            if number % 20 == 19:
                connection.close()


def test_sums_are_the_clients_right_behind_the_load(scraped):
    metrics = scraped("--workers", "4")
    for rounds in (1, 2, 3):
        answers = [[] for _ in range(CLIENTS)]
        threads = [threading.Thread(target=ask_often, args=(metrics.server.port, each)) for each in answers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seen = metrics.scrape("application/openmetrics-text" if rounds == 2 else "text/plain")

        assert sum(map(len, answers)) == CLIENTS * REQUESTS
        requests = {key[1:]: value for key, value in seen.items() if key[0] == "aioserve_requests_total"}
        assert sum(requests.values()) == rounds * CLIENTS * REQUESTS
        assert requests["2xx", "GET"] == rounds * CLIENTS * REQUESTS / 3
        assert seen["aioserve_request_duration_seconds_count",] == rounds * CLIENTS * REQUESTS
        assert seen["aioserve_response_size_bytes_bucket", "+Inf"] == rounds * CLIENTS * REQUESTS
    assert len([key for key in seen if key[0] == "aioserve_worker_memory_bytes"]) == 4


def test_who_looks_on_sees_what_the_clients_did(serve, tmp_path):
    """Lines come until it is right; counted from the start, so that none of them says too much."""
    server = serve(APP, "--workers", "4", "--control", tmp_path / "ctl")
    answers = [[] for _ in range(CLIENTS)]
    threads = [threading.Thread(target=ask_often, args=(server.port, each)) for each in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE)
        client.connect(str(tmp_path / "ctl"))
        lines = client.makefile("rb")
        seen = Snapshot.from_line(lines.readline())
        while seen.total < CLIENTS * REQUESTS:
            seen = Snapshot.from_line(lines.readline())
        lines.close()

    assert seen.total == sum(seen.durations) == sum(seen.sizes) == CLIENTS * REQUESTS
    assert sum(each.requests for each in seen.workers) == seen.total
    assert sum(path.requests for path in seen.paths) <= seen.total
    assert len(seen.workers) == 4


def test_answers_from_memory_and_refusals_are_counted(scraped, tmp_path):
    (tmp_path / "a.txt").write_text("file")
    metrics = scraped("--static", "/files=.")
    os.utime(tmp_path / "a.txt", (1, 1))
    with closing(HTTPConnection("127.0.0.1", metrics.server.port, timeout=PATIENCE)) as connection:
        for _ in range(20):
            connection.request("GET", "/files/a.txt")
            assert connection.getresponse().read() == b"file"
    with socket.create_connection(("127.0.0.1", metrics.server.port), timeout=PATIENCE) as client:
        client.sendall(b"no request\r\n\r\n")
        while client.recv(4096):
            pass
    seen = metrics.scrape()

    assert metrics.total() == 20
    hits, misses = seen["aioserve_static_cache_hits_total",], seen["aioserve_static_cache_misses_total",]
    assert hits + misses == 20
    assert misses >= 1
    assert seen["aioserve_refused_total", "400"] == 1


def test_requests_for_metrics_are_none_of_those_that_count(scraped):
    metrics = scraped("--max-requests", "1")
    for _ in range(3):
        assert metrics.total() == 0
    assert metrics.server.stdout.text == ""


def wait_gone(descriptor):
    assert select.select([descriptor], [], [], PATIENCE)[0]
    os.close(descriptor)


def test_totals_do_not_fall_when_workers_are_killed_or_replaced(scraped):
    metrics = scraped("--workers", "2")
    workers = set()
    asked = 0
    while len(workers) < 2:
        workers.add(int(metrics.ask()))
        asked += 1
    assert metrics.total() == asked

    for pid in workers:
        gone = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        wait_gone(gone)
    metrics.server.stderr.wait_for("worker.*SIGKILL(?s:.)*worker.*SIGKILL")
    assert metrics.total() == asked
    assert metrics.total("aioserve_worker_restarts_total") == 2

    metrics.server.send(signal.SIGHUP)
    metrics.server.stderr.wait_for("INFO reloaded")
    assert metrics.total() == asked
    metrics.ask()
    assert metrics.total() == asked + 1


def test_blocked_worker_does_not_block_a_scrape(scraped, tmp_path):
    (tmp_path / "blocking.py").write_text(BLOCKING)
    metrics = scraped("--workers", "2", app="./blocking.py:Handler")
    with socket.create_connection(("127.0.0.1", metrics.server.port), timeout=PATIENCE) as client:
        client.sendall(b"GET /block HTTP/1.1\r\nHost: a\r\n\r\n")
        metrics.server.stderr.wait_for("it is blocked")

        assert metrics.total() in (0, 1)
        (tmp_path / "go-on").touch()
        assert b"200 OK" in client.recv(4096)
    assert metrics.total() == 1


BLOCKING = """
import sys
import time
from pathlib import Path

from aioserve import ServerHttpProtocol


class Handler(ServerHttpProtocol):
    def handle_request(self, message, payload):
        if message.path == "/block":
            print("it is blocked", file=sys.stderr, flush=True)
            while not Path("go-on").exists():
                time.sleep(0.01)
        self.writer.write_response(200, "")
"""


def test_metrics_go_on_while_the_server_drains(scraped):
    metrics = scraped("--drain-delay", "30")
    metrics.ask()
    metrics.server.send(signal.SIGTERM)
    with closing(HTTPConnection("127.0.0.1", metrics.server.port, timeout=PATIENCE)) as connection:
        status = 200
        while status == 200:
            connection.request("GET", "/-/ready")
            answer = connection.getresponse()
            answer.read()
            status = answer.status
    assert metrics.total() >= 2
    metrics.server.send(signal.SIGTERM)
    assert metrics.server.wait() == 0


def test_ready_file_and_port_file_are_about_the_public_addresses(scraped, tmp_path):
    metrics = scraped("--ready-file", "ready")
    (address,) = json.loads((tmp_path / "ready").read_text())["addresses"]

    assert address.endswith(f":{metrics.server.port}")
    assert not metrics.address.endswith(f":{metrics.server.port}")


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_address_that_is_taken_ends_the_start(start, tmp_path, check):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        address = f"127.0.0.1:{port}"
        words = [sys.executable, "-m", "aioserve", "--static", tmp_path, "--port", "0", "--metrics", address]
        program = start(*words, *check)

        assert program.wait() == 4
    assert re.search(rf"error: .* port {port}: it is in use", program.stderr.text)


def test_package_that_is_missing_is_told_with_what_to_do(start, tmp_path):
    """A path on which it is not found stands for an environment without it."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'prometheus_client' else find(name, *more)\n"
    )
    words = [sys.executable, "-m", "aioserve", "--static", ".", "--port", "0", "--metrics=127.0.0.1:0"]
    for more in ([], ["--check"]):
        program = start(
            *words,
            *more,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        )
        assert program.wait() == 2
        assert "pip install 'aioserve[metrics]'" in program.stderr.text
