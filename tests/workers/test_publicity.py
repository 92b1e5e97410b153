from __future__ import annotations

import json
import logging
import os
import re
from contextlib import closing

import pytest

from aioserve.errors import ConfigurationError
from aioserve.listen.addresses import TcpAddress, UnixAddress
from aioserve.listen.sockets import bind_sockets, format_address
from aioserve.own_file import is_held
from aioserve.settings import Application, Bind, Logs, Process, Settings, Static, Tls
from aioserve.workers.marker_files import MarkerFile
from aioserve.workers.publicity import Publicity


class FakeManager:
    """A service manager that keeps what it is told."""

    def __init__(self):
        self.told = []

    def ready(self, status):
        self.told.append(("ready", status))

    def status(self, status):
        self.told.append(("status", status))

    def reloading(self):
        self.told.append(("reloading",))

    def stopping(self, seconds, status):
        self.told.append(("stopping", seconds, status))

    def close(self):
        self.told.append(("close",))


@pytest.fixture(autouse=True)
def plain_streams(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "JOURNAL_STREAM"):
        monkeypatch.delenv(name, raising=False)


def listen_on(*hosts):
    return bind_sockets(Bind(addresses=tuple(TcpAddress(host, 0) for host in hosts)))


@pytest.fixture
def listening():
    """Two sockets that listen, at different ports."""
    with closing(listen_on("127.0.0.1", "127.0.0.2")) as found:
        yield found


@pytest.fixture
def manager():
    return FakeManager()


@pytest.fixture
def publish(manager):
    """Make what says things of a server with such settings."""
    made = []

    def make(**sections):
        made.append(Publicity(Settings(**sections), manager))
        return made[-1]

    yield make
    for each in made:
        each.close(is_over=True)


def with_files(folder):
    """Return settings that name all three files."""
    names = {f"{name}_file": str(folder / name) for name in ("pid", "port", "ready")}
    return Process(**names)


def urls(listening, scheme="http"):
    return [format_address(each, scheme) for each in listening.sockets]


def said(capfd):
    """Return the lines of the standard error, without their times."""
    out, err = capfd.readouterr()
    assert out == ""
    return [re.sub(r"^\S+ ", "", line) for line in err.splitlines()]


# The files


def test_files_follow_what_is_loaded_anew(publish, tmp_path, listening):
    (tmp_path / "new").mkdir()
    old, new = (Settings(process=with_files(each)) for each in (tmp_path, tmp_path / "new"))
    public = publish(process=old.process)
    public.begins()
    public.serves(old, listening, 1)
    public.serves(new, listening, 1)

    assert [*tmp_path.iterdir()] == [tmp_path / "new"]
    assert {each.name for each in (tmp_path / "new").iterdir()} == {"pid", "port", "ready"}


def test_who_takes_signals_is_said_first(publish, tmp_path):
    public = publish(process=with_files(tmp_path))
    public.begins()

    assert [*tmp_path.iterdir()] == [tmp_path / "pid"]
    assert (tmp_path / "pid").read_text() == f"{os.getpid()}\n"


def test_files_of_a_server_that_was_killed_do_not_say_that_this_one_serves(publish, tmp_path):
    for name in ("pid", "port", "ready"):
        (tmp_path / name).write_text("old")
    publish(process=with_files(tmp_path)).begins()

    assert [*tmp_path.iterdir()] == [tmp_path / "pid"]
    assert (tmp_path / "pid").read_text() == f"{os.getpid()}\n"


def test_where_it_serves_is_said_when_it_does(publish, tmp_path, listening):
    public = publish(process=with_files(tmp_path))
    public.begins()
    public.serves(Settings(), listening, 1)

    assert {each.name for each in tmp_path.iterdir()} == {"pid", "port", "ready"}
    assert (tmp_path / "port").read_text() == f"{listening.sockets[0].getsockname()[1]}\n"
    ready = (tmp_path / "ready").read_text()
    assert json.loads(ready) == {"pid": os.getpid(), "addresses": urls(listening)}
    assert ready.endswith("}\n")


def test_files_of_a_server_that_runs_stay_until_another_serves(publish, tmp_path, listening):
    """The other may fail before that, with an application that cannot be imported."""
    files = [MarkerFile(f"--{name}-file", str(tmp_path / name)) for name in ("port", "ready")]
    for each in files:
        each.write("first")
    process = Process(port_file=str(tmp_path / "port"), ready_file=str(tmp_path / "ready"))

    public = publish(process=process)
    public.begins()
    public.close(is_over=True)
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"port": "first", "ready": "first"}

    public = publish(process=process)
    public.begins()
    public.serves(Settings(), listening, 1)
    for each in files:
        each.remove()
    assert {each.name for each in tmp_path.iterdir()} == {"port", "ready"}
    assert json.loads((tmp_path / "ready").read_text())["addresses"] == urls(listening)


