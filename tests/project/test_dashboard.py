"""The dashboard asks for nothing that the server does not tell."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from aioserve.observe.exposition import render
from aioserve.observe.snapshot import Snapshot, WorkerSnapshot

FILE = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "aioserve.json"
DASHBOARD = json.loads(FILE.read_text("utf-8"))
PANELS = DASHBOARD["panels"]
NAME = re.compile(r"\b(?:aioserve|process)_\w+")


def told():
    """Return the names of all samples, and the labels of each."""
    worker = WorkerSnapshot(1, "serves")
    full = Snapshot(1.0, 1.0, refused={"400": 1}, certificate_ends={"a": 1.0}, workers=(worker,))
    families = text_string_to_metric_families(render(full, None)[1].decode())
    return {sample.name: {*sample.labels} for family in families for sample in family.samples}


def expressions(panel):
    return [target["expr"] for target in panel["targets"]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_every_metric_that_is_asked_for_is_told(panel):
    for expression in expressions(panel):
        names = NAME.findall(expression)
        assert names
        assert set(names) <= told().keys()
        for labels in re.findall(r"by \(([\w, ]+)\)", expression):
            assert set(labels.split(", ")) <= set().union(*(told()[name] for name in names))


def test_every_metric_has_its_place():
    asked = {name for panel in PANELS for each in expressions(panel) for name in NAME.findall(each)}
    histograms = {name.removesuffix(end) for name in asked for end in ("_sum", "_count", "_bucket")}

    assert {
        name for name in told() if name not in asked and name.rpartition("_")[0] not in histograms
    } == set()


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    places = [
        (x, y)
        for panel in PANELS
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(places) == len(set(places))
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
