"""How the results are told: docs/conformance.md, all of it, from the introduction to the notes."""

from __future__ import annotations

import datetime as dt
import platform
import textwrap
from typing import TYPE_CHECKING

from conformance.judge import CHOICE, DIFFERENCES, FINE, VERDICTS
from conformance.servers import ROOT, Server, version_of
from tests.conformance.rows import GROUPS, ROWS

if TYPE_CHECKING:
    from conformance.judge import Result

WIDTH = 110

INTRODUCTION = """\
# The rows on other servers

`make conformance` sends every row of `tests/conformance/rows` to aioserve and to other servers, over sockets,
and writes this page. A row is the bytes that a client sends and the answers that must come; its name begins
with the clause that it is about: "9112 9.3" is RFC 9112, section 9.3. Each row is sent in one piece, byte by
byte (of more than 3000 bytes the first 600), and cut in two at up to 12 places; after a row that must leave
the connection open, one more request must be answered. A row is kept when it is kept in every one of these
ways. The rows were written for aioserve and are tested on it at every change, so that its own column says
only that real sockets show the same; they are one reading of the RFCs, and no independent test.

Every server has its default limits and answers 200 to every request that reaches its application, which reads
the body first and sends the method back.
"""

VERDICT_NOTES = """\
- *another refusal*: a refusal is wanted, and another one came that ends the connection: another 4xx or 5xx,
  or a close without an answer. The rule is kept all the same, and the row counts so in the first table.
- *another choice*: the server does something else where the RFCs let it, or says nothing. Not a fault.
- *closed before all was served*: the RFCs let a server close an idle connection at any time; what stood
  behind in a pipeline remains unanswered, and the client must ask again.
- *kept open after the refusal*: refused, but the connection goes on. Where it is clear where the refused
  request ends, the RFCs allow it.
- *left unanswered*: nothing came within 1.5 to 2 seconds of silence; something may come when a timeout of the
  server ends. A server that reads whole lines waits so for the end of a line of nonsense.
- *answers differ by segmentation*: the verdict depends on how the same bytes were cut.
- A 100 that comes before an answer, of a request that expects it, is left out of the comparison unless the
  row is about it: 9110 10.1.1 lets a server send it or not when the body has begun to come.
"""

NOTES = """\
- A row is marked as a choice where the RFCs say MAY, or nothing. Others rest on a SHOULD (501 for unknown
  methods and codings, 505, user information), which a server may have its reasons not to follow.
- aioserve knows its methods and looks at the target before it asks its application. The other servers leave
  most of this to the application: the rows about unknown methods, about `*`, CONNECT, other schemes, ports
  and user information in targets, and about the value of Host, may be kept by a framework on top of them.
  Here there is none.
- Limits are of other sizes, or of the application: uvicorn, granian, hypercorn and gunicorn have none for
  bodies, and aiohttp looks at its own only as the body comes. They wait for the body that a huge length or
  chunk promises. The rows about limits are choices.
- nginx has no application here: `mirror` makes it read bodies, and a named location says 200. What it read is
  not compared. A real configuration has names of servers, and refuses other hosts. Fields whose name nginx
  calls invalid it drops (`ignore_invalid_headers`) and serves the request, which counts as serving it.
- hypercorn speaks HTTP/2 over plain connections and has no option against it: that it upgrades to h2c and
  answers the preface of HTTP/2 is right by its own means. It also closes after 1000 requests
  (`keep_alive_max_requests`), and the row about a thousand asks for one more.
- uvicorn and hypercorn close HTTP/1.0 connections even if the client asks to keep them, which is allowed.
- gunicorn's WSGI application is not told that a body of known length ended too early, and answers what it
  believes to be whole; an ASGI application is told that the client has gone.
- Servers whose handlers run beside their parser (aiohttp, hypercorn) answer some rows one way or
  the other as it happens: a few of their counts change from run to run.
- granian is started with `--http 1 --no-ws`, as the application speaks nothing else; nginx has
  `keepalive_requests 100000`; gunicorn runs its gthread worker with 64 threads, since each connection that
  waits for the rest of a request holds one.
"""

Results = dict[Server, "dict[str, Result]"]


def write(results: Results, absent: list[str]) -> None:
    """Write the page."""
    parts = [INTRODUCTION, _circumstances(results, absent), _groups(results), _verdicts(results)]
    parts += [VERDICT_NOTES, "## What is unfair to a peer\n\n" + NOTES, _differences(results)]
    page = "\n".join(parts)
    (ROOT / "docs" / "conformance.md").write_text(page.rstrip() + "\n", encoding="utf-8")


def _circumstances(results: Results, absent: list[str]) -> str:
    versions = "; ".join(f"{server.name} ({version_of(server)})" for server in results)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    python = platform.python_version()
    said = f"Last run: {today}, {platform.system()}, Python {python}. Servers: {versions}."
    if absent:
        said += f" Not installed, and left out: {', '.join(absent)}."
    died = [f"{server.name} ({server.starts - 1} times)" for server in results if server.starts > 1]
    if died:
        said += f" Died on the way and started again: {', '.join(died)}."
    return textwrap.fill(said, WIDTH, break_on_hyphens=False) + "\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a table whose numbers stand to the right."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _groups(results: Results) -> str:
    """Count by group what is kept."""
    rows = []
    for group, its in {**GROUPS, "**All**": ROWS}.items():
        cells = [f"{group} ({len(its)})"]
        for result in results.values():
            verdicts = [result[name].verdict for name in its]
            kept = sum(verdict in FINE for verdict in verdicts)
            chosen = verdicts.count(CHOICE)
            cells.append(f"{kept}" + (f" + {chosen}" if chosen else ""))
        rows.append(cells)
    return (
        "## By group\n\nRows that are as they must be, of the number in brackets; behind the plus those where"
        " the server makes\nanother choice that the RFCs leave. The rest are differences.\n\n"
        + table(["Group (rows)", *(server.name for server in results)], rows)
    )


def _verdicts(results: Results) -> str:
    """Count by verdict."""
    rows = []
    for verdict in VERDICTS:
        counts = [sum(its.verdict == verdict for its in result.values()) for result in results.values()]
        rows.append([verdict, *(str(count) if count else "" for count in counts)])
    return "## By verdict\n\n" + table(["Verdict", *(server.name for server in results)], rows)


def _differences(results: Results) -> str:
    """List for each server the rows that it does not keep, choices left out."""
    said = (
        "## What differs\n\nWhat came instead, choices and other refusals left out. Where it depends on the"
    )
    said += " segmentation,\nit says in how many of the ways it came, and names the first of them.\n"
    for server, result in results.items():
        different = {name: its for name, its in result.items() if its.verdict in DIFFERENCES}
        if not different:
            said += f"\n{server.name}: nothing.\n"
            continue
        said += f"\n<details>\n<summary>{server.name}: {len(different)} rows</summary>\n"
        for verdict in DIFFERENCES:
            rows = [(name, its.did) for name, its in different.items() if its.verdict == verdict]
            if rows:
                said += f"\n{verdict[0].upper()}{verdict[1:]}:\n\n"
                said += "".join(f"- {_code(name)}: {did}\n" for name, did in rows)
        said += "\n</details>\n"
    return said


def _code(name: str) -> str:
    """Show a row's name as it is, with control bytes in words."""
    shown = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in name)
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"
