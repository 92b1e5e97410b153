"""The rules of a folder are those that stand in it now, and what is wrong with them is said once."""

from __future__ import annotations

import os
import time

import pytest

from aioserve.static.header_fields import parse_header_file
from aioserve.static.patterns import MAX_CHARACTERS
from aioserve.static.redirects import Redirection
from aioserve.static.rule_files import RuleFiles
from aioserve.static.tree import FileTree
from tests.static.trees import ordinary_user, root_for_anybody

pytestmark = pytest.mark.usefixtures("no_descriptor_is_left")

WRONG_HEADERS = "/*\n  no colon\n"
WRONG_REDIRECTS = "/old\n"


@pytest.fixture
def rules(tree):
    return RuleFiles(tree, "site/")


class Clock:
    """Stands for the time, and is moved by the test."""

    def __init__(self):
        self.passed = 0

    def time_ns(self):
        return time.time_ns() + self.passed


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("aioserve.static.rule_files.time", clock)
    return clock


@pytest.fixture
def settled(clock):
    """What was written by the test was written long ago."""
    clock.passed = 3_600_000_000_000


def headers(rules):
    """Return the fields of each rule."""
    return [rule.fields for rule in rules.headers()]


def location(rules, path):
    match rules.redirects().match(path, "", exists=False):
        case Redirection(_, there):
            return there
        case nothing:
            return nothing


# What is read


def test_rules_stand_in_the_root(root, rules):
    (root / "_headers").write_text("/*\n  X-One: 1\n")
    (root / "_redirects").write_text("/old /new\n")
    (root / "folder/_redirects").write_text("/other /new\n")

    assert headers(rules) == [(("X-One", "1"),)]
    assert location(rules, "/old") == "/new"
    assert location(rules, "/other") is None
    assert rules.problems() == []


def test_no_files_are_no_rules(rules, caplog):
    assert rules.headers() == ()
    assert rules.redirects().rules == ()
    assert rules.problems() == []
    assert caplog.messages == []


def test_places_are_known_also_where_nothing_is(root, rules):
    assert rules.paths == (os.fsencode(root / "_headers"), os.fsencode(root / "_redirects"))


def test_byte_order_mark_says_nothing(root, rules):
    (root / "_redirects").write_bytes(b"\xef\xbb\xbf/old /new\n")

    assert location(rules, "/old") == "/new"
    assert rules.problems() == []


@pytest.mark.parametrize("target", ["folder/rules", "{root}/folder/rules"])
def test_link_that_stays_inside_is_read(root, rules, target):
    (root / "folder/rules").write_text("/old /new\n")
    (root / "_redirects").symlink_to(target.format(root=root))

    assert location(rules, "/old") == "/new"


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("a folder", lambda path: path.mkdir()),
        ("a FIFO", os.mkfifo),
        ("a link out", lambda path: path.symlink_to(path.parent.parent / "outside/rules")),
        ("a link to a hidden file", lambda path: path.symlink_to(".rules")),
        ("a link to nothing", lambda path: path.symlink_to("nosuch")),
    ],
)
def test_what_nobody_could_see_holds_no_rules(root, rules, reason, make):
    for name in (".rules", "../outside/rules"):
        (root / name).write_text("/old /new\n")
    make(root / "_redirects")

    assert rules.redirects().rules == (), reason
    assert rules.problems() == []


def test_link_out_is_read_where_those_are_followed(root):
    (root / "../outside/rules").write_text("/old /new\n")
    (root / "_redirects").symlink_to("../outside/rules")

    assert location(RuleFiles(FileTree(root, follow_symlinks=True), ""), "/old") == "/new"


def test_unreadable_file_holds_no_rules():
    with root_for_anybody() as root:
        (root / "_redirects").write_text("/old /new\n")
        (root / "_redirects").chmod(0)
        with ordinary_user():
            rules = RuleFiles(FileTree(root), "")
            assert rules.redirects().rules == ()
            assert rules.problems() == []


# When it is read


@pytest.mark.parametrize("is_settled", [False, True])
def test_present_state_is_read(root, rules, clock, is_settled):
    clock.passed = 3_600_000_000_000 * is_settled
    path = root / "_redirects"
    for target in ("/a", "/b", "/longer"):
        path.write_text(f"/old {target}\n")
        os.utime(path, (0, 0))
        assert location(rules, "/old") == target

    (root / "new").write_text("/old /moved\n")
    (root / "new").rename(path)
    assert location(rules, "/old") == "/moved"

    path.unlink()
    assert location(rules, "/old") is None
    assert location(rules, "/old") is None

    (root / "rules").write_text("/old /linked\n")
    path.symlink_to("rules")
    assert location(rules, "/old") == "/linked"

    (root / "rules").write_text("/old /LINKED\n")
    assert location(rules, "/old") == "/LINKED"


