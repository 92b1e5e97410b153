"""The doubles do as the real thing does, wherever a test relies on it."""

from __future__ import annotations

import asyncio
import socket

import pytest
import uvloop

from aioserve.errors import InvalidHeader, LineTooLong
from tests.doubles import PEER, FakeTransport, request


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


def test_request_is_what_a_server_parses():
    assert request().method == "GET"
    assert request(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc").content_length == 3
    with pytest.raises(InvalidHeader):
        request(b"GET / HTTP/1.1\r\n\r\n")
    with pytest.raises(LineTooLong):
        request(line=5)
    with pytest.raises(ValueError, match="is no whole head"):
        request(b"GET / HTTP/1.1\r\n")
