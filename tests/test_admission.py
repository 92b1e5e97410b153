"""Who gets a connection: real sockets, and a ticker whose clock the test moves."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import socket
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from aioserve import admission
from aioserve.admission import allowed_connections, allowed_strangers
from aioserve.listen.tls import Pair, make_context
from aioserve.observe.counters import Counters
from aioserve.observe.snapshot import WorkerSnapshot
from aioserve.settings import Tls
from tests.admitting import admitting
from tests.doubles import FakeTransport
from tests.listen.pem import CERTIFICATE, KEY
from tests.wire import GET, Slow, errors, handler, hello, on_both_loops, turns

LAST = GET[:-2] + b"Connection: close\r\n\r\n"


# How many connections there may be


@pytest.mark.parametrize(
    ("soft", "hard", "allowed"),
    [(1024, 1024, 768), (1024, 524_288, 393_216), (256, 256, 128), (100, 100, 50), (1, 1, 1)],
)
def test_the_limit_is_raised_and_some_descriptors_are_left(monkeypatch, soft, hard, allowed):
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda *words: asked.append(words))
    assert allowed_connections() == allowed
    assert asked == ([(resource.RLIMIT_NOFILE, (hard, hard))] if soft != hard else [])


@pytest.mark.parametrize("error", [OSError("not permitted"), ValueError("over the maximum")])
def test_a_limit_that_cannot_be_raised_stays(monkeypatch, error):
    def refuse(*_words):
        raise error

    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 2**63 - 1))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert allowed_connections() == 768


@pytest.mark.parametrize(
    ("files", "wanted", "allowed", "strangers"),
    [(1024, 1, 1, 255), (1024, 960, 960, 16), (1024, 961, 960, 16), (64, 33, 32, 8), (1, 2, 1, 1)],
)
def test_more_connections_than_descriptors_cannot_be_asked_for(
    monkeypatch, caplog, files, wanted, allowed, strangers
):
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (files, files))

    assert allowed_connections(wanted) == allowed
    assert allowed_strangers(allowed) == strangers
    said = f"{wanted} connections were asked for; the system has descriptors for {allowed}"
    assert caplog.messages == ([said] if wanted > allowed else [])


def test_the_limit_is_also_raised_for_connections_that_were_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (1024, 524_288))
    monkeypatch.setattr(resource, "setrlimit", lambda *words: asked.append(words))

    assert allowed_connections(5000) == 5000
    assert asked == [(resource.RLIMIT_NOFILE, (524_288, 524_288))]


# Who is told


def is_refusal(reply):
    """Whether an answer says that there are too many connections."""
    assert reply.closes
    assert reply.headers["retry-after"] == "1"
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    return (reply.status, reply.body) == (503, b"503 Service Unavailable\n\nToo many connections")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """One idle connection is enough to make room where there are few."""
    monkeypatch.setattr(admission, "_FEW", 1)


@pytest.fixture
def lost(monkeypatch):
    """Who has been told to come back puts something here when its connection is gone."""
    queue, original = asyncio.Queue(), admission._TurnedAway.connection_lost

    def connection_lost(self, exc):
        original(self, exc)
        queue.put_nowait(self)

    monkeypatch.setattr(admission._TurnedAway, "connection_lost", connection_lost)
    return queue


@contextmanager
def no_collection():
    """Let nothing that refers to itself be thrown away meanwhile."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def warnings(caplog):
    """Return the lines of the log that say that there are too many connections."""
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


# Up to the limit


@on_both_loops
async def test_below_the_limit_everybody_is_served(caplog):
    async with admitting(hello, 3) as server:
        await server.idle(3)
        assert server.number == 3
    assert caplog.records == []


@on_both_loops
async def test_what_the_constructor_was_not_given_is_the_commands():
    async with admitting(lambda: hello(keep_alive=1), 1, keep_alive=2, pipeline=7) as server:
        options = server.admission()._options
    assert (options.keep_alive, options.pipeline) == (1, 7)


@on_both_loops
async def test_who_has_gone_makes_room(caplog):
    async with admitting(hello, 2) as server, asyncio.TaskGroup() as group:
        for _ in range(20):
            client, reply = await server.ask(LAST)
            assert reply.status == 200
            assert await client.rest() == b""
            client.close()
            await group.create_task(server.handlers[-1].shutdown())
            server.tick()
    assert errors(caplog) == []


@on_both_loops
async def test_a_handler_that_somebody_keeps_takes_no_room_when_its_client_has_gone(caplog):
    async with admitting(hello, 2) as server:
        with no_collection():
            for _ in range(5):  # `server.handlers` keeps them
                client, reply = await server.ask(LAST)
                assert reply.status == 200
                client.close()
                await server.handlers[-1].shutdown()
    assert warnings(caplog) == []


# Beyond it


