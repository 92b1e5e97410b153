"""How the results are told: docs/static.md, all of it, from the introduction to the notes."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from comparison.servers import ROOT
from tests.semantics.judge import AS_THE_ROW, CHOICE, NOT
from tests.semantics.rows import GROUPS, ROWS
from tests.semantics.rows.row import Lists, NotAfterDate, Unlike

if TYPE_CHECKING:
    from collections.abc import Iterable

    from comparison.servers import Server
    from tests.semantics.rows import Want
    from tests.semantics.rows.row import Expected

WIDTH = 110
NOT_APPLICABLE = "n/a"
FIRST_OF_OURS = "Links and special files"  # this group and those behind it rest on rules of our own

INTRODUCTION = """\
# Files, row by row, beside nginx and Caddy

`make comparison` asks every row of `tests/semantics/rows` of aioserve, nginx and Caddy, over sockets, and
writes this page. A row is a request and the answer that must come: status, header fields and body. Where the
RFCs leave a choice, it has several answers, ours first. Its name begins with the clause that it is about:
"9110 13.1.2" is RFC 9110, section 13.1.2. Rows that begin otherwise are rules of our own, about options,
hidden files and links. An entity tag in a request is the one that the server itself gave before. The rows
were written for aioserve and are tested on it at every change, on both event loops: its own column says only
that the command shows the same. They are one reading of the RFCs, and no independent test.

All three serve the same folders. nginx has its own table of media types, `charset utf-8`, `gzip`,
`gzip_vary`, `gzip_static` and `absolute_redirect off`; Caddy has `encode zstd gzip` and `precompressed br
zstd gzip`. Both are told to refuse names with a dot in front. For each option of aioserve they have what
their manuals say about it: `comparison/configurations.py` has all of it.
"""

BY_RFC = """\
## What the RFCs say

Rows that are answered as the row says, of the number in brackets; behind the plus those that are answered by
another choice. The rest is not kept.
"""

DIFFERENCES = """\
## Rows that somebody does not keep

What came instead; a check mark stands for an answer that is right.
"""

VERDICT_NOTES = """\
- *as the row*: the answer that aioserve gives, as far as the row describes it.
- *another choice*: another answer that the RFCs leave, or a coding or media type that the server has not.
- *not*: none of the answers that are right for the row.
- *n/a*: there is no equivalent of the option; or the row needs a user who is not root.
"""

NOTES = """\
- nginx has the media types that its distribution keeps, and Caddy takes those of the system. Both can be told
  others in a line. Rows about a type that is missing there say "not" all the same.
- `if_modified_since before` makes nginx keep the rows about a date later than the file's; `exact` is its
  default, and stricter than the RFC.
- nginx has br and zstd by modules of others, and Caddy compresses by br with a plugin: rows for these codings
  count as a choice where the answer is the plain file.
- nginx sends no ranges of a precompressed file: a server may ignore any Range (9110 14.2).
- Neither looks whether a precompressed file is older than the file itself. They leave that to whoever makes
  it.
- Both follow symbolic links wherever they lead: who can make links in the folder is trusted. nginx has
  `disable_symlinks`, which refuses those inside as well. The rows count as a choice.
- Caddy's `file_server` answers every method with the file, and its manual lets a matcher of `method` refuse
  them; hardly any configuration has one.
- Both remove dot segments and double slashes from a path (3986 6.2.2.3), which is as good as to refuse them.
- The rows about a single-page application know more of what a browser wants than `try_files` can. A listing
  as JSON is another configuration of nginx (`autoindex_format`), not another answer.
