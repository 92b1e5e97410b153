"""Every row of tests/conformance on every server, over real sockets: `make conformance`.

Each row is sent in one piece, byte by byte, and cut in two at several places. What the servers did is written
to docs/conformance.md; the exit code says whether aioserve did what its rows say. A row that was not kept is
sent again, with fewer beside it and more patience, and only what came then counts.

The Python peers are installed into an environment of their own, .venv-peers. nginx is used where it is found.
"""

# ruff: noqa: T201 - a script

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from conformance.client import Outcome, converse, segmentations
from conformance.judge import AS_THE_ROW, FINE, SERVED, VERDICTS, Result, judge
from conformance.report import write
from conformance.servers import Server, install_peers, servers
from tests.conformance.rows import GET, ROWS, Row

AT_ONCE, PATIENCE = 48, 1.5  # connections, seconds
AGAIN_AT_ONCE, AGAIN_PATIENCE = 24, 2.0


async def results_of(server: Server) -> dict[str, Result]:
    """Send all rows to a server, and once more those that it did not keep."""
    try:
        await server.start()
        plain = await converse(server, Row(GET, [200]), [GET], AGAIN_PATIENCE)
        if plain.statuses != (200, 200):
            raise SystemExit(f"conformance: {server.name} does not answer: {plain}")
        results = await pass_over(server, ROWS, AT_ONCE, PATIENCE)
        again = {name: ROWS[name] for name, result in results.items() if is_worth_repeating(result)}
        return results | await pass_over(server, again, AGAIN_AT_ONCE, AGAIN_PATIENCE)
    finally:
        server.stop()


def is_worth_repeating(result: Result) -> bool:
    """Tell whether a slow machine could have made the difference: silence, or one answer among others."""
    return result.verdict not in FINE | {SERVED} and ("open" in result.did or " of " in result.did)


async def pass_over(server: Server, rows: dict[str, Row], at_once: int, patience: float) -> dict[str, Result]:
    """Send these rows in all their segmentations, some connections at a time, and judge them."""
    turn = asyncio.Semaphore(at_once)

    async def one(row: Row) -> Result:
        async def in_turn(pieces: list[bytes]) -> Outcome:
            async with turn:
                return await converse(server, row, pieces, patience)

        ways = segmentations(row.sent)
        outcomes = await asyncio.gather(*(in_turn(pieces) for pieces in ways.values()))
        return judge(row, dict(zip(ways, outcomes, strict=True)))

    return dict(zip(rows, await asyncio.gather(*(one(row) for row in rows.values())), strict=True))


def main() -> int:
    """Ask the servers, all or those that were named, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("only", nargs="*", help="names of servers; the report is then not written")
    options = parser.parse_args()
    install_peers()
    known = servers()
    present = [server for server in known if shutil.which(server.command[0])]
    results = {}
    for server in present:
        if options.only and server.name not in options.only:
            continue
        began = time.monotonic()
        results[server] = asyncio.run(results_of(server))
        verdicts = [result.verdict for result in results[server].values()]
        counts = ", ".join(f"{verdicts.count(name)} {name}" for name in VERDICTS if name in verdicts)
        print(f"{server.name} ({time.monotonic() - began:.0f} s): {counts}", flush=True)
        for name, result in results[server].items() if options.only or server.name == "aioserve" else ():
            if result.verdict != AS_THE_ROW:
                print(f"    {name}: {result.verdict}: {result.did}")
    if not options.only:
        absent = [server.name for server in known if server not in present]
        write(results, absent)
    ours = [its for server, its in results.items() if server.name == "aioserve"]
    return int(any(result.verdict != AS_THE_ROW for its in ours for result in its.values()))


if __name__ == "__main__":
    sys.exit(main())
