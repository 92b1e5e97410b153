"""The doubles do as the real thing does, wherever a test relies on it."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvloop

from aioserve.errors import InvalidHeader, LineTooLong
from tests.doubles import FORMS, PEER, FakeLoop, FakeTransport, request


def write_and_close(transport):
    transport.write(b"a")
    transport.write(b"")
    transport.writelines([b"b", b"", b"c"])
    yield transport.is_closing()
    transport.close()
    transport.write(b"d")
    yield transport.is_closing()


def write_to_the_end(transport):
    transport.write(b"a")
    yield transport.can_write_eof()
    transport.write_eof()
    with pytest.raises(RuntimeError, match=r"^Cannot call write\(\) after write_eof\(\)$"):
        transport.write(b"b")
    yield transport.is_closing()
    transport.close()


def write_no_bytes(transport):
    with pytest.raises(TypeError):
        transport.write("a")
    transport.write(memoryview(bytearray(b"b")))
    transport.close()
    yield transport.is_closing()


def abort(transport):
    transport.abort()
    transport.write(b"a")
    yield transport.is_closing()


def pause(transport):
    yield transport.is_reading()
    transport.pause_reading()
    transport.pause_reading()
    yield transport.is_reading()
    transport.resume_reading()
    yield transport.is_reading()
    transport.close()
    yield transport.is_reading()


def ask(transport):
    yield transport.get_extra_info("sslcontext")
    yield transport.get_extra_info("nothing", "at all")
    yield transport.get_write_buffer_size()
    protocol = asyncio.Protocol()
    transport.set_protocol(protocol)
    yield transport.get_protocol() is protocol
    transport.close()


async def run_on_a_socket(script):
    ours, theirs = socket.socketpair()
    with theirs:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
        told = list(script(transport))
        theirs.setblocking(False)
        sent = b""
        while part := await asyncio.get_running_loop().sock_recv(theirs, 100):
            sent += part
        return told, sent


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("script", [write_and_close, write_to_the_end, write_no_bytes, abort, pause, ask])
def test_transport_does_as_a_socket_does(script, new_loop):
    fake = FakeTransport()
    told = list(script(fake))

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(run_on_a_socket(script)) == (told, fake.sent)


def test_transport_tells_what_was_asked_of_it():
    transport = FakeTransport(sslcontext="one", sockname="two")
    transport.unsent = 3
    transport.write(b"a")
    transport.write(b"b")

    assert transport.writes == [b"a", b"b"]
    assert transport.take_sent() == b"ab"
    assert transport.take_sent() == b""
    assert not transport.is_aborted
    transport.abort()
    assert transport.is_aborted
    assert transport.get_write_buffer_size() == 3
    assert transport.get_extra_info("peername") == PEER
    assert transport.get_extra_info("sockname") == "two"


def test_transport_of_tls_has_no_half_close():
    transport = FakeTransport(sslcontext="one")

    assert not transport.can_write_eof()
    with pytest.raises(NotImplementedError):
        transport.write_eof()
    assert not transport.is_eof_written


def call_in_order(loop, log, end):
    """Set callbacks on a loop that write into a log when and in which order they are called."""

    def chain():
        log.append("chain")
        loop.call_soon(log.append, "its link")

    def set_timers():  # in a turn of its own: on a slow machine they are due before the first one comes
        loop.call_later(0.004, end)
        loop.call_later(0.002, log.append, "later")
        loop.call_later(0.001, log.append, "first")
        loop.call_later(0.003, log.append, "never").cancel()

    loop.call_soon(chain)
    loop.call_soon(log.append, "second")
    loop.call_soon(log.append, "never").cancel()
    loop.call_soon(lambda: loop.call_soon(set_timers))


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_loop_calls_back_as_a_real_one_does(new_loop):
    fake, told = FakeLoop(), []
    call_in_order(fake, told, lambda: told.append("end"))
    fake.advance(1)

    async def on_a_real_loop():
        loop, log = asyncio.get_running_loop(), []
        ended = loop.create_future()
        call_in_order(loop, log, lambda: ended.set_result(None))
        await ended
        return [*log, "end"]

    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(on_a_real_loop()) == told
    assert told == ["chain", "second", "its link", "first", "later", "end"]
    assert fake.time() == 1


def test_loop_stands_still_until_it_is_moved():
    loop, log = FakeLoop(), []
    loop.call_soon(loop.call_soon, log.append, "second turn")
    loop.call_later(1, log.append, "later")

    assert (loop.pending, log) == (2, [])
    loop.turn()
    assert (loop.pending, log) == (2, [])
    loop.turn()
    assert (loop.pending, log) == (1, ["second turn"])
    loop.advance(0.5)
    assert (loop.time(), log) == (0.5, ["second turn"])
    loop.block(9)
    assert (loop.time(), log) == (9.5, ["second turn"])
    loop.turn()
    assert (loop.pending, log) == (0, ["second turn", "later"])


@pytest.mark.parametrize("taken", FORMS)
def test_forms_take_the_steps_and_return_what_comes_of_them(taken):
    class Operation:
        def __await__(self):
            yield None
            return "result"

        __iter__ = __await__

    assert asyncio.run(taken(Operation())) == "result"


def test_request_is_what_a_server_parses():
    assert request().method == "GET"
    assert request(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc").content_length == 3
    with pytest.raises(InvalidHeader):
        request(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(LineTooLong):
        request(line=5)
    with pytest.raises(ValueError, match="is no whole head"):
        request(b"GET / HTTP/1.1\r\n")
