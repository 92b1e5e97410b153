"""Every row of tests/semantics on aioserve, nginx and Caddy, over real sockets: `make comparison`.

What the servers did is written to docs/static.md; the exit code says whether aioserve did what its rows say.
"""

# ruff: noqa: T201 - a script

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from comparison.report import NOT_APPLICABLE, Result, write
from comparison.servers import STARTS
from tests.semantics.client import Answer, Client
from tests.semantics.judge import AS_THE_ROW, verdict_of
from tests.semantics.rows import ROWS
from tests.semantics.site import build

if TYPE_CHECKING:
    from comparison.servers import Server
    from tests.semantics.rows import Row

PATIENCE = 2  # seconds; a server that has not answered by then waits for something that will not come


def results_of(server: Server) -> dict[tuple[str, str], Result]:
    """Ask a server all rows that it has a setup for."""
    clients = {setup: Client(port, PATIENCE) for setup, port in server.ports.items()}
    try:
        return {name: result_of(clients.get(row.setup), row) for name, row in ROWS.items()}
    finally:
        for client in clients.values():
            client.close()


def result_of(client: Client | None, row: Row) -> Result:
    """Ask one row, and judge what came."""
    if client is None or (row.needs_user and os.geteuid() == 0):
        return Result(NOT_APPLICABLE, "")
    answer = client.ask(row.request)
    verdict, complaints = verdict_of(row, answer, client.fill)
    status = str(answer.status) if isinstance(answer, Answer) else ""
    return Result(
        verdict, complaints if complaints.startswith((status, "no answer")) else f"{status}, {complaints}"
    )


def main() -> int:
    """Ask the servers, all or those that were named, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="the report is then not written")
    options = parser.parse_args()
    results = {}
    for name in options.only or STARTS:
        began = time.monotonic()
        with TemporaryDirectory() as folder:
            site = Path(folder, "site")
            site.mkdir()
            server = STARTS[name](build(site), Path(folder))
            try:
                results[server] = results_of(server)
            finally:
                server.stop()
        counts = Counter(result.verdict for result in results[server].values())
        said = ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())
        print(f"{server.name} {server.version} ({time.monotonic() - began:.0f} s): {said}", flush=True)
        for (group, row), result in results[server].items() if options.only or name == "aioserve" else ():
            if result.verdict not in {AS_THE_ROW, NOT_APPLICABLE}:
                print(f"    {group}: {row}: {result.verdict}: {result.did}")
    if not options.only:
        write(results)
    ours = [its for server, its in results.items() if server.name == "aioserve"]
    return int(
        any(result.verdict not in {AS_THE_ROW, NOT_APPLICABLE} for its in ours for result in its.values())
    )


if __name__ == "__main__":
    sys.exit(main())
