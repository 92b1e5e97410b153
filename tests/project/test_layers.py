"""Imports point downwards only, and what is pure stays so."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# A module imports only what stands behind it: in a lower row, or further right in its own. What is imported
# for annotations alone counts as well.
LAYERS = {
    "command": "__main__ cli parameters",
    "parent": "workers.supervisor workers.reloading workers.worker workers.processes workers.lookout "
    "workers.nobody workers.audience workers.stage workers.portrait workers.accounts "
    "workers.watcher workers.sources workers.forking workers.editions workers.publicity workers.spokesman "
    "workers.recycling workers.fleet workers.notify workers.marker_files",
    "start": "units.printing units.service_unit units.sandbox units.socket_unit units.quoting units.place "
    "preflight loader config_file print_config",
    # What draws is at home in processes of its own, which know nothing of the server but its snapshots.
    "view": "live.attach live.child live.viewer live.terminal live.picture live.panels live.lines "
    "live.sparkline live.plain live.rates live.stream live.modes",
    "process": "runner bookkeeping metrics publishing running_request admission complaints health responders "
    "workers.orders workers.ending workers.channel workers.offspring workers.signals "
    "workers.describe workers.fatigue",
    "siblings": "live.control "
    "static.mounts static.responder static.file_answers static.finder static.folders "
    "static.turns static.spool static.listing static.entries static.pages static.site static.store "
    "static.resource static.representation static.compression static.rule_files "
    "static.redirects static.targets static.header_fields static.patterns static.caching "
    "static.lookup static.tree static.shared_file static.watch static.media_types "
    "listen.sockets listen.tcp listen.unix listen.inherited listen.holders "
    "listen.certificates listen.kept_pair listen.leaf listen.self_signed "
    "listen.handshakes listen.server_names listen.tls origins request_ids listen.proxy_protocol",
    "handler": "server",
    "connection": "connection deadlines exchange timing phase",
    "bytes in": "incoming handler_options payload multipart forms charsets",
    "bytes out": "response writer content_coding outgoing direct_sending file_body send_buffer "
    "counting ready",
    "loop": "loop_parts eager spare_task ticker awaitables news thread_work",
    "observation": "live.reporting live.paths "
    "observe.logs observe.console observe.layouts observe.log_file observe.selection "
    "observe.exposition observe.board observe.totals observe.counters "
    "observe.snapshot observe.json_messages observe.blocked "
    "observe.directives observe.json_lines observe.formats observe.access observe.streams "
    "observe.sinks observe.seldom error_pages",
    "wire": "http.forwarded http1.proxy_header http1.parser http1.lines http1.chunks http1.rules "
    "http1.framing http1.grammar",
    "meaning": "http.conditional http.ranges http.negotiation http.messages http.dates http.trace_context",
    "values": "settings live.settings static.settings "
    "listen.settings listen.addresses listen.proxies static.kinds options "
    "kinds trusted own_file http.statuses multidict errors escaping suggestion values loading",
    "packages": "units workers live static listen observe http1 http aioserve",
}

# `aioserve` stands last for its `__version__`. The names that it offers it loads when they are asked for.
LAZY = "aioserve"

PURE = ("http", "http1")
IMPURE = {"asyncio", "logging", "os", "socket", "ssl", "time"}

# Which modules know a package that is not ours and not Python's.
OUTSIDE = {
    "click": {"cli", "parameters"},
    "multidict": {"http.messages", "multidict", "response"},
    "prometheus_client": {"observe.exposition"},
    "python_multipart": {"multipart"},
    # Both are loaded only where a person looks: lines of a log, and the picture of the live view.
    "rich": {"observe.console", "live.lines", "live.panels", "live.picture", "live.terminal"},
    "uvloop": {"runner"},
    "watchfiles": {"workers.watcher"},
}

ORDER = [name for row in LAYERS.values() for name in row.split()]


def name_of(path):
    """Return the name of a module's file as the tables have it."""
    parts = path.relative_to(ROOT / "aioserve").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "aioserve"


MODULES = {name_of(path): path for path in sorted((ROOT / "aioserve").rglob("*.py"))}


def imports_of(source, *, with_typing=True):
    """Yield the full name of everything that a source imports, wherever in it."""
    todo = [ast.parse(source)]
    while todo:
        node = todo.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")) if not with_typing:
                todo += node.orelse
                continue
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=module, names=names, level=0):
                yield from (f"{module}.{each.name}" for each in names)
            case ast.ImportFrom():
                yield "a relative import"
        todo += ast.iter_child_nodes(node)


def own_imports_of(name, *, with_typing=True):
    """Return the modules of ours that a module imports, by their names in the tables."""
    found = set()
    for full in imports_of(MODULES[name].read_text("utf-8"), with_typing=with_typing):
        if full.partition(".")[0] == "aioserve":
            inner = full.removeprefix("aioserve").removeprefix(".")
            while inner and inner not in MODULES:  # a name in a module
                inner = inner.rpartition(".")[0]
            found.add(inner or "aioserve")
    return found


def outside_imports_of(name):
    """Return the top-level names of what else a module imports."""
    return {full.partition(".")[0] for full in imports_of(MODULES[name].read_text("utf-8"))} - {"aioserve"}


def test_every_module_has_one_place():
    assert sorted(ORDER) == sorted(MODULES)


@pytest.mark.parametrize("name", [name for name in ORDER if name != LAZY])
def test_imports_point_downwards(name):
    behind = ORDER[ORDER.index(name) + 1 :]

    assert own_imports_of(name) - set(behind) == set()


def test_package_itself_imports_nothing():
    assert own_imports_of(LAZY, with_typing=False) == set()


@pytest.mark.parametrize("name", [name for name in MODULES if name.partition(".")[0] in PURE])
def test_pure_modules_reach_nothing_impure(name):
    reached, todo = set(), {name}
    while todo:
        reached |= todo
        todo = {below for each in todo for below in own_imports_of(each, with_typing=False)} - reached

    assert {
        each: outside_imports_of(each) & IMPURE for each in reached if outside_imports_of(each) & IMPURE
    } == {}


@pytest.mark.parametrize("name", MODULES)
def test_modules_know_only_their_packages(name):
    outside = outside_imports_of(name) - sys.stdlib_module_names

    assert outside == {package for package, modules in OUTSIDE.items() if name in modules}


def test_every_dependency_has_its_modules():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    # The other extras are asked for by their names, where they are there.
    declared = [*project["dependencies"], *project["optional-dependencies"]["metrics"]]
    names = {re.match(r"[A-Za-z0-9_-]++", each)[0].replace("-", "_") for each in declared}

    assert names == set(OUTSIDE)


def test_imports_are_found_wherever_they_are():
    source = """
import a, b.c as d
from e.f import g, h
from . import i
if TYPE_CHECKING:
    import j
else:
    import k
def l():
    try:
        import m
    except ImportError:
        from n import o
"""

    runtime = {"a", "b.c", "e.f.g", "e.f.h", "a relative import", "k", "m", "n.o"}
    assert set(imports_of(source)) == runtime | {"j"}
    assert set(imports_of(source, with_typing=False)) == runtime
