"""A reload replaces the workers one after the other, or changes nothing."""

from __future__ import annotations

import logging
import signal
import socket

import pytest

from aioserve.errors import BindError, ConfigurationError
from aioserve.settings import Application, Bind, Logs, Process, Settings, Timeouts
from aioserve.workers import supervisor as module
from aioserve.workers.channel import Order
from aioserve.workers.sources import sources_of
from tests.workers.parent import BIND, ONE, TWO

pytestmark = pytest.mark.usefixtures("_fakes")


def test_reload_replaces_one_after_the_other(make):
    parent = make(TWO)
    parent.run(
        parent.serve(1),
        parent.serve(2),
        parent.send(signal.SIGHUP),
        parent.serve(3),
        parent.serve(4),
        parent.die(1, 2),
        parent.send(signal.SIGTERM),
        parent.die(3, 4),
    )

    assert parent.processes.log == [
        ("start", 1),
        ("start", 2),
        ("start", 3),
        (Order.RETIRE, 1),
        ("start", 4),
        (Order.RETIRE, 2),
        (Order.STOP, 3),
        (Order.STOP, 4),
    ]
    assert parent.public.log[1:4] == [("serves", 2, 1, 2), "reloads", ("serves", 2, 1, 2)]


def test_reload_takes_over_the_number_of_workers_and_the_address(make):
    parent = make(ONE, Settings(bind=Bind("127.0.0.2", 0), process=Process(workers=2)))
    (old,) = parent.supervisor.edition.listening.sockets
    seen = []
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.serve(2),
        lambda: seen.append(old.fileno()) or parent.serve(3)(),
        lambda: seen.append(old.fileno()) or parent.die(1)(),
        parent.send(signal.SIGTERM),
        parent.die(2, 3),
    )

    assert seen[0] >= 0  # the old worker still accepts from it
    assert seen[1] == -1
    assert parent.public.log[3] == ("serves", 2, 1, 2)


@pytest.mark.parametrize(
    "problem", [ConfigurationError("unknown key"), BindError("it is in use")], ids=["settings", "address"]
)
def test_settings_that_are_wrong_change_nothing(make, caplog, problem):
    parent = make()
    parent.again = problem
    parent.run(parent.serve(1), parent.send(signal.SIGHUP), parent.send(signal.SIGTERM), parent.die(1))

    assert parent.processes.log == [("start", 1), (Order.STOP, 1)]
    assert parent.public.log[2:4] == ["reloads", "goes_on"]
    assert caplog.messages == [f"not reloaded: {problem}"]


def test_address_that_cannot_be_had_changes_nothing(make, caplog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        parent = make(ONE, Settings(bind=Bind("127.0.0.1", taken.getsockname()[1])))
        parent.run(parent.serve(1), parent.send(signal.SIGHUP), parent.send(signal.SIGTERM), parent.die(1))

    assert parent.processes.log == [("start", 1), (Order.STOP, 1)]
    assert "it is in use" in caplog.messages[0]


def test_if_the_new_cannot_start_the_old_go_on_as_before(make, caplog):
    parent = make(ONE, Settings(bind=Bind("127.0.0.2", 0)))
    before = parent.supervisor.edition.listening
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.refuse(2),
        parent.send(signal.SIGTERM),
        parent.die(1),
    )

    assert parent.supervisor.edition.settings is ONE
    assert parent.public.followed is ONE
    assert parent.supervisor.edition.listening is before
    assert parent.processes.log == [("start", 1), ("start", 2), (Order.STOP, 1)]
    assert parent.public.log[2:4] == ["reloads", "goes_on"]
    assert caplog.messages == ["not reloaded: a new worker could not start; the old ones go on"]


def test_reload_that_does_not_come_to_serve_is_given_up(make, caplog, monkeypatch):
    now = [0.0]

    def wait():
        now[0] += 60.0

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parent = make(Settings(bind=BIND, timeouts=Timeouts(worker=0.0)))
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        wait,
        parent.die(2, code=-6),
        parent.send(signal.SIGTERM),
        parent.die(1),
    )

    assert parent.public.log[2:4] == ["reloads", "goes_on"]
    assert caplog.messages == [
        "worker 2 has not come to serve within --timeout-start and is ended",
        "not reloaded: a new worker could not start; the old ones go on",
    ]


