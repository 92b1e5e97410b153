"""Run each module's own tests, and name the modules that these do not cover to the last branch.

    python tests/own_coverage.py [module ...]

A module is given by its name (``http1.parser``) or its path; all of them by nothing. Coverage by the tests of
other modules does not count: who changes a module learns from its own tests, in a second, what it broke.
"""
# ruff: noqa: T201 - a script

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "aioserve"
TESTS = ROOT / "tests"

MODULES = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py"))]

PLUGINS = ("-p", "pytest_cov", "-p", "pytest_timeout")  # loading all of them takes longer than most tests

# Modules without a test file of their own name: which one is theirs, and why.
ELSEWHERE = {
    "__init__.py": ("test_package.py", "it is the package"),
    "__main__.py": ("test_package.py", "it is the package's command"),
    "spare_task.py": ("test_eager.py", "both do the same, and pass the same tests"),
}


def is_empty(module):
    """Whether a module is an inner package, which holds its docstring and nothing else."""
    return module.name == "__init__.py" and module.parent != Path()


def own_tests_of(module):
    """Return the test files of a module, beneath the tests: ``test_name.py`` and ``test_name_*.py``."""
    if str(module) in ELSEWHERE:
        return [Path(ELSEWHERE[str(module)][0])]
    own = {module.with_name(f"test_{module.name}")}
    for path in (TESTS / module.parent).glob(f"test_{module.stem}_*.py"):
        other = module.with_name(path.name.removeprefix("test_"))
        if other not in MODULES:
            own.add(module.with_name(path.name))
    return sorted(own)


class Outcome(NamedTuple):
    """What the own tests of a module are worth."""

    module: Path
    complaint: str  # empty where there is none


def measure(module):
    """Run the own tests of a module in a process of their own."""
    tests = [TESTS / path for path in own_tests_of(module)]
    if missing := [str(path.relative_to(ROOT)) for path in tests if not path.exists()]:
        return Outcome(module, f"there is no {missing[0]}")
    inner = () if str(module) in ELSEWHERE else module.with_suffix("").parts
    with TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGINS, *map(str, tests)),
                *(f"--cov={'.'.join(['aioserve', *inner])}", "--cov-branch", f"--cov-report=json:{report}"),
            ],
            cwd=ROOT,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COVERAGE_FILE": f"{folder}/data"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return Outcome(module, f"its tests fail\n{done.stdout}{done.stderr}")
        if not report.exists():
            return Outcome(module, "its tests do not load it")
        files = json.loads(report.read_text("utf-8"))["files"]
    return Outcome(module, complaint_about(files[f"aioserve/{module}"]))


def complaint_about(covered):
    """Say what coverage's report of one file lacks."""
    lines = [str(line) for line in covered["missing_lines"]]
    branches = [f"{start}->{'exit' if end < 0 else end}" for start, end in covered["missing_branches"]]
    return ", ".join(lines + branches)


def main(names):
    """Measure the modules named, or all, and return the exit code."""
    known = {".".join(module.with_suffix("").parts): module for module in MODULES if not is_empty(module)}
    known |= {str(Path("aioserve", module)): module for module in known.values()}
    if unknown := [name for name in names if name not in known]:
        print(f"no such module: {unknown[0]}", file=sys.stderr)
        return 2
    chosen = {known[name] for name in names} or set(known.values())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(measure, sorted(chosen)))
    for module, complaint in outcomes:
        if complaint:
            print(f"aioserve/{module}: {complaint}")
    covered = sum(not complaint for _, complaint in outcomes)
    print(f"{covered} of {len(outcomes)} modules are covered by their own tests, branches included")
    return int(covered < len(outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
