"""The parent does what the fleet decides and what signals mean; its children are no processes here."""

from __future__ import annotations

import gc
import os
import signal
from contextlib import closing

import pytest

from aioserve.errors import BindError
from aioserve.listen.sockets import bind_sockets
from aioserve.settings import Bind, Live, Process, Settings, Timeouts, Tls
from aioserve.workers import supervisor as module
from aioserve.workers.audience import Audience
from aioserve.workers.channel import Order
from aioserve.workers.fleet import State
from aioserve.workers.lookout import BecomeWatcher
from aioserve.workers.nobody import Nobody
from aioserve.workers.processes import BecomeWorker
from aioserve.workers.supervisor import Supervisor, supervise
from tests.workers.parent import BIND, ONE, TWO, FakeManager

pytestmark = pytest.mark.usefixtures("_fakes")


def test_workers_are_started_and_that_they_serve_is_said_once(make):
    """The first alone: what is wrong with it is wrong with all, and is said once."""
    parent = make(TWO)

    code = parent.run(
        parent.serve(1),
        parent.serve(2),
        lambda: None,
        parent.send(signal.SIGTERM),
        lambda: [parent.say(pid, b"ended", 0, 0)() for pid in (1, 2)],
        parent.die(1, 2),
    )

    assert code == 0
    assert parent.processes.log == [("start", 1), ("start", 2), (Order.STOP, 1), (Order.STOP, 2)]
    assert parent.public.log == ["begins", ("serves", 2, 1, 2), ("stops", 12.0), ("stopped", 0, 0, 0, False)]


def test_answers_are_counted(make):
    parent = make(ONE)
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGTERM),
        parent.say(1, b"ended", 5, 2),
        parent.die(1),
    )

    assert parent.public.log[-1] == ("stopped", 3, 2, 0, False)


def test_sockets_are_closed_when_the_workers_are_told_to_stop(make):
    """What they accept then nobody else could; a client that comes later is refused."""
    parent = make()
    (sock,) = parent.supervisor.edition.listening.sockets
    states = []
    parent.run(
        parent.serve(1),
        lambda: states.append(sock.fileno()) or parent.send(signal.SIGTERM)(),
        lambda: states.append(sock.fileno()) or parent.die(1)(),
    )

    assert states[0] >= 0
    assert states[1] == -1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_second_signal_forces_and_a_third_kills(make, number, code):
    parent = make()

    assert (
        parent.run(
            parent.serve(1),
            parent.send(number),
            parent.send(number),
            parent.send(number),
            parent.die(1, code=-9),
        )
        == code
    )
    assert parent.processes.log[1:] == [(Order.STOP, 1), (Order.FORCE, 1), (signal.SIGKILL, 1)]
    assert parent.public.log[-1] == ("stopped", 0, 0, 1, True)


def test_quit_kills(make):
    parent = make()

    assert parent.run(parent.serve(1), parent.send(signal.SIGQUIT), parent.die(1, code=-9)) == 0
    assert parent.processes.log[1:] == [(signal.SIGKILL, 1)]


def test_worker_that_cannot_start_ends_the_server_with_its_code(make):
    """It has said itself what is wrong."""
    parent = make(TWO)

    assert parent.run(parent.say(1, b"refused", 5), parent.die(1, code=5)) == 5
    assert parent.processes.log == [("start", 1)]
    assert parent.public.log == ["begins"]


def test_dead_worker_is_replaced(make, caplog):
    parent = make()
    parent.run(
        parent.serve(1),
        parent.die(1, code=-11),
        parent.serve(2),
        parent.die(2, code=7),
        parent.send(signal.SIGTERM),
    )

    assert parent.processes.log == [("start", 1), ("start", 2)]
    assert caplog.messages == ["worker 1 was ended by SIGSEGV", "worker 2 ended with code 7"]


def test_workers_that_die_again_and_again_end_the_server(make, caplog, monkeypatch):
    now = [0.0]

    def wait():
        now[0] += 1.0

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parent = make()
    script = [parent.serve(1)]
    for pid in range(1, 11):
        script += [parent.die(pid, code=1), wait] if pid < 10 else [parent.die(pid, code=1)]

    assert parent.run(*script) == 6
    assert caplog.messages[-1] == "the workers die again and again"