def test_forked_process_does_not_seem_to_be_the_server(publish, tmp_path):
    public = publish(process=with_files(tmp_path))
    public.begins()
    assert is_held(tmp_path / "pid")
    public.close(is_over=False)

    assert not is_held(tmp_path / "pid")


def test_files_are_there_before_anybody_else_is_told(publish, tmp_path, listening, manager, capfd):
    (tmp_path / "ready").mkdir()
    public = publish(process=with_files(tmp_path))

    with pytest.raises(ConfigurationError):
        public.serves(Settings(), listening, 1)
    assert not public.has_said_ready
    assert (manager.told, said(capfd)) == ([], [])


def test_files_go_in_the_end_but_not_with_a_worker_that_lets_go_of_what_is_its_parents(
    publish, tmp_path, listening, manager
):
    public = publish(process=with_files(tmp_path))
    public.begins()
    public.serves(Settings(), listening, 1)
    public.close(is_over=False)
    assert len([*tmp_path.iterdir()]) == 3

    public.close(is_over=True)
    assert [*tmp_path.iterdir()] == []
    assert manager.told[-2:] == [("close",), ("close",)]


def test_no_files_are_written_where_none_are_wanted(publish, tmp_path, listening, monkeypatch):
    monkeypatch.chdir(tmp_path)
    public = publish()
    public.begins()
    public.serves(Settings(), listening, 1)
    public.close(is_over=True)

    assert [*tmp_path.iterdir()] == []


# The person, or the log


def test_log_says_where_it_listens(publish, listening, capfd):
    public = publish()
    assert not public.has_said_ready
    public.serves(Settings(), listening, 1)

    assert public.has_said_ready
    assert said(capfd) == [f"INFO listening on {', '.join(urls(listening))}"]


def test_addresses_are_those_of_https_where_there_is_a_certificate(publish, listening, manager, capfd):
    publish().serves(Settings(tls=Tls(certfiles=("cert.pem",))), listening, 1)

    assert said(capfd) == [f"INFO listening on {', '.join(urls(listening, 'https'))}"]
    assert manager.told == [("ready", f"1 worker on {', '.join(urls(listening, 'https'))}")]


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        ({"application": Application("web:Handler")}, ["web:Handler"]),
        ({"static": Static((("/", "site"), ("/img", "pictures")))}, ["site at /", "pictures at /img"]),
        (
            {"application": Application("web:Handler"), "static": Static((("/img", "pictures"),))},
            ["pictures at /img", "web:Handler"],
        ),
    ],
    ids=["application", "folders", "both"],
)
def test_person_is_told_what_is_served(publish, listening, capfd, sections, names):
    settings = Settings(logs=Logs(color="always"), **sections)
    publish(logs=settings.logs).serves(settings, listening, 1)
    text = re.sub(r"\x1b\[[\d;]*m", "", capfd.readouterr().err)

    assert [name for name in names if name in text] == names
    assert [text.index(name) for name in names] == sorted(text.index(name) for name in names)


SILENT = "ended before they could say what they cut off"


@pytest.mark.parametrize(
    ("answered", "cut", "silent", "is_forced", "line"),
    [
        (0, 0, 0, False, "INFO stopped"),
        (0, 0, 0, True, "INFO stopped at once"),
        (3, 0, 0, False, "INFO stopped: 3 answered, 0 cut off"),
        (0, 2, 0, False, "INFO stopped: 0 answered, 2 cut off"),
        (3, 2, 0, True, "INFO stopped at once: 3 answered, 2 cut off"),
        (0, 0, 1, True, "INFO stopped at once: 1 worker was ended before it could say what it cut off"),
        (3, 2, 2, False, f"INFO stopped: 3 answered, 2 cut off; 2 workers were {SILENT}"),
    ],
)
def test_end_is_said_and_how_many_answers_it_cost(publish, capfd, answered, cut, silent, is_forced, line):
    publish().has_stopped(answered, cut, silent, is_forced=is_forced)

    assert said(capfd) == [line]


def test_requests_are_nothing_that_the_parent_logs(publish):
    assert publish(logs=Logs(access_log=True))._observers.access_log is None


# The service manager


@pytest.mark.parametrize(("workers", "words"), [(1, "1 worker on "), (2, "2 workers on ")])
def test_service_manager_is_told_how_many_serve_and_where(publish, listening, manager, workers, words):
    publish().serves(Settings(), listening, workers)

    assert manager.told == [("ready", words + ", ".join(urls(listening)))]


