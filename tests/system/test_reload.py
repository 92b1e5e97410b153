"""A real server that loads everything anew when files change, and loses no request over it."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.system.program import APPS
from tests.system.test_workers import Client, Load, children_of, on_path, wait_gone

CODE = (Path(APPS) / "workers.py").read_text()
BEGIN = 1_700_000_000  # a time of files, in seconds


def code(answer):
    """Return an application that gives this answer."""
    return CODE.replace("{os.getpid()}", answer)


class Site:
    """A folder with an application."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.write("app.py", code("one"))

    def write(self, name, text):
        """Write a file in the place of the one that is there, as editors do: it is never half there."""
        path = self.folder / name
        other = path.with_name(f"{path.name}.tmp")
        other.write_text(text)
        other.replace(path)
        return path


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path / "site")


@pytest.fixture
def reloading(serve, site):
    """Start servers that look for changes, as soon as this returns."""

    def start(*words, app="app:Handler", **more):
        server = serve(app, "--reload", *words, cwd=site.folder, **more)
        wait_watched(watcher_of(server))
        return server

    return start


def watcher_of(server):
    """Return the number of the process that looks for changes: the one that has no socket but its own."""
    while True:
        for pid in children_of(server.pid):
            try:
                if not listens(pid):
                    return pid
            except (FileNotFoundError, ProcessLookupError):
                continue


def links_of(pid):
    found = {}
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(each.name)] = str(each.readlink())
        except FileNotFoundError:  # just closed
            continue
    return found


def listens(pid):
    """Whether a process, which is no client, has a socket of ours; a line of the table ends in its number."""
    table = Path(f"/proc/{pid}/net/tcp").read_text()
    numbers = {line.split()[9] for line in table.splitlines()[1:] if line.split()[3] == "0A"}
    return any(f"socket:[{number}]" in links_of(pid).values() for number in numbers)


def wait_watched(pid):
    """Wait until a process has the system look at folders."""
    while not any(
        "inotify wd:" in Path(f"/proc/{pid}/fdinfo/{number}").read_text()
        for number, link in links_of(pid).items()
        if "inotify" in link
    ):
        assert Path(f"/proc/{pid}").exists()


def reloads(server, number):
    """Wait until everything has been loaded anew so many times."""
    server.stderr.wait_for(rf"(INFO reloaded\n(.|\n)*){{{number}}}")


def wait_answer(client, answer):
    """Ask until there is this answer: an old worker may give one more while it is told that it is old."""
    while client.ask() != answer + b"\n":
        pass


def test_saved_file_is_served_and_no_request_is_lost(reloading, site):
    server = reloading()
    client = Client(server)
    assert client.ask() == b"one\n"
    with Load(client, keep_alive=False) as load:
        site.write("app.py", code("two"))
        server.stderr.wait_for("INFO app.py changed: reloading\n")
        reloads(server, 1)
        wait_answer(client, b"two")

    assert load.failures == []


def test_all_workers_have_the_new_code(reloading, site):
    server = reloading("--workers", "2")
    client = Client(server)
    site.write("app.py", CODE)
    reloads(server, 1)

    answers = set()
    while len(answers) < 2:
        answers |= {client.ask()} - {b"one\n"}


def test_broken_file_changes_nothing_and_is_shown(reloading, site):
    server = reloading()
    client = Client(server)
    site.write("app.py", "def broken(:\n")
    server.stderr.wait_for("not reloaded: a new worker could not start; the old ones go on")
    assert "SyntaxError" in server.stderr.text
    assert f'File "{site.folder}/app.py", line 1' in server.stderr.text
    assert client.ask() == b"one\n"

    site.write("app.py", code("two"))
    reloads(server, 1)
    wait_answer(client, b"two")
    assert server.stop() == 0  # here, since there is a traceback


def test_code_that_does_not_come_to_an_end_is_given_up_for_what_is_saved_next(reloading, site):
    server = reloading()
    client = Client(server)
    site.write("app.py", "import signal\nprint('begun', flush=True)\nwhile True: signal.pause()\n")
    server.stdout.wait_for("begun")
    assert client.ask() == b"one\n"

    site.write("app.py", code("two"))
    reloads(server, 1)
    wait_answer(client, b"two")


def test_broken_code_at_the_start_is_a_refusal(start, site):
    site.write("app.py", "def broken(:\n")
    program = start("aioserve", "app:Handler", "--reload", "--port", "0", cwd=site.folder, env=on_path())

    assert program.wait() == 3
    assert "SyntaxError" in program.stderr.text


def test_second_change_within_a_second_of_the_same_size_is_seen(reloading, site):
    """What Python had compiled in between would count for it."""

    def save(answer):
        other = site.folder / "new.txt"
        other.write_text(f"ANSWER = {answer!r}\n")
        os.utime(other, (BEGIN, BEGIN))
        other.replace(site.folder / "part.py")

    save("one")
    site.write("app.py", code("{part.ANSWER}").replace("import os\n", "import os\nimport part\n"))
    server = reloading()
    client = Client(server)
    for number, answer in enumerate(("two", "six", "ten"), 1):
        save(answer)
        reloads(server, number)
        wait_answer(client, answer.encode())

    assert not (site.folder / "__pycache__").exists()