def test_blocked_worker_is_ended_and_replaced(make, caplog, monkeypatch):
    now = [0.0]

    def wait(seconds):
        def wait():
            now[0] += seconds

        return wait

    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parent = make()
    parent.run(
        parent.serve(1),
        wait(29.9),
        parent.say(1, b"alive"),
        wait(30.0),
        wait(0.5),
        parent.die(1, code=-9),
        parent.serve(2),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log == [
        ("start", 1),
        (signal.SIGABRT, 1),
        ("start", 2),
        (signal.SIGKILL, 1),
        (Order.STOP, 2),
    ]
    assert caplog.messages == ["worker 1 has been blocked for too long and is ended"]


def test_one_that_does_not_stop_in_time_is_ended(make, caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait():
        now[0] += 12.0

    parent = make()
    parent.run(parent.serve(1), parent.send(signal.SIGTERM), wait, parent.die(1, code=-9))

    assert parent.processes.log[1:] == [(Order.STOP, 1), (signal.SIGKILL, 1)]
    assert caplog.messages == ["worker 1 is ended by force: a handler, a task or a thread did not stop"]


def test_nobody_is_late_where_the_parent_was_stopped_itself(make, monkeypatch):
    """By Ctrl+Z, or with its container: the workers were, too."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def sleep():
        now[0] += 3600.0

    parent = make()
    parent.run(parent.serve(1), sleep, lambda: None, parent.send(signal.SIGTERM), parent.die(1))

    assert parent.processes.log == [("start", 1), (Order.STOP, 1)]


def test_with_a_debugger_a_worker_may_be_silent(make):
    parent = make(Settings(bind=BIND, process=Process(debug=True)))
    parent.run(parent.serve(1), lambda: None, parent.send(signal.SIGTERM), parent.die(1))

    assert parent.supervisor._selector.waits[1] is None


def test_tired_worker_is_replaced_by_one_that_serves_first(make):
    parent = make()
    parent.run(
        parent.serve(1),
        parent.say(1, b"tired"),
        parent.serve(2),
        parent.die(1),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log == [("start", 1), ("start", 2), (Order.RETIRE, 1), (Order.STOP, 2)]


def test_where_no_process_can_be_made_it_is_tried_again(make, caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    parent = make()

    def die():
        parent.processes.error = OSError(11, "Resource temporarily unavailable")
        now[0] += 60.0
        parent.die(1)()

    def there_is_room():
        parent.processes.error = None
        now[0] += 1.0

    stop = parent.send(signal.SIGTERM)
    parent.run(parent.serve(1), die, there_is_room, parent.serve(2), stop, parent.die(2))

    assert caplog.messages[1:] == ["no worker can be started: Resource temporarily unavailable"]
    assert [each for each in parent.processes.log if each[0] == "start"] == [("start", 1), ("start", 2)]


def test_where_not_even_the_first_process_can_be_made_that_is_the_end(make):
    parent = make()
    parent.processes.error = OSError(24, "Too many open files")

    assert parent.run(lambda: None) == 3


def test_number_of_workers_is_changed_by_signals_and_never_none(make):
    parent = make()
    down, up = parent.send(signal.SIGTTOU), parent.send(signal.SIGTTIN)
    parent.run(
        parent.serve(1),
        down,
        up,
        parent.serve(2),
        down,
        parent.die(1),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log == [("start", 1), ("start", 2), (Order.RETIRE, 1), (Order.STOP, 2)]


def test_workers_are_told_to_open_files_anew_and_to_describe_themselves(make, caplog):
    parent = make()
    parent.run(
        parent.serve(1),
        parent.send(signal.SIGUSR1, signal.SIGUSR2),
        parent.send(signal.SIGTERM),
        parent.die(1),
    )

    assert parent.processes.log[1:3] == [Order.REOPEN, Order.DESCRIBE]
    assert caplog.messages[0].startswith(f"parent {os.getpid()} of 1 workers\n  worker 1 serves, heard of 0.")


def test_foreign_hang_up_of_a_lost_terminal_stops(make):
    parent = make()
    parent.signals.lost_terminal = True

    assert parent.run(parent.serve(1), parent.send(signal.SIGHUP), parent.die(1)) == 0
    assert parent.processes.log[1:] == [(Order.STOP, 1)]


# What all workers find


def test_one_worker_speaks_of_certificates(make, tmp_path):
    parent = make(Settings(bind=BIND, process=Process(workers=2), tls=Tls((str(tmp_path),))))
    parent.run(
        parent.serve(1),
        parent.serve(2),
        parent.die(1, code=-9),
        parent.serve(3),
        parent.send(signal.SIGTERM),
        parent.die(2, 3),
    )

    assert parent.processes.log == [
        ("start", 1),
        ("start", 2),
        (Order.SPEAK, 1),
        (Order.TELL, 1),
        ("start", 3),
        (Order.SPEAK, 2),
        (Order.STOP, 2),
        (Order.STOP, 3),
    ]


# The service manager


def test_service_manager_hears_that_all_is_well_while_somebody_serves(make, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(FakeManager, "period", 10.0)

    def wait(seconds=5.0):
        now[0] += seconds

    parent = make()
    manager = parent.supervisor._manager
    heard = []

    def note():
        heard.append(manager.heard)

    parent.run(
        note,
        parent.serve(1),
        lambda: note() or wait(),
        lambda: note() or parent.die(1)(),
        lambda: note() or wait(),
        lambda: note() or parent.serve(2)(),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert heard[0] == 0
    assert heard[2] > heard[1]
    assert heard[3] == heard[4]


def test_service_manager_hears_nothing_while_nobody_has_been_heard_of(make, monkeypatch):
    """A worker that may be silent for ever is not ended for it; whether all is well is another question."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(FakeManager, "period", 10.0)
    parent = make(Settings(bind=BIND, timeouts=Timeouts(worker=0.0)))
    manager = parent.supervisor._manager
    heard = []

    def wait():
        heard.append(manager.heard)
        now[0] += 5.0

    def speak():
        parent.processes.say_as(1, b"alive", [])
        wait()

    parent.run(
        parent.serve(1), wait, speak, wait, wait, wait, wait, parent.send(signal.SIGTERM), parent.die(1)
    )

    assert heard[0] < heard[1] < heard[2] < heard[3]
    assert heard[4] == heard[5]


# Becoming a worker


@pytest.mark.parametrize("child", ["processes", "lookout"])
def test_child_lets_go_of_what_is_the_parents(make, child):
    parent = make()
    parent.run(parent.serve(1), parent.send(signal.SIGTERM), parent.die(1))
    leave = getattr(parent, child).leave
    leave()

    assert not parent.signals.is_exiting
    assert parent.public.log[-1] == ("closed", False)
    assert parent.lookout.log[-1] == "closed"


@pytest.mark.parametrize("becomes_worker", [False, True])
def test_who_is_started_works_and_who_starts_supervises(monkeypatch, becomes_worker):
    worked = []

    def run(_self):
        assert worked.pop() == "frozen"
        if becomes_worker:
            raise BecomeWorker("channel")
        return 5

    def close(self):
        self._editions.close()
        worked.append("closed")

    # What is frozen no collection finds: what earlier tests have left would be told of in some later test.
    monkeypatch.setattr(gc, "freeze", lambda: worked.append("frozen"))
    monkeypatch.setattr(Supervisor, "run", run)
    monkeypatch.setattr(
        "aioserve.workers.worker.work",
        lambda *args, reports, station, certificates, is_first: (
            worked.append((*args, reports or station, is_first)) or certificates or 7
        ),
    )
    monkeypatch.setattr(Supervisor, "close", close)
    code = supervise(ONE, lambda: ONE)

    if becomes_worker:
        ((settings, (sock,), channel, watchdog, reports, is_first),) = worked
        assert (code, settings, channel, watchdog) == (7, ONE, "channel", FakeManager.period)
        assert is_first
        assert reports is None
        sock.close()
    else:
        assert (code, worked) == (5, ["closed"])


def test_who_is_to_look_for_changes_has_no_socket_and_does_that(monkeypatch):
    watched, sockets = [], []

    def run(self):
        sockets.extend(self.edition.listening.sockets)
        raise BecomeWatcher("sources", "parent")

    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(Supervisor, "run", run)
    monkeypatch.setattr("aioserve.workers.watcher.watch", lambda *args: watched.append(args) or 7)

    assert supervise(ONE, lambda: ONE) == 7
    assert watched == [("sources", "parent")]
    assert [each.fileno() for each in sockets] == [-1]


def test_who_looks_on_is_left_where_there_can_be_no_server(monkeypatch):
    closed = []
    monkeypatch.setattr(module.Nobody, "close", lambda *_, **__: closed.append("closed"))
    with bind_sockets(Bind("127.0.0.1", 0)).sockets[0] as taken:
        settings = Settings(bind=Bind("127.0.0.1", taken.getsockname()[1]))

        with pytest.raises(BindError):
            supervise(settings, lambda: settings)
    assert closed == ["closed"]


def test_wish_of_a_worker_that_is_being_ended_is_none(make, caplog):
    caplog.set_level("INFO")
    parent = make(ONE)
    parent.supervisor._fleet.started(9, 0.0, 0)
    parent.supervisor._fleet.workers[9].state = State.ENDED
    parent.supervisor._hear(9, b"tired", [])

    assert not parent.supervisor._fleet.workers[9].is_tired
    assert caplog.messages == []


def test_nobody_is_gathered_where_nobody_can_look_on(tmp_path):
    control = Live(control=str(tmp_path / "control"))

    assert isinstance(module._gather(ONE), Nobody)
    with closing(module._gather(Settings(live=control))) as audience:
        assert isinstance(audience, Audience)


def test_worker_that_retires_and_is_told_to_end_again_has_the_time_of_the_end(make):
    """The first SIGTERM was a wish to be replaced, of which the log tells once."""
    parent = make(ONE)
    tired = parent.say(1, b"tired")
    parent.run(
        parent.serve(1),
        tired,
        tired,
        parent.serve(2),
        tired,
        parent.die(1),
        parent.send(signal.SIGTERM),
        parent.die(2),
    )

    assert parent.processes.log == [
        *(("start", 1), ("start", 2), (Order.RETIRE, 1), (Order.STOP, 1), (Order.STOP, 2)),
    ]


def test_end_by_a_signal_without_a_name_is_told_by_its_number():
    assert module._describe_end(-signal.SIGRTMIN - 1) == f"was ended by signal {signal.SIGRTMIN + 1}"
