"""The numbers in the words of Prometheus: its text format, and OpenMetrics for those who like it better.

This file decides the names. They follow the conventions: units are seconds and bytes, counters end in
``_total``. Escaping and layout are the package's, which is loaded only where somebody asks for metrics.
"""

from __future__ import annotations

import platform
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import exposition as text
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from aioserve.http.negotiation import preferred_media_type
from aioserve.observe.snapshot import CONNECTION_STATES, DURATION_BOUNDS, METHODS, SIZE_BOUNDS, STATUS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from prometheus_client.core import Metric

    from aioserve.observe.snapshot import Snapshot

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"

# What is said of the version is the same for both, and a scraper that asks for another takes this one.
_OFFERS = {"text/plain": PLAIN, "application/openmetrics-text": OPEN}


def render(snapshot: Snapshot, accept: str | None) -> tuple[str, bytes]:
    """Write a snapshot.

    Args:
        snapshot: the numbers.
        accept: what the client says of the forms that it likes; None where it says nothing.

    Returns:
        The media type, and the text.
    """
    collector = _Snapshots(snapshot)
    if _OFFERS[_preferred(accept)] is OPEN:
        written: bytes = openmetrics.generate_latest(collector)  # type: ignore[no-untyped-call]
        return OPEN, written
    return PLAIN, text.generate_latest(collector)


def _preferred(accept: str | None) -> str:
    """Choose by the weights alone: the versions and the escaping that Prometheus names are not for us."""
    return preferred_media_type(_without_parameters(accept), [*_OFFERS]) or "text/plain"


def _without_parameters(accept: str | None) -> str | None:
    if accept is None:
        return None
    elements = ([part.strip() for part in element.split(";")] for element in accept.split(","))
    return ",".join(
        ";".join([name, *(one for one in more if one.lower().startswith("q="))]) for name, *more in elements
    )


class _Snapshots(Collector):
    """What the package asks for the families of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Make them, those of requests first."""
        yield from _requests(self._snapshot)
        yield from _connections(self._snapshot)
        yield from _processes(self._snapshot)


def _requests(seen: Snapshot) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "aioserve_requests", "Requests that were answered.", labels=["method", "status"]
    )
    for method, counts in zip(METHODS, seen.requests, strict=True):
        for status, count in zip(STATUS_CLASSES, counts, strict=True):
            requests.add_metric([method, status], count)
    yield requests
    yield HistogramMetricFamily(
        "aioserve_request_duration_seconds",
        "From the head of a request to the last byte of its answer.",
        buckets=_cumulative(DURATION_BOUNDS, seen.durations),
        sum_value=seen.duration_sum,
    )
    yield HistogramMetricFamily(
        "aioserve_response_size_bytes",
        "Bytes of an answer, its head included.",
        buckets=_cumulative(SIZE_BOUNDS, seen.sizes),
        sum_value=seen.size_sum,
    )
    yield _counter("aioserve_access_log_dropped", "Lines that the access log has lost.", seen.log_drops)
    yield _counter(
        "aioserve_static_cache_hits", "Requests for files that were answered from memory.", seen.cache_hits
    )
    yield _counter(
        "aioserve_static_cache_misses", "Requests for files that had to be read.", seen.cache_misses
    )


def _connections(seen: Snapshot) -> Iterator[Metric]:
    yield _gauges(
        "aioserve_connections",
        "Connections that are open.",
        "state",
        zip(CONNECTION_STATES, seen.connections, strict=True),
    )
    refused = CounterMetricFamily(
        "aioserve_refused",
        "What was no request, by the status of its answer, and connections beyond the limit.",
        labels=["reason"],
    )
    for reason, count in sorted(seen.refused.items()):
        refused.add_metric([reason], count)
    yield refused
    yield _gauges(
        "aioserve_certificate_expiry_timestamp_seconds",
        "When a certificate ends.",
        "name",
        sorted(seen.certificate_ends.items()),
    )


def _processes(seen: Snapshot) -> Iterator[Metric]:
    yield _counter(
        "aioserve_worker_restarts", "Workers that took the place of dead or blocked ones.", seen.restarts
    )
    yield _gauges(
        "aioserve_worker_memory_bytes",
        "Resident memory of a worker.",
        "pid",
        [(str(worker.pid), worker.rss) for worker in seen.workers],
    )
    yield GaugeMetricFamily(
        "aioserve_loop_lag_seconds",
        "By how much an event loop was late in the last second, at most, of all workers.",
        value=max((worker.lag for worker in seen.workers), default=0.0),
    )
    build = InfoMetricFamily("aioserve_build", "The version that is running.")
    build.add_metric([], {"version": seen.version, "python": platform.python_version()})
    yield build
    yield GaugeMetricFamily("process_start_time_seconds", "When the server was started.", value=seen.started)


def _counter(name: str, meaning: str, count: float) -> Metric:
    return CounterMetricFamily(name, meaning, value=count)


def _gauges(name: str, meaning: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for each, value in values:
        family.add_metric([each], value)
    return family


def _cumulative(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    names = [*map(floatToGoString, bounds), "+Inf"]
    return [*zip(names, map(float, accumulate(counts)), strict=True)]