@pytest.mark.usefixtures("settled")
def test_what_has_not_changed_is_read_once(root, rules):
    (root / "_headers").write_text("/*\n  X-One: 1\n")
    (root / "_redirects").write_text("/old /new\n")

    assert rules.headers() is rules.headers()
    assert rules.redirects() is rules.redirects()


def test_change_of_a_moment_ago_is_noticed_where_the_system_cannot_tell(root, rules, clock, monkeypatch):
    """Its time moves in steps, and within one nothing but the content is another."""
    monkeypatch.setattr("aioserve.static.rule_files.signature_of", lambda _status: (1, 2, 3, 4, 5))
    for target in "abc":
        (root / "_redirects").write_text(f"/old /{target}\n")
        assert location(rules, "/old") == f"/{target}"

    clock.passed = 1_000_000_000
    last = rules.redirects()
    assert rules.redirects() is last


@pytest.mark.usefixtures("settled")
def test_file_written_while_it_is_read_is_read_again(root, tree, monkeypatch):
    path = root / "_headers"
    path.write_text("/*\n  X-One: 1\n")

    def parse(text):
        path.write_text("/*\n  X-Two: 22\n")
        return parse_header_file(text)

    monkeypatch.setattr("aioserve.static.rule_files.parse_header_file", parse)
    rules = RuleFiles(tree, "site")

    assert headers(rules) == [(("X-One", "1"),)]
    assert headers(rules) == [(("X-Two", "22"),)]


# What is wrong


@pytest.mark.parametrize("is_settled", [False, True])
def test_what_is_wrong_is_said_once(root, rules, clock, caplog, is_settled):
    clock.passed = 3_600_000_000_000 * is_settled
    (root / "_headers").write_text(WRONG_HEADERS)
    (root / "_redirects").write_text(f"/a /b\n{WRONG_REDIRECTS}")

    for _ in range(3):
        rules.headers()
        rules.redirects()
    problems = rules.problems()

    assert [problem.partition(": ")[0] for problem in problems] == [
        "site/_headers, line 2",
        "site/_redirects, line 2",
    ]
    assert caplog.messages == problems
    assert location(rules, "/a") == "/b"


@pytest.mark.usefixtures("settled")
def test_what_is_wrong_anew_is_said_anew(root, rules, caplog):
    path = root / "_redirects"
    for text in (WRONG_REDIRECTS, "/a /b\n", WRONG_REDIRECTS):
        path.write_text(text)
        rules.redirects()

    assert len(caplog.messages) == 2
    path.unlink()
    assert rules.problems() == []


@pytest.mark.parametrize(("number", "said"), [(10, 10), (11, 11), (5000, 11)])
def test_of_many_problems_some_are_told(root, rules, caplog, number, said):
    (root / "_redirects").write_text(WRONG_REDIRECTS * number)

    rules.redirects()

    assert len(rules.problems()) == number
    assert len(caplog.messages) == said
    if number > 10:
        assert caplog.messages[-1] == f"site/_redirects: and {number - 10} more"


def test_whoever_asks_what_is_wrong_says_it_himself(root, rules, caplog):
    (root / "_redirects").write_text(WRONG_REDIRECTS)

    assert len(rules.problems()) == 1
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["_headers", "_redirects"])
def test_file_that_is_no_text_is_not_used(root, rules, name):
    (root / name).write_bytes(b"/old /new\n/*\n  X-One: 1\n\xff")

    assert rules.problems() == [f"site/{name}, line 1: the file is not UTF-8, and is not used"]
    assert (rules.headers(), rules.redirects().rules) == ((), ())


@pytest.mark.parametrize("name", ["_headers", "_redirects"])
@pytest.mark.parametrize(
    ("character", "times"), [("x", MAX_CHARACTERS), ("\U0001f600", MAX_CHARACTERS), ("x", 9 * MAX_CHARACTERS)]
)
def test_file_that_is_too_long_is_not_used(root, rules, name, character, times):
    (root / name).write_text("/old /new\n#" + character * times)

    (problem,) = rules.problems()
    assert problem.startswith(f"site/{name}, line 1: the file has more than 1,048,576 characters")
    assert (rules.headers(), rules.redirects().rules) == ((), ())


@pytest.mark.parametrize(
    ("root_name", "title"), [("site", "site/_redirects"), ("/", "/_redirects"), (".", "./_redirects")]
)
def test_problem_says_in_which_file_it_is(root, tree, root_name, title):
    (root / "_redirects").write_text(WRONG_REDIRECTS)

    (problem,) = RuleFiles(tree, root_name).problems()

    assert problem.startswith(f"{title}, line 1: ")
