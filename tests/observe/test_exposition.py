"""Numbers in the words of Prometheus, as its own parsers read them."""

from __future__ import annotations

import math

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from aioserve.observe.exposition import OPEN, PLAIN, render
from aioserve.observe.snapshot import DURATION_BOUNDS, SIZE_BOUNDS, Snapshot, WorkerSnapshot

SEEN = Snapshot(
    time=9.0,
    started=1_700_000_000.5,
    version="1.2.3",
    requests=((0, 5, 0, 1, 0), *((0, 0, 0, 0, 0),) * 6, (0, 0, 0, 0, 2)),
    durations=(3, 4, *(0,) * (len(DURATION_BOUNDS) - 2), 1),
    duration_sum=25.5,
    sizes=(0, 8, *(0,) * (len(SIZE_BOUNDS) - 1)),
    size_sum=800,
    connections=(4, 3, 2, 1),
    refused={"limit": 7, "400": 6},
    restarts=11,
    log_drops=12,
    cache_hits=13,
    cache_misses=14,
    certificate_ends={'a"b\\c\n.example': 1_900_000_000.0},
    workers=(WorkerSnapshot(7, "serves", 5, 1 << 20, 0.25), WorkerSnapshot(8, "serves", 3, 2 << 20, 0.5)),
)


def samples_of(families):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


@pytest.fixture(params=[None, "application/openmetrics-text"], ids=["text", "openmetrics"])
def samples(request):
    """What a parser reads, of each form in turn."""
    _, body = render(SEEN, request.param)
    parse = openmetrics.text_string_to_metric_families if request.param else parse_text
    return samples_of(parse(body.decode()))


def test_every_number_is_there(samples):
    expected = {
        ("aioserve_requests_total", ("method", "GET"), ("status", "2xx")): 5,
        ("aioserve_requests_total", ("method", "GET"), ("status", "4xx")): 1,
        ("aioserve_requests_total", ("method", "other"), ("status", "5xx")): 2,
        ("aioserve_request_duration_seconds_sum",): 25.5,
        ("aioserve_request_duration_seconds_count",): 8,
        ("aioserve_response_size_bytes_sum",): 800,
        ("aioserve_response_size_bytes_count",): 8,
        ("aioserve_connections", ("state", "idle")): 4,
        ("aioserve_connections", ("state", "reading")): 3,
        ("aioserve_connections", ("state", "answering")): 2,
        ("aioserve_connections", ("state", "leaving")): 1,
        ("aioserve_refused_total", ("reason", "limit")): 7,
        ("aioserve_refused_total", ("reason", "400")): 6,
        ("aioserve_worker_restarts_total",): 11,
        ("aioserve_worker_memory_bytes", ("pid", "7")): 1 << 20,
        ("aioserve_worker_memory_bytes", ("pid", "8")): 2 << 20,
        ("aioserve_loop_lag_seconds",): 0.5,
        ("aioserve_access_log_dropped_total",): 12,
        ("aioserve_static_cache_hits_total",): 13,
        ("aioserve_static_cache_misses_total",): 14,
        ("aioserve_certificate_expiry_timestamp_seconds", ("name", 'a"b\\c\n.example')): 1_900_000_000,
        ("process_start_time_seconds",): 1_700_000_000.5,
    }
    assert {key: samples[key] for key in expected} == expected
    (build,) = [key for key in samples if key[0] == "aioserve_build_info"]
    assert ("version", "1.2.3") in build


def test_buckets_are_cumulative(samples):
    found = {
        dict(more)["le"]: value
        for (name, *more), value in samples.items()
        if name == "aioserve_request_duration_seconds_bucket"
    }
    counts = [found[key] for key in sorted(found, key=float)]

    assert sorted(map(float, found)) == [*DURATION_BOUNDS, math.inf]
    assert counts == [3, *(7,) * (len(DURATION_BOUNDS) - 1), 8]


def test_server_that_has_nothing_to_tell_says_so():
    _, body = render(Snapshot(1.0, 1.0), None)

    assert samples_of(parse_text(body.decode()))["aioserve_loop_lag_seconds",] == 0


PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, PLAIN),
        ("", PLAIN),
        ("*/*", PLAIN),
        ("text/plain", PLAIN),
        ("application/json", PLAIN),
        ("application/openmetrics-text", OPEN),
        (PROMETHEUS, OPEN),
        ("application/openmetrics-text;q=0.1, text/plain;Q=0.5", PLAIN),
        ("application/openmetrics-text;q=0", PLAIN),
    ],
)
def test_form_is_the_one_that_is_liked_better(accept, form):
    content_type, body = render(SEEN, accept)

    assert content_type == form
    assert body.endswith(b"# EOF\n") == (form == OPEN)