def test_reload_is_said_to_the_service_manager_and_in_the_files_and_not_on_the_terminal(
    publish, tmp_path, listening, manager, capfd
):
    public = publish(process=with_files(tmp_path))
    public.serves(Settings(), listening, 1)
    public.reloads()
    with closing(listen_on("127.0.0.3")) as new:
        public.serves(Settings(process=with_files(tmp_path)), new, 3)

        assert said(capfd) == [f"INFO listening on {', '.join(urls(listening))}"]
        assert manager.told == [
            ("ready", f"1 worker on {', '.join(urls(listening))}"),
            ("reloading",),
            ("ready", f"3 workers on {urls(new)[0]}"),
        ]
        assert (tmp_path / "port").read_text() == f"{new.sockets[0].getsockname()[1]}\n"
        assert json.loads((tmp_path / "ready").read_text())["addresses"] == urls(new)


def test_reload_that_fails_ends_with_the_words_of_before(publish, listening, manager):
    public = publish()
    public.serves(Settings(), listening, 2)
    public.reloads()
    public.goes_on()

    before, reloading, after = manager.told
    assert (reloading, after) == (("reloading",), before)


def test_reload_that_fails_before_anything_was_served_makes_nothing_ready(publish, manager):
    public = publish()
    public.reloads()
    public.goes_on()

    assert manager.told == []  # it waits for the first word that is to come


def test_service_manager_is_told_how_long_the_end_may_take(publish, manager):
    publish().stops(12.0)

    assert manager.told == [("stopping", 12.0, "stopping")]


def test_file_that_cannot_be_written_at_first_is_an_error_and_nobody_is_told(
    publish, listening, manager, tmp_path
):
    public = publish(process=Process(ready_file=str(tmp_path / "none" / "ready")))

    with pytest.raises(ConfigurationError, match=r"--ready-file: .* cannot be written: No such file"):
        public.serves(Settings(), listening, 1)
    assert not public.has_said_ready
    assert manager.told == []


def test_file_that_cannot_be_written_again_ends_nothing_that_serves(
    publish, listening, manager, tmp_path, capfd
):
    """The disk may be full by then."""
    folder = tmp_path / "folder"
    folder.mkdir()
    public = publish(process=Process(port_file=str(folder / "port")))
    public.serves(Settings(), listening, 1)
    (folder / "port").unlink()
    folder.rmdir()

    public.serves(Settings(process=Process(port_file=str(folder / "port"))), listening, 1)

    assert "ERROR --port-file: " in capfd.readouterr().err
    assert [what for what, *_ in manager.told] == ["ready", "ready"]


def test_other_settings_change_what_is_written_and_how(publish, capfd):
    public = publish()
    logger = logging.getLogger("aioserve.workers.publicity")
    logger.info("one")
    public.follow(Settings(logs=Logs(level="info", access_log=False)))
    logger.info("two")
    public.follow(Settings(logs=Logs(level="error")))
    public.follow(Settings(logs=Logs(level="error")))
    logger.info("three")
    public.follow(Settings(logs=Logs(color="always")))
    logger.info("four")
    public.close(is_over=True)

    lines = capfd.readouterr().err.splitlines()
    assert [line.split()[-1] for line in lines] == ["one", "two", "four"]
    assert "\x1b" in lines[2]


@pytest.mark.parametrize("address", [TcpAddress("127.0.0.1", 0), UnixAddress("m.sock")])
def test_where_the_numbers_are_is_told_when_it_changes(publish, capfd, tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    public = publish()
    with (
        closing(bind_sockets(Bind("127.0.0.1", 0), address)) as told,
        closing(bind_sockets(Bind("127.0.0.1", 0))) as untold,
    ):
        place = format_address(told.aside[0])
        for listening in (told, told, untold, untold):
            public.serves(Settings(), listening, 1)
    said = [line.partition("INFO ")[2] for line in capfd.readouterr().err.splitlines()]

    told = f"{place}, /metrics" if place.startswith("unix:") else f"{place}/metrics"
    assert [said[0], said[2]] == [f"metrics on {told}", "metrics on no address any more"]
    assert said[1].startswith("listening on")
    assert len(said) == 3


def test_number_of_workers_is_told_when_it_changes(publish, manager, listening):
    settings = Settings()
    public = publish()
    public.serves(settings, listening, 1)
    where = ", ".join(urls(listening))
    for number in (1, 2, 2, 1):
        public.counts(number)

    assert manager.told[1:] == [("status", f"2 workers on {where}"), ("status", f"1 worker on {where}")]


def test_another_server_may_have_the_file_of_the_process_as_soon_as_this_one_stops(publish, tmp_path):
    """It closes its addresses for that, while the last answers go on."""
    public = publish(process=with_files(tmp_path))
    public.begins()
    assert is_held(tmp_path / "pid")
    public.stops(5.0)

    assert not is_held(tmp_path / "pid")
    assert (tmp_path / "pid").exists()
