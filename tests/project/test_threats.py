"""The threat model is checked like code: what it names is there, and no row has a hole."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from aioserve.settings import OPTIONS
from tests.conformance.rows import GROUPS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "THREAT_MODEL.md").read_text("utf-8")

COLUMNS = ["Threat", "Defence", "Where", "Shown by"]
SECTIONS = [
    "Framing and smuggling",
    "Slow clients",
    "Greedy clients: memory and processor",
    "The answer",
    "The disk",
    "Logs and terminals",
    "The process: signals, ports, descriptors, TLS",
    "Proxies in front",
]
LAST = "What is not defended"
WIDEST = 120  # columns, outside of tables

MODULE = re.compile(r"`([a-z0-9_/]++\.py)`")
TEST = re.compile(r"`(tests/[a-z0-9_/]++\.py)::([a-z0-9_]++)`")
GROUP = re.compile(r"::test_over_a_socket`(?: \(([^)]++)\))?+")
FLAG = re.compile(r"`(--[a-z-]++)`")


def sections_of(text):
    """Return the lines of each section by its heading."""
    return {part.splitlines()[0]: part.splitlines()[1:] for part in text.split("\n## ")[1:]}


def cells_of(line):
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def rows_of(lines):
    """Return the rows of the one table in a section, its heading included."""
    return [cells_of(line) for line in lines if line.startswith("|") and not line.startswith("|---")]


@cache
def names_in(path):
    """Return the names of the tests at the top level of a file; none where there is no file."""
    if not (ROOT / path).is_file():
        return frozenset()
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = (each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(each.name for each in functions if each.name.startswith("test_"))


FOUND = sections_of(TEXT)
ROWS = [(name, row) for name in SECTIONS for row in rows_of(FOUND.get(name, []))[1:]]
every_row = pytest.mark.parametrize("row", [row for _, row in ROWS], ids=[row[0][:60] for _, row in ROWS])


def test_sections_are_there_in_their_order():
    assert list(FOUND) == [*SECTIONS, LAST]


@pytest.mark.parametrize("name", SECTIONS)
def test_each_section_is_a_table(name):
    rows = rows_of(FOUND[name])

    assert rows[0] == COLUMNS
    assert len(rows) > 1


@every_row
def test_row_is_filled(row):
    assert len(row) == len(COLUMNS)
    assert all(row)
    assert MODULE.search(row[2])
    assert TEST.search(row[3])


@every_row
def test_where_names_modules_and_nothing_else(row):
    assert re.sub(r"[, ]", "", MODULE.sub("", row[2])) == ""


@every_row
def test_shown_by_names_tests_and_groups_and_nothing_else(row):
    groups = re.sub(r" \([^)]++\)", "", row[3])

    assert re.sub(r"[, ]", "", TEST.sub("", groups)) == ""


@every_row
def test_tests_exist(row):
    assert [f"{path}::{name}" for path, name in TEST.findall(row[3]) if name not in names_in(path)] == []


@every_row
def test_groups_of_rows_exist(row):
    for names in GROUP.findall(row[3]):
        rest = names  # the name of a group may have a comma of its own
        for group in sorted(GROUPS, key=len, reverse=True):
            rest = rest.replace(group, "")
        assert names
        assert rest.strip(", ") == ""


def test_no_threat_comes_twice():
    threats = [row[0] for _, row in ROWS]

    assert len(set(threats)) == len(threats)


def test_modules_exist():
    known = {path.relative_to(ROOT / "aioserve").as_posix() for path in (ROOT / "aioserve").rglob("*.py")}
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}

    assert set(MODULE.findall(TEXT)) - known - tests == set()


def test_options_exist():
    assert set(FLAG.findall(TEXT)) - {form for option in OPTIONS.values() for form in option.forms} == set()


def test_last_section_says_something_in_a_list():
    assert [line for line in FOUND[LAST] if line.startswith("- ")]
    assert rows_of(FOUND[LAST]) == []


def test_lines_outside_of_tables_fit():
    assert [line for line in TEXT.splitlines() if len(line) > WIDEST and not line.startswith("|")] == []


def test_what_is_wrong_is_found():
    text = "# A\n\n## B\n\n| C | D |\n|---|---|\n| e |  |\n\n## F\ng\n"

    assert sections_of(text)["F"] == ["g"]
    assert rows_of(sections_of(text)["B"]) == [["C", "D"], ["e", ""]]
    assert "test_sections_are_there_in_their_order" in names_in("tests/project/test_threats.py")
    assert names_in("tests/project/test_nothing.py") == frozenset()
