"""Every example runs and does what it says."""

from __future__ import annotations

import socket

import pytest

from tests.system.clients import Ask, ask_http_client
from tests.system.program import PATIENCE, ROOT

FOLDER = ROOT / "examples"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=b"}


@pytest.fixture
def example(serve):
    return lambda name: serve(FOLDER / f"{name}.py:Handler")


def talk(server, data, until):
    """Send bytes and read until some others have come."""
    heard = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
        client.sendall(data)
        while until not in heard:
            received = client.recv(65_536)
            assert received, heard
            heard += received
    return heard


def test_each_example_has_a_test_here_and_says_how_to_run_it():
    names = {path.stem for path in FOLDER.glob("*.py")}

    assert {f"test_{name}" for name in names} <= globals().keys()
    for name in names:
        assert f"aioserve examples/{name}.py:Handler" in (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def test_hello(example):
    (reply,) = ask_http_client(example("hello").url, [Ask("/")])

    assert reply.body == b"Hello, World!\n"


def test_upload(example):
    body = (
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda <3\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n12345\r\n--b--\r\n'
    )
    asks = [Ask("/"), Ask("/", "POST", MULTIPART, body), Ask("/", "POST", {}, b"x=1"), Ask("/", "PUT")]

    page, done, missing, refused = ask_http_client(example("upload").url, asks)

    assert b'enctype="multipart/form-data"' in page.body
    assert done.body.endswith(b"Ada &lt;3 sent 5 bytes.")
    assert missing.status == 422
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD, POST")


def test_events(example):
    heard = talk(example("events"), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"data: 1\n\n")

    assert b"\r\nContent-Type: text/event-stream\r\n" in heard
    assert b"data: 0\n\n" in heard


def test_takeover(example):
    server = example("takeover")
    head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\n"

    heard = talk(server, head + b"sent with it", b"SENT WITH IT")
    (refused,) = ask_http_client(server.url, [Ask("/")])

    assert heard.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert (refused.status, refused.headers["upgrade"]) == (426, "shout")