@on_both_loops
async def test_those_who_are_served_go_on_and_others_are_told_to_come_back(caplog):
    async with admitting(Slow, 2) as server:
        served = [await server.busy() for _ in range(2)]
        client, reply = await server.ask()
        assert is_refusal(reply)
        assert await client.rest() == b""
        for client, protocol in served:
            protocol.go_on.release()
            assert (await client.reply()).body == b"slow"
        client.close()
        await protocol.shutdown()
        client, protocol = await server.busy()
        protocol.go_on.release()
        assert (await client.reply()).body == b"slow"
    assert warnings(caplog) == ["2 connections are open, which is the limit"]


@on_both_loops
async def test_a_client_that_says_nothing_is_told_too():
    async with admitting(Slow, 1) as server:
        await server.busy()
        client = await server.connect()
        assert is_refusal(await client.reply())
        assert await client.rest() == b""


@on_both_loops
async def test_a_client_that_says_much_reads_it_all_the_same():
    """Closed at once, the connection would be reset, and the client lose the answer."""
    async with admitting(Slow, 1) as server:
        await server.busy()
        _, reply = await server.ask(GET + b"x" * 100_000)
        assert is_refusal(reply)


@on_both_loops
async def test_a_client_that_has_gone_before_it_is_told_is_no_error(lost):
    """asyncio shuts its socket down at once, which fails."""
    async with admitting(Slow, 1) as server:
        await server.busy()
        for _ in range(10):
            socket.create_connection(server.address).close()
        for _ in range(10):
            await lost.get()
        assert is_refusal((await server.ask())[1])


@on_both_loops
async def test_a_client_that_does_not_go_is_cut_off_after_a_moment(lost, monkeypatch):
    monkeypatch.setattr(admission, "_PATIENCE", 0.01)
    async with admitting(Slow, 1) as server:
        await server.busy()
        client = await server.connect()
        assert is_refusal(await client.reply())
        await lost.get()
        assert server.admission.told == 0


@on_both_loops
async def test_a_flood_is_cut_off(lost, monkeypatch):
    monkeypatch.setattr(admission, "_MOST_TOLD", 2)
    monkeypatch.setattr(admission, "_PATIENCE", 3600)
    async with admitting(Slow, 1) as server:
        await server.busy()
        told = [await server.connect() for _ in range(2)]
        for client in told:
            assert is_refusal(await client.reply())
        cut = await server.connect()
        assert await cut.rest() == b""
        assert server.admission.told == 2
        for client in told:
            client.close()
            await lost.get()
        client, reply = await server.ask()
        assert is_refusal(reply)
        client.close()
        await lost.get()


@on_both_loops
async def test_no_more_are_told_than_there_are_descriptors_to_spare(lost, monkeypatch):
    monkeypatch.setattr(admission, "allowed_strangers", lambda _limit: 1)
    monkeypatch.setattr(admission, "_PATIENCE", 3600)
    async with admitting(Slow, 1) as server:
        await server.busy()
        told, reply = await server.ask()
        assert is_refusal(reply)
        cut = await server.connect()
        assert await cut.rest() == b""
        told.close()
        await lost.get()


@on_both_loops
async def test_there_are_never_more_even_if_all_come_in_one_turn():
    async with admitting(Slow, 5) as server:
        clients = await server.connect_at_once(20)
        replies = [await client.reply() for client in clients[5:]]
        assert all(is_refusal(reply) for reply in replies)
        assert server.number == len(server.handlers) == 5


@on_both_loops
async def test_a_transport_that_cannot_be_half_closed_is_closed(monkeypatch):
    """TLS has no such thing."""
    monkeypatch.setattr(admission, "_PATIENCE", 0)
    async with admitting(Slow, 1) as server:
        await server.busy()
        protocol, transport = server.admission(), FakeTransport(sslcontext=object())
        aborted = asyncio.Event()
        transport.abort = aborted.set
        protocol.connection_made(transport)
        assert transport.sent == admission._COME_BACK
        assert transport.is_closing()
        await aborted.wait()  # for a peer that does not close its side
        protocol.connection_lost(None)


# Room


@on_both_loops
async def test_the_connection_that_has_been_idle_longest_makes_room():
    async with admitting(hello, 3) as server:
        clients = await server.idle(3)
        clients[0].send(GET)
        assert (await clients[0].reply()).status == 200
        server.tick()
        newcomer, reply = await server.ask()
        assert reply.status == 200
        assert await clients[1].rest() == b""
        for client in (clients[0], clients[2], newcomer):
            client.send(GET)
            assert (await client.reply()).status == 200
        assert server.number == 3


@on_both_loops
async def test_one_in_ten_of_them_makes_room():
    async with admitting(hello, 21) as server:
        clients = await server.idle(21)
        _, reply = await server.ask()
        assert reply.status == 200
        for client in clients[:3]:
            assert await client.rest() == b""
        for client in clients[3:]:
            client.send(GET)
            assert (await client.reply()).status == 200
        assert server.number == 19