- Of the rows about `_headers` and `_redirects` both know the matter, and not the files.
- nginx 1.22 and Caddy 2.6 are what Debian 12 has; both have later versions.
"""


class Result(NamedTuple):
    """What a server did with a row: the verdict, and in words what was different."""

    verdict: str
    did: str


Results = dict["Server", dict[tuple[str, str], Result]]


def write(results: Results) -> None:
    """Write the page."""
    ours = list(GROUPS)[list(GROUPS).index(FIRST_OF_OURS) :]
    parts = [INTRODUCTION, _circumstances(results), BY_RFC]
    parts += [_groups(results, [group for group in GROUPS if group not in ours])]
    parts += ["## Rules of our own: options, hidden files, links\n", _groups(results, ours)]
    parts += ["## By verdict\n", _verdicts(results), VERDICT_NOTES]
    parts += ["## What is unfair to a peer\n", NOTES, DIFFERENCES, *_differences(results)]
    page = "\n".join(parts)
    (ROOT / "docs/static.md").write_text(page.rstrip() + "\n", encoding="utf-8")


def _circumstances(results: Results) -> str:
    versions = "; ".join(f"{server.name} {server.version}" for server in results)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    said = f"Last run: {today}, {platform.system()}, Python {platform.python_version()}. Servers: {versions}."
    if os.geteuid() == 0:
        said += " Run by root, who may read every file."
    return textwrap.fill(said, WIDTH, break_on_hyphens=False) + "\n"


def _table(head: list[str], rows: Iterable[list[str]], alignment: str = "--:") -> str:
    lines = [head, ["---"] + [alignment] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _groups(results: Results, groups: list[str]) -> str:
    """Count by group what is kept."""
    names = {f"{group} ({len(GROUPS[group])})": [group] for group in groups}
    names[f"**All** ({sum(len(GROUPS[group]) for group in groups)})"] = groups
    rows = [
        [title, *(_kept([its[name] for name in ROWS if name[0] in members]) for its in results.values())]
        for title, members in names.items()
    ]
    return _table(["Group (rows)", *(server.name for server in results)], rows)


def _kept(its: list[Result]) -> str:
    verdicts = [result.verdict for result in its]
    kept, chosen, absent = map(verdicts.count, (AS_THE_ROW, CHOICE, NOT_APPLICABLE))
    if absent == len(its):
        return NOT_APPLICABLE
    return str(kept) + (f" + {chosen}" if chosen else "") + (f" ({absent} n/a)" if absent else "")


def _verdicts(results: Results) -> str:
    rows = []
    for verdict in (AS_THE_ROW, CHOICE, NOT, NOT_APPLICABLE):
        counts = [sum(one.verdict == verdict for one in its.values()) for its in results.values()]
        rows.append([verdict, *(str(count) if count else "" for count in counts)])
    return _table(["Verdict", *(server.name for server in results)], rows)


def _differences(results: Results) -> Iterable[str]:
    """Show, group by group, the rows that a server does not keep."""
    for group, its in GROUPS.items():
        different = [
            (name, row)
            for name, row in its.items()
            if any(result[group, name].verdict == NOT for result in results.values())
        ]
        if different:
            rows = [
                [
                    _plain(name),
                    _wanted(row.wants[0]),
                    *(_told(result[group, name]) for result in results.values()),
                ]
                for name, row in different
            ]
            yield f"### {group}\n\n" + _table(
                ["Row", "Wanted", *(server.name for server in results)], rows, "---"
            )


def _told(result: Result) -> str:
    if result.verdict == NOT:
        return _plain(result.did)
    return result.verdict if result.verdict == NOT_APPLICABLE else "✓"


def _wanted(want: Want) -> str:
    fields = [_field(name, expected) for name, expected in want.fields.items()]
    return _plain(", ".join([str(want.status), *fields]))


def _field(name: str, expected: Expected) -> str:
    match expected:
        case None:
            return f"no {name}"
        case str():
            return f"{name} `{re.sub('{[^}]*}', '…', expected)}`"
        case Lists(members):
            return f"{name} with {', '.join(members)}"
        case Unlike():
            return f"another {name}"
        case NotAfterDate():
            return f"{name} not after Date"
    return name


def _plain(text: str) -> str:
    """Show a text in a cell of a table as it is, but for code between backticks."""
    parts = text.replace("|", "\\|").split("`")
    parts[::2] = [re.sub(r"([*_<\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)