def test_reload_whose_second_worker_cannot_start_is_given_up(make, caplog):
    parent = make(TWO)
    parent.run(
        parent.serve(1),
        parent.serve(2),
        parent.send(signal.SIGHUP),
        parent.serve(3),
        parent.refuse(4),
        parent.serve(5),
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert parent.processes.log[2:7] == [
        ("start", 3),
        (Order.RETIRE, 1),
        ("start", 4),
        ("start", 5),
        (Order.RETIRE, 3),
    ]
    assert parent.public.log[2:4] == ["reloads", "goes_on"]
    assert caplog.messages == ["not reloaded: a new worker could not start; the old ones go on"]


def test_one_that_dies_meanwhile_is_replaced_by_what_is_known_to_work(make):
    """What is loaded anew may never come to serve."""
    parent = make(ONE, Settings(bind=Bind("127.0.0.2", 0)))
    (old,) = parent.supervisor.edition.listening.sockets
    seen = []

    def look_as_the_child():
        parent.processes.leave()
        seen.append((old.fileno() >= 0, parent.supervisor.edition.settings is ONE))

    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.die(1, code=-9),
        look_as_the_child,
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert seen == [(True, True)]


def test_what_is_gone_back_to_is_what_served_as_a_whole(make):
    """A reload that was not at its end does not count."""
    first = Settings(bind=BIND, process=Process(workers=2), timeouts=Timeouts(header=1.0))
    second = Settings(bind=BIND, process=Process(workers=2), timeouts=Timeouts(header=2.0))
    parent = make(TWO, first)
    parent.run(
        parent.serve(1),
        parent.serve(2),
        parent.send(signal.SIGHUP),
        parent.serve(3),
        lambda: setattr(parent, "again", second) or parent.send(signal.SIGHUP)(),
        parent.die(4, code=-9),
        parent.refuse(5),
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert parent.supervisor.edition.settings is TWO


def test_old_start_that_dies_meanwhile_is_no_failure_of_the_new(make, caplog):
    parent = make(TWO)
    parent.run(
        parent.serve(1),
        lambda: parent.send(signal.SIGHUP)() or parent.die(2, code=-9)(),
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert not any("not reloaded" in message for message in caplog.messages)


def test_word_of_a_worker_that_was_ended_proves_nothing(make):
    """It was starting with the old settings when everything was loaded anew, and had just said it."""
    parent = make(TWO, Settings(bind=BIND))
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.serve(2),
        parent.refuse(3),
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert parent.supervisor.edition.settings is TWO


def test_new_worker_that_cannot_start_while_it_stops_is_nothing_to_tell_the_manager(make):
    """To the service manager it would be that it serves again."""
    parent = make(Settings(bind=BIND, timeouts=Timeouts(drain_delay=3600.0)))
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.send(signal.SIGTERM),
        parent.refuse(2),
        parent.send(signal.SIGTERM),
        parent.die(1),
    )

    assert "goes_on" not in parent.public.log
    assert parent.lookout.log[-1] is None


def test_parent_itself_follows_the_settings(make):
    again = Settings(bind=BIND, logs=Logs(level="error"))
    parent = make(ONE, again)
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.serve(2),
        parent.send(signal.SIGTERM),
        parent.die(1, 2),
    )

    assert parent.public.followed is again


def test_nothing_is_reloaded_while_it_stops(make):
    parent = make()
    parent.run(parent.serve(1), parent.send(signal.SIGTERM), parent.send(signal.SIGHUP), parent.die(1))

    assert "reloads" not in parent.public.log


def test_new_worker_has_no_socket_of_the_address_that_is_given_up(make):
    """As long as somebody has it, clients connect to it, and nobody answers."""
    parent = make(ONE, Settings(bind=Bind("127.0.0.2", 0)))
    (old,) = parent.supervisor.edition.listening.sockets
    seen = []

    def look_as_the_child():
        """Do what the new process does, but for closing what this one still needs."""
        (new,) = parent.supervisor.edition.listening.sockets
        parent.processes.leave()
        seen.append((old.fileno(), new.fileno() >= 0))

    parent.run(
        parent.serve(1),
        lambda: parent.send(signal.SIGHUP)() or parent.supervisor._act(parent.supervisor._fleet.plan(0.0)),
        look_as_the_child,
        parent.send(signal.SIGTERM),
        parent.die_all(),
    )

    assert seen == [(-1, True)]


# Those that retire


def test_one_that_retires_and_has_answered_has_little_time_left(make, caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait():
        now[0] += 12.0

    parent = make(Settings(bind=BIND, timeouts=Timeouts(worker=0.0)))
    parent.run(
        parent.serve(1),
        parent.say(1, b"tired"),
        parent.serve(2),
        wait,
        parent.say(1, b"ended", 0, 0),
        wait,
        parent.die(1, code=-9),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log[2:] == [(Order.RETIRE, 1), (signal.SIGKILL, 1), (Order.STOP, 2)]
    assert caplog.messages == ["worker 1 is ended by force: a handler, a task or a thread did not stop"]


# By itself


RELOADING = Settings(bind=BIND, application=Application("app:Handler", "/srv"), process=Process(reload=True))


def test_changed_files_are_a_reason_to_reload(make, caplog):
    caplog.set_level(logging.INFO)
    parent = make(RELOADING)
    parent.run(
        parent.serve(1),
        lambda: parent.lookout.change("app.py changed"),
        parent.serve(2),
        parent.die(1),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log == [("start", 1), ("start", 2), (Order.RETIRE, 1), (Order.STOP, 2)]
    assert caplog.messages == ["app.py changed: reloading", "reloaded"]


def test_what_changes_while_a_worker_loads_is_loaded_by_another(make):
    """It may have read the file before, or never come to an end."""
    parent = make(RELOADING)
    parent.run(
        parent.serve(1),
        lambda: parent.lookout.change("app.py changed"),
        lambda: parent.lookout.change("app.py changed"),
        parent.die(2, code=-9),
        parent.serve(3),
        parent.die(1),
        parent.send(signal.SIGTERM),
        parent.die(3),
    )

    assert parent.processes.log == [
        ("start", 1),
        ("start", 2),
        (signal.SIGKILL, 2),
        ("start", 3),
        (Order.RETIRE, 1),
        (Order.STOP, 3),
    ]


def test_what_is_looked_at_follows_the_settings_and_ends_with_the_server(make):
    parent = make(RELOADING, ONE)
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGHUP),
        parent.refuse(2),
        parent.send(signal.SIGTERM),
        parent.send(signal.SIGTERM),
        parent.die(1),
    )

    sources = sources_of(RELOADING)
    assert sources.folders == ("/srv",)
    assert parent.lookout.log == [sources, None, sources, None, None]
