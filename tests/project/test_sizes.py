"""Files and functions stay small, every file says what it decides, and every module has its own tests."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.own_coverage import ELSEWHERE, MODULES, PACKAGE, TESTS, is_empty, own_tests_of

LONGEST_FILE = 500
LONGEST_FUNCTION = 60  # lines of its body, without its docstring


def functions_of(tree):
    """Yield every function of a module, also those inside classes and functions."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def body_lines_of(function):
    """Return how many lines a function's body has, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_file_is_a_room(module):
    source = (PACKAGE / module).read_text("utf-8")
    tree = ast.parse(source)

    assert len(source.splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(tree)
    assert [each.name for each in functions_of(tree) if body_lines_of(each) > LONGEST_FUNCTION] == []
    assert not is_empty(module) or len(tree.body) == 1


def test_files_of_tests_are_no_longer():
    lengths = {path.relative_to(TESTS): path.read_text("utf-8").count("\n") for path in TESTS.rglob("*.py")}
    assert {str(path): length for path, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("module", [each for each in MODULES if not is_empty(each)], ids=str)
def test_module_has_its_own_tests(module):
    assert [each for each in own_tests_of(module) if not (TESTS / each).is_file()] == []


def test_exceptions_are_modules_without_a_test_file_of_their_name():
    for module in map(Path, ELSEWHERE):
        assert module in MODULES
        assert not (TESTS / module.with_name(f"test_{module.name}")).exists()


# What no module has: tests of the whole, and of what the tests themselves use.
OF_THE_WHOLE = {"conformance", "project", "semantics", "system"}
OF_THE_TESTS = {"static/test_traversal.py", "test_doubles.py", "test_steps.py"}


def test_other_test_files_test_the_whole_or_the_tests():
    files = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    own = {path for module in MODULES for path in own_tests_of(module)}

    assert {str(path) for path in files - own if path.parts[0] not in OF_THE_WHOLE} == OF_THE_TESTS


def test_lines_of_a_function_are_counted():
    tree = ast.parse('''
def one():
    """Say.

    More.
    """
    a = 1

    return a
async def two():
    """Say."""
class Three:
    def four(self):
        def five(): pass
''')

    assert {each.name: body_lines_of(each) for each in functions_of(tree)} == {
        "one": 3,
        "two": 0,
        "four": 1,
        "five": 1,
    }