def test_many_files_at_once_are_one_change_or_two(reloading, site):
    server = reloading()
    for number in range(500):
        (site.folder / f"part{number}.py").write_text(f"PART = {number}\n")
    site.write("app.py", code("two"))
    client = Client(server)
    wait_answer(client, b"two")
    site.write("app.py", code("three"))
    wait_answer(client, b"three")

    assert re.search(r"INFO \S+\.py, \S+\.py, \S+\.py and \d+ more changed: reloading", server.stderr.text)
    assert server.stderr.text.count("changed: reloading") <= 6  # a slow machine may pause in between


def test_what_does_not_matter_is_not_a_change(reloading, site):
    for folder in ("__pycache__", ".git", "env/lib/site-packages"):
        (site.folder / folder).mkdir(parents=True)
    server = reloading("--reload-exclude", "made")
    for name in (
        "__pycache__/app.py",
        ".git/hook.py",
        "env/lib/site-packages/click.py",
        ".#app.py",
        "a.html",
    ):
        site.write(name, "")
    (site.folder / "made").mkdir()
    site.write("made/app.py", "")
    site.write("app.py", code("two"))
    reloads(server, 1)

    assert re.findall(r"INFO (.*) changed", server.stderr.text) == ["app.py"]


def test_folders_and_files_are_named(reloading, site, tmp_path):
    (tmp_path / "lib").mkdir()
    server = reloading("--reload-dir", "../lib", "--reload-dir", ".", "--reload-include", "*.html")
    (tmp_path / "lib" / "page.html").write_text("")
    server.stderr.wait_for(re.escape("INFO ../lib/page.html changed: reloading"))
    site.write("app.py", code("two"))
    server.stderr.wait_for("INFO app.py changed: reloading")
    client = Client(server)
    wait_answer(client, b"two")


def test_file_of_the_application_is_looked_at_wherever_it_is(reloading, tmp_path):
    (tmp_path / "other").mkdir()
    file = tmp_path / "other" / "app.py"
    file.write_text(code("one"))
    server = reloading(app=f"{file}:Handler")
    file.write_text(code("two"))
    server.stderr.wait_for(re.escape("INFO ../other/app.py changed: reloading"))
    client = Client(server)
    wait_answer(client, b"two")


def test_configuration_file_is_looked_at_wherever_it_is(reloading, tmp_path):
    file = tmp_path / "aioserve.toml"
    file.write_text("workers = 1\n")
    server = reloading("--config", file)
    other = tmp_path / "other.toml"
    other.write_text("workers = 2\n")
    other.replace(file)
    reloads(server, 1)
    assert "aioserve.toml changed: reloading" in server.stderr.text

    other.write_text("reload = false\nworkers = 1\n")
    other.replace(file)
    reloads(server, 2)


def test_stream_without_end_does_not_delay_the_new_code(reloading, site):
    """The old worker has all of its time for it."""
    server = reloading("--timeout-shutdown", "1h")
    client = Client(server)
    with client.connect() as stream:
        stream.request("GET", "/wait")
        client.ask()
        (old,) = children_of(server.pid) - {watcher_of(server)}
        site.write("app.py", code("two"))
        reloads(server, 1)
        wait_answer(client, b"two")
        assert old in children_of(server.pid)
        os.kill(old, signal.SIGKILL)  # which would wait for an hour

    wait_gone(old)


# The process that looks


def test_it_has_nothing_of_the_parent_but_the_way_to_tell_it(reloading):
    server = reloading("--workers", "2")
    links = links_of(watcher_of(server))

    assert sum(link.startswith("socket:") for number, link in links.items() if number > 2) == 1
    assert {link.partition(":")[0] for number, link in links.items() if number > 2} <= {
        "socket",
        "anon_inode",
        *(link.partition(":")[0] for link in links_of("self").values()),
    }


def test_it_does_nothing_at_what_a_terminal_sends(reloading, site):
    server = reloading()
    pid = watcher_of(server)
    os.kill(pid, signal.SIGINT)
    os.kill(pid, signal.SIGQUIT)
    site.write("app.py", code("two"))
    reloads(server, 1)

    assert pid in children_of(server.pid)


def test_another_takes_its_place_when_it_dies(reloading, site):
    server = reloading()
    pid = watcher_of(server)
    os.kill(pid, signal.SIGKILL)
    server.stderr.wait_for("--reload: changes are not seen for a while: the process that does it has ended")
    wait_gone(pid)
    while (other := watcher_of(server)) == pid:
        pass
    wait_watched(other)
    site.write("app.py", code("two"))
    reloads(server, 1)

    wait_answer(Client(server), b"two")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_with_the_server(reloading, number):
    server = reloading()
    pid = watcher_of(server)
    server.stop(number)

    wait_gone(pid)