@on_both_loops
async def test_connections_at_work_and_such_as_have_just_come_do_not():
    @handler
    async def some_wait(self, message, _payload):
        if message.path != "/":
            entered.set()
            await go_on.wait()
        self.writer.write_response(200)

    entered, go_on = asyncio.Event(), asyncio.Event()
    async with admitting(some_wait, 3) as server:
        (begun,) = await server.idle(1)
        begun.send(b"GET / HT")
        busy, silent = await server.connect(), await server.connect()
        busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        await entered.wait()
        await turns()
        assert server.number == 3
        assert is_refusal((await server.ask())[1])
        go_on.set()
        begun.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        silent.send(GET)
        for client in (begun, busy, silent):
            assert (await client.reply()).status == 200


@on_both_loops
async def test_a_client_that_still_takes_its_answer_does_not_either():
    body = bytes(30_000_000)

    @handler
    async def answers(self, message, _payload):
        self.writer.write_response(200, body if message.path == "/large" else b"")

    async with admitting(answers, 1) as server:
        reading = await server.connect()
        reading.send(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        await reading.until(b"\r\n\r\n")
        assert is_refusal((await server.ask())[1])
        assert server.number == 1


@on_both_loops
async def test_idle_connections_are_looked_for_once_a_tick(caplog):
    async with admitting(hello, 2) as server:
        clients = await server.idle(2)
        newcomer, reply = await server.ask()
        assert reply.status == 200
        for _ in range(3):
            assert is_refusal((await server.ask())[1])
        server.tick()
        assert (await server.ask())[1].status == 200
        assert [await client.rest() for client in clients] == [b"", b""]
        newcomer.send(GET)
        assert (await newcomer.reply()).status == 200
    assert len(warnings(caplog)) == 1


@on_both_loops
async def test_those_who_come_into_that_room_are_never_too_many():
    async with admitting(hello, 20) as server:
        await server.idle(20)
        for _ in range(4):  # two make room
            await server.ask()
            assert server.number <= 20


@on_both_loops
async def test_a_warning_is_written_once_in_a_while(caplog):
    async with admitting(hello, 1) as server:
        await server.idle(1)
        for number in (1, 2):
            for _ in range(20):  # ten seconds
                assert (await server.ask())[1].status == 200
                server.tick()
                assert warnings(caplog) == ["1 connections are open, which is the limit"] * number


# What else goes wrong


@on_both_loops
async def test_without_a_handler_the_application_is_out_of_order(caplog):
    def fails():
        if len(asked) < 2:
            asked.append(None)
            raise KeyError("of the application")
        return hello()

    asked = []
    async with admitting(fails, 3) as server:
        for _ in range(2):
            client, reply = await server.ask()
            assert reply.status == 503
            assert b"The application is out of order." in reply.body
            client.close()
        assert (await server.ask())[1].body == b"hello"
    assert errors(caplog) == ["No handler could be made for a connection"] * 2
    assert "KeyError: 'of the application'" in caplog.text


@on_both_loops
async def test_a_handler_may_be_compared_by_its_value():
    @dataclass
    class Compared(hello):
        name: str = "a"

    async with admitting(Compared, 2) as server:
        await server.idle(2)
        assert server.number == 2


@on_both_loops
async def test_handshakes_that_fail_take_no_room(tmp_path, caplog):
    file = tmp_path / "pair.pem"
    file.write_text(CERTIFICATE + KEY)
    async with admitting(hello, 1, tls=make_context(Tls(), Pair(str(file)))) as server:
        for _ in range(5):
            client = await server.connect()
            client.send(GET)
            with pytest.raises((ConnectionResetError, EOFError)):
                await client.until(b"\r\n\r\n")
            server.handlers.remove(await server._made.get())
            while server.admission._expected:  # asyncio's transports know themselves
                gc.collect()
                await asyncio.sleep(0)
    assert warnings(caplog) == []


@on_both_loops
async def test_those_beyond_the_limit_are_counted():
    counters = Counters()
    async with admitting(Slow, 1, counters=counters, access_log=None) as server:
        _, protocol = await server.busy()
        await server.ask()
        await server.ask()
        protocol.go_on.release()
    assert counters.snapshot(WorkerSnapshot(1, "")).refused == {"limit": 2}


@on_both_loops
async def test_who_is_accepted_is_expected_until_there_is_a_connection_or_nobody_any_more():
    async with admitting(hello, 9) as server:
        await server.idle(2)
        assert not server.admission.is_expecting
        accepted = server.admission()
        assert server.admission.is_expecting
        server.handlers.remove(accepted)
        while not server._made.empty():
            server._made.get_nowait()
        del accepted
        gc.collect()
        assert not server.admission.is_expecting
