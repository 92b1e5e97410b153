"""What the wire must show: one row for each rule, the bytes sent, and the answers that must come.

A row's name begins with the clause that it is about: "9110 9.3.2" is RFC 9110, section 9.3.2. Where the RFC
leaves a choice, the row says in words why ours is what it is: what may be refused or repaired is refused,
since whoever repairs and whoever does not read two different requests in the same bytes.
"""

from __future__ import annotations

from tests.conformance.rows.bodies import CHUNKS, CODINGS, LENGTHS
from tests.conformance.rows.exchanges import CONNECTIONS, EXPECTATIONS, METHODS, UPGRADES
from tests.conformance.rows.heads import FIELDS, LINES, TARGETS, VERSIONS
from tests.conformance.rows.row import GET, Row

GROUPS: dict[str, dict[str, Row]] = {
    "Lines": LINES,
    "Versions": VERSIONS,
    "Targets and Host": TARGETS,
    "Header fields": FIELDS,
    "Content-Length": LENGTHS,
    "Transfer-Encoding": CODINGS,
    "Chunks and trailers": CHUNKS,
    "Expectations": EXPECTATIONS,
    "Persistence, pipelining, closing": CONNECTIONS,
    "Methods": METHODS,
    "Upgrades": UPGRADES,
}

ROWS = {name: row for group in GROUPS.values() for name, row in group.items()}

__all__ = ["GET", "GROUPS", "ROWS", "Row"]
